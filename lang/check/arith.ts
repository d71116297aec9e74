/**
 * Operators on values of every kind: numbers fold now, tensors broadcast and promote, bundles go leaf by leaf.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/shapes.ts";
import type * as ast from "../syntax/ast.ts";
import type { Node } from "../graph/node.ts";
import { numberOf, openNum } from "./axes.ts";
import { broadcast } from "./broadcast.ts";
import type { At } from "./ctx.ts";
import { refuseClasses } from "./tags.ts";
import { matmul } from "./matmul.ts";
import { byLeaf, cast, filled, isTensorLike, kindOfNum, op, tensor, toTensor } from "./tensors.ts";
import type { Kind, Num, Tensor, Value } from "./values.ts";

export { constant, scalarOf, toTensor } from "./tensors.ts";

type Sides = At & { left: NonNullable<At["left"]>; right: NonNullable<At["right"]> };

const compares = new Set<string>(["==", "!=", "<", "<=", ">", ">="]);

// ---------------------------------------------------------------- constants

const numberRules: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": (a, b) => Math.floor(a / b),
  "%": (a, b) => a - b * Math.floor(a / b),
  "^": (a, b) => a ** b,
};

const compareRules: Record<string, (a: number, b: number) => boolean> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

const bool = (value: boolean): Value => ({ kind: "bool", value });

function foldNumbers(name: string, a: Num, b: Num): Value {
  const [x, y] = [numberOf(a), numberOf(b)];
  const compare = compareRules[name];
  if (compare) return bool(a.axis && a.axis === b.axis && Number.isNaN(x) ? compare(0, 0) : compare(x, y));
  if ((Number.isNaN(x) && !a.float) || (Number.isNaN(y) && !b.float)) return openNum;
  const value = numberRules[name]!(x, y);
  const float = name === "/" || a.float || b.float || (name === "^" && y < 0);
  return float ? { kind: "num", value, float } : { kind: "num", value };
}

/** A bool counts 0 or 1 in arithmetic. */
const counted = (v: Value): Value => (v.kind === "bool" ? { kind: "num", value: v.value ? 1 : 0 } : v);

/** Equality of what is known now and is no number; undefined when it has no meaning. */
function equalConstants(a: Value, b: Value): boolean | undefined {
  if (a.kind === "none" || b.kind === "none") return a.kind === b.kind;
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case "bool":
      return a.value === (b as typeof a).value;
    case "str": {
      const [x, y] = [a.parts, (b as typeof a).parts];
      return [...x, ...y].every((p) => typeof p === "string") ? x.join("") === y.join("") : undefined;
    }
    case "builtin":
      return a.name === (b as typeof a).name;
    case "func":
      return a === b || a.body === (b as typeof a).body;
    case "model":
      return a.decl === (b as typeof a).decl;
    default:
      return undefined;
  }
}

// ---------------------------------------------------------------- promotion

const rank: Record<Kind, number> = { bool: 0, int: 1, float: 2 };

function kindOf(v: Value): Kind {
  if (v.kind === "num") return kindOfNum(v);
  if (v.kind === "bool") return "bool";
  return (v as Tensor).dtype;
}

function as(v: Value, kind: Kind, at: At): Tensor {
  if (v.kind === "num") return filled(numberOf(v), [], kind, at);
  return cast(toTensor(v, at), kind, at);
}

/** Two values as tensors of one kind, at least `least`. */
export function promote(a: Value, b: Value, least: Kind, at: At): [Tensor, Tensor] {
  const x = a.kind === "list" ? toTensor(a, at.left ? { ...at, span: at.left } : at) : a;
  const y = b.kind === "list" ? toTensor(b, at.right ? { ...at, span: at.right } : at) : b;
  const kind = [kindOf(x), kindOf(y), least].reduce((p, q) => (rank[q] > rank[p] ? q : p));
  return [as(x, kind, at), as(y, kind, at)];
}

/** One node on two tensors of one kind after broadcasting. */
export function elementwise(
  name: string,
  [a, b]: readonly [Tensor, Tensor],
  result: Kind,
  at: At,
  what: string,
): Tensor {
  const { axes, a: x, b: y } = broadcast(a, b, at, what);
  return tensor(op(name, [x, y], {}, at), axes, result);
}

// ---------------------------------------------------------------- operators

const arithmetic: Record<string, { op: string; least: Kind }> = {
  "+": { op: "add", least: "int" },
  "-": { op: "sub", least: "int" },
  "*": { op: "mul", least: "int" },
  "/": { op: "div", least: "float" },
  "%": { op: "mod", least: "int" },
};

/** `a > b` is `b < a`. */
const comparison: Record<string, { op: string; swap: boolean }> = {
  "==": { op: "eq", swap: false },
  "!=": { op: "ne", swap: false },
  "<": { op: "lt", swap: false },
  "<=": { op: "le", swap: false },
  ">": { op: "lt", swap: true },
  ">=": { op: "le", swap: true },
};

export function binary(name: ast.BinaryOp, a: Value, b: Value, at: Sides): Value {
  if (a.kind === "broken" || b.kind === "broken") return { kind: "broken" };
  if (name === "and" || name === "or") return logic(name, a, b, at);
  if (name === "==" || name === "!=") {
    const equal = equalConstants(a, b);
    if (equal !== undefined) return bool(equal === (name === "=="));
  }
  const [x, y] = [counted(a), counted(b)];
  if (x.kind === "num" && y.kind === "num") {
    if (name === "@")
      throw new UserError(mistake.productOfScalar({ value: a, span: at.left }, { value: b, span: at.right }));
    return foldNumbers(name, x, y);
  }
  if (name !== "@") {
    const bundle = byLeaf(name, [a, b], at, ([p, q]) => binary(name, p!, q!, at));
    if (bundle) return bundle;
  }
  if (!isTensorLike(a) || !isTensorLike(b)) throw wrong(name, a, b, at);
  if (name === "@") return matmul(toTensor(a, at), toTensor(b, at), at);
  if (compares.has(name)) return compare(name, a, b, at);
  if (name === "^") return power(a, b, at);
  if (name === "//") return floorDivide(a, b, at);
  const rule = arithmetic[name]!;
  const pair = promote(a, b, rule.least, at);
  const result = elementwise(rule.op, pair, pair[0].dtype, at, name);
  const logits = (v: Value): boolean => v.kind === "tensor" && v.tag === "logits";
  return (name === "+" || name === "-") && (logits(a) || logits(b)) ? { ...result, tag: "logits" } : result;
}

function wrong(name: string, a: Value, b: Value, at: Sides): UserError {
  const odd = isTensorLike(a) || a.kind === "bundle" ? b : a;
  return new UserError(
    mistake.wrongOperands(name, { value: a, span: at.left }, { value: b, span: at.right }, operandHelp(odd)),
  );
}

function operandHelp(v: Value): string | undefined {
  switch (v.kind) {
    case "none":
      return "this value may be absent: test it with `== none` first";
    case "instance":
      return "for arithmetic on its params write `params(net)`; to apply it, `net(x)`";
    case "func":
    case "builtin":
      return "call the function: `f(x)`";
    case "model":
      return `make it and apply it: \`x |> ${v.name}(..)\``;
    case "tuple":
      return "take the tuple apart first: `let (a, b) = ..`";
    case "dataset":
      return "choose a field of the data set, or transform its rows with `map`";
    case "str":
      return 'strings are put together with holes: `"{a} and {b}"`';
    case "list":
      return "a list counts as a tensor when its items are numbers or tensors of one shape";
    default:
      return undefined;
  }
}

function compare(name: string, a: Value, b: Value, at: Sides): Tensor {
  const rule = comparison[name]!;
  if (name === "==" || name === "!=") {
    refuseClasses(name, { value: a, span: at.left }, { value: b, span: at.right });
    refuseClasses(name, { value: b, span: at.right }, { value: a, span: at.left });
  }
  const [x, y] = promote(a, b, "int", at);
  const { axes, a: p, b: q } = broadcast(x, y, at, name);
  return tensor(op(rule.op, rule.swap ? [q, p] : [p, q], {}, at), axes, "bool");
}

/** A list of truth values is a tensor. */
const asTruth = (v: Value, at: At): Value => (v.kind === "list" && isTensorLike(v) ? toTensor(v, at) : v);

function logic(name: "and" | "or", left: Value, right: Value, at: Sides): Value {
  const [a, b] = [asTruth(left, at), asTruth(right, at)];
  const decides = name === "or";
  for (const [known, other, span] of [
    [a, b, at.right],
    [b, a, at.left],
  ] as const) {
    if (known.kind !== "bool") continue;
    if (known.value === decides) return known;
    if (other.kind === "bool" || (other.kind === "tensor" && other.dtype === "bool")) return other;
    throw new UserError(
      mistake.wrongKind(
        `each side of \`${name}\``,
        "true or false",
        { value: other, span },
        "compare it: `x > 0`, `x != 0`",
      ),
    );
  }
  for (const [v, span] of [
    [a, at.left],
    [b, at.right],
  ] as const)
    if (v.kind !== "tensor" || v.dtype !== "bool")
      throw new UserError(
        mistake.wrongKind(
          `each side of \`${name}\``,
          "true or false",
          { value: v, span },
          "compare it: `x > 0`, `x != 0`",
        ),
      );
  return elementwise(name, [a as Tensor, b as Tensor], "bool", at, name);
}

/** Largest exponent written out as products. */
const MAX_PRODUCT = 64;

/** x^n for whole n as products: exact for negative x, and any derivative is right at 0. */
function wholePower(x: Node, n: number, at: At): Node {
  if (n === 1) return x;
  const half = wholePower(x, Math.floor(n / 2), at);
  const square = op("mul", [half, half], {}, at);
  return n % 2 === 0 ? square : op("mul", [square, x], {}, at);
}

function power(a: Value, b: Value, at: Sides): Tensor {
  const n = b.kind === "num" ? numberOf(b) : undefined;
  if (n !== undefined && a.kind !== "num") {
    const x = toTensor(a, at);
    const whole = Number.isInteger(n) && Math.abs(n) <= MAX_PRODUCT;
    const base =
      whole && n >= 0 && !(b as Num).float ? cast(x, x.dtype === "bool" ? "int" : x.dtype, at) : cast(x, "float", at);
    const one = (): Tensor => filled(1, base.axes, base.dtype, at);
    if (n === 0) return one();
    if (n === 0.5) return tensor(op("sqrt", [base.node], {}, at), base.axes, "float");
    if (whole) {
      const raised = wholePower(base.node, Math.abs(n), at);
      return tensor(n < 0 ? op("div", [one().node, raised], {}, at) : raised, base.axes, base.dtype);
    }
  }
  return elementwise("pow", promote(a, b, "float", at), "float", at, "^");
}

function floorDivide(a: Value, b: Value, at: Sides): Tensor {
  const pair = promote(a, b, "int", at);
  const result = elementwise("div", pair, pair[0].dtype, at, "//");
  return result.dtype === "int" ? result : tensor(op("floor", [result.node], {}, at), result.axes, "float");
}

export function unary(name: "-" | "not", v: Value, at: At): Value {
  if (v.kind === "broken") return v;
  if (name === "not") {
    if (v.kind === "bool") return bool(!v.value);
    v = asTruth(v, at);
    if (v.kind === "tensor" && v.dtype === "bool") return tensor(op("not", [v.node], {}, at), v.axes, "bool");
    throw new UserError(
      mistake.wrongKind(
        "what follows `not`",
        "true or false",
        { value: v, span: at.span },
        "compare it: `not (x > 0)`, or `x == 0`",
      ),
    );
  }
  const x = counted(v);
  if (x.kind === "num")
    return Number.isNaN(numberOf(x)) && !x.float
      ? openNum
      : { kind: "num", value: -x.value, ...(x.float && { float: true }) };
  const bundle = byLeaf("-", [x], at, ([leaf]) => unary("-", leaf!, at));
  if (bundle) return bundle;
  const t = toTensor(x, at, "what follows `-`");
  const base = t.dtype === "bool" ? cast(t, "int", at) : t;
  return tensor(op("neg", [base.node], {}, at), base.axes, base.dtype);
}

// ---------------------------------------------------------------- choice

/** What holds for either of two tensors holds for a choice between them. */
function commonFacts(a: Value, b: Value): Partial<Tensor> {
  if (a.kind !== "tensor" || b.kind !== "tensor") return {};
  return {
    ...(a.tag !== undefined && a.tag === b.tag && { tag: a.tag }),
    ...(a.classes !== undefined && b.classes !== undefined && { classes: Math.max(a.classes, b.classes) }),
  };
}

/** `c ? a : b`. Both sides of a choice by a tensor are computed. */
export function select(cond: Value, a: Value, b: Value, at: At): Value {
  if (cond.kind === "broken") return cond;
  if (cond.kind === "bool") return cond.value ? a : b;
  if (a.kind === "broken" || b.kind === "broken") return { kind: "broken" };
  if (cond.kind === "bundle") {
    const chosen = byLeaf("? :", [cond, a, b], at, ([c, x, y]) => select(c!, x!, y!, at));
    if (chosen) return chosen;
  }
  if (cond.kind !== "tensor" || cond.dtype !== "bool")
    throw new UserError(
      mistake.wrongKind(
        "a condition",
        "true or false",
        { value: cond, span: at.argSpans?.["cond"] ?? at.span },
        "compare it: `x > 0`, `x != 0`, `x == none`",
      ),
    );
  if ((a.kind === "tuple" || a.kind === "list") && a.kind === b.kind && a.items.length === b.items.length)
    return { kind: a.kind, items: a.items.map((x, i) => select(cond, x, b.items[i]!, at)) };
  if (
    a.kind === "record" &&
    b.kind === "record" &&
    a.fields.size === b.fields.size &&
    [...a.fields.keys()].every((k) => b.fields.has(k))
  )
    return {
      kind: "record",
      fields: new Map([...a.fields].map(([k, x]) => [k, select(cond, x, b.fields.get(k)!, at)])),
    };
  const sides = [a, b] as const;
  const bundle = byLeaf("? :", sides, at, ([x, y]) => select(cond, x!, y!, at));
  if (bundle) return bundle;
  if (!isTensorLike(a) || !isTensorLike(b))
    throw new UserError(
      mistake.wrongOperands(
        "? :",
        { value: a, span: at.left ?? at.span },
        { value: b, span: at.right ?? at.span },
        "a condition on a tensor chooses element by element, so both sides must be tensors or numbers; a constant condition may choose anything",
      ),
    );
  const [x, y] = promote(a, b, "bool", at);
  const both = broadcast(x, y, at, "? :");
  const chosen = tensor(both.a, both.axes, x.dtype);
  const first = broadcast(cond, chosen, at, "? :");
  const second = broadcast(cond, tensor(both.b, both.axes, x.dtype), at, "? :");
  return tensor(op("select", [first.a, first.b, second.b], {}, at), first.axes, x.dtype, commonFacts(a, b));
}
