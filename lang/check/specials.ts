/**
 * Functions of the language that need more than tensors: data sets, folds over a clock, conditions with memory,
 * and the loading of params. A name may have a tensor meaning too (`split`): `takes` decides by the first argument.
 */
import { Reported, UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import * as errors from "../errors/signature.ts";
import { make } from "../graph/index.ts";
import type { Fold, Watch } from "../program.ts";
import type { Span } from "../source.ts";
import { toTensor } from "./arith.ts";
import { contraction } from "./tensors.ts";
import { resolveAxes, shape, typeText } from "./axes.ts";
import { asFloat, meanOverRows } from "./clocks.ts";
import type { ArgV } from "./call.ts";
import { copyInstance } from "./copy.ts";
import { dataSpecials } from "./data-specials.ts";
import { atOf } from "./hooks.ts";
import { dependsOnHost, foldOf, hostNode } from "./host.ts";
import { modelsIn } from "./models.ts";
import { constantText } from "./sinks.ts";
import { always, bind, number, type Special } from "./special.ts";
import { splitOf } from "./splits.ts";
import type { Checker, Env } from "./state.ts";
import type { Value } from "./values.ts";

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
      const whole = toTensor(bound.get("x")!.value, atOf(c, env, span));
      if (dependsOnHost(whole.node)) return whole;
      const x = how === "avg" && !bound.has("weight") ? meanOverRows(whole, span) : whole;
      const weight = bound.get("weight");
      const w = weight ? toTensor(weight.value, atOf(c, env, weight.span)) : undefined;
      const node = foldOf(c, block, asFloat(x.node, span), how, w ? asFloat(w.node, span) : undefined);
      return { kind: "tensor", node, dtype: "float", axes: x.axes };
    },
  };
}

/** All rows of a pass, in its order: for what no mean over batches can give. */
const collect: Special = {
  params: ["x"],
  doc: "collect(x): x of all rows of the pass, [N, ..] from [B, ..]; in `eval`.",
  takes: always,
  call(c, env, args, span) {
    const { block } = env.frame;
    if (block?.kind !== "eval")
      throw new UserError(
        names.outOfPlace("`collect`", "outside of an `eval` block", span, "an `eval` block has a pass to collect"),
      );
    const x = toTensor(bind("collect", this.params, args, span).get("x")!.value, atOf(c, env, span));
    if (x.axes[0]?.name !== "B")
      throw new UserError(
        names.wrongValue(
          "`collect`",
          "a value for each row, [B, ..]",
          typeText(x),
          span,
          "leave it out: a value of the pass needs none",
        ),
      );
    if (block.rows < 0) throw new Reported();
    const axes = [c.freshAxis("N", block.rows, { span, text: `${block.rows} rows in the pass` }), ...x.axes.slice(1)];
    const node = foldOf(c, block, asFloat(x.node, span), "collect", undefined, shape(axes));
    return { kind: "tensor", node, dtype: "float", axes };
  },
};

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
      const split = splitOf(c, x.node);
      if (split) c.origins.set(node, split);
      return { kind: "tensor", node, dtype: "bool", axes: [] };
    },
  };
}

export const specials: Readonly<Record<string, Special>> = {
  ...dataSpecials,
  load: {
    params: ["net", "file"],
    doc: 'load(net, "file.safetensors"): the params of a model, or of a list of them, begin with the values of the file.',
    takes: (args) => modelsIn(args[0]?.value).length > 0,
    call(_c, _env, args, span) {
      const bound = bind("load", this.params, args, span);
      const net = bound.get("net")!.value;
      const file = bound.get("file");
      if (!file) throw new UserError(names.missingArgument("load", "file", span));
      const name = constantText(file.value, file.span);
      for (const { model, before } of modelsIn(net)) model.loaded = { file: name, span, before };
      return net;
    },
  },
  avg: fold("avg", "avg(x, weight: rows): the mean over the reader's clock, rows weighted."),
  total: fold("total", "total(x): the sum over the reader's clock."),
  last: fold("last", "last(x): the newest value."),
  lowest: fold("lowest", "lowest(x): the least value over the reader's clock."),
  highest: fold("highest", "highest(x): the greatest value over the reader's clock."),
  collect,
  copy: {
    params: ["net"],
    doc: "copy(net): a model of its own that begins with the params and states that net has here.",
    takes: always,
    call(c, env, args, span) {
      const net = bind("copy", this.params, args, span).get("net")!.value;
      if (net.kind === "broken") return net;
      if (net.kind !== "instance")
        throw new UserError(names.wrongValue("`copy`", "a model", typeText(net), span, "write `copy(net)`"));
      return copyInstance(c, env, net, span);
    },
  },
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
  const node = contraction(a, b, { batch, contract: over }, at);
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
