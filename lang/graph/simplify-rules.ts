/**
 * The rules of `simplify`, by op: each gives a simpler node or nothing. `simple` makes nodes that are simple themselves.
 * A "fill" is one number at every place: a const seen through expand.
 */
import { isSame, list } from "./attrs.ts";
import { constant } from "./build.ts";
import { rowOf } from "./make.ts";
import type { Attrs, Body, Dims, Node, Type } from "./node.ts";
import { axesOfDot } from "./ops/dot.ts";
import type { Env } from "./ops/row.ts";
import { isOpen, sizeOf } from "./ops/row.ts";

export type Simple = (op: string, inputs: readonly Node[], attrs?: Attrs) => Node;
export type Rule = (node: Node, simple: Simple, beforeGradient: boolean) => Node | undefined;

const others = (rank: number, axes: readonly number[]) =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));

function fill(simple: Simple, value: number, type: Type): Node {
  const one = simple("const", [], { value, dtype: type.dtype });
  return type.shape.length === 0 ? one : simple("expand", [one], { shape: type.shape, axes: [] });
}

/** A factor that f32 holds without overflow or loss of range. */
const tame = (x: number) => Number.isFinite(x) && Math.abs(x) < 1e30 && Math.abs(x) > 1e-30;

const OUTSIDE: Env = {
  input: () => {
    throw new Error("simplify: expected a constant, got an input");
  },
  run: () => [],
  results: () => [],
};

/** Operands that are all fills: the op once, in float64. Infinite and NaN results are left to the device. */
const fold: Rule = (node, simple) => {
  const values = node.inputs.map(constant);
  if (values.some((v) => v === undefined)) return undefined;
  const inputs = node.inputs.map((x, i) => ({ data: Float64Array.of(values[i]!), shape: [], dtype: x.type.dtype }));
  const type = { dtype: node.type.dtype, shape: [] };
  const value = rowOf(node.op).meaning(inputs, node.attrs, type, OUTSIDE, node)[0]!;
  return Number.isFinite(value) ? fill(simple, value, node.type) : undefined;
};

/** A view of a fill is a fill. */
const refill: Rule = (node, simple) => {
  const value = constant(node.inputs[0]!);
  return value === undefined ? undefined : fill(simple, value, node.type);
};

/** Operands repeated alike: the op on what is repeated. Fills fit anything. */
const shrink: Rule = (node, simple) => {
  const { inputs, type } = node;
  const wide = inputs.filter((x) => constant(x) === undefined);
  const [first] = wide;
  if (!first || first.op !== "expand") return undefined;
  const axes = list(first, "axes");
  if (!wide.every((x) => x.op === "expand" && isSame(list(x, "axes"), axes))) return undefined;
  const shape = first.inputs[0]!.type.shape;
  const inner = inputs.map((x) => {
    const value = constant(x);
    return value === undefined ? x.inputs[0]! : fill(simple, value, { dtype: x.type.dtype, shape });
  });
  return simple("expand", [simple(node.op, inner, node.attrs)], { shape: type.shape, axes });
};

/** Constants stand second. */
const constSecond: Rule = ({ op, inputs: [a, b] }, simple) =>
  constant(a!) !== undefined && constant(b!) === undefined ? simple(op, [b!, a!]) : undefined;

const isFloat = (node: Node) => node.type.dtype === "f32";
/** The second operand is this number. */
const second =
  (value: number, then: Rule): Rule =>
  (node, simple, before) =>
    constant(node.inputs[1]!) === value ? then(node, simple, before) : undefined;
const keepFirst: Rule = ({ inputs }) => inputs[0]!;

/**
 * The way back through y = e / sum(e), e = exp(x), which is (g / s - sum(g / s y)) e: the same by y alone, y (g - sum(g y)),
 * so that e need not be kept or computed again.
 */
const backThroughSoftmax: Rule = ({ inputs }, simple, before) => {
  const [e, a] = inputs[0]!.op === "exp" ? inputs : [inputs[1]!, inputs[0]!];
  if (before || e!.op !== "exp" || a!.op !== "add") return undefined;
  const [part, repeated] = a!.inputs[0]!.op === "div" ? a!.inputs : [a!.inputs[1]!, a!.inputs[0]!];
  const [g, s] = part!.inputs;
  const total = repeated!.inputs[0];
  if (part!.op !== "div" || s!.op !== "expand" || repeated!.op !== "expand" || total?.op !== "sum") return undefined;
  const own = s!.inputs[0]!;
  if (own.op !== "sum" || own.inputs[0] !== e) return undefined;
  const [axes, places] = [list(own, "axes"), list(s!, "axes")];
  if (!isSame(axes, list(total, "axes")) || !isSame(places, list(repeated!, "axes"))) return undefined;
  if (!isSame(places, others(e!.type.shape.length, axes))) return undefined;
  const product = total.inputs[0]!.op === "neg" ? total.inputs[0]!.inputs[0]! : undefined;
  const y = product?.op === "mul" ? product.inputs[product.inputs[0] === part ? 1 : 0]! : undefined;
  if (!product?.inputs.includes(part!) || y?.op !== "div" || y.inputs[0] !== e || y.inputs[1] !== s) return undefined;
  const mean = simple("expand", [simple("sum", [simple("mul", [g!, y])], { axes })], repeated!.attrs);
  return simple("mul", [simple("sub", [g!, mean]), y]);
};

const add: Rule[] = [
  constSecond,
  second(0, keepFirst),
  ({ inputs: [a, b] }, simple) => (b!.op === "neg" ? simple("sub", [a!, b!.inputs[0]!]) : undefined),
  ({ inputs: [a, b] }, simple) => (a!.op === "neg" ? simple("sub", [b!, a!.inputs[0]!]) : undefined),
];
const sub: Rule[] = [
  second(0, keepFirst),
  ({ inputs: [a, b] }, simple) => (constant(a!) === 0 ? simple("neg", [b!]) : undefined),
  ({ inputs: [a, b] }, simple) => (b!.op === "neg" ? simple("add", [a!, b!.inputs[0]!]) : undefined),
];
const mul: Rule[] = [
  constSecond,
  backThroughSoftmax,
  second(1, keepFirst),
  second(-1, ({ inputs: [a] }, simple) => simple("neg", [a!])),
  ({ inputs: [a, b] }, simple) =>
    a!.op === "neg" && b!.op === "neg" ? simple("mul", [a!.inputs[0]!, b!.inputs[0]!]) : undefined,
  // (-x) c = x (-c)
  (node, simple) => {
    const [a, c] = [node.inputs[0]!, constant(node.inputs[1]!)];
    return a.op === "neg" && c !== undefined ? simple("mul", [a.inputs[0]!, fill(simple, -c, node.type)]) : undefined;
  },
  // (x c) d = x (c d)
  (node, simple) => {
    const [a, d] = [node.inputs[0]!, constant(node.inputs[1]!)];
    if (a.op !== "mul" || d === undefined || !isFloat(node)) return undefined;
    const c = constant(a.inputs[1]!);
    if (c === undefined || !tame(c) || !tame(d) || !tame(c * d)) return undefined;
    return simple("mul", [a.inputs[0]!, fill(simple, c * d, node.type)]);
  },
];
const div: Rule[] = [
  second(1, keepFirst),
  second(-1, ({ inputs: [a] }, simple) => simple("neg", [a!])),
  // x / c = x (1/c) for powers of two alone: floor(49 * (1/49)) would be 0
  (node, simple) => {
    const c = constant(node.inputs[1]!);
    if (c === undefined || !isFloat(node) || !tame(c) || !Number.isInteger(Math.log2(Math.abs(c)))) return undefined;
    return simple("mul", [node.inputs[0]!, fill(simple, 1 / c, node.type)]);
  },
];
const pow: Rule[] = [
  second(0, (node, simple) => fill(simple, 1, node.type)),
  second(1, keepFirst),
  second(2, ({ inputs: [x] }, simple) => simple("mul", [x!, x!])),
  second(3, ({ inputs: [x] }, simple) => simple("mul", [simple("mul", [x!, x!]), x!])),
  second(4, ({ inputs: [x] }, simple) => {
    const square = simple("mul", [x!, x!]);
    return simple("mul", [square, square]);
  }),
  second(0.5, ({ inputs: [x] }, simple) => simple("sqrt", [x!])),
  second(-1, ({ inputs: [x], type }, simple) => simple("div", [fill(simple, 1, type), x!])),
  second(-2, ({ inputs: [x], type }, simple) => simple("div", [fill(simple, 1, type), simple("mul", [x!, x!])])),
  second(-0.5, ({ inputs: [x], type }, simple) => simple("div", [fill(simple, 1, type), simple("sqrt", [x!])])),
];
const select: Rule[] = [
  ({ inputs: [cond, a, b] }) => {
    const c = constant(cond!);
    return c === undefined ? undefined : c ? a! : b!;
  },
  ({ inputs: [, a, b] }) => (a === b ? a! : undefined),
  ({ inputs: [cond, a, b] }, simple) => (cond!.op === "not" ? simple("select", [cond!.inputs[0]!, b!, a!]) : undefined),
];

const sum: Rule[] = [
  (node) => (list(node, "axes").length === 0 ? node.inputs[0]! : undefined),
  // sum of sum
  (node, simple) => {
    const x = node.inputs[0]!;
    if (x.op !== "sum") return undefined;
    const kept = others(x.inputs[0]!.type.shape.length, list(x, "axes"));
    return simple("sum", [x.inputs[0]!], {
      axes: [...list(x, "axes"), ...list(node, "axes").map((i) => kept[i]!)].sort((p, q) => p - q),
    });
  },
  // Summing repeats is a product: sum over new axes of an expand = the rest of the sum times their number.
  (node, simple) => {
    const x = node.inputs[0]!;
    if (x.op !== "expand" || !isFloat(node)) return undefined;
    const axes = list(node, "axes");
    const places = list(x, "axes");
    const repeated = axes.filter((i) => !places.includes(i));
    const times = repeated.map((i) => x.type.shape[i]!);
    if (repeated.length === 0 || isOpen(times)) return undefined;
    const inner = x.inputs[0]!;
    const summed = simple("sum", [inner], { axes: places.flatMap((place, i) => (axes.includes(place) ? [i] : [])) });
    const kept = others(x.type.shape.length, axes);
    const again = simple("expand", [summed], {
      shape: node.type.shape,
      axes: kept.flatMap((axis, i) => (places.includes(axis) ? [i] : [])),
    });
    return simple("mul", [again, fill(simple, sizeOf(times), node.type)]);
  },
];
const amax: Rule[] = [
  (node) => (list(node, "axes").length === 0 ? node.inputs[0]! : undefined),
  (node, simple) => {
    const value = constant(node.inputs[0]!);
    const known = value !== undefined && !isOpen(node.inputs[0]!.type.shape) && sizeOf(node.inputs[0]!.type.shape) > 0;
    return known ? fill(simple, value, node.type) : undefined;
  },
];

const reshape: Rule[] = [
  ({ inputs: [x], type }) => (isSame(x!.type.shape, type.shape) ? x! : undefined),
  ({ inputs: [x], type }, simple) =>
    x!.op === "reshape" ? simple("reshape", [x!.inputs[0]!], { shape: type.shape }) : undefined,
  refill,
];
const permute: Rule[] = [
  (node) => (list(node, "perm").every((p, i) => p === i) ? node.inputs[0]! : undefined),
  (node, simple) => {
    const x = node.inputs[0]!;
    if (x.op !== "permute") return undefined;
    const inner = list(x, "perm");
    return simple("permute", [x.inputs[0]!], { perm: list(node, "perm").map((p) => inner[p]!) });
  },
  refill,
];
const expand: Rule[] = [
  (node) => (list(node, "axes").length === node.type.shape.length ? node.inputs[0]! : undefined),
  (node, simple) => {
    const x = node.inputs[0]!;
    if (x.op !== "expand") return undefined;
    const places = list(node, "axes");
    return simple("expand", [x.inputs[0]!], { shape: node.type.shape, axes: list(x, "axes").map((i) => places[i]!) });
  },
  (node, simple) => (node.inputs[0]!.op === "const" ? undefined : refill(node, simple, false)),
];
const slice: Rule[] = [
  (node) => {
    const x = node.inputs[0]!;
    const whole = list(node, "start").every(
      (lo, i) => lo === 0 && list(node, "stop")[i] === x.type.shape[i] && list(node, "step")[i] === 1,
    );
    return whole ? x : undefined;
  },
  // slice of slice
  (node, simple) => {
    const x = node.inputs[0]!;
    if (x.op !== "slice" || isOpen(list(node, "stop"))) return undefined;
    const [lo, by] = [list(x, "start"), list(x, "step")];
    const counts = node.type.shape;
    const start = list(node, "start").map((s, i) => lo[i]! + s * by[i]!);
    const step = list(node, "step").map((s, i) => s * by[i]!);
    const stop = counts.map((n, i) => (n === 0 ? start[i]! : start[i]! + (n - 1) * step[i]! + 1));
    return simple("slice", [x.inputs[0]!], { start, stop, step });
  },
  refill,
];
const pad: Rule[] = [
  (node) => ([...list(node, "lo"), ...list(node, "hi")].every((n) => n === 0) ? node.inputs[0]! : undefined),
  (node, simple) => {
    const value = constant(node.inputs[0]!);
    return value !== undefined && value === node.attrs["value"] ? fill(simple, value, node.type) : undefined;
  },
];

/** Places in another order are the same places with their ids in that order; what else moves does so when there is less. */
const scatterOfPermute: Rule = ({ inputs: [v, ids], attrs }, simple) => {
  if (v!.op !== "permute" || attrs["paired"] === true) return undefined;
  const [perm, at, rank] = [list(v!, "perm"), attrs["axis"] as number, ids!.type.shape.length];
  const places = perm.slice(at, at + rank);
  const from = Math.min(...places);
  const wide = v!.inputs[0]!;
  const inner = (node: Node, end: number) => sizeOf(node.type.shape.slice(end));
  // side by side; and rows that are added up do not fall apart
  if (rank === 0 || Math.max(...places) - from >= rank) return undefined;
  if (inner(wide, from + rank) < Math.min(4, inner(v!, at + rank))) return undefined;
  const back = places.map((_, axis) => places.indexOf(from + axis));
  const own = simple("permute", [ids!], { perm: back });
  const sums = simple("scatter", [wide, own], { ...attrs, axis: from });
  const rest = perm.filter((axis) => axis < from || axis >= from + rank);
  const narrow = rest.map((axis) => (axis < from ? axis : axis - rank + 1));
  return simple("permute", [sums], { perm: [...narrow.slice(0, at), from, ...narrow.slice(at)] });
};

/** A transposed operand is read in its own order, as long as its free axes keep theirs. */
const dotOfPermute: Rule = (node, simple) => {
  for (const side of [0, 1] as const) {
    const x = node.inputs[side]!;
    if (x.op !== "permute") continue;
    const perm = list(x, "perm");
    const { freeA, freeB } = axesOfDot(node);
    const free = (side === 0 ? freeA : freeB).map((i) => perm[i]!);
    if (free.some((axis, i) => i > 0 && axis < free[i - 1]!)) continue;
    const moved = (pairs: Dims): Dims => pairs.map(([i, j]) => (side === 0 ? [perm[i]!, j] : [i, perm[j]!]));
    const inputs = node.inputs.map((input, i) => (i === side ? x.inputs[0]! : input));
    return simple("dot", inputs, {
      batch: moved(node.attrs["batch"] as Dims),
      contract: moved(node.attrs["contract"] as Dims),
    });
  }
  return undefined;
};

const elementwise: Readonly<Record<string, readonly Rule[]>> = {
  add,
  sub,
  mul,
  div,
  pow,
  select,
  neg: [({ inputs: [x] }) => (x!.op === "neg" ? x!.inputs[0]! : undefined)],
  half: [({ inputs: [x] }) => (x!.op === "half" ? x! : undefined)],
  not: [({ inputs: [x] }) => (x!.op === "not" ? x!.inputs[0]! : undefined)],
  and: [constSecond, second(1, keepFirst), second(0, ({ inputs }) => inputs[1]!)],
  or: [constSecond, second(0, keepFirst), second(1, ({ inputs }) => inputs[1]!)],
  cast: [({ inputs: [x], type }) => (x!.type.dtype === type.dtype ? x! : undefined)],
  ...Object.fromEntries(
    [
      "exp",
      "log",
      "log1p",
      "sqrt",
      "tanh",
      "erf",
      "sin",
      "cos",
      "abs",
      "floor",
      "sign",
      "mod",
      "max",
      "min",
      "lt",
      "le",
      "eq",
      "ne",
    ].map((op) => [op, []]),
  ),
};

export const rules: Readonly<Record<string, readonly Rule[]>> = {
  ...Object.fromEntries(Object.entries(elementwise).map(([op, own]) => [op, [fold, ...own, shrink]])),
  stop: [({ inputs }, _, before) => (before ? undefined : inputs[0]!)],
  const: [
    ({ attrs }, simple, before) => {
      if (before || attrs["let"] === undefined) return undefined;
      return simple("const", [], Object.fromEntries(Object.entries(attrs).filter(([key]) => key !== "let")));
    },
  ],
  reshape,
  permute,
  expand,
  slice,
  pad,
  flip: [(node) => (list(node, "axes").length === 0 ? node.inputs[0]! : undefined), refill],
  windows: [refill],
  gather: [refill],
  scatter: [scatterOfPermute],
  concat: [({ inputs }) => (inputs.length === 1 ? inputs[0]! : undefined)],
  sum,
  amax,
  dot: [dotOfPermute],
  pick: [
    // A carry that every tick hands on as it is.
    (node) => {
      const { body, consts } = node.inputs[0]!.attrs as { body: Body; consts: number };
      const index = node.attrs["index"] as number;
      const at = consts + index;
      const { carries } = node.inputs[0]!.attrs as { carries: number };
      return index < carries && body.results[index] === body.params[at] ? node.inputs[0]!.inputs[at]! : undefined;
    },
  ],
};
