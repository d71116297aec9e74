/** Functions of each element: powers, waves, limits, choice, conversion. Bundles go leaf by leaf; numbers fold now. */
import { elementwise, promote, select } from "../arith.ts";
import { open, numberOf, openNum } from "../axes.ts";
import { build as b } from "../../graph/index.ts";
import type { Node } from "../../graph/node.ts";
import { toHalf } from "../../graph/ops/half.ts";
import type { At } from "../ctx.ts";
import { byLeaf, cast, isTensorLike, op, tensor, toTensor } from "../tensors.ts";
import type { Kind, Tag, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, flag, num, optional, required, rest } from "./builtin.ts";
import { reduceExtreme } from "./reduce.ts";

interface Rule {
  readonly fold: (x: number) => number;
  readonly meaning: string;
  /** Keeps integers integers. */
  readonly whole?: boolean;
  readonly tag?: (t: Tensor) => Tag | undefined;
}

/** Abramowitz and Stegun 7.1.26; only for numbers folded now, |error| < 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - p * Math.exp(-x * x));
}

const rules: Record<string, Rule> = {
  exp: {
    fold: Math.exp,
    meaning: "$e^x$. Of log probabilities it gives probabilities.",
    tag: (t) => (t.tag === "logprob" ? "prob" : undefined),
  },
  log: {
    fold: Math.log,
    meaning: "The natural logarithm. Of probabilities it gives log probabilities.",
    tag: (t) => (t.tag === "prob" ? "logprob" : undefined),
  },
  log1p: { fold: Math.log1p, meaning: "$\\log(1 + x)$, exact for small x." },
  sqrt: { fold: Math.sqrt, meaning: "The square root." },
  tanh: { fold: Math.tanh, meaning: "The hyperbolic tangent, between -1 and 1." },
  erf: { fold: erf, meaning: "The error function $\\frac{2}{\\sqrt\\pi} \\int_0^x e^{-t^2} dt$." },
  sin: { fold: Math.sin, meaning: "The sine of an angle in radians." },
  cos: { fold: Math.cos, meaning: "The cosine of an angle in radians." },
  abs: { fold: Math.abs, whole: true, meaning: "The distance from 0." },
  sign: { fold: Math.sign, whole: true, meaning: "-1, 0 or 1." },
  half: {
    fold: toHalf,
    meaning:
      "The nearest number of half precision (16 bits: 11 significant ones, up to 65504, infinity from 65520 on). What flows back is rounded too.",
  },
  floor: { fold: Math.floor, whole: true, meaning: "The largest whole number that is not above x." },
};

function applyRule(name: string, rule: Rule, v: Value, a: Args): Value {
  if (v.kind === "num") {
    const x = numberOf(v);
    if (Number.isNaN(x) && !v.float) return openNum;
    return num(rule.fold(x), !rule.whole || (name !== "floor" && v.float === true));
  }
  const bundle = byLeaf(name, [v], a.at, ([leaf]) => applyRule(name, rule, leaf!, a));
  if (bundle) return bundle;
  const t = toTensor(v, { ...a.at, span: a.span("x") }, `\`x\` of \`${name}\``);
  const kind: Kind = rule.whole && t.dtype !== "float" ? "int" : "float";
  const x = cast(t, kind, a.at);
  if (name === "floor" && kind === "int") return x;
  const tag = rule.tag?.(t);
  return tensor(op(name, [x.node], {}, a.at), x.axes, kind, tag && { tag });
}

const unaries = Object.entries(rules).map(([name, rule]) =>
  builtin(name, [required("x")], `\`${name}(x)\` ${rule.meaning}`, (a) => applyRule(name, rule, a.value("x"), a)),
);

/** Elementwise max or min of two. */
function extremeOf(name: "max" | "min", a: Value, b: Value, at: At): Value {
  if (a.kind === "num" && b.kind === "num") {
    const [x, y] = [numberOf(a), numberOf(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return openNum;
    const value = Math[name](x, y);
    return a.float || b.float ? num(value, true) : num(value);
  }
  const bundle = byLeaf(name, [a, b], at, ([x, y]) => extremeOf(name, x!, y!, at));
  if (bundle) return bundle;
  const pair = promote(tensorLike(a, at, name), tensorLike(b, at, name), "int", at);
  return elementwise(name, pair, pair[0].dtype, at, name);
}

const tensorLike = (v: Value, at: At, name: string): Value =>
  isTensorLike(v) ? v : toTensor(v, at, `an argument of \`${name}\``);

const extremes = (["max", "min"] as const).map((name) =>
  builtin(
    name,
    [required("x"), rest("others"), optional("over"), optional("spread", flag(false))],
    `\`${name}(x, over, spread: false)\` The ${name === "max" ? "largest" : "smallest"} value along axes (all axes without \`over\`).\n\n\`${name}(a, b, ..)\` element by element.`,
    (a) => {
      const others = a.value("others");
      if (others.kind !== "list" || others.items.length === 0) return reduceExtreme(name, a);
      return others.items.reduce((x, y) => extremeOf(name, x, y, { ...a.at, left: a.span("x") }), a.value("x"));
    },
  ),
);

const clamp = builtin(
  "clamp",
  [required("x"), required("low"), required("high")],
  "`clamp(x, low, high)` x where it lies between the two limits, else the nearer limit: $\\min(\\max(x, low), high)$.",
  (a) =>
    extremeOf(
      "min",
      extremeOf("max", a.value("x"), a.value("low"), a.sides("x", "low")),
      a.value("high"),
      a.sides("x", "high"),
    ),
);

const where = builtin(
  "where",
  [required("cond"), required("a"), required("b")],
  "`where(cond, a, b)` Element by element a where the condition holds, else b. The same as `cond ? a : b`.",
  (x) => select(x.value("cond"), x.value("a"), x.value("b"), x.sides("a", "b")),
);

// ---------------------------------------------------------------- whole numbers, and what is no number

/** A rule on float nodes; whole numbers are whole already. */
function rounding(name: string, fold: (x: number) => number, meaning: string, rule: (x: Node) => Node): Builtin {
  const apply = (v: Value, a: Args): Value => {
    if (v.kind === "num") return Number.isNaN(numberOf(v)) && !v.float ? openNum : num(fold(numberOf(v)));
    const bundle = byLeaf(name, [v], a.at, ([leaf]) => apply(leaf!, a));
    if (bundle) return bundle;
    const t = toTensor(v, { ...a.at, span: a.span("x") }, `\`x\` of \`${name}\``);
    return t.dtype === "float" ? tensor(rule(t.node), t.axes, "float") : cast(t, "int", a.at);
  };
  return builtin(name, [required("x")], `\`${name}(x)\` ${meaning}`, (a) => apply(a.value("x"), a));
}

const halfToEven = (x: number): number => {
  const low = Math.floor(x);
  return x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0) ? low + 1 : low;
};

const roundings = [
  rounding("ceil", Math.ceil, "The smallest whole number that is not below x.", (x) =>
    b.neg(b.unary("floor", b.neg(x))),
  ),
  rounding("round", halfToEven, "The nearest whole number, of two the even one.", (x) => {
    const low = b.unary("floor", x);
    const part = b.sub(x, low);
    const half = b.like(x, 0.5);
    const odd = b.binary("eq", b.binary("mod", low, b.like(x, 2)), b.like(x, 1));
    const up = b.binary("or", b.binary("lt", half, part), b.binary("and", b.binary("eq", part, half), odd));
    return b.add(low, b.cast(up, "f32"));
  }),
];

/** Tests of floats; whole numbers and bools pass as numbers. */
function numberTest(name: string, meaning: string, fold: (x: number) => boolean, rule: (x: Node) => Node): Builtin {
  return builtin(name, [required("x")], `\`${name}(x)\` ${meaning}`, (a) => {
    const v = a.value("x");
    if (v.kind === "num") return flag(fold(v.value));
    const t = a.tensor("x");
    const node =
      t.dtype === "float" ? rule(t.node) : b.fill(fold(0) ? 1 : 0, { dtype: "bool", shape: t.node.type.shape });
    return tensor(node, t.axes, "bool");
  });
}

const numberTests = [
  // x - x is 0 for numbers alone
  numberTest("isfinite", "Element by element true where x is neither infinite nor NaN.", Number.isFinite, (x) =>
    b.binary("eq", b.sub(x, x), b.like(x, 0)),
  ),
  numberTest("isnan", "Element by element true where x is not a number.", Number.isNaN, (x) => b.binary("ne", x, x)),
];

// ---------------------------------------------------------------- conversion

function convert(v: Value, kind: Kind, a: Args): Value {
  if (v.kind === "num" && kind !== "bool") {
    const x = numberOf(v);
    if (kind === "float") return num(x, true);
    return Number.isNaN(x) ? openNum : v.float ? num(Math.trunc(x)) : v;
  }
  if (v.kind === "num") return flag(v.value !== 0 && !open(v.value));
  if (v.kind === "bool") return kind === "bool" ? v : num(v.value ? 1 : 0, kind === "float");
  const bundle = byLeaf(a.fn, [v], a.at, ([leaf]) => convert(leaf!, kind, a));
  return bundle ?? cast(toTensor(v, { ...a.at, span: a.span("x") }, `\`x\` of \`${a.fn}\``), kind, a.at);
}

const conversions = (
  [
    ["f32", "float", "x as floats; bools count 0 and 1."],
    ["i32", "int", "x as integers, cut towards 0."],
    ["bool", "bool", "True where x is not 0."],
  ] as const
).map(([name, kind, meaning]) =>
  builtin(name, [required("x")], `\`${name}(x)\` ${meaning}`, (a) => convert(a.value("x"), kind, a)),
);

function stopped(v: Value, a: Args): Value {
  switch (v.kind) {
    case "tensor":
      return v.dtype === "float" ? { ...v, node: op("stop", [v.node], {}, a.at) } : v;
    case "num":
    case "bool":
    case "none":
      return v;
    case "tuple":
    case "list":
      return { kind: v.kind, items: v.items.map((item) => stopped(item, a)) };
    case "record":
      return { kind: "record", fields: new Map([...v.fields].map(([k, item]) => [k, stopped(item, a)])) };
    case "bundle":
      return { kind: "bundle", leaves: new Map([...v.leaves].map(([k, leaf]) => [k, stopped(leaf, a) as Tensor])) };
    default:
      throw a.wrong(
        "x",
        "a tensor, a bundle, or a tuple or record of them",
        v.kind === "instance"
          ? "an instance that a block does not train gets no gradient anyway; or stop its result: `stop(net(x))`"
          : undefined,
      );
  }
}

const stop = builtin(
  "stop",
  [required("x")],
  "`stop(x)` x as it is, for gradients a constant. Works on tensors, tuples, records and bundles.",
  (a) => stopped(a.value("x"), a),
);

export const elementwiseBuiltins: readonly Builtin[] = [
  ...unaries,
  ...roundings,
  ...numberTests,
  ...extremes,
  clamp,
  where,
  ...conversions,
  stop,
];
