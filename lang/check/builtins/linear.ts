/**
 * Linear algebra: systems, inverses, determinants, factors and eigenvalues. Matrices are the last two axes, all axes
 * before them a batch. Only `solve`, `cholesky` and `eigh` are primitives; the rest is composed of them.
 */
import { UserError } from "../../diagnostic.ts";
import * as mistake from "../../errors/shapes.ts";
import { build as b } from "../../graph/index.ts";
import type { Node } from "../../graph/node.ts";
import { fits, mergeAxes, numberAxis, open } from "../axes.ts";
import { pairAxes } from "../broadcast.ts";
import { op, tensor, viewAs } from "../tensors.ts";
import type { Axis, Tensor, Value } from "../values.ts";
import type { Args, Builtin } from "./builtin.ts";
import { builtin, required } from "./builtin.ts";
import { eliminated } from "./elimination.ts";
import { reduced } from "./reduce.ts";

/** A float tensor whose last two axes are as long as each other. */
function square(a: Args, name = "A"): { t: Tensor; lead: readonly Axis[]; row: Axis; column: Axis } {
  const t = a.float(name);
  const [row, column] = t.axes.slice(-2);
  if (!row || !column || !fits(row.size, column.size)) throw new UserError(mistake.notSquare(a.operand(name), a.fn));
  return { t, lead: t.axes.slice(0, -2), row, column };
}

/** The rows of a matrix that is known now. */
function knownRows(v: Value): number[][] | undefined {
  if (v.kind !== "list") return undefined;
  const rows = v.items.map((row) =>
    row.kind === "list" ? row.items.map((x) => (x.kind === "num" ? x.value : NaN)) : [NaN],
  );
  return rows.flat().some(Number.isNaN) ? undefined : rows;
}

function symmetric(a: Args): ReturnType<typeof square> {
  const found = square(a);
  const rows = knownRows(a.value("A"));
  if (rows?.some((row, i) => row.some((x, j) => x !== rows[j]![i])))
    throw a.wrong("A", "a symmetric matrix", "`(A + A.T) / 2` is its symmetric part; `A.T @ A` is always symmetric");
  return found;
}

const solve = builtin(
  "solve",
  [required("A"), required("b")],
  "`solve(A, b)` The x with $A x = b$, for a square matrix A and a vector or matrix b; leading axes are a batch of both.",
  (a) => {
    const { t: A, lead, row, column } = square(a);
    const r = a.float("b");
    const short = r.axes.length === A.axes.length - 1;
    if (!short && r.axes.length !== A.axes.length)
      throw a.wrong("b", lead.length === 0 ? "a vector or a matrix" : "a vector or a matrix for each matrix of `A`");
    const place = lead.length;
    const l = r.axes[place]!;
    const pairing = pairAxes(lead, r.axes.slice(0, place), true);
    if ("why" in pairing)
      throw new UserError(mistake.cannotBroadcast("solve", a.operand("A"), a.operand("b"), pairing));
    if (!fits(row.size, l.size) || (row.uid !== undefined && l.uid !== undefined && row.uid !== l.uid))
      throw new UserError(mistake.productSizes(a.operand("A"), a.operand("b"), column, l));
    const axes = [...pairing.axes, column, ...r.axes.slice(place + 1)];
    return tensor(op("solve", [A.node, r.node], {}, a.at), axes, "float");
  },
);

/** 1 where the last two places are equal. */
function unitMatrix(shape: readonly number[]): Node {
  const [i, j] = [shape.length - 2, shape.length - 1].map((axis) => b.make("iota", [], { shape, axis }));
  return b.cast(b.binary("eq", i!, j!), "f32");
}

const inv = builtin(
  "inv",
  [required("A")],
  "`inv(A)` The inverse matrix, by `solve(A, eye(n))`. `solve(A, b)` is faster and more exact than `inv(A) @ b`.",
  (a) => {
    const { t, lead, row, column } = square(a);
    return tensor(op("solve", [t.node, unitMatrix(t.node.type.shape)], {}, a.at), [...lead, column, row], "float");
  },
);

const det = builtin("det", [required("A")], "`det(A)` The determinant, by elimination with pivots.", (a) => {
  const { t, lead } = square(a);
  return tensor(eliminated(t.node, "det"), lead, "float");
});

const logdet = builtin(
  "logdet",
  [required("A")],
  "`logdet(A)` $\\log |\\det A|$, which neither overflows nor underflows; -inf where A is singular.",
  (a) => {
    const { t, lead } = square(a);
    return tensor(eliminated(t.node, "logdet"), lead, "float");
  },
);

const cholesky = builtin(
  "cholesky",
  [required("A")],
  "`cholesky(A)` The lower triangular L with $L L^T = A$ for a symmetric positive definite A; NaN where it is not. Reads $(A + A^T) / 2$.",
  (a) => {
    const { t } = symmetric(a);
    return tensor(op("cholesky", [t.node], {}, a.at), t.axes, "float");
  },
);

// ---------------------------------------------------------------- eigenvalues

/** Rows [from, to) of the second last axis of a stack of matrices. */
function rowsOf(x: Node, from: number, to: number): Node {
  const { shape } = x.type;
  const place = shape.length - 2;
  return b.slice(
    x,
    shape.map((_, i) => (i === place ? from : 0)),
    shape.map((size, i) => (i === place ? to : size)),
  );
}

function eigen({ t, lead, row }: ReturnType<typeof square>, a: Args): { values: Tensor; vectors: Tensor } {
  const n = row.size;
  const places = numberAxis(n, a.at.span, "eigenvalues of this matrix");
  const all = op("eigh", [t.node], {}, a.at);
  const first = tensor(open(n) ? all : rowsOf(all, 0, 1), [...lead, { size: 1 }, places], "float");
  return {
    values: viewAs(first, [...lead, places], a.at),
    vectors: tensor(open(n) ? t.node : rowsOf(all, 1, n + 1), [...lead, row, places], "float"),
  };
}

const eigh = builtin(
  "eigh",
  [required("A")],
  "`eigh(A)` `(values, vectors)` of a symmetric A: eigenvalues in ascending order, and eigenvectors as columns of length 1 whose largest entry is positive. Reads $(A + A^T) / 2$. Where eigenvalues are equal, the gradient of their vectors is taken as 0.",
  (a) => {
    const { values, vectors } = eigen(symmetric(a), a);
    return { kind: "tuple", items: [values, vectors] };
  },
);

const eigvals = builtin(
  "eigvals",
  [required("A")],
  "`eigvals(A)` The eigenvalues of a symmetric matrix in ascending order. Reads $(A + A^T) / 2$.",
  (a) => eigen(symmetric(a), a).values,
);

/** What an integer of `critical_point` stands for. */
const KINDS = ["minimum", "maximum", "saddle", "undecided"] as const;
/** An eigenvalue below this part of the largest counts as 0. */
const FLAT = 1e-6;

const criticalPoint = builtin(
  "critical_point",
  [required("H")],
  "`critical_point(H)` What a point with gradient 0 is, by the eigenvalues of its Hessian: `minimum` (all above 0), `maximum` (all below 0), `saddle` (some of either), else `undecided` (some are 0). Prints as text.",
  (a) => {
    const found = square(a, "H");
    const { lead } = found;
    const w = eigen(found, a).values;
    const last = w.axes.length - 1;
    const top = (x: Tensor): Tensor => reduced(x, "amax", [last], false, a.at);
    const minus = (x: Tensor): Tensor => ({ ...x, node: b.neg(x.node) });
    const [high, low] = [top(w), minus(top(minus(w)))];
    const size = b.binary("max", b.unary("abs", high.node), b.unary("abs", low.node));
    const bound = b.scale(size, FLAT);
    const above = b.binary("lt", bound, high.node);
    const below = b.binary("lt", low.node, b.neg(bound));
    const kind = (i: number): Node => b.fill(i, { dtype: "i32", shape: high.node.type.shape });
    const node = b.select(
      b.binary("lt", bound, low.node),
      kind(0),
      b.select(
        b.binary("lt", high.node, b.neg(bound)),
        kind(1),
        b.select(b.binary("and", above, below), kind(2), kind(3)),
      ),
    );
    return tensor(node, lead, "int", { classes: KINDS.length, labels: KINDS });
  },
);

// ---------------------------------------------------------------- diagonals and products

/** The diagonal of the last two axes: of n × n numbers in a row, every (n + 1)-th. */
function diagonal(x: Node): Node {
  const { shape } = x.type;
  const lead = shape.slice(0, -2);
  const n = shape.at(-1)!;
  if (n < 0) return b.reshape(x, [...lead, -1]);
  const flat = b.reshape(x, [...lead, n * n]);
  return b.slice(flat, [...lead.map(() => 0), 0], [...lead, n * n], [...lead.map(() => 1), n + 1]);
}

const diag = builtin(
  "diag",
  [required("x")],
  "`diag(x)` Of a vector the matrix with it on the diagonal; of matrices `[.., n, n]` their diagonals `[.., n]`.",
  (a) => {
    const x = a.number("x");
    if (x.axes.length === 0) throw a.wrong("x", "a vector or a matrix");
    if (x.axes.length > 1) {
      const [row, column] = x.axes.slice(-2) as [Axis, Axis];
      if (!fits(row.size, column.size)) throw new UserError(mistake.notSquare(a.operand("x"), "diag"));
      return tensor(diagonal(x.node), [...x.axes.slice(0, -2), row], x.dtype);
    }
    const [n] = x.axes as [Axis];
    const shape = [n.size, n.size];
    const [i, j] = [0, 1].map((axis) => b.make("iota", [], { shape, axis }));
    const wide = b.expand(x.node, shape, [0]);
    const node = b.select(b.binary("eq", i!, j!), wide, b.fill(0, wide.type));
    return tensor(node, [n, n], x.dtype);
  },
);

const trace = builtin("trace", [required("A")], "`trace(A)` The sum of the diagonal.", (a) => {
  const { t, lead, row, column } = square(a);
  const on = tensor(diagonal(t.node), [...lead, mergeAxes(row, column)], "float");
  return reduced(on, "sum", [lead.length], false, a.at);
});

const outer = builtin(
  "outer",
  [required("a"), required("b")],
  "`outer(a, b)` All products of an element of a and one of b: the axes of a, then those of b.",
  (x) => {
    const [p, q] = [x.float("a"), x.float("b")];
    const node = op("dot", [p.node, q.node], { batch: [], contract: [] }, x.at);
    return tensor(node, [...p.axes, ...q.axes], "float");
  },
);

export const linearBuiltins: readonly Builtin[] = [
  solve,
  inv,
  det,
  logdet,
  cholesky,
  eigh,
  eigvals,
  criticalPoint,
  diag,
  trace,
  outer,
];
