/** The functions of data sets, as a table: rows arranged, put together and batched; texts cut into tokens. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import type { DataArg } from "../program.ts";
import {
  concatData,
  eachPart,
  filterData,
  folds,
  inLanes,
  isSequence,
  onePart,
  repeatRows,
  rowFunction,
  shuffleData,
  splitData,
  takeData,
  windowsOf,
  zipData,
} from "./arrange.ts";
import type { ArgV } from "./call.ts";
import { always, bind, dataset, fraction, number, onData, type Special, wholeNumber, yes } from "./special.ts";
import { callSite } from "./state.ts";
import { decode, encode, padData, tokenize } from "./tokens.ts";
import type { Value } from "./values.ts";

const anyData = (args: readonly ArgV[]): boolean => args.some(({ value }) => value.kind === "dataset");

/** A way to cut a text; `numbers` are arguments of its own. */
function tokenizer(
  kind: string,
  numbers: readonly (readonly [name: string, fallback?: number])[],
  doc: string,
): Special {
  const params = ["data", ...numbers.map(([name]) => name), "lower", "like"];
  return {
    params,
    doc,
    takes: always,
    call(c, _env, args, span) {
      const bound = bind(kind, params, args, span);
      const { value, span: dataSpan } = bound.get("data")!;
      const own: Record<string, DataArg> = { lower: yes(bound.get("lower"), "`lower`") };
      for (const [name, fallback] of numbers)
        own[name] = wholeNumber(bound.get(name), `\`${name}\` of \`${kind}\``, fallback, span);
      return tokenize(c, kind, value, own, bound.get("like"), { data: dataSpan, call: span });
    },
  };
}

export const dataSpecials: Readonly<Record<string, Special>> = {
  split: {
    params: ["data", "val", "test", "in_order"],
    doc: "split(data, val: 0, test: 0, in_order: false): parts `train`, `val`, `test` by a seeded permutation, or as the rows stand (tokens of a text always); a test part that the source has is kept.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("split", this.params, args, span);
      const val = fraction(bound.get("val"), "`val`", span);
      const test = fraction(bound.get("test"), "`test`", span);
      if (val + test >= 1) throw new UserError(names.needsConstant("`val` and `test` together", "1 or more", span));
      const data = dataset("split", bound.get("data")!);
      const ordered = yes(bound.get("in_order"), "`in_order`") || isSequence(data);
      return splitData(data, val, test, ordered, span);
    },
  },
  kfold: {
    params: ["data", "k"],
    doc: "kfold(data, k): a list of (fold, part) for `for (fold, part) in kfold(rows, 5)`; each row is once in a `part.val`, else in `part.train`. Seeded.",
    takes: always,
    call(_c, _env, args, span) {
      const bound = bind("kfold", this.params, args, span);
      const k = wholeNumber(bound.get("k"), "the number of folds", undefined, span);
      return folds(dataset("kfold", bound.get("data")!), k, bound.get("k")!.span);
    },
  },
  shuffle: {
    params: ["data"],
    doc: "shuffle(data): a new order of the rows in each epoch.",
    takes: onData,
    call(_c, env, args, span) {
      const bound = bind("shuffle", this.params, args, span);
      const data = bound.get("data")!;
      return shuffleData(dataset("shuffle", data), callSite(env.frame.site, "shuffle").path, data.span);
    },
  },
  take: {
    params: ["data", "n"],
    doc: "take(data, n): the first n rows.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("take", this.params, args, span);
      const count = wholeNumber(bound.get("n"), "the number of rows", undefined, span);
      return takeData(dataset("take", bound.get("data")!), count, span);
    },
  },
  filter: {
    params: ["data", "f"],
    doc: "filter(data, row => row.label < 2): the rows for which a condition on their fields holds. They are counted before the run.",
    takes: onData,
    call(c, env, args, span) {
      const bound = bind("filter", this.params, args, span);
      const f = rowFunction("filter", bound.get("f"), span);
      const data = dataset("filter", bound.get("data")!);
      return filterData(c, env, data, f, bound.get("f")!.span) ?? { kind: "broken" };
    },
  },
  again: {
    params: ["data", "n"],
    doc: "again(data, n): all rows n times, one pass after another.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("again", this.params, args, span);
      const times = wholeNumber(bound.get("n"), "how many times", undefined, span);
      return repeatRows(dataset("again", bound.get("data")!), times);
    },
  },
  concat: {
    params: ["a", "b"],
    doc: "concat(a, b): the rows of a, then those of b, of the same fields; any number of data sets.",
    takes: onData,
    call(_c, _env, args, span) {
      if (args.length < 2) throw new UserError(names.missingArgument("concat", "b", span));
      return concatData(args.map((arg) => ({ data: dataset("concat", arg), span: arg.span })));
    },
  },
  zip: {
    params: ["a", "b"],
    doc: "zip(a, b): row i of a beside row i of b, with the fields of both; `zip(en: a, de: b)` names them. Any number of data sets.",
    takes: anyData,
    call(_c, _env, args, span) {
      if (args.length < 2) throw new UserError(names.missingArgument("zip", "b", span));
      return zipData(args.map((arg) => ({ ...arg, data: dataset("zip", arg) })));
    },
  },
  windows: {
    params: ["data", "n", "stride"],
    doc: "windows(data, n, stride: n): stretches of n rows that follow one another, axis T. Of tokens x and y, each y the token behind its x; of other rows all fields.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("windows", this.params, args, span);
      const size = wholeNumber(bound.get("n"), "the length of a window", undefined, span);
      const stride = wholeNumber(bound.get("stride"), "`stride`", size, span);
      return windowsOf(dataset("windows", bound.get("data")!), size, stride, span);
    },
  },
  batches: {
    params: ["data", "n", "drop_last", "contiguous"],
    doc: "batches(data, n, drop_last: false, contiguous: false): rows n at a time, axis B; the last short batch counts with its true weight. Contiguous: row k of a batch continues row k of the one before.",
    takes: always,
    call(_c, _env, args, span) {
      const bound = bind("batches", this.params, args, span);
      const { span: dataSpan } = bound.get("data")!;
      const data = onePart(dataset("batches", bound.get("data")!), dataSpan);
      const rows = bound.get("n");
      if (!rows) throw new UserError(names.batchSizeMissing(span));
      const size = number(rows, "the batch size", undefined, span);
      if (!Number.isInteger(size) || size < 1)
        throw new UserError(names.needsConstant("the batch size (1 or more)", String(size), rows.span));
      const dropLast = yes(bound.get("drop_last"), "`drop_last`");
      const inOrder = yes(bound.get("contiguous"), "`contiguous`");
      return { ...(inOrder ? inLanes(data, size, dropLast, dataSpan) : data), batch: { size, dropLast } };
    },
  },
  map: {
    params: ["data", "f"],
    doc: "map(data, row => { ..row, image: f(row.image) }): a function of each row, compiled into the step.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("map", this.params, args, span);
      const f = rowFunction("map", bound.get("f"), span);
      return eachPart(dataset("map", bound.get("data")!), (d) => ({ ...d, maps: [...d.maps, f] }));
    },
  },
  chars: tokenizer(
    "chars",
    [],
    "chars(text, lower: false, like: none): the text as characters, a row for each; of `lines` a row of `tokens` for each line. 0 is padding, 1 what the vocabulary lacks; `like` takes the vocabulary of other tokens.",
  ),
  words: tokenizer(
    "words",
    [["least", 1]],
    "words(text, least: 1, lower: false, like: none): the same with words, the frequent first; those that come less than `least` times are `<unk>`.",
  ),
  bpe: tokenizer(
    "bpe",
    [["n"]],
    "bpe(text, n, lower: false, like: none): the same with parts of words: n times the most frequent pair of neighbours becomes one token.",
  ),
  pad: {
    params: ["data", "n"],
    doc: "pad(tokens, n): lines as tokens, filled up with 0 or cut to n places (without it: to the longest line). Mask with `tokens != 0`.",
    takes: onData,
    call(c, _env, args, span) {
      const bound = bind("pad", this.params, args, span);
      const { span: dataSpan } = bound.get("data")!;
      const length = wholeNumber(bound.get("n"), "the length", undefined, span);
      return padData(c, dataset("pad", bound.get("data")!), length, dataSpan);
    },
  },
  encode: {
    params: ["data", "text"],
    doc: 'encode(tokens, text): the numbers of a text; also `corpus.encode("to be")`.',
    takes: onData,
    call(c, _env, args, span) {
      const bound = bind("encode", this.params, args, span);
      const words = bound.get("text");
      if (!words) throw new UserError(names.missingArgument("encode", "text", span));
      return encode(c, dataset("encode", bound.get("data")!), words.value, words.span);
    },
  },
  decode: {
    params: ["data", "ids"],
    doc: "decode(tokens, ids): for `print`, numbers as text; also `corpus.decode(ids)`.",
    takes: onData,
    call(c, _env, args, span): Value {
      const bound = bind("decode", this.params, args, span);
      const ids = bound.get("ids");
      if (!ids) throw new UserError(names.missingArgument("decode", "ids", span));
      return decode(c, dataset("decode", bound.get("data")!), ids.value, ids.span);
    },
  },
};
