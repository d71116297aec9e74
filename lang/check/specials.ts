/**
 * Functions of the language that need more than tensors: data sets, folds over a clock, conditions with memory,
 * and the loading of params. A name may have a tensor meaning too (`split`): `takes` decides by the first argument.
 */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import * as errors from "../errors/signature.ts";
import { make } from "../graph/index.ts";
import type { Fold, Watch } from "../program.ts";
import type { Span } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import { toTensor } from "./arith.ts";
import { resolveAxes, typeText } from "./axes.ts";
import { asFloat } from "./clocks.ts";
import type { ArgV } from "./call.ts";
import { onePart, shuffleData, splitData, takeData } from "./data.ts";
import { atOf } from "./hooks.ts";
import { dependsOnHost, foldOf, hostNode } from "./host.ts";
import { constantText } from "./sinks.ts";
import { callSite } from "./state.ts";
import type { Checker, Env } from "./state.ts";
import type { Dataset, Value } from "./values.ts";

export interface Special {
  readonly params: readonly string[];
  readonly doc: string;
  readonly takes: (args: readonly ArgV[]) => boolean;
  readonly call: (c: Checker, env: Env, args: readonly ArgV[], span: Span) => Value;
}

const always = (): boolean => true;
const onData = (args: readonly ArgV[]): boolean => args[0]?.value.kind === "dataset";

function bind(callee: string, params: readonly string[], args: readonly ArgV[], span: Span): Map<string, ArgV> {
  const bound = new Map<string, ArgV>();
  let place = 0;
  for (const arg of args) {
    let name = arg.name;
    if (name === undefined) {
      while (place < params.length && bound.has(params[place]!)) place++;
      name = params[place];
      if (name === undefined) throw new UserError(names.tooManyArguments(callee, params.length, arg.span, params));
    } else if (!params.includes(name)) {
      throw new UserError(
        names.wrongArgument(callee, name, arg.nameSpan ?? arg.span, params, didYouMean(name, params)),
      );
    }
    bound.set(name, arg);
  }
  if (!bound.has(params[0]!)) throw new UserError(names.missingArgument(callee, params[0]!, span));
  return bound;
}

function dataset(callee: string, arg: ArgV): Dataset {
  if (arg.value.kind === "dataset") return arg.value;
  throw new UserError(names.outOfPlace(typeText(arg.value), `in \`${callee}\``, arg.span, "give it a data set"));
}

function number(arg: ArgV | undefined, what: string, fallback: number | undefined, span: Span): number {
  if (!arg) {
    if (fallback === undefined) throw new UserError(names.needsConstant(what, "missing", span));
    return fallback;
  }
  if (arg.value.kind === "num") return arg.value.value;
  const node = arg.value.kind === "tensor" ? arg.value.node : undefined;
  if (node?.op === "const" && typeof node.attrs.value === "number") return node.attrs.value;
  throw new UserError(names.needsConstant(what, typeText(arg.value), arg.span));
}

function fraction(arg: ArgV | undefined, what: string, span: Span): number {
  const value = number(arg, what, 0, span);
  if (value < 0 || value >= 1)
    throw new UserError(names.needsConstant(`${what} (a part between 0 and 1)`, String(value), arg?.span ?? span));
  return value;
}

function fold(how: Fold["how"], doc: string): Special {
  const params = ["x", "weight"];
  return {
    params,
    doc,
    takes: always,
    call(c, env, args, span) {
      const bound = bind(how, params, args, span);
      const block = env.frame.block;
      if (!block)
        throw new UserError(
          names.outOfPlace(`\`${how}\``, "outside of a block", span, "use it in a `metric` or a sink"),
        );
      const x = toTensor(bound.get("x")!.value, atOf(c, env, span));
      if (dependsOnHost(x.node)) return x;
      const weight = bound.get("weight");
      const w = weight ? toTensor(weight.value, atOf(c, env, weight.span)) : undefined;
      const node = foldOf(c, block, asFloat(x.node, span), how, w ? asFloat(w.node, span) : undefined);
      return { kind: "tensor", node, dtype: "float", axes: x.axes };
    },
  };
}

function watch(kind: Watch["kind"], doc: string): Special {
  const params = kind === "stale" ? ["x", "n"] : ["x"];
  return {
    params,
    doc,
    takes: always,
    call(c, env, args, span) {
      const bound = bind(kind, params, args, span);
      const block = env.frame.block;
      if (!block)
        throw new UserError(
          names.outOfPlace(`\`${kind}\``, "outside of a block", span, "use it in `when` inside a block"),
        );
      const x = toTensor(bound.get("x")!.value, atOf(c, env, span));
      if (x.axes.length > 0)
        throw new UserError(names.needsConstant(`what \`${kind}\` watches`, `${typeText(x)}, not one number`, span));
      const count = kind === "stale" ? number(bound.get("n"), "the number of readings", undefined, span) : undefined;
      const name = `${kind}${block.watches.length + 1}`;
      block.watches.push({ name, kind, value: hostNode(c, env, x.node, span), count });
      const node = make("input", [], { source: "watch", name, dtype: "bool", shape: [] }, span);
      return { kind: "tensor", node, dtype: "bool", axes: [] };
    },
  };
}

export const specials: Readonly<Record<string, Special>> = {
  split: {
    params: ["data", "val", "test"],
    doc: "split(data, val: 0, test: 0): parts `train`, `val`, `test` by a seeded permutation; a test part that the source has is kept.",
    takes: onData,
    call(c, _env, args, span) {
      const bound = bind("split", this.params, args, span);
      const val = fraction(bound.get("val"), "`val`", span);
      const test = fraction(bound.get("test"), "`test`", span);
      if (val + test >= 1) throw new UserError(names.needsConstant("`val` and `test` together", "1 or more", span));
      return splitData(c, dataset("split", bound.get("data")!), val, test, span);
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
      const count = number(bound.get("n"), "the number of rows", undefined, span);
      if (!Number.isInteger(count) || count < 1) {
        throw new UserError(names.needsConstant("the number of rows (1 or more)", String(count), bound.get("n")!.span));
      }
      return takeData(dataset("take", bound.get("data")!), count, span);
    },
  },
  batches: {
    params: ["data", "n", "drop_last"],
    doc: "batches(data, n, drop_last: false): rows n at a time, axis B; the last short batch counts with its true weight.",
    takes: always,
    call(_c, _env, args, span) {
      const bound = bind("batches", this.params, args, span);
      const data = onePart(dataset("batches", bound.get("data")!), bound.get("data")!.span);
      const size = number(bound.get("n"), "the batch size", undefined, span);
      if (!Number.isInteger(size) || size < 1)
        throw new UserError(names.needsConstant("the batch size (1 or more)", String(size), span));
      const drop = bound.get("drop_last")?.value;
      return { ...data, batch: { size, dropLast: drop?.kind === "bool" && drop.value } };
    },
  },
  map: {
    params: ["data", "f"],
    doc: "map(data, row => { ..row, image: f(row.image) }): a function of each row, compiled into the step.",
    takes: onData,
    call(_c, _env, args, span) {
      const bound = bind("map", this.params, args, span);
      const f = bound.get("f");
      if (f?.value.kind !== "func" && f?.value.kind !== "builtin") {
        throw new UserError(
          names.needsConstant("the row function of `map`", f ? typeText(f.value) : "missing", f?.span ?? span),
        );
      }
      const data = dataset("map", bound.get("data")!);
      const mapped = (d: Dataset): Dataset => ({
        ...d,
        maps: [...d.maps, f.value as Dataset["maps"][number]],
        parts: d.parts && new Map([...d.parts].map(([n, p]) => [n, mapped(p)])),
      });
      return mapped(data);
    },
  },
  load: {
    params: ["net", "file"],
    doc: 'load(net, "file.safetensors"): the params begin with the values of the file.',
    takes: (args) => args[0]?.value.kind === "instance",
    call(_c, _env, args, span) {
      const bound = bind("load", this.params, args, span);
      const net = bound.get("net")!.value;
      const file = bound.get("file");
      if (net.kind !== "instance" || !file) throw new UserError(names.missingArgument("load", "file", span));
      net.loaded = { file: constantText(file.value, file.span), span };
      return net;
    },
  },
  avg: fold("avg", "avg(x, weight: rows): the mean over the reader's clock, rows weighted."),
  total: fold("total", "total(x): the sum over the reader's clock."),
  last: fold("last", "last(x): the newest value."),
  lowest: fold("lowest", "lowest(x): the least value over the reader's clock."),
  highest: fold("highest", "highest(x): the greatest value over the reader's clock."),
  best: watch("best", "best(x): x is above all before at this place; for losses best(-loss)."),
  stale: watch("stale", "stale(x, n): n readings of this clock without a best."),
  rises: watch("rises", "rises(c): c holds now and did not before."),
  shape: {
    params: ["x"],
    doc: "shape(x): the list of its sizes, with their names.",
    takes: always,
    call(c, env, args, span) {
      const x = toTensor(bind("shape", this.params, args, span).get("x")!.value, atOf(c, env, span));
      return { kind: "list", items: x.axes.map((axis) => ({ kind: "num", value: axis.size, axis })) };
    },
  },
  contract: {
    params: ["a", "b", "over", "batch"],
    doc: "contract(a, b, over: [K], batch: [G]): sums a times b over the named axes, for each place of the axes of `batch`, which come first; then come the other axes of a, then those of b.",
    takes: always,
    call: contract,
  },
  labels: {
    params: ["y", "z"],
    doc: "labels(y, z): y, after a check that it holds classes for the last axis of the logits z.",
    takes: always,
    call: labels,
  },
  fan_in: {
    params: ["shape"],
    doc: "fan_in(shape): the product of all axes but `Out` (without that name the last), what one output sums over.",
    takes: always,
    call: (_c, _env, args, span) => fan(args, span, false),
  },
  fan_out: {
    params: ["shape"],
    doc: "fan_out(shape): the product of all axes but `In` (without that name the one beside `Out`), what one input reaches.",
    takes: always,
    call: (_c, _env, args, span) => fan(args, span, true),
  },
};

/** The output axis is called `Out`, else it is the last; the input axis `In`, else it stands before that, or behind it. */
function fan(args: readonly ArgV[], span: Span, out: boolean): Value {
  const list = args[0]?.value;
  if (list?.kind !== "list") throw new UserError(names.needsConstant("the shape of a param", "missing", span));
  const sizes = list.items.map((item) => {
    if (item.kind !== "num") throw new UserError(names.needsConstant("a size", typeText(item), span));
    return item;
  });
  const named = (name: string, place: number): number => {
    const found = sizes.findIndex((item) => item.axis?.name === name);
    return found < 0 ? place : found;
  };
  const outputs = named("Out", sizes.length - 1);
  const inputs = named("In", outputs === 0 ? 1 : outputs - 1);
  const without = out ? inputs : outputs;
  return { kind: "num", value: sizes.reduce((n, item, i) => (i === without ? n : n * item.value), 1) };
}

function contract(c: Checker, env: Env, args: readonly ArgV[], span: Span): Value {
  const bound = bind("contract", ["a", "b", "over", "batch"], args, span);
  const at = atOf(c, env, span);
  const a = toTensor(bound.get("a")!.value, at);
  const b = toTensor(bound.get("b")?.value ?? { kind: "none" }, at);
  const pairs = (axes: Value | undefined): (readonly [number, number])[] => {
    const left = resolveAxes(a, axes, at);
    const right = resolveAxes(b, axes, at);
    const found = left.map((i) => [i, right.find((j) => b.axes[j]!.uid === a.axes[i]!.uid) ?? -1] as const);
    const meet = ([i, j]: readonly [number, number]): boolean => {
      const [x, y] = [a.axes[i]!.size, b.axes[j]?.size];
      return y !== undefined && (x === y || x < 0 || y < 0);
    };
    if (left.length === right.length && found.every(meet)) return found;
    throw new UserError(errors.notContracted(typeText(a), typeText(b), span));
  };
  const over = pairs(bound.get("over")?.value);
  const given = bound.get("batch")?.value;
  const batch = given ? pairs(given) : [];
  const used = [...batch, ...over];
  const node = make("dot", [a.node, b.node], { batch, contract: over }, span);
  const axes = [
    ...batch.map(([i]) => a.axes[i]!),
    ...a.axes.filter((_, i) => !used.some(([x]) => x === i)),
    ...b.axes.filter((_, j) => !used.some(([, y]) => y === j)),
  ];
  return { kind: "tensor", node, dtype: "float", axes };
}

function labels(c: Checker, env: Env, args: readonly ArgV[], span: Span): Value {
  const bound = bind("labels", ["y", "z"], args, span);
  const at = atOf(c, env, span);
  const y = toTensor(bound.get("y")!.value, at);
  const z = toTensor(bound.get("z")?.value ?? { kind: "none" }, at);
  const outputs = z.axes.at(-1);
  if (y.dtype === "float" || y.axes.length !== z.axes.length - 1 || !outputs) {
    throw new UserError(errors.notLabels(typeText(y), typeText(z), span));
  }
  if (y.classes !== undefined && outputs.size >= 0 && y.classes !== outputs.size) {
    const why = outputs.why ? [{ span: outputs.why.span, text: outputs.why.text }] : [];
    throw new UserError(errors.wrongClasses(outputs.size, y.classes, typeText(y), span, why));
  }
  return y;
}
