/**
 * Derivatives as values, and bundles. Everything is composed from one reverse walk: a forward product is the walk of
 * a walk, second derivatives are walks over gradients. Jacobians and Hessians are written out row by row.
 */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/gradients.ts";
import { substitute } from "../../graph/index.ts";
import { binary, toTensor } from "../arith.ts";
import { shape, volume } from "../axes.ts";
import type { At } from "../ctx.ts";
import { slicedAt } from "../index.ts";
import { cast, filled, isTensorLike, op, tensor, variableOf, viewAs } from "../tensors.ts";
import type { Axis, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, hasModel, lentTo, optional, required } from "./builtin.ts";
import { innerProduct, reduced } from "./reduce.ts";
import { flattenBundle } from "./views.ts";

/** The float tensors inside a value, and the value again with others in their place. */
interface Leaves {
  readonly tensors: readonly Tensor[];
  readonly rebuild: (tensors: readonly Tensor[]) => Value;
}

const onlyModels = (v: Value): boolean =>
  v.kind === "list" || v.kind === "tuple"
    ? v.items.every(onlyModels)
    : v.kind === "instance" || v.kind === "func" || v.kind === "builtin";

function leavesOf(v: Value, a: Args, name: string): Leaves {
  if (v.kind === "tensor" && v.dtype === "float") return { tensors: [v], rebuild: ([t]) => t! };
  if (hasModel(v) && onlyModels(v)) return leavesOf(a.at.ctx.paramsOf(v, a.span(name)), a, name);
  const lent = lentTo(v);
  if (lent) return leavesOf(lent, a, name);
  if (v.kind === "bundle") {
    const paths = [...v.leaves.keys()];
    return {
      tensors: [...v.leaves.values()],
      rebuild: (ts) => ({ kind: "bundle", leaves: new Map(paths.map((p, i) => [p, ts[i]!])) }),
    };
  }
  const variable = v.kind === "list" ? variableOf(v) : undefined;
  if (variable) return leavesOf(variable, a, name);
  if ((v.kind === "tuple" || v.kind === "list") && v.items.length > 0 && v.items.some((item) => item.kind !== "num")) {
    const parts = v.items.map((item) => leavesOf(item, a, name));
    return {
      tensors: parts.flatMap((p) => p.tensors),
      rebuild: (ts) => {
        let from = 0;
        return { kind: v.kind, items: parts.map((p) => p.rebuild(ts.slice(from, (from += p.tensors.length)))) };
      },
    };
  }
  throw new UserError(mistake.notVariable(a.fn, { value: v, span: a.span(name) }));
}

function floatScalar(a: Args, name: string): Tensor {
  const v = a.value(name);
  if (v.kind !== "tensor" || v.dtype !== "float" || v.axes.length > 0)
    throw new UserError(mistake.needsScalar(a.fn, a.operand(name)));
  return v;
}

function floatTensor(a: Args, name: string): Tensor {
  const v = a.value(name);
  if (v.kind !== "tensor" || v.dtype !== "float") throw new UserError(mistake.needsScalar(a.fn, a.operand(name)));
  return v;
}

const total = (t: Tensor, at: At): Tensor =>
  reduced(
    t,
    "sum",
    t.axes.map((_, i) => i),
    false,
    at,
  );

const grad = builtin(
  "grad",
  [required("y"), required("x"), optional("per")],
  "`grad(y, x)` How the scalar y changes with x: a value shaped like x (a tensor, a tuple, a bundle, or the params of a model). May be used in a loss and differentiated again.\n\n" +
    "`grad(y, x, per: B)` For y `[B]` with independent rows, the gradient of each row.",
  (a) => {
    const x = leavesOf(a.value("x"), a, "x");
    const per = a.value("per");
    if (per.kind === "none") return x.rebuild(a.at.ctx.gradientOf(floatScalar(a, "y"), [...x.tensors], a.at.span));
    const y = floatTensor(a, "y");
    const uid = per.kind === "num" ? per.axis?.uid : undefined;
    const place = per.kind === "num" && per.axis === undefined ? per.value : undefined;
    const [axis] = y.axes;
    if (
      y.axes.length !== 1 ||
      !axis ||
      (place === undefined ? axis.uid !== uid || uid === undefined : place !== 0 && place !== -1)
    )
      throw new UserError(
        mistake.notOneRowEach(a.operand("y"), per.kind === "num" ? (per.axis?.name ?? String(per.value)) : "B"),
      );
    return x.rebuild(a.at.ctx.gradientOf(total(y, a.at), [...x.tensors], a.at.span));
  },
);

/** The leaves of a direction, which must be shaped like those of x. */
function direction(a: Args, x: Leaves): readonly Tensor[] {
  const v = a.value("v");
  const plain = v.kind === "num" || (v.kind === "list" && x.tensors.length === 1 && isTensorLike(v));
  const given = plain ? [toTensor(v, { ...a.at, span: a.span("v") })] : leavesOf(v, a, "v").tensors;
  const fits =
    given.length === x.tensors.length &&
    given.every((t, i) => shape(t.axes).join() === shape(x.tensors[i]!.axes).join());
  if (!fits) throw new UserError(mistake.otherDirection(a.fn, a.operand("x"), a.operand("v")));
  return given.map((t) => cast(t, "float", a.at));
}

function inner(gs: readonly Tensor[], vs: readonly Tensor[], at: At): Tensor {
  const sides = { ...at, left: at.span, right: at.span };
  const parts = gs.map((g, i) => innerProduct(g, { ...vs[i]!, axes: g.axes }, sides));
  return parts.reduce((x, y) => binary("+", x, y, sides) as Tensor);
}

/** The x-gradient of f(vs), with vs constant in this walk only: for gradients of the result they are what they were. */
function walkAround(
  vs: readonly Tensor[],
  xs: readonly Tensor[],
  f: (held: readonly Tensor[]) => Tensor,
  at: At,
): Tensor[] {
  const held = vs.map((t) => ({ ...t, node: op("stop", [t.node], {}, at) }));
  const back = at.ctx.gradientOf(f(held), [...xs], at.span);
  const nodes = substitute(
    back.map((t) => t.node),
    new Map(held.map((t, i) => [t.node, vs[i]!.node])),
  );
  return back.map((t, i) => ({ ...t, node: nodes[i]! }));
}

const vjp = builtin(
  "vjp",
  [required("y"), required("x"), required("v")],
  "`vjp(y, x, v)` The gradient of $\\langle y, v \\rangle$ by x, with v held constant: $J^T v$.",
  (a) => {
    const x = leavesOf(a.value("x"), a, "x");
    const y = floatTensor(a, "y");
    const v = a.float("v");
    if (shape(v.axes).join() !== shape(y.axes).join())
      throw new UserError(mistake.otherDirection("vjp", a.operand("y"), a.operand("v")));
    return x.rebuild(walkAround([v], x.tensors, (held) => inner([y], held, a.at), a.at));
  },
);

/** The walk of a walk: x-gradient of <y, u> is linear in u, and its u-gradient along v is J v. */
const jvp = builtin(
  "jvp",
  [required("y"), required("x"), required("v")],
  "`jvp(y, x, v)` How y changes when x moves along v: $J v$, shaped like y.",
  (a) => {
    const x = leavesOf(a.value("x"), a, "x");
    const y = floatTensor(a, "y");
    const v = direction(a, x);
    const u = filled(0, y.axes, "float", a.at);
    const back = a.at.ctx.gradientOf(inner([y], [u], a.at), [...x.tensors], a.at.span);
    const [result] = a.at.ctx.gradientOf(inner(back, v, a.at), [u], a.at.span);
    return { ...result!, axes: y.axes };
  },
);

const hvp = builtin(
  "hvp",
  [required("y"), required("x"), required("v")],
  "`hvp(y, x, v)` The Hessian of the scalar y times v, without the Hessian: the gradient of $\\langle \\nabla y, v \\rangle$.",
  (a) => {
    const x = leavesOf(a.value("x"), a, "x");
    const v = direction(a, x);
    const first = a.at.ctx.gradientOf(floatScalar(a, "y"), [...x.tensors], a.at.span);
    return x.rebuild(walkAround(v, x.tensors, (held) => inner(first, held, a.at), a.at));
  },
);

/** Rows written out at most. */
const MOST_ROWS = 64;

function asVector(ts: readonly Tensor[], at: At): Tensor {
  return flattenBundle({ kind: "bundle", leaves: new Map(ts.map((t, i) => [String(i), t])) }, at);
}

/** One gradient for each element of a vector y, each as a vector. */
function rowsOf(y: Tensor, xs: readonly Tensor[], a: Args): Tensor {
  const count = y.axes[0]!.size;
  if (count < 0 || count > MOST_ROWS) throw new UserError(mistake.tooManyRows(a.fn, count, MOST_ROWS, y, a.span("y")));
  const rows = Array.from({ length: count }, (_, i) => {
    const element = viewAs(slicedAt(y, 0, i, i + 1, a.at), [], a.at);
    const row = asVector(a.at.ctx.gradientOf(element, [...xs], a.at.span), a.at);
    return viewAs(row, [{ size: 1 }, ...row.axes], a.at);
  });
  const node =
    rows.length === 1
      ? rows[0]!.node
      : op(
          "concat",
          rows.map((r) => r.node),
          { axis: 0 },
          a.at,
        );
  return tensor(node, [{ size: count }, rows[0]!.axes[1]!], "float");
}

const jacobian = builtin(
  "jacobian",
  [required("y"), required("x")],
  "`jacobian(y, x)` All derivatives of y by x: the axes of y, then those of x (for params one axis of all of them).",
  (a) => {
    const v = a.value("x");
    const x = leavesOf(v, a, "x");
    const y = floatTensor(a, "y");
    const rows = rowsOf(viewAs(y, [{ size: volume(y.axes) }], a.at), x.tensors, a);
    const columns: readonly Axis[] = v.kind === "tensor" ? v.axes : [rows.axes[1]!];
    return viewAs(rows, [...y.axes, ...columns], a.at);
  },
);

const hessian = builtin(
  "hessian",
  [required("y"), required("x")],
  "`hessian(y, x)` The matrix of second derivatives `[P, P]` of the scalar y over all P elements of x, in the order of `flatten`.",
  (a) => {
    const x = leavesOf(a.value("x"), a, "x");
    const first = a.at.ctx.gradientOf(floatScalar(a, "y"), [...x.tensors], a.at.span);
    return rowsOf(asVector(first, a.at), x.tensors, a);
  },
);

// ---------------------------------------------------------------- bundles

const params = builtin(
  "params",
  [required("net")],
  "`params(net)` The params of a model (or several) as one value: a bundle.",
  (a) => a.at.ctx.paramsOf(a.value("net"), a.span("net")),
);

function bundleOf(a: Args, name: string) {
  const bundle = a.bundle(name);
  if (!bundle) throw a.wrong(name, "a bundle", "`params(net)` gives the params of a model as a bundle");
  return bundle;
}

const leaves = builtin(
  "leaves",
  [required("p"), required("f")],
  "`leaves(p, w => ..)` A bundle of what f gives for each leaf of p.",
  (a) => ({
    kind: "bundle",
    leaves: new Map(
      [...bundleOf(a, "p").leaves].map(([path, value]) => [
        path,
        toTensor(a.at.ctx.apply(a.value("f"), [{ value }], a.span("f")), { ...a.at, span: a.span("f") }),
      ]),
    ),
  }),
);

const unit = builtin(
  "unit",
  [required("v")],
  "`unit(v)` v divided by its norm, so that its length is 1. A tensor or a bundle.",
  (a) => {
    const v = a.bundle("v") ?? a.float("v");
    const at = a.sides("v", "v");
    const length = innerProduct(v, v, at);
    return binary("/", v, tensor(op("sqrt", [length.node], {}, a.at), [], "float"), at);
  },
);

const unflatten = builtin(
  "unflatten",
  [required("v"), required("net")],
  "`unflatten(v, net)` A vector of all params as a bundle again: the inverse of `flatten(params(net))`.",
  (a) => {
    const bundle = bundleOf(a, "net");
    const v = a.float("v");
    const size = [...bundle.leaves.values()].reduce((n, t) => n + volume(t.axes), 0);
    if (v.axes.length !== 1 || v.axes[0]!.size !== size)
      throw a.wrong("v", `a vector of ${size} numbers, one for each param`);
    let from = 0;
    const parts = [...bundle.leaves].map(([path, t]): [string, Tensor] => {
      const part = slicedAt(v, 0, from, (from += volume(t.axes)), a.at);
      return [path, viewAs(part, t.axes, a.at)];
    });
    return { kind: "bundle", leaves: new Map(parts) };
  },
);

export const gradientBuiltins: readonly Builtin[] = [
  grad,
  vjp,
  jvp,
  hvp,
  jacobian,
  hessian,
  params,
  leaves,
  unit,
  unflatten,
];
