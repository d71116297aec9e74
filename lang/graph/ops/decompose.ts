/**
 * Factors of symmetric matrices: Cholesky, and eigenvalues with eigenvectors by the method of Jacobi. Both read the
 * symmetric part (A + A^T) / 2, so their gradients are symmetric. Leading axes are a batch.
 * Gradients: Murray, Differentiation of the Cholesky decomposition, 2016; Giles, Collected matrix derivative results, 2008.
 */
import * as b from "../build.ts";
import type { Node, Type } from "../node.ts";
import { product, swapped } from "./linear.ts";
import type { Op } from "./row.ts";
import { wrong, expectCount, expectDtype, sameShape, sized, sizeOf, typeText } from "./row.ts";

function square(op: string, inputs: readonly Type[]): Type {
  expectCount(op, inputs, 1);
  const a = inputs[0]!;
  expectDtype(op, a, ["f32"]);
  const [rows, columns] = [a.shape.at(-2), a.shape.at(-1)];
  if (!(rows !== undefined && columns !== undefined && sameShape([rows], [columns])))
    throw wrong(op, "square matrices [.., n, n]", typeText(a));
  return a;
}

/** Each matrix of a batch, symmetrised; `rule` fills the part of the result that belongs to it. */
function perMatrix(data: Float64Array, n: number, size: number, rule: (a: Float64Array, out: Float64Array) => void) {
  const count = n === 0 ? 0 : data.length / (n * n);
  const out = new Float64Array(count * size);
  for (let o = 0; o < count; o++) {
    const a = data.slice(o * n * n, (o + 1) * n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] = (a[i * n + j]! + a[j * n + i]!) / 2;
    rule(a, out.subarray(o * size, (o + 1) * size));
  }
  return out;
}

// ---------------------------------------------------------------- Cholesky

function lowerFactor(a: Float64Array, n: number, out: Float64Array): void {
  for (let j = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      let x = a[i * n + j]!;
      for (let k = 0; k < j; k++) x -= out[i * n + k]! * out[j * n + k]!;
      out[i * n + j] = i === j ? Math.sqrt(x) : x / out[j * n + j]!;
    }
}

/** 1 below the diagonal, `diagonal` on it, 0 above. */
function triangle(type: Type, diagonal: number): Node {
  const rank = type.shape.length;
  const [i, j] = [rank - 2, rank - 1].map((axis) => b.make("iota", [], { shape: type.shape, axis }));
  const [below, on] = [b.binary("lt", j!, i!), b.binary("eq", j!, i!)];
  return b.select(below, b.fill(1, type), b.select(on, b.fill(diagonal, type), b.fill(0, type)));
}

const half = (x: Node): Node => b.scale(b.add(x, swapped(x)), 0.5);

const cholesky: Op = {
  name: "cholesky",
  family: "linear",
  signature: "(A f32[..,n,n]) -> like A",
  doc: "The lower triangular L with L L^T = A, positive on the diagonal; NaN where A is not positive definite.",
  shape: (inputs) => square("cholesky", inputs),
  // dA = sym(L^-T P L^-1) with P the lower triangle of L^T g, its diagonal halved
  gradient: ({ node, g }) => {
    const up = swapped(node);
    const lower = b.mul(g, triangle(g.type, 1));
    const p = b.mul(product(up, lower), triangle(g.type, 0.5));
    const left = b.make("solve", [up, p]);
    return [half(swapped(b.make("solve", [up, swapped(left)])))];
  },
  meaning: ([a]) => {
    const n = a!.shape.at(-1)!;
    return perMatrix(a!.data, n, n * n, (m, out) => lowerFactor(m, n, out));
  },
  flops: ([a]) => Math.round((sizeOf(a!.shape) * a!.shape.at(-1)!) / 3),
};

// ---------------------------------------------------------------- eigenvalues

const SWEEPS = 60;
/** A rotation is left out when its off-diagonal number is this small beside the diagonal. */
const SMALL = 1e-18;

/** Rotates until `a` is diagonal; `v` collects the rotations. */
function rotate(a: Float64Array, v: Float64Array, n: number): void {
  const turn = (m: Float64Array, at: number, to: number, step: number, c: number, s: number) => {
    for (let k = 0; k < n; k++) {
      const [x, y] = [m[at + k * step]!, m[to + k * step]!];
      m[at + k * step] = c * x - s * y;
      m[to + k * step] = s * x + c * y;
    }
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rotations = 0;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q]!;
        const [x, y] = [a[p * n + p]!, a[q * n + q]!];
        if (!(Math.abs(off) > SMALL * (Math.abs(x) + Math.abs(y)))) continue;
        rotations++;
        const angle = (y - x) / (2 * off);
        const t = (angle < 0 ? -1 : 1) / (Math.abs(angle) + Math.sqrt(angle * angle + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        turn(a, p, q, n, c, t * c);
        turn(a, p * n, q * n, 1, c, t * c);
        turn(v, p, q, n, c, t * c);
      }
    if (rotations === 0) return;
  }
}

/** `out` is n + 1 rows: the eigenvalues in ascending order, then the matrix whose columns are their vectors. */
function eigen(a: Float64Array, n: number, out: Float64Array): void {
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  rotate(a, v, n);
  const values = Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]! || i - j);
  order.forEach((from, to) => {
    out[to] = values[from]!;
    let top = 0;
    for (let k = 1; k < n; k++) if (Math.abs(v[k * n + from]!) > Math.abs(v[top * n + from]!)) top = k;
    const sign = v[top * n + from]! < 0 ? -1 : 1;
    for (let k = 0; k < n; k++) out[(k + 1) * n + to] = sign * v[k * n + from]!;
  });
}

/** Two eigenvalues closer than this part of the larger one count as equal in gradients. */
const CLOSE = 1e-6;

/** Rows [from, to) of the second last axis. */
function rowsOf(x: Node, from: number, to: number): Node {
  const { shape } = x.type;
  const place = shape.length - 2;
  return b.slice(
    x,
    shape.map((_, i) => (i === place ? from : 0)),
    shape.map((size, i) => (i === place ? to : size)),
  );
}

const eigh: Op = {
  name: "eigh",
  family: "linear",
  signature: "(A f32[..,n,n]) -> f32[..,n+1,n]",
  doc:
    "Of a symmetric A: row 0 holds the eigenvalues in ascending order, the n rows below the matrix whose columns are the " +
    "eigenvectors, the largest entry of each positive. Between equal eigenvalues the gradient of the vectors is taken as 0.",
  shape: (inputs) => {
    const { shape } = square("eigh", inputs);
    const n = shape.at(-1)!;
    return { dtype: "f32", shape: [...shape.slice(0, -2), sized(n, (x) => x + 1), n] };
  },
  // dA = sym(V (diag(dw) + F * V^T dV) V^T), F_ij = 1 / (w_j - w_i) off the diagonal
  gradient: ({ node, inputs: [a], g }) => {
    const { type } = a!;
    const n = type.shape.at(-1)!;
    const rank = type.shape.length;
    const v = rowsOf(node, 1, n + 1);
    const along = (x: Node, axis: number) => {
      const row = b.reshape(rowsOf(x, 0, 1), [...type.shape.slice(0, -2), n]);
      return b.expandOver(row, type.shape, [axis]);
    };
    const [wi, wj] = [along(node, rank - 1), along(node, rank - 2)];
    const gap = b.sub(wj, wi);
    const size = b.binary("max", b.unary("abs", wi), b.unary("abs", wj));
    const apart = b.binary("lt", b.scale(size, CLOSE), b.unary("abs", gap));
    const [one, zero] = [b.fill(1, type), b.fill(0, type)];
    const f = b.select(apart, b.div(one, b.select(apart, gap, one)), zero);
    const [i, j] = [rank - 2, rank - 1].map((axis) => b.make("iota", [], { shape: type.shape, axis }));
    const inner = b.add(
      b.select(b.binary("eq", i!, j!), along(g, rank - 2), zero),
      b.mul(f, product(swapped(v), rowsOf(g, 1, n + 1))),
    );
    return [half(product(product(v, inner), swapped(v)))];
  },
  meaning: ([a]) => {
    const n = a!.shape.at(-1)!;
    return perMatrix(a!.data, n, n * (n + 1), (m, out) => eigen(m, n, out));
  },
  flops: ([a]) => 60 * sizeOf(a!.shape) * a!.shape.at(-1)!,
};

export const decompose: Record<string, Op> = { cholesky, eigh };
