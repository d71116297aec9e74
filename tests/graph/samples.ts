/**
 * Samples of every row of the op table: small inputs with odd sizes, edges and ties. Every test of values, gradients
 * and devices loops over them; `tests/graph/torch/ops.py` reads the same ones as JSON.
 * All numbers are multiples of 1/64, so f32 holds them exactly.
 */
import { make } from "../../lang/graph/index.ts";
import type { Attrs, Body, DType, Node } from "../../lang/graph/node.ts";

export interface SampleInput {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface Sample {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: Attrs;
  /** For `pick`: the attrs of the loop it picks from; the inputs are the loop's. */
  readonly loop?: Attrs;
  /** For `input`: what the host uploads. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** At a kink (a tie, |x| at 0) and for `stop` finite differences say nothing; the rule is compared with PyTorch alone. */
  readonly kink?: boolean;
  /** Inputs for which no gradient is asked (the exponent of a negative base). */
  readonly fixed?: readonly number[];
}

/** The result nodes of a sample: every result of a loop, one node otherwise. */
export function build(sample: Sample, inputs: readonly Node[]): Node[] {
  if (sample.op === "pick") return [make("pick", [make("loop", inputs, sample.loop!)], sample.attrs)];
  const node = make(sample.op, inputs, sample.attrs);
  if (sample.op !== "loop") return [node];
  return (sample.attrs["body"] as Body).results.map((_, index) => make("pick", [node], { index }));
}

// ---------------------------------------------------------------- numbers

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Pseudo-random multiples of 1/64 in [low, high). */
export function numbers(n: number, seed: number, low = -2, high = 2): number[] {
  let s = (seed * 2654435761 + 12345) >>> 0;
  return Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return low + Math.floor((s / 4294967296) * (high - low) * 64) / 64;
  });
}

const f = (shape: readonly number[], seed: number, low = -2, high = 2): SampleInput => ({
  dtype: "f32",
  shape,
  data: numbers(count(shape), seed, low, high),
});
const given = (shape: readonly number[], data: readonly number[], dtype: DType = "f32"): SampleInput => ({
  dtype,
  shape,
  data,
});
const ints = (shape: readonly number[], seed: number, low: number, high: number): SampleInput => ({
  dtype: "i32",
  shape,
  data: numbers(count(shape), seed, low, high).map(Math.floor),
});
const bools = (shape: readonly number[], seed: number): SampleInput => ({
  dtype: "bool",
  shape,
  data: numbers(count(shape), seed, 0, 2).map(Math.floor),
});
/** All different and at least 1/4 apart, so that a small step makes no tie. */
function distinct(shape: readonly number[], seed: number): SampleInput {
  const n = count(shape);
  const key = numbers(n, seed, 0, 1000);
  const order = key.map((_, i) => i).sort((a, b) => key[a]! - key[b]! || a - b);
  const data = new Array<number>(n);
  order.forEach((at, rank) => (data[at] = (rank - n / 2) / 4));
  return given(shape, data);
}
const key = (value: number): SampleInput => given([], [value], "u32");

// ---------------------------------------------------------------- rows

const rows: Sample[] = [];
const add = (op: string, name: string, inputs: readonly SampleInput[], attrs: Attrs = {}, rest: Partial<Sample> = {}) =>
  void rows.push({ op, name, inputs, attrs, ...rest });

// leaves
add("const", "scalar", [], { value: 1.5, dtype: "f32" });
add("const", "integer", [], { value: -3, dtype: "i32" });
add("const", "truth", [], { value: 1, dtype: "bool" });
add("const", "table", [], { values: [1, 2.5, -3, 0, 0.25, 7], shape: [2, 3], dtype: "f32" });
add("const", "let", [], { value: 2, dtype: "f32", let: 7 });
add("iota", "vector", [], { shape: [7], axis: 0 });
add("iota", "rows", [], { shape: [3, 5], axis: 0 });
add("iota", "columns", [], { shape: [3, 5], axis: 1 });
add("input", "scalar", [], { source: "scalar", name: "step", dtype: "f32", shape: [] }, { scalars: { step: 41 } });
add("random", "vector", [key(42), key(3)], { site: 0x9abcdef1, shape: [67] });
add("random", "one key", [key(4294967295)], { site: 1, shape: [3, 5] });
add("random", "scalar", [key(1), key(2), key(3)], { site: 0, shape: [] });

// elementwise, one input
const unary: Record<string, readonly [number, number]> = {
  neg: [-2, 2],
  exp: [-3, 2],
  log: [0.25, 5],
  log1p: [-0.75, 4],
  sqrt: [0.25, 5],
  tanh: [-3, 3],
  erf: [-3, 3],
  sin: [-4, 4],
  cos: [-4, 4],
};
let seed = 1;
for (const [op, [low, high]] of Object.entries(unary)) {
  add(op, "matrix", [f([5, 7], seed++, low, high)]);
  add(op, "scalar", [f([], seed++, low, high)]);
}
add("stop", "matrix", [f([5, 7], 30)], {}, { kink: true });
add("neg", "i32", [ints([7], 31, -9, 9)]);
add("abs", "matrix", [given([2, 5], [-2, -1.25, 0.5, 1, -0.25, 3, 2, -4, 0.75, -1])]);
add("abs", "zero", [given([3], [0, -1, 1])], {}, { kink: true });
add("abs", "i32", [ints([9], 32, -9, 9)]);
add("half", "matrix", [f([5, 7], 38, -3, 3)], {}, { kink: true });
add("half", "ties", [given([6], [2049, 2051, -2053, 2 ** -25, 1.5 * 2 ** -24, 3 * 2 ** -25])], {}, { kink: true });
add("half", "ends", [given([7], [65519, -65504, 6e-8, -2.9e-8, 6.1e-5, 6.09e-5, 0])], {}, { kink: true });
add("floor", "between", [given([2, 4], [-1.5, -0.25, 0.25, 1.75, 2.5, -3.125, 0.5, 7.75])]);
add("floor", "whole", [given([3], [-1, 0, 2])], {}, { kink: true });
add("sign", "between", [given([5], [-2, -0.5, 0.25, 3, 1])]);
add("sign", "zero", [given([3], [-2, 0, 2])], {}, { kink: true });
add("sign", "i32", [given([3], [-7, 0, 9], "i32")]);
add("not", "vector", [bools([9], 33)]);
add("cast", "same", [f([3, 3], 34)], { dtype: "f32" });
add("cast", "f32 to i32", [given([6], [-2.75, -0.5, 0, 0.5, 2.75, 100])], { dtype: "i32" });
add("cast", "f32 to bool", [given([4], [-2.75, 0, 0.5, 1])], { dtype: "bool" });
add("cast", "i32 to f32", [ints([5], 35, -100, 100)], { dtype: "f32" });
add("cast", "i32 to bool", [given([3], [-1, 0, 2], "i32")], { dtype: "bool" });
add("cast", "i32 to u32", [given([3], [1, 0, 7], "i32")], { dtype: "u32" });
add("cast", "u32 to i32", [given([3], [1, 0, 7], "u32")], { dtype: "i32" });
add("cast", "bool to f32", [bools([7], 36)], { dtype: "f32" });
add("cast", "bool to i32", [bools([7], 37)], { dtype: "i32" });

// elementwise, two inputs
for (const op of ["add", "sub", "mul"]) {
  add(op, "matrix", [f([3, 5], seed++), f([3, 5], seed++)]);
  add(op, "scalar", [f([], seed++), f([], seed++)]);
  add(op, "i32", [ints([7], seed++, -50, 50), ints([7], seed++, -50, 50)]);
}
add("mul", "i32 wraps", [given([2], [65536, 123456789], "i32"), given([2], [65537, 987654321], "i32")]);
add("div", "matrix", [
  f([3, 5], 51),
  given(
    [3, 5],
    numbers(15, 52, 0.5, 3).map((x, i) => (i % 2 ? -x : x)),
  ),
]);
add("div", "i32 floors", [given([6], [7, -7, 7, -7, 6, 0], "i32"), given([6], [2, 2, -2, -2, 3, 5], "i32")]);
add("mod", "matrix", [given([6], [5.5, -5.5, 5.5, -5.5, 0.75, 3.25]), given([6], [2, 2, -2, -2, 1, 1.5])]);
add("mod", "i32", [given([6], [7, -7, 7, -7, 6, 0], "i32"), given([6], [2, 2, -2, -2, 3, 5], "i32")]);
for (const op of ["max", "min"]) {
  add(op, "apart", [given([5], [-1, 2, 0.5, 3, -2]), given([5], [1, -2, 0.75, 2, -3])]);
  add(op, "ties", [given([4], [0, 1, -1, 2]), given([4], [0, 1, 0, 0])], {}, { kink: true });
  add(op, "i32", [ints([6], 55, -9, 9), ints([6], 56, -9, 9)]);
}
add("pow", "positive base", [f([3, 4], 57, 0.5, 3), f([3, 4], 58, -2, 3)]);
add("pow", "negative base", [given([4], [-2, -1.5, -1, 3]), given([4], [2, 3, -1, -2])], {}, { fixed: [1] });
add("pow", "base 0", [given([5], [0, 0, 0, 2, 2]), given([5], [2, 1, 3, 0, 1])], {}, { fixed: [1] });
for (const op of ["lt", "le", "eq", "ne"]) {
  add(op, "f32", [given([6], [1, 2, 3, -1, 0, 0.5]), given([6], [2, 2, 1, -1, 0.25, -0.5])]);
  add(op, "i32", [ints([3, 3], 60, 0, 3), ints([3, 3], 61, 0, 3)]);
}
add("eq", "bool", [bools([9], 62), bools([9], 63)]);
add("and", "vector", [bools([9], 64), bools([9], 65)]);
add("or", "vector", [bools([9], 66), bools([9], 67)]);
add("select", "matrix", [bools([3, 5], 68), f([3, 5], 69), f([3, 5], 70)]);
add("select", "i32", [bools([5], 71), ints([5], 72, -9, 9), ints([5], 73, -9, 9)]);

// views
add("reshape", "split", [f([3, 10], 80)], { shape: [3, 5, 2] });
add("reshape", "scalar", [f([1, 1], 81)], { shape: [] });
add("permute", "transpose", [f([3, 5], 82)], { perm: [1, 0] });
add("permute", "cycle", [f([2, 3, 5], 83)], { perm: [2, 0, 1] });
add("permute", "i32", [ints([2, 3], 84, -9, 9)], { perm: [1, 0] });
add("expand", "scalar", [f([], 85)], { shape: [3, 5], axes: [] });
add("expand", "rows", [f([5], 86)], { shape: [3, 5], axes: [1] });
add("expand", "columns", [f([3], 87)], { shape: [3, 5], axes: [0] });
add("expand", "middle", [f([2, 5], 88)], { shape: [2, 3, 5, 2], axes: [0, 2] });
add("slice", "block", [f([5, 7], 89)], { start: [1, 2], stop: [4, 7], step: [1, 1] });
add("slice", "steps", [f([7, 8], 90)], { start: [1, 0], stop: [7, 7], step: [2, 3] });
add("slice", "i32", [ints([7], 91, -9, 9)], { start: [2], stop: [5], step: [1] });
add("pad", "zero", [f([3, 5], 92)], { lo: [1, 0], hi: [2, 3], value: 0 });
add("pad", "value", [f([3], 93)], { lo: [2], hi: [1], value: -1.5 });
add("flip", "both", [f([3, 5], 94)], { axes: [0, 1] });
add("flip", "last", [f([2, 3, 5], 95)], { axes: [2] });
add("concat", "columns", [f([3, 2], 96), f([3, 5], 97), f([3, 1], 98)], { axis: 1 });
add("concat", "i32", [ints([3], 99, -9, 9), ints([2], 100, -9, 9)], { axis: 0 });
add("concat", "bool", [bools([3], 200), bools([4], 201)], { axis: 0 });
add("windows", "line", [f([9], 101)], { axes: [0], size: [3], stride: [1], dilation: [1] });
add("windows", "image", [f([2, 7, 6], 102)], { axes: [1, 2], size: [3, 2], stride: [2, 1], dilation: [1, 2] });
add("windows", "apart", [f([2, 7], 103)], { axes: [1], size: [2], stride: [3], dilation: [1] });
add("fold", "line", [f([7, 3], 104)], { shape: [9], axes: [0], size: [3], stride: [1], dilation: [1] });
add("fold", "image", [f([2, 3, 4, 3, 2], 105)], {
  shape: [2, 7, 6],
  axes: [1, 2],
  size: [3, 2],
  stride: [2, 1],
  dilation: [1, 2],
});
add("fold", "apart", [f([2, 2, 2], 106)], { shape: [2, 7], axes: [1], size: [2], stride: [3], dilation: [1] });

// reduce
add("sum", "all", [f([3, 5], 110)], { axes: [0, 1] });
add("sum", "rows", [f([3, 67], 111)], { axes: [1] });
add("sum", "columns", [f([5, 7], 112)], { axes: [0] });
add("sum", "outer axes", [f([3, 4, 5], 113)], { axes: [0, 2] });
add("sum", "i32", [ints([5, 3], 114, -99, 99)], { axes: [0] });
add("amax", "all", [distinct([3, 5], 115)], { axes: [0, 1] });
add("amax", "rows", [distinct([5, 7], 116)], { axes: [1] });
add("amax", "columns", [distinct([5, 7], 117)], { axes: [0] });
add("amax", "ties", [given([3, 4], [1, 3, 3, 0, 2, 2, 2, 2, -1, -1, -5, -3])], { axes: [1] }, { kink: true });
add("amax", "i32", [ints([5, 3], 118, -99, 99)], { axes: [0] });
add("argmax", "rows", [distinct([5, 7], 119)], { axis: 1 });
add("argmax", "columns", [distinct([5, 7], 120)], { axis: 0 });
add("argmax", "ties", [given([3, 4], [1, 3, 3, 0, 2, 2, 2, 2, -1, -1, -5, -3])], { axis: 1 });
add("cumsum", "vector", [f([9], 121)], { axis: 0, reverse: false });
add("cumsum", "reverse", [f([3, 5, 2], 122)], { axis: 1, reverse: true });

// contraction
add("dot", "matrices", [f([3, 5], 130), f([5, 4], 131)], { batch: [], contract: [[1, 0]] });
add("dot", "transposed", [f([5, 3], 132), f([4, 5], 133)], { batch: [], contract: [[0, 1]] });
add("dot", "inner", [f([7], 134), f([7], 135)], { batch: [], contract: [[0, 0]] });
add("dot", "outer", [f([3], 136), f([5], 137)], { batch: [], contract: [] });
add("dot", "batched", [f([2, 3, 5], 138), f([4, 2, 5], 139)], { batch: [[0, 1]], contract: [[2, 2]] });
add("dot", "two and two", [f([2, 3, 2, 3], 140), f([3, 2, 3, 2], 141)], {
  batch: [
    [0, 1],
    [1, 2],
  ],
  contract: [
    [2, 3],
    [3, 0],
  ],
});
add("dot", "odd", [f([17, 33], 142), f([33, 9], 143)], { batch: [], contract: [[1, 0]] });

// rows
add("gather", "rows", [f([5, 3], 150), given([4], [0, 4, 2, 4], "i32")], { axis: 0 });
add("gather", "inner axis", [f([2, 5, 3], 151), given([2, 2], [1, 0, 4, 1], "i32")], { axis: 1 });
add("gather", "clamped", [f([5], 152), given([4], [-3, 7, 4, 0], "i32")], { axis: 0 });
add("gather", "scalar id", [f([3, 5], 153), given([], [2], "i32")], { axis: 1 });
add("gather", "paired", [f([3, 5], 195), given([3, 2], [1, 0, 4, 4, -1, 9], "i32")], { axis: 1, paired: true });
add("gather", "paired inside", [f([2, 3, 5, 2], 196), given([2, 3, 2, 2], ints([24], 197, 0, 5).data, "i32")], {
  axis: 2,
  paired: true,
});
add("scatter", "paired", [f([3, 4], 198), given([3, 4], [1, 0, 4, 4, -1, 9, 2, 2, 0, 1, 2, 3], "i32")], {
  axis: 1,
  size: 5,
  paired: true,
});
add("scatter", "paired inside", [f([2, 3, 3], 199), given([2, 3], [1, 0, 1, 4, 2, 2], "i32")], {
  axis: 1,
  size: 5,
  paired: true,
});
add("scatter", "rows", [f([4, 3], 154), given([4], [0, 4, 2, 4], "i32")], { axis: 0, size: 6 });
add("scatter", "inner axis", [f([2, 2, 2, 3], 155), given([2, 2], [1, 0, 4, 1], "i32")], { axis: 1, size: 5 });
add("scatter", "clamped", [f([4], 156), given([4], [-3, 7, 4, 0], "i32")], { axis: 0, size: 5 });

// order
add("argsort", "vector", [distinct([9], 157)]);
add("argsort", "rows", [distinct([3, 7], 158)]);
add("argsort", "ties", [given([2, 6], [1, 3, 3, 0, 3, 1, 0, 0, 0, -1, -1, -5])]);
add("argsort", "i32", [ints([4, 11], 159, -5, 5)]);
add("argsort", "one", [f([3, 1], 166)]);
add("argsort", "long", [distinct([2, 300], 167)]);

// linear
const matrix = (n: number, s: number) =>
  given(
    [n, n],
    numbers(n * n, s, -1, 1).map((x, i) => (i % (n + 1) === 0 ? x + 3 : x)),
  );
add("solve", "vector", [matrix(4, 160), f([4], 161)]);
add("solve", "columns", [matrix(3, 162), f([3, 2], 163)]);
add("solve", "pivots", [given([3, 3], [0, 2, 1, 1, 0.5, 0, 2, 0, 3]), f([3], 164)]);
add("solve", "one", [given([1, 1], [2.5]), f([1], 165)]);
add("solve", "batch of vectors", [
  given([2, 3, 3], [...matrix(3, 183).data, 0, 2, 1, 1, 0.5, 0, 2, 0, 3]),
  f([2, 3], 184),
]);
add("solve", "batch of columns", [
  given([2, 2, 2], [...matrix(2, 185).data, ...matrix(2, 186).data]),
  f([2, 2, 3], 187),
]);

/** Symmetric, the numbers on the diagonal apart by `gap` and nothing off it larger than 1. */
function symmetric(n: number, s: number, first: number, gap: number): SampleInput {
  const off = numbers(n * n, s, -1, 1);
  const at = (i: number, j: number) => (i === j ? first + gap * i : off[Math.min(i, j) * n + Math.max(i, j)]!);
  return given([n, n], off.map((_, k) => at(Math.floor(k / n), k % n))); // prettier-ignore
}
const pair = (a: SampleInput, c: SampleInput): SampleInput => given([2, ...a.shape], [...a.data, ...c.data]);
add("cholesky", "matrix", [symmetric(4, 188, 4, 0.5)]);
add("cholesky", "batch", [pair(symmetric(3, 189, 3, 1), symmetric(3, 190, 4, 0))]);
add("cholesky", "not symmetric", [matrix(3, 191)]);
add("cholesky", "one", [given([1, 1], [2.25])]);
add("eigh", "matrix", [symmetric(4, 192, -3, 2)]);
add("eigh", "batch", [pair(symmetric(3, 193, -2, 3), symmetric(3, 194, 1, 1.5))]);
add("eigh", "not symmetric", [given([2, 2], [1, 2, 0.5, -2])]);
add("eigh", "diagonal", [given([3, 3], [2, 0, 0, 0, -1, 0, 0, 0, 0.5])]);
add("eigh", "one", [given([1, 1], [-2.25])]);

// loop
const param = (name: string, dtype: DType, shape: readonly number[]) =>
  make("input", [], { source: "loop", name, dtype, shape });
const tick = () => param("tick", "i32", []);
const mul = (a: Node, b: Node) => make("mul", [a, b], {});
const plus = (a: Node, b: Node) => make("add", [a, b], {});
const tanh = (a: Node) => make("tanh", [a], {});
const toFloat = (a: Node) => make("cast", [a], { dtype: "f32" });
const product = (a: Node, b: Node) => make("dot", [a, b], { batch: [], contract: [[a.type.shape.length - 1, 0]] });

function loopAttrs(
  body: Body,
  rest: { count: number; consts: number; carries: number; scans: number; reverse?: boolean },
): Attrs {
  return { reverse: false, ...rest, body };
}

/** h <- tanh(h W + x); yields h * h. */
function recurrence(reverse: boolean): Attrs {
  const [w, h, x] = [param("const0", "f32", [3, 3]), param("carry0", "f32", [2, 3]), param("scan0", "f32", [2, 3])];
  const next = tanh(plus(product(h, w), x));
  return loopAttrs(
    { params: [w, h, x, tick()], results: [next, mul(next, next)] },
    { count: 4, consts: 1, carries: 1, scans: 1, reverse },
  );
}
/** a <- a * b; b <- b + tick * c: two carries, no scan, the tick is read. */
function geometric(): Attrs {
  const [c, a, b, t] = [param("const0", "f32", []), param("carry0", "f32", []), param("carry1", "f32", []), tick()];
  return loopAttrs(
    { params: [c, a, b, t], results: [mul(a, b), plus(b, mul(toFloat(t), c))] },
    { count: 5, consts: 1, carries: 2, scans: 0 },
  );
}
/** A map: no carry; yields x * x * c. */
function squares(): Attrs {
  const [c, x] = [param("const0", "f32", [3]), param("scan0", "f32", [3])];
  return loopAttrs(
    { params: [c, x, tick()], results: [mul(mul(x, x), c)] },
    { count: 5, consts: 1, carries: 0, scans: 1 },
  );
}
/** An integer carry beside a float: n <- n + 1; s <- s + x * n; yields n. */
function counting(): Attrs {
  const [n, s, x] = [param("carry0", "i32", []), param("carry1", "f32", [2]), param("scan0", "f32", [2])];
  const next = plus(n, make("const", [], { value: 1, dtype: "i32" }));
  const wide = make("expand", [toFloat(next)], { shape: [2], axes: [] });
  return loopAttrs(
    { params: [n, s, x, tick()], results: [next, plus(s, mul(mul(x, x), wide)), next] },
    { count: 3, consts: 0, carries: 2, scans: 1 },
  );
}
/** A loop in a loop: each outer tick runs v <- sin(v * c) + x three times inside. */
function nested(): Attrs {
  const [ic, ix, iv] = [param("const0", "f32", [2]), param("const1", "f32", [2]), param("carry0", "f32", [2])];
  const inner: Body = { params: [ic, ix, iv, tick()], results: [plus(make("sin", [mul(iv, ic)], {}), ix)] };
  const [c, v, x] = [param("const0", "f32", [2]), param("carry0", "f32", [2]), param("scan0", "f32", [2])];
  const run = make("loop", [c, x, v], loopAttrs(inner, { count: 3, consts: 2, carries: 1, scans: 0 }));
  const next = make("pick", [run], { index: 0 });
  return loopAttrs(
    { params: [c, v, x, tick()], results: [next, mul(next, c)] },
    { count: 2, consts: 1, carries: 1, scans: 1 },
  );
}
const recurrent = [f([3, 3], 170, -1, 1), f([2, 3], 171), f([4, 2, 3], 172)];
add("loop", "recurrence", recurrent, recurrence(false));
add("loop", "reverse", recurrent, recurrence(true));
add("loop", "geometric", [f([], 173), f([], 174), f([], 175)], geometric());
add("loop", "map", [f([3], 176), f([5, 3], 177)], squares());
add("loop", "counting", [given([], [2], "i32"), f([2], 178), f([3, 2], 179)], counting());
add("loop", "nested", [f([2], 180, 0.5, 1), f([2], 181), f([2, 2], 182)], nested());
add("pick", "carry", recurrent, { index: 0 }, { loop: recurrence(false) });
add("pick", "stack", recurrent, { index: 1 }, { loop: recurrence(false) });

export const samples: readonly Sample[] = rows;
