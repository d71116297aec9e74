/** Functions that reduce axes: sums, means, extremes, norms, tests of all elements. `over` names axes; none means all. */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { binary, elementwise, promote } from "../arith.ts";
import { axisFrom, numberAxis, numberOf, open, resolveAxes, resolveAxis } from "../axes.ts";
import { pairAxes, spreadTo } from "../broadcast.ts";
import type { At } from "../ctx.ts";
import { checkClasses, placesIn } from "../index.ts";
import { cast, filled, op, reorder, tensor, variableOf, toTensor } from "../tensors.ts";
import type { Bundle, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, flag, num, optional, required } from "./builtin.ts";

/** Drops the places; with `spread` the value is repeated in them. */
export function reduced(t: Tensor, name: "sum" | "amax", places: readonly number[], spread: boolean, at: At): Tensor {
  const axes = [...places].sort((p, q) => p - q);
  if (axes.length === 0) return tensor(t.node, t.axes, t.dtype);
  const kept = t.axes.map((_, i) => i).filter((i) => !axes.includes(i));
  const result = tensor(
    op(name, [t.node], { axes }, at),
    kept.map((i) => t.axes[i]!),
    t.dtype,
  );
  return spread ? { ...result, node: spreadTo(result, t.axes, kept, at), axes: t.axes } : result;
}

const total = (t: Tensor, at: At): Tensor =>
  reduced(
    t,
    "sum",
    t.axes.map((_, i) => i),
    false,
    at,
  );

function sumLeaves(b: Bundle, leaf: (t: Tensor) => Tensor, at: At): Tensor {
  const parts = [...b.leaves.values()].map(leaf);
  return parts.length === 0
    ? filled(0, [], "float", at)
    : parts.reduce((x, y) => elementwise("add", [x, y], "float", at, "+"));
}

/** The numbers of a list that is known now, when all of them are meant; those of a `let` are variables. */
function listNumbers(a: Args): number[] | undefined {
  const v = a.value("x");
  if (v.kind !== "list" || v.items.length === 0 || variableOf(v)) return undefined;
  if (["over", "weight", "by"].some((name) => a.given(name)) || a.flag("spread")) return undefined;
  const values = v.items.map((item) => (item.kind === "num" ? numberOf(item) : NaN));
  return values.some(Number.isNaN) ? undefined : values;
}

const allInts = (v: Value): boolean =>
  v.kind === "list" && v.items.every((item) => item.kind === "num" && !item.float && Number.isInteger(item.value));

function product(a: Args, x: Tensor): Tensor {
  const w = a.tensor("weight");
  const pairing = pairAxes(x.axes, w.axes, true);
  if ("why" in pairing || pairing.axes.length > x.axes.length) {
    const misfit = "why" in pairing ? pairing : { why: "missing" as const, axis: w.axes[0]!, order: false };
    throw new UserError(mistake.cannotBroadcast("weight", a.operand("x"), a.operand("weight"), misfit));
  }
  return binary("*", x, w, a.sides("x", "weight")) as Tensor;
}

/** `sum(m, by: dst, into: N)`: row i of m is added to row dst[i] of the result. */
function scatter(a: Args): Tensor {
  const ids = a.ints("by");
  const given = a.number("x");
  const at = a.at;
  const m = given.axes.length === 0 ? tensor(spreadTo(given, ids.axes, [], at), ids.axes, given.dtype) : given;
  const places = placesIn(ids.axes, m);
  if (!places || ids.axes.length === 0) {
    const found = ids.axes.length > m.axes.length ? undefined : pairAxes(ids.axes, m.axes, true);
    const misfit = found && "why" in found ? found : undefined;
    const sides = [
      { value: m, span: a.span("x") },
      { value: ids, span: a.span("by") },
    ] as const;
    if (misfit?.why === "several") throw new UserError(mistake.scatterTwoWays(...sides, misfit.axis));
    const lost = { why: "missing" as const, axis: ids.axes[0] ?? numberAxis(1), order: false };
    throw new UserError(mistake.cannotBroadcast("by", ...sides, misfit ?? lost));
  }
  let into = a.given("into") ? axisFrom(a.value("into"), at, a.span("into")) : undefined;
  if (!into) {
    if (ids.classes === undefined)
      throw a.wrong("into", "the size of the result", "`sum(m, by: i, into: N)` adds into rows 0 to N - 1");
    into = numberAxis(ids.classes, a.span("by"), "classes of this index");
  }
  checkClasses(ids, into, a.span("by"));
  // The op wants the axes of the index side by side, where the first of them stands.
  const first = places[0]!;
  const others = m.axes.map((_, i) => i).filter((i) => !places.includes(i));
  const before = others.filter((i) => i < first);
  const perm = [...before, ...places, ...others.filter((i) => i > first)];
  const front = reorder(cast(m, "float", at), perm, at);
  const axes = front.axes.toSpliced(before.length, places.length, into);
  const node = op("scatter", [front.node, ids.node], { axis: before.length, size: into.size }, at);
  return cast(tensor(node, axes, "float"), m.dtype, at);
}

const sum = builtin(
  "sum",
  [
    required("x"),
    optional("over"),
    optional("spread", flag(false)),
    optional("weight"),
    optional("by"),
    optional("into"),
  ],
  "`sum(x, over, spread: false, weight: w)` The sum along axes; of a bundle, over all leaves. `spread: true` repeats the result in place.\n\n" +
    "`sum(m, by: dst, into: N)` Adds row i of m to row dst[i] of a result with N rows. `sum(1, by: y, into: C)` counts.",
  (a) => {
    const bundle = a.bundle("x");
    if (bundle) return sumLeaves(bundle, (t) => total(t, a.at), a.at);
    const known = listNumbers(a);
    if (known)
      return num(
        known.reduce((x, y) => x + y, 0),
        !allInts(a.value("x")),
      );
    if (a.given("by")) return scatter(a);
    const x = a.number("x");
    const weighted = a.given("weight") ? product(a, x) : x;
    return reduced(weighted, "sum", resolveAxes(weighted, a.value("over"), a.at), a.flag("spread"), a.at);
  },
);

function divideBy(t: Tensor, n: Tensor, at: At): Tensor {
  return elementwise("div", [t, n], "float", at, "/");
}

const mean = builtin(
  "mean",
  [required("x"), optional("over"), optional("spread", flag(false)), optional("weight")],
  "`mean(x, over, spread: false, weight: w)` The mean along axes. With weights $\\sum w x / \\sum w$.",
  (a) => {
    const known = listNumbers(a);
    if (known) return num(known.reduce((x, y) => x + y, 0) / known.length, true);
    const x = a.float("x");
    const places = resolveAxes(x, a.value("over"), a.at);
    const spread = a.flag("spread");
    if (a.given("weight")) {
      const top = reduced(product(a, x), "sum", places, spread, a.at);
      const weights = product(a, filled(1, x.axes, "float", a.at));
      return divideBy(top, reduced(weights, "sum", places, spread, a.at), a.at);
    }
    const count = places.reduce((n, p) => (n < 0 || open(x.axes[p]!.size) ? -1 : n * x.axes[p]!.size), 1);
    const sums = reduced(x, "sum", places, spread, a.at);
    return { ...divideBy(sums, filled(count < 0 ? NaN : count, sums.axes, "float", a.at), a.at), count };
  },
);

const variance = builtin(
  "var",
  [required("x"), optional("over"), optional("spread", flag(false))],
  "`var(x, over, spread: false)` The mean squared distance from the mean along axes; `unbiased(var(x))` divides by n - 1.",
  (a) => {
    const x = a.float("x");
    const places = resolveAxes(x, a.value("over"), a.at);
    const count = places.reduce((n, p) => (n < 0 || open(x.axes[p]!.size) ? -1 : n * x.axes[p]!.size), 1);
    const average = (t: Tensor, spread: boolean): Tensor => {
      const sums = reduced(t, "sum", places, spread, a.at);
      return divideBy(sums, filled(count < 0 ? NaN : count, sums.axes, "float", a.at), a.at);
    };
    const d = elementwise("sub", [x, average(x, true)], "float", a.at, "-");
    return { ...average(square(d, a.at), a.flag("spread")), count };
  },
);

export function reduceExtreme(name: "max" | "min", a: Args): Value {
  const known = listNumbers(a);
  if (known) return num(Math[name](...known), !allInts(a.value("x")));
  const x = a.number("x");
  const places = resolveAxes(x, a.value("over"), a.at);
  if (name === "max") return reduced(x, "amax", places, a.flag("spread"), a.at);
  const neg = (t: Tensor): Tensor => ({ ...t, node: op("neg", [t.node], {}, a.at) });
  return neg(reduced(neg(x), "amax", places, a.flag("spread"), a.at));
}

const square = (t: Tensor, at: At): Tensor => tensor(op("mul", [t.node, t.node], {}, at), t.axes, "float");

/** The square root with the subgradient 0 at 0: a vector of zeros has a length, and no direction. */
function root(t: Tensor, at: At): Tensor {
  const zero = filled(0, t.axes, "float", at).node;
  const none = op("eq", [t.node, zero], {}, at);
  const safe = op("select", [none, filled(1, t.axes, "float", at).node, t.node], {}, at);
  return tensor(op("select", [none, zero, op("sqrt", [safe], {}, at)], {}, at), t.axes, "float");
}

const norm = builtin(
  "norm",
  [required("x"), optional("over"), optional("spread", flag(false))],
  "`norm(x, over)` The length $\\sqrt{\\sum x^2}$ along axes; of a bundle or model, over all its params. Its gradient at zeros is 0.",
  (a) => {
    const bundle = a.bundle("x");
    const squares = bundle
      ? sumLeaves(bundle, (t) => total(square(cast(t, "float", a.at), a.at), a.at), a.at)
      : (() => {
          const x = a.float("x");
          return reduced(square(x, a.at), "sum", resolveAxes(x, a.value("over"), a.at), a.flag("spread"), a.at);
        })();
    return root(squares, a.at);
  },
);

/** The inner product of two values of one structure. */
export function innerProduct(a: Value, b: Value, at: At & { left: At["span"]; right: At["span"] }): Tensor {
  const products = binary("*", a, b, at);
  if (products.kind === "bundle") return sumLeaves(products, (t) => total(cast(t, "float", at), at), at);
  if (products.kind === "tensor") return total(cast(products, "float", at), at);
  throw new UserError(
    mistake.wrongOperands(
      "dot",
      { value: a, span: at.left },
      { value: b, span: at.right },
      "both sides must be tensors of one shape, or bundles of one model",
    ),
  );
}

const dot = builtin(
  "dot",
  [required("a"), required("b")],
  "`dot(a, b)` The sum of the products of all elements; of bundles, over all leaves.",
  (x) => innerProduct(x.bundle("a") ?? x.tensor("a"), x.bundle("b") ?? x.tensor("b"), x.sides("a", "b")),
);

const places = (name: "argmax" | "argmin", adjective: string): Builtin =>
  builtin(
    name,
    [required("x"), optional("over")],
    `\`${name}(x, over: C)\` The place of the ${adjective} value along one axis: \`index(C)\` without that axis. The first of equals.`,
    (a) => {
      const x = a.number("x");
      const axis = resolveAxis(x, a.value("over"), a.at, name);
      const signed = name === "argmax" ? x.node : op("neg", [x.node], {}, a.at);
      return tensor(op("argmax", [signed], { axis }, a.at), x.axes.toSpliced(axis, 1), "int", {
        classes: x.axes[axis]!.size,
      });
    },
  );

const cumsum = builtin(
  "cumsum",
  [required("x"), optional("over"), optional("reverse", flag(false))],
  "`cumsum(x, over: T, reverse: false)` Running sums along one axis, the element itself included; `reverse: true` sums from the end.",
  (a) => {
    const x = a.number("x");
    const axis = resolveAxis(x, a.value("over"), a.at, "cumsum");
    return tensor(op("cumsum", [x.node], { axis, reverse: a.flag("reverse") }, a.at), x.axes, x.dtype);
  },
);

const unbiased = builtin(
  "unbiased",
  [required("v")],
  "`unbiased(v)` A variance that was a `mean` of n squares, as if divided by n - 1: $v \\, n / (n - 1)$.",
  (a) => {
    const v = a.float("v");
    if (v.count === undefined)
      throw a.wrong(
        "v",
        "a mean",
        "the number of elements is known of the result of `mean` itself: `unbiased(mean((x - m)^2, over: B))`",
      );
    if (v.count < 0) return v;
    const factor = v.count / Math.max(1, v.count - 1);
    return elementwise("mul", [v, filled(factor, v.axes, "float", a.at)], "float", a.at, "*");
  },
);

// ---------------------------------------------------------------- tests

/** True where no element along the places is true. */
function nowhere(t: Tensor, at: At, over: readonly number[] = t.axes.map((_, i) => i)): Tensor {
  const count = reduced(cast(t, "int", at), "sum", over, false, at);
  return tensor(op("eq", [count.node, filled(0, count.axes, "int", at).node], {}, at), count.axes, "bool");
}

const not = (t: Tensor, at: At): Tensor => tensor(op("not", [t.node], {}, at), t.axes, "bool");

const quantifiers = (["all", "any"] as const).map((name) =>
  builtin(
    name,
    [required("x"), optional("over")],
    `\`${name}(x, over)\` True where ${name === "all" ? "every" : "at least one"} element along the axes is true.`,
    (a) => {
      const x = a.bools("x");
      const over = resolveAxes(x, a.value("over"), a.at);
      return name === "all" ? nowhere(not(x, a.at), a.at, over) : not(nowhere(x, a.at, over), a.at);
    },
  ),
);

const both = (a: Tensor, b: Tensor, at: At): Tensor => tensor(op("and", [a.node, b.node], {}, at), [], "bool");

/** x - x is 0 for numbers, NaN for NaN and infinities. */
function isFinite(t: Tensor, at: At): Tensor {
  if (t.dtype !== "float") return filled(1, [], "bool", at);
  const zero = op("sub", [t.node, t.node], {}, at);
  const ok = op("eq", [zero, filled(0, t.axes, "float", at).node], {}, at);
  return nowhere(not(tensor(ok, t.axes, "bool"), at), at);
}

const finite = builtin(
  "finite",
  [required("x")],
  "`finite(x)` True when no element is infinite or NaN; of a bundle, in no leaf.",
  (a) => {
    const bundle = a.bundle("x");
    if (bundle)
      return [...bundle.leaves.values()]
        .map((t) => isFinite(t, a.at))
        .reduce((x, y) => both(x, y, a.at), filled(1, [], "bool", a.at));
    const v = a.value("x");
    return v.kind === "num" ? flag(Number.isFinite(v.value)) : isFinite(a.tensor("x"), a.at);
  },
);

function isClose(x: Value, y: Value, tol: Value, a: Args): Value {
  if (x.kind === "num" && y.kind === "num" && tol.kind === "num")
    return flag(Math.abs(numberOf(x) - numberOf(y)) <= tol.value);
  const at = a.sides("a", "b");
  if (
    (x.kind === "tuple" || x.kind === "list") &&
    x.kind === y.kind &&
    x.items.length === y.items.length &&
    !x.items.every((i) => i.kind === "num")
  ) {
    return x.items
      .map((item, i) => isClose(item, y.items[i]!, tol, a))
      .reduce((p, q) => binary("and", p, q, at), flag(true));
  }
  const difference = binary("-", x, y, at);
  const leaves = difference.kind === "bundle" ? [...difference.leaves.values()] : [toTensor(difference, at)];
  return leaves
    .map((d): Value => {
      const [far, limit] = promote(tensor(op("abs", [d.node], {}, at), d.axes, d.dtype), tol, "float", at);
      const near = elementwise("le", [far, limit], "bool", at, "close");
      return nowhere(not(near, at), at);
    })
    .reduce((p, q) => binary("and", p, q, at), flag(true));
}

const close = builtin(
  "close",
  [required("a"), required("b"), optional("tol", num(1e-6, true))],
  "`close(a, b, tol: 1e-6)` True when all elements differ by `tol` at most.",
  (a) => isClose(a.value("a"), a.value("b"), a.value("tol"), a),
);

export const reduceBuiltins: readonly Builtin[] = [
  sum,
  mean,
  variance,
  norm,
  dot,
  places("argmax", "largest"),
  places("argmin", "smallest"),
  cumsum,
  unbiased,
  ...quantifiers,
  finite,
  close,
];
