/**
 * Loops whose body stands for several points: vectors side by side along the lanes, and four trips of an innermost loop
 * whose memory lies across them. Sizes that do and do not divide, against float64, with the same bits however cut.
 */
import { describe, expect, it } from "vitest";
import type { RowsKernel } from "../../gpu/kernel.ts";
import { lower } from "../../gpu/lower.ts";
import { dotScratch } from "../../gpu/wasm/blocks.ts";
import { guardsOf } from "../../gpu/wasm/guards.ts";
import { schedule } from "../../gpu/wasm/schedule.ts";
import { build as g, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, inFloat64, input, numbers, runCpu } from "./harness.ts";

type Size = readonly [batch: number, height: number, width: number, channels: number];

/** Batch norm of an image whose channels lie innermost, into images whose channels lie outermost, with a border. */
function normed([b, h, w, c]: Size): Node[] {
  const across = [0, 2, 3];
  const shape = [b, c, h, w];
  const x = g.permute(input("batch", "x", [b, h, w, c]), [0, 3, 1, 2]);
  const n = b * h * w;
  const mean = g.scale(g.sum(x, across), 1 / n);
  const d = g.sub(x, g.expandOver(mean, shape, across));
  const spread = g.scale(g.sum(g.mul(d, d), across), 1 / n);
  const y = g.div(d, g.expandOver(make("sqrt", [g.add(spread, g.fill(1e-3, spread.type))]), shape, across));
  const z = make("max", [g.add(y, input("batch", "z", shape)), g.fill(0.25, y.type)]);
  return [y, z, g.pad(z, [0, 0, 1, 2], [0, 0, 1, 1]), mean, g.sum(g.mul(z, x), across)];
}

const rowsOf = (nodes: readonly Node[]): RowsKernel[] =>
  lower(
    nodes.map((node) => ({ node })),
    { disable: new Set(), maxParams: 64, minGrid: 8, dotScratch },
  ).kernels.flatMap((k) => (k.kind === "rows" ? [k] : []));

const sizes: Size[] = [
  [2, 16, 16, 32],
  [3, 5, 21, 16],
  [2, 18, 17, 33],
  [2, 4, 34, 12],
  [1, 3, 300, 8],
  [2, 6, 3, 32],
  [2, 20, 20, 5],
];

describe("several points in a body", () => {
  for (const size of sizes) {
    it(`batch norm of ${size.join(" × ")}`, async () => {
      const nodes = normed(size);
      const n = size.reduce((a, x) => a * x, 1);
      const batch = { x: numbers(n, 1, -2, 3), z: numbers(n, 2) };
      const expected = inFloat64(nodes, batch);
      const { values } = await runCpu(nodes, batch);
      values.forEach((value, i) => expect(distance(value, expected[i] ?? []), `result ${i}`).toBeLessThan(2e-4));
      for (const pieces of [2, 5]) {
        const cut = await runCpu(nodes, batch, {}, { pieces });
        cut.values.forEach((value, i) => expect(value, `result ${i} in ${pieces} pieces`).toEqual(values[i]));
      }
    });
  }

  it("takes whole cache lines of channels, and turns what lies across the lanes", () => {
    const plans = rowsOf(normed([2, 16, 16, 32])).map(schedule);
    expect(plans.some(({ vectors }) => vectors === 4)).toBe(true);
    expect(plans.some(({ turns }) => turns.includes(true))).toBe(true);
  });

  it("sums columns side by side", async () => {
    const x = input("batch", "x", [100, 96]);
    const sums = g.sum(g.mul(x, x), [0]);
    const batch = { x: numbers(9600, 3) };
    const { values } = await runCpu([sums], batch);
    expect(distance(values[0] ?? [], inFloat64([sums], batch)[0] ?? [])).toBeLessThan(1e-5);
    expect(rowsOf([sums]).map((k) => schedule(k).vectors)).toContain(4);
    const cut = await runCpu([sums], batch, {}, { pieces: 5 });
    expect(cut.values[0]).toEqual(values[0]);
  });

  it("takes every second number of two vectors", async () => {
    for (const places of [14, 5, 8, 3]) {
      const x = input("batch", "x", [3, 2, 2 * places, 2 * places]);
      const of = { axes: [2, 3], size: [2, 2], stride: [2, 2], dilation: [1, 1] };
      const pooled = g.sum(make("exp", [make("windows", [x], of)]), [4, 5]);
      const batch = { x: numbers(24 * places * places, places) };
      const { values } = await runCpu([pooled], batch);
      expect(distance(values[0] ?? [], inFloat64([pooled], batch)[0] ?? [])).toBeLessThan(1e-5);
      const along = rowsOf([pooled]).map((kernel) => ({ kernel, vector: schedule(kernel).vector }));
      const second = along.some(({ kernel, vector }) =>
        kernel.values.some((v) => v.op === "load" && v.access.terms.some(([a, step]) => a === vector && step === 2)),
      );
      expect(second || places < 8, `of ${places} places`).toBe(true);
      const cut = await runCpu([pooled], batch, {}, { pieces: 5 });
      expect(cut.values[0]).toEqual(values[0]);
    }
  });

  it("adds only windows that hold a place", async () => {
    for (const [places, stride] of [
      [10, 1],
      [7, 2],
    ] as const) {
      const x = input("batch", "x", [2, 3, places, places, 5, 5]);
      const side = (places - 1) * stride + 5;
      const of = { shape: [2, 3, side, side], axes: [2, 3], size: [5, 5], stride: [stride, stride], dilation: [1, 1] };
      const folded = make("fold", [x], of);
      const batch = { x: numbers(150 * places * places, 4) };
      const { values } = await runCpu([folded], batch);
      expect(distance(values[0] ?? [], inFloat64([folded], batch)[0] ?? [])).toBeLessThan(1e-5);
      expect(rowsOf([folded]).some((k) => guardsOf(k, schedule(k)).length > 0)).toBe(true);
      const cut = await runCpu([folded], batch, {}, { pieces: 3 });
      expect(cut.values[0]).toEqual(values[0]);
    }
  });
});

describe("the largest of numbers", () => {
  // along the lanes, and one for each lane
  it.each([[1], [0]])("over axis %i keeps NaN wherever it lies", async (axis) => {
    for (const n of [3, 4, 17, 65]) {
      const shape = axis === 1 ? [2 * n, n] : [n, 2 * n];
      const top = make("amax", [input("batch", "x", shape)], { axes: [axis] });
      const x = numbers(2 * n * n, n, -3, 3);
      const at = (line: number, i: number) => (axis === 1 ? line * n + i : i * 2 * n + line);
      for (let i = 0; i < n; i++) {
        x[at(i, i)] = NaN;
        x[at(n, i)] = -Infinity;
        x[at(n + 1, i)] = i === 1 ? Infinity : -Infinity;
      }
      x[at(0, n - 1)] = Infinity;
      const { values } = await runCpu([top], { x });
      expect(Array.from(values[0] ?? [])).toEqual(Array.from(inFloat64([top], { x })[0] ?? []));
      expect(Array.from(values[0] ?? []).filter(Number.isNaN)).toHaveLength(n);
    }
  });
});
