/**
 * Linear systems by elimination with partial pivoting. A singular matrix gives infinities or NaN, never an error.
 * Leading axes are a batch: one system each.
 */
import * as b from "../build.ts";
import type { Dims, Node } from "../node.ts";
import type { Op } from "./row.ts";
import { wrong, expectCount, expectDtype, sameShape, sizeOf, typeText } from "./row.ts";

/** Solves A x = r in place: `a` is n by n, `r` n by m, both row-major and overwritten. */
function eliminate(a: Float64Array, r: Float64Array, n: number, m: number): void {
  const swap = (data: Float64Array, width: number, i: number, j: number) => {
    const row = data.slice(i * width, (i + 1) * width);
    data.copyWithin(i * width, j * width, (j + 1) * width);
    data.set(row, j * width);
  };
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i;
    if (pivot !== k) {
      swap(a, n, k, pivot);
      swap(r, m, k, pivot);
    }
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!;
      for (let j = k; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!;
      for (let j = 0; j < m; j++) r[i * m + j]! -= factor * r[k * m + j]!;
    }
  }
  for (let i = n - 1; i >= 0; i--)
    for (let j = 0; j < m; j++) {
      let x = r[i * m + j]!;
      for (let k = i + 1; k < n; k++) x -= a[i * n + k]! * r[k * m + j]!;
      r[i * m + j] = x / a[i * n + i]!;
    }
}

/** The last two axes change places. */
export function swapped(a: Node): Node {
  const rank = a.type.shape.length;
  return b.permute(
    a,
    a.type.shape.map((_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i)),
  );
}

/** The axes before the last `own`, paired with themselves. */
export const batchDims = (rank: number, own: number): Dims =>
  Array.from({ length: rank - own }, (_, i) => [i, i] as const);

/** The product of two stacks of matrices. */
export function product(x: Node, y: Node): Node {
  const rank = x.type.shape.length;
  return b.dot(x, y, batchDims(rank, 2), [[rank - 1, rank - 2]]);
}

export const linear: Record<string, Op> = {
  solve: {
    name: "solve",
    family: "linear",
    signature: "(A f32[..,n,n], b f32[..,n] | f32[..,n,m]) -> like b",
    doc: "x with A x = b, for each matrix of a batch.",
    shape: (inputs) => {
      expectCount("solve", inputs, 2);
      const [a, r] = [inputs[0]!, inputs[1]!];
      expectDtype("solve", a, ["f32"]);
      expectDtype("solve", r, ["f32"]);
      const lead = a.shape.length - 2;
      const n = r.shape[lead];
      const fits =
        lead >= 0 &&
        (r.shape.length === lead + 1 || r.shape.length === lead + 2) &&
        sameShape(a.shape, [...r.shape.slice(0, lead), n!, n!]);
      if (!(fits && sameShape([a.shape[lead]!], [a.shape[lead + 1]!])))
        throw wrong("solve", "[.., n, n] and [.., n] or [.., n, m]", `${typeText(a)} and ${typeText(r)}`);
      return r;
    },
    // db = A^-T g;  dA = -db x^T
    gradient: ({ node, inputs: [a], g, needs }) => {
      const db = b.make("solve", [swapped(a!), g]);
      const rank = a!.type.shape.length;
      const contract = node.type.shape.length === rank ? ([[rank - 1, rank - 1]] as const) : [];
      return [needs[0] ? b.neg(b.dot(db, node, batchDims(rank, 2), contract)) : undefined, db];
    },
    meaning: ([a, r]) => {
      const out = Float64Array.from(r!.data);
      const lead = a!.shape.length - 2;
      const n = a!.shape[lead]!;
      const m = sizeOf(r!.shape.slice(lead + 1));
      const count = sizeOf(a!.shape.slice(0, lead));
      for (let o = 0; o < count; o++)
        eliminate(a!.data.slice(o * n * n, (o + 1) * n * n), out.subarray(o * n * m, (o + 1) * n * m), n, m);
      return out;
    },
    flops: (inputs, type) => {
      const n = inputs[0]!.shape.at(-1)!;
      return (2 / 3) * sizeOf(inputs[0]!.shape) * n + 2 * n * sizeOf(type.shape);
    },
  },
};
