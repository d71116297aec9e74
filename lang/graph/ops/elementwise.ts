/**
 * One result per element. Shapes of all operands are equal: broadcasting is an `expand`.
 * At ties `max` and `min` give all of the gradient to the second operand, so max(x, 0) is flat at 0; |x| is flat at 0.
 */
import * as b from "../build.ts";
import type { DType, Node, Type } from "../node.ts";
import { erf } from "./erf.ts";
import { toHalf } from "./half.ts";
import type { Gradient, Op } from "./row.ts";
import { dtypeAttr, wrong, expectCount, expectDtype, knownShape, sameShape, typeText } from "./row.ts";

const FLOAT: readonly DType[] = ["f32"];
const NUMBER: readonly DType[] = ["f32", "i32"];
const BOOL: readonly DType[] = ["bool"];
const ANY: readonly DType[] = ["f32", "i32", "u32", "bool"];

/** Results of integer arithmetic wrap to 32 bits; float64 stays. */
function wrapped(data: Float64Array, dtype: DType): Float64Array {
  if (dtype === "i32") for (let i = 0; i < data.length; i++) data[i] = data[i]! | 0;
  return data;
}

/** Operands of equal shape and, but for a leading condition, equal dtype. */
function common(op: string, inputs: readonly Type[], allowed: readonly DType[]): Type {
  const [first] = inputs;
  expectDtype(op, first!, allowed);
  let shape = first!.shape;
  for (const t of inputs) {
    const equal = t.dtype === first!.dtype && sameShape(t.shape, shape);
    if (!equal) throw wrong(op, `operands of one type`, inputs.map(typeText).join(" and "));
    shape = knownShape(shape, t.shape);
  }
  return { dtype: first!.dtype, shape };
}

function unary(
  name: string,
  allowed: readonly DType[],
  doc: string,
  f: (x: number) => number,
  gradient: Gradient | { none: string },
): Op {
  return {
    name,
    family: "elementwise",
    signature: `(a ${allowed.join("|")}) -> like a`,
    doc,
    shape: (inputs) => {
      expectCount(name, inputs, 1);
      return common(name, inputs, allowed);
    },
    gradient,
    meaning: ([a], _, type) => wrapped(a!.data.map(f), type.dtype),
  };
}

function binary(
  name: string,
  allowed: readonly DType[],
  doc: string,
  f: (x: number, y: number) => number,
  gradient: Gradient | { none: string },
  rest: { result?: DType; whole?: (x: number, y: number) => number } = {},
): Op {
  return {
    name,
    family: "elementwise",
    signature: `(a ${allowed.join("|")}, b like a) -> ${rest.result ?? "like a"}`,
    doc,
    shape: (inputs) => {
      expectCount(name, inputs, 2);
      const type = common(name, inputs, allowed);
      return rest.result ? { dtype: rest.result, shape: type.shape } : type;
    },
    gradient,
    meaning: ([a, c], _, type) => {
      const rule = rest.whole && a!.dtype !== "f32" ? rest.whole : f;
      const [x, y] = [a!.data, c!.data];
      const out = new Float64Array(x.length);
      for (let i = 0; i < out.length; i++) out[i] = rule(x[i]!, y[i]!);
      return wrapped(out, type.dtype);
    },
  };
}

/** The float to integer rule of WGSL and Wasm: towards 0, held inside the range, NaN is 0. */
function toWhole(x: number, low: number, high: number): number {
  return Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0;
}
const CASTS: Record<DType, (x: number, from: DType) => number> = {
  f32: (x) => x,
  i32: (x, from) => (from === "f32" ? toWhole(x, -2147483648, 2147483647) : x | 0),
  u32: (x, from) => (from === "f32" ? toWhole(x, 0, 4294967295) : x >>> 0),
  bool: (x) => (x !== 0 ? 1 : 0),
};

const zero = (node: Node) => b.like(node, 0);
const STEP = { none: "it is constant between its jumps" };
const WHOLE = { none: "its result is not a float" };

/** Adjoint `g` where the condition holds and 0 elsewhere, without multiplying. */
const where = (cond: Node, g: Node) => b.select(cond, g, zero(g));

const extreme =
  (isFirst: (x: Node, y: Node) => Node): Gradient =>
  ({ inputs: [x, y], g, needs }) => {
    const first = isFirst(x!, y!);
    return [needs[0] ? where(first, g) : undefined, needs[1] ? b.select(first, zero(g), g) : undefined];
  };

/**
 * d(x^y)/dx = y x^(y-1), where 0^0 times 0 stands in at x = y = 0 (0^-1 is infinite there).
 * d(x^y)/dy = x^y log x, where log 1 stands in at x = 0.
 */
const power: Gradient = ({ node, inputs: [x, y], g, needs }) => {
  let dx: Node | undefined;
  if (needs[0]) {
    const n = b.constant(y!);
    if (n !== undefined) {
      const slope = n === 0 ? zero(g) : n === 1 ? undefined : n === 2 ? x! : b.binary("pow", x!, b.like(y!, n - 1));
      dx = n === 0 ? zero(g) : slope ? b.mul(g, b.scale(slope, n)) : g;
    } else {
      const bothZero = b.binary("and", b.binary("eq", x!, zero(x!)), b.binary("eq", y!, zero(y!)));
      const exponent = b.sub(b.select(bothZero, b.like(y!, 1), y!), b.like(y!, 1));
      dx = b.mul(g, b.mul(y!, b.binary("pow", x!, exponent)));
    }
  }
  if (!needs[1]) return [dx, undefined];
  const base = b.select(b.binary("eq", x!, zero(x!)), b.like(x!, 1), x!);
  return [dx, b.mul(g, b.mul(node, b.unary("log", base)))];
};

const floorDiv = (x: number, y: number) => (y === 0 ? 0 : Math.floor(x / y));
const floorMod = (x: number, y: number) => {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
};

const list: readonly Op[] = [
  unary(
    "neg",
    NUMBER,
    "The opposite, -a",
    (x) => -x,
    ({ g }) => [b.neg(g)],
  ),
  unary("exp", FLOAT, "e to the power of a", Math.exp, ({ node, g }) => [b.mul(g, node)]),
  unary("log", FLOAT, "Natural logarithm", Math.log, ({ inputs: [x], g }) => [b.div(g, x!)]),
  unary("log1p", FLOAT, "log(1 + a), precise near 0", Math.log1p, ({ inputs: [x], g }) => [
    b.div(g, b.add(x!, b.like(x!, 1))),
  ]),
  unary("sqrt", FLOAT, "Square root", Math.sqrt, ({ node, g }) => [b.div(b.scale(g, 0.5), node)]),
  unary("tanh", FLOAT, "Hyperbolic tangent", Math.tanh, ({ node, g }) => [
    b.mul(g, b.sub(b.like(g, 1), b.mul(node, node))),
  ]),
  unary("erf", FLOAT, "The error function", erf, ({ inputs: [x], g }) => [
    b.mul(g, b.scale(b.unary("exp", b.neg(b.mul(x!, x!))), 2 / Math.sqrt(Math.PI))),
  ]),
  unary("sin", FLOAT, "Sine", Math.sin, ({ inputs: [x], g }) => [b.mul(g, b.unary("cos", x!))]),
  unary("cos", FLOAT, "Cosine", Math.cos, ({ inputs: [x], g }) => [b.neg(b.mul(g, b.unary("sin", x!)))]),
  unary("abs", NUMBER, "|a|; its slope at 0 is 0", Math.abs, ({ inputs: [x], g }) => [b.mul(g, b.unary("sign", x!))]),
  unary("floor", FLOAT, "The largest whole number not above a", Math.floor, STEP),
  unary("half", FLOAT, "The nearest number of half precision; so is what flows back", toHalf, ({ g }) => [
    b.unary("half", g),
  ]),
  unary("sign", NUMBER, "-1, 0 or 1", Math.sign, STEP),
  unary("not", BOOL, "True becomes false", (x) => 1 - x, WHOLE),
  unary("stop", ANY, "a, but no gradient flows back", (x) => x, { none: "that is what stop is for" }),
  {
    name: "cast",
    family: "elementwise",
    signature: "(a) {dtype} -> dtype",
    doc: "Another dtype: floats to integers towards 0 and held in range, integers wrap, bool is a != 0.",
    shape: (inputs, attrs) => {
      expectCount("cast", inputs, 1);
      return { dtype: dtypeAttr("cast", attrs), shape: inputs[0]!.shape };
    },
    gradient: ({ node, inputs: [x], g }) => [node.type.dtype === "f32" && x!.type.dtype === "f32" ? g : undefined],
    meaning: ([a], _, type) => a!.data.map((x) => CASTS[type.dtype](x, a!.dtype)),
  },

  binary(
    "add",
    NUMBER,
    "a + b",
    (x, y) => x + y,
    ({ g }) => [g, g],
  ),
  binary(
    "sub",
    NUMBER,
    "a - b",
    (x, y) => x - y,
    ({ g, needs }) => [g, needs[1] ? b.neg(g) : undefined],
  ),
  binary(
    "mul",
    NUMBER,
    "a b",
    (x, y) => x * y,
    ({ inputs: [x, y], g, needs }) => [needs[0] ? b.mul(g, y!) : undefined, needs[1] ? b.mul(g, x!) : undefined],
    { whole: Math.imul },
  ),
  binary(
    "div",
    NUMBER,
    "a / b; integers: the floor of it, and 0 when b is 0",
    (x, y) => x / y,
    ({ node, inputs: [, y], g, needs }) => {
      const dx = b.div(g, y!);
      return [dx, needs[1] ? b.neg(b.mul(dx, node)) : undefined];
    },
    { whole: floorDiv },
  ),
  binary(
    "mod",
    NUMBER,
    "a - b floor(a / b): the sign of b; integers: 0 when b is 0",
    floorMod,
    ({ inputs: [x, y], g, needs }) => [g, needs[1] ? b.neg(b.mul(g, b.unary("floor", b.div(x!, y!)))) : undefined],
    { whole: (x, y) => (y === 0 ? 0 : floorMod(x, y)) },
  ),
  binary(
    "max",
    NUMBER,
    "The larger; at a tie the gradient goes to b",
    Math.max,
    extreme((x, y) => b.binary("lt", y, x)),
  ),
  binary(
    "min",
    NUMBER,
    "The smaller; at a tie the gradient goes to b",
    Math.min,
    extreme((x, y) => b.binary("lt", x, y)),
  ),
  binary("pow", FLOAT, "a to the power of b; a^0 is 1", Math.pow, power),
  binary("lt", NUMBER, "a < b", (x, y) => (x < y ? 1 : 0), WHOLE, { result: "bool" }),
  binary("le", NUMBER, "a <= b", (x, y) => (x <= y ? 1 : 0), WHOLE, { result: "bool" }),
  binary("eq", ANY, "a == b", (x, y) => (x === y ? 1 : 0), WHOLE, { result: "bool" }),
  binary("ne", ANY, "a != b", (x, y) => (x !== y ? 1 : 0), WHOLE, { result: "bool" }),
  binary("and", BOOL, "Both", (x, y) => x * y, WHOLE),
  binary("or", BOOL, "Either", (x, y) => Math.max(x, y), WHOLE),
  {
    name: "select",
    family: "elementwise",
    signature: "(cond bool, a, b like a) -> like a",
    doc: "a where cond holds, else b.",
    shape: (inputs) => {
      expectCount("select", inputs, 3);
      expectDtype("select", inputs[0]!, BOOL);
      const type = common("select", inputs.slice(1), ANY);
      if (!sameShape(inputs[0]!.shape, type.shape))
        throw wrong("select", "one shape", inputs.map(typeText).join(" and "));
      return { dtype: type.dtype, shape: knownShape(type.shape, inputs[0]!.shape) };
    },
    gradient: ({ inputs: [cond], g, needs }) => [
      undefined,
      needs[1] ? where(cond!, g) : undefined,
      needs[2] ? b.select(cond!, zero(g), g) : undefined,
    ],
    meaning: ([cond, x, y]) => x!.data.map((value, i) => (cond!.data[i] ? value : y!.data[i]!)),
  },
];

export const elementwise: Record<string, Op> = Object.fromEntries(list.map((op) => [op.name, op]));
