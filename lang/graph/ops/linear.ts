/**
 * Linear systems by elimination with partial pivoting. A singular matrix gives infinities or NaN, never an error.
 */
import * as b from "../build.ts";
import type { Op } from "./row.ts";
import { expect, expectCount, expectDtype, sameShape, sizeOf, typeText } from "./row.ts";

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

export const linear: Record<string, Op> = {
  solve: {
    name: "solve",
    family: "linear",
    signature: "(A f32[n,n], b f32[n] | f32[n,m]) -> like b",
    doc: "x with A x = b.",
    shape: (inputs) => {
      expectCount("solve", inputs, 2);
      const [a, r] = [inputs[0]!, inputs[1]!];
      expectDtype("solve", a, ["f32"]);
      expectDtype("solve", r, ["f32"]);
      const n = r.shape[0];
      const fits =
        (r.shape.length === 1 || r.shape.length === 2) && a.shape.length === 2 && sameShape(a.shape, [n!, n!]);
      expect(
        fits && sameShape([a.shape[0]!], [a.shape[1]!]),
        "solve",
        "[n, n] and [n] or [n, m]",
        `${typeText(a)} and ${typeText(r)}`,
      );
      return r;
    },
    // db = A^-T g;  dA = -db x^T
    gradient: ({ node, inputs: [a], g, needs }) => {
      const db = b.make("solve", [b.permute(a!, [1, 0]), g]);
      const contract = node.type.shape.length === 2 ? ([[1, 1]] as const) : [];
      return [needs[0] ? b.neg(b.dot(db, node, [], contract)) : undefined, db];
    },
    meaning: ([a, r], _, type) => {
      const out = Float64Array.from(r!.data);
      const n = type.shape[0]!;
      eliminate(Float64Array.from(a!.data), out, n, sizeOf(type.shape.slice(1)));
      return out;
    },
    flops: (inputs, type) => (2 / 3) * inputs[0]!.shape[0]! ** 3 + 2 * inputs[0]!.shape[0]! * sizeOf(type.shape),
  },
};
