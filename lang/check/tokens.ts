/**
 * Texts as tokens: what `chars`, `words` and `bpe` make of `text` and `lines`, and what such a data set can tell: `.size`
 * (a size, known before the run), `.vocab`, `.encode("…")`, `.decode(ids)`. Each is a fact of the file.
 */
import { UserError } from "../diagnostic.ts";
import * as mistakes from "../errors/rows.ts";
import * as names from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { DataArg, DataPlan, HostValue, SourceRef, Tokens } from "../program.ts";
import type { Span } from "../source.ts";
import { typeText } from "./axes.ts";
import { factsOf, fromFacts, isTextData } from "./data.ts";
import { boolArg, checkSource, isTokenizer } from "./sources.ts";
import { constantText } from "./sinks.ts";
import { encoder, START, written } from "./tokenizers.ts";
import type { Checker } from "./state.ts";
import type { Dataset, Tensor, Value } from "./values.ts";

export const TOKEN_MEMBERS: ReadonlySet<string> = new Set(["size", "vocab", "encode", "decode"]);

/** A data set of tokens; undefined while the host is to be asked. */
export function tokenize(
  c: Checker,
  kind: string,
  data: Value,
  args: Readonly<Record<string, DataArg>>,
  like: { readonly value: Value; readonly span: Span } | undefined,
  at: { readonly data: Span; readonly call: Span },
): Value {
  if (data.kind !== "dataset" || data.plan.op !== "source" || !isTextData(data))
    throw new UserError(mistakes.notText(at.data, kind, typeText(data)));
  const of = data.plan.source;
  const own = like && likeOf(like.value, like.span);
  const ref: SourceRef = { name: kind, args: { length: 0, ...args }, of, like: own, span: at.call };
  const [wrong] = checkSource(ref);
  if (wrong) throw new UserError(wrong);
  return opened(c, ref);
}

function opened(c: Checker, ref: SourceRef): Value {
  if (ref.like) {
    const known = factsOf(c, ref.like)?.tokens;
    const ends = ref.of?.name === "lines" && boolArg(ref.of, "ends");
    if (known && ends && known.vocab[2] !== START)
      throw new UserError(mistakes.noVocabulary(ref.span, "`ends: true`", "read the other text with `ends: true` too"));
  }
  const facts = factsOf(c, ref);
  return facts ? fromFacts(ref, facts) : { kind: "broken" };
}

function likeOf(value: Value, span: Span): SourceRef {
  const ref = value.kind === "dataset" ? tokenizerOf(value.plan) : undefined;
  if (ref) return ref;
  throw new UserError(
    mistakes.noVocabulary(span, "`like`", 'give it tokens: `lines("val.txt") |> words(like: train)`'),
  );
}

/** The tokenizer at the bottom of a plan; rows of several have none. */
function tokenizerOf(plan: DataPlan): SourceRef | undefined {
  switch (plan.op) {
    case "source":
      return isTokenizer(plan.source.name) ? plan.source : undefined;
    case "concat":
      return tokenizerOf(plan.parts[0]!);
    case "zip": {
      const found = plan.parts.flatMap((part) => tokenizerOf(part.of) ?? []);
      return found.length === 1 ? found[0] : undefined;
    }
    default:
      return tokenizerOf(plan.of);
  }
}

/** Lines cut or filled up to one length. */
export function padData(c: Checker, data: Dataset, length: number, span: Span): Value {
  const { plan } = data;
  if (plan.op !== "source" || !isTokenizer(plan.source.name) || plan.source.of?.name !== "lines") {
    const help = 'write it right behind the tokenizer: `lines("file.txt") |> words |> pad(20)`';
    throw new UserError(mistakes.noVocabulary(span, "`pad`", help));
  }
  return opened(c, { ...plan.source, args: { ...plan.source.args, length } });
}

// ---------------------------------------------------------------- what tokens can tell

/** Undefined where nothing is known of the text. */
function tokensOf(c: Checker, data: Dataset, what: string, span: Span): Tokens | undefined {
  const ref = tokenizerOf(data.plan);
  if (!ref) {
    if (data.fields.size === 0) return undefined;
    const help = 'cut a text first: `let corpus = text("file.txt") |> chars`';
    throw new UserError(mistakes.noVocabulary(span, what, help));
  }
  return factsOf(c, ref)?.tokens;
}

export function tokenMember(c: Checker, data: Dataset, name: string, span: Span): Value {
  const tokens = tokensOf(c, data, `\`.${name}\``, span);
  if (!tokens) return { kind: "broken" };
  switch (name) {
    case "size":
      return { kind: "num", value: tokens.vocab.length };
    case "vocab":
      return { kind: "list", items: tokens.vocab.map((token): Value => ({ kind: "str", parts: [token] })) };
    default:
      return { kind: "builtin", name, of: data };
  }
}

export function encode(c: Checker, data: Dataset, words: Value, span: Span): Value {
  const tokens = tokensOf(c, data, "`encode`", span);
  if (!tokens) return { kind: "broken" };
  const ids = encoder(tokens)(constantText(words, span));
  if (ids.length === 0) throw new UserError(names.needsConstant("the text of `encode`", "empty", span));
  const node = make("const", [], { values: ids, shape: [ids.length], dtype: "i32" }, span);
  const axis = { size: ids.length, why: { span, text: `${ids.length} tokens come from here` } };
  return { kind: "tensor", node, dtype: "int", axes: [axis], classes: tokens.vocab.length };
}

/** Numbers that are written as a text. */
const asText = new WeakMap<Value, { readonly classes: readonly string[]; readonly glue: string }>();

export function decode(c: Checker, data: Dataset, ids: Value, span: Span): Value {
  const tokens = tokensOf(c, data, "`decode`", span);
  if (!tokens || ids.kind === "broken") return { kind: "broken" };
  if (ids.kind !== "tensor" || ids.dtype !== "int")
    throw new UserError(
      names.wrongValue("`decode`", "whole numbers", typeText(ids), span, "take the class: `argmax(z, over: -1)`"),
    );
  const text: Tensor = { ...ids };
  asText.set(text, written(tokens));
  return text;
}

/** How the numbers of a value are written, where that was said. */
export function writtenAs(value: Value): Pick<Extract<HostValue, { kind: "node" }>, "classes" | "glue"> {
  return asText.get(value) ?? {};
}
