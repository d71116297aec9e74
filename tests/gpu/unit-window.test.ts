/** A kernel that is said to keep to its window does: all places that its units touch, counted out. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { DotKernel, Param, RowsKernel } from "../../gpu/kernel.ts";
import { keepsToWindow } from "../../gpu/unit-window.ts";

const f32 = (size: number, access: Param["access"] = "read"): Param => ({ dtype: "f32", size, access });
const extent = fc.constantFrom(1, 2, 3, 4, 6);
const coef = fc.constantFrom(-2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 24);
const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);

/** Places of each of the units, in the order of the loops. */
function places(axes: readonly number[], coefs: readonly number[], base: number, units: number): number[][] {
  const out: number[][] = Array.from({ length: units }, () => []);
  const all = product(axes);
  for (let i = 0; i < all; i++) {
    let [rest, at] = [i, base];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      at += coefs[axis]! * (rest % axes[axis]!);
      rest = Math.floor(rest / axes[axis]!);
    }
    out[Math.floor((i * units) / all)]!.push(at);
  }
  return out;
}

const within = (all: readonly (readonly number[])[], window: number) =>
  all.every((own, u) => own.every((at) => at >= u * window && at < (u + 1) * window));

it("a kernel of rows", () => {
  let kept = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(extent, coef), { minLength: 2, maxLength: 4 }), fc.nat(2), fc.constantFrom(2, 4, 6, 8, 12), fc.constantFrom(24, 48, 96, 144), (loops, base, units, size) => {
      const [axes, coefs] = [loops.map(([n]) => n), loops.map(([, by]) => by)];
      const access = { param: 0, base, terms: coefs.map((by, axis) => [axis, by] as const), dynamic: [], lo: 0, hi: 0 };
      const values = [{ op: "load", dtype: "f32", access, args: [] }] as const;
      const kernel: RowsKernel = { kind: "rows", params: [f32(size)], axes, grid: axes.length, values, stages: [] };
      const loopsOf = { counts: axes, unit: 1, rows: kernel, axes: [...axes.keys()] };
      if (!keepsToWindow(kernel, loopsOf, 0, units)) return;
      kept++;
      expect(within(places(axes, coefs, base, units), size / units)).toBe(true);
    }),
    { numRuns: 20_000 },
  ); // prettier-ignore
  expect(kept).toBeGreaterThan(50);
});

it("a product: its rows by units, its columns whole", () => {
  const [g, m, n, k] = [4, 6, 5, 3];
  const at = (param: number, batch: number, outer: number, deep: number) => {
    const by = (stride: number) => ({ kind: "stride", stride }) as const;
    return { param, base: 0, g: by(batch), outer: by(outer), k: by(deep) };
  };
  const params = [f32(g * m * k), f32(g * n * k), f32(g * m * n, "write"), f32(1, "write")];
  const of = (a: DotKernel["a"]): DotKernel => ({ kind: "dot", params, g, m, n, k, a, b: at(1, n * k, k, 1), out: 2, scratch: 3, stored: true }); // prettier-ignore
  const kept = (kernel: DotKernel, units: number) =>
    [0, 1, 2].filter((param) => keepsToWindow(kernel, { counts: [g, m], unit: 1 }, param, units));
  const rows = of(at(0, m * k, k, 1));
  for (const units of [2, 4]) expect(kept(rows, units)).toEqual([0, 1, 2]);
  for (const units of [8, 12, 24]) expect(kept(rows, units)).toEqual([0, 2]);
  expect(kept(rows, 16)).toEqual([]);
  // the depth outermost, or batches side by side
  expect(kept(of(at(0, m * k, 1, m)), 8)).toEqual([2]);
  expect(kept(of(at(0, k, g * k, 1)), 4)).toEqual([1, 2]);
});
