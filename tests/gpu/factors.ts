/** Larger matrices and lines than the samples have, with edges: what the kernels of order and factors must hold for. */
import { expect } from "vitest";
import type { Numbers } from "../../gpu/device.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { input, numbers } from "./harness.ts";

export type Run = (nodes: readonly Node[], batch: Record<string, Numbers>) => Promise<readonly Numbers[]>;

/** Line by line: ascending, each place once, equals in order, NaN last. */
export async function ordersLines(run: Run, lines: number, length: number, dtype: "f32" | "i32"): Promise<void> {
  const data =
    dtype === "f32"
      ? numbers(lines * length, 7)
      : Int32Array.from(numbers(lines * length, 8), (x) => Math.round(x * 9));
  if (dtype === "f32") {
    [NaN, -0, 0, Infinity, -Infinity, 1e-42, -1e-42, 0, -0, NaN].forEach((x, i) => (data[i * 3] = x));
    for (let i = 40; i < data.length; i += 3) data[i] = Math.round(data[i]! * 4) / 4;
  }
  const x = input("batch", "x", [lines, length], dtype);
  const [places] = await run([make("argsort", [x])], { x: data });
  for (let l = 0; l < lines; l++) {
    const line = [...data.subarray(l * length, (l + 1) * length)];
    // finite numbers of the same order
    const rank = (v: number) => (Number.isNaN(v) ? 1e300 : Math.max(-1e200, Math.min(1e200, v)));
    const wanted = line.map((_, i) => i).sort((i, j) => rank(line[i]!) - rank(line[j]!) || i - j);
    expect([...places!.subarray(l * length, (l + 1) * length)]).toEqual(wanted);
  }
}

/** A V = V w and V^T V = 1, values ascending; L L^T = A. */
export async function factorsMatrices(run: Run, count: number, n: number): Promise<void> {
  const raw = numbers(count * n * n, 11);
  const A = new Float32Array(count * n * n);
  for (let o = 0; o < count; o++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const at = (r: number, c: number) => raw[o * n * n + r * n + c]!;
        A[o * n * n + i * n + j] = (at(i, j) + at(j, i)) / 2;
      }
  // the second matrix is a unit: all eigenvalues are equal
  if (count > 1) for (let i = 0; i < n * n; i++) A[n * n + i] = i % (n + 1) === 0 ? 1 : 0;
  const P = A.map((x, i) => x + (i % (n * n) % (n + 1) === 0 ? n : 0)); // prettier-ignore
  const [a, p] = [input("batch", "a", [count, n, n]), input("batch", "p", [count, n, n])];
  const [packed, lower] = await run([make("eigh", [a]), make("cholesky", [p])], { a: A, p: P });
  let worst = 0;
  const see = (error: number) => (worst = Math.max(worst, Number.isNaN(error) ? Infinity : Math.abs(error)));
  for (let o = 0; o < count; o++) {
    const w = (j: number) => packed![o * (n + 1) * n + j]!;
    const v = (i: number, j: number) => packed![o * (n + 1) * n + (i + 1) * n + j]!;
    const l = (i: number, j: number) => lower![o * n * n + i * n + j]!;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let [av, vv, ll] = [0, 0, 0];
        for (let k = 0; k < n; k++) {
          av += A[o * n * n + i * n + k]! * v(k, j);
          vv += v(k, i) * v(k, j);
          ll += l(i, k) * l(j, k);
        }
        see(av - v(i, j) * w(j));
        see(vv - (i === j ? 1 : 0));
        see((ll - P[o * n * n + i * n + j]!) / n);
        if (j > i) see(l(i, j));
      }
    for (let j = 1; j < n; j++) expect(w(j)).toBeGreaterThanOrEqual(w(j - 1));
  }
  expect(worst).toBeLessThan(2e-5);
}
