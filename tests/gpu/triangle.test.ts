/** Products behind a causal mask leave out one half, and every bit stays. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { triangles } from "../../gpu/triangle.ts";
import { build as g, make, optimize } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { feedsOf, forms, graphOf } from "./attention-forms.ts";
import type { Form } from "./attention-forms.ts";
import { fetches, input, numbers, runOn, segment } from "./harness.ts";

const devices = [{}, { disable: ["triangle"] }, { pieces: 3 }].map((options) => new CpuDevice(options));
const allRun = (form: Form) =>
  Promise.all(devices.map((device) => runOn(device, graphOf(form), feedsOf(form), { seed: 3 })));

it("has the same bits in any form", async () => {
  let halved = 0;
  await fc.assert(
    fc.asyncProperty(forms([20, 17], [17, 20], [33, 33]), async (form) => {
      const [now, before, cut] = await allRun(form);
      if (now!.prepared.kernels !== before!.prepared.kernels) halved++;
      expect(now!.values).toEqual(before!.values);
      expect(cut!.values).toEqual(before!.values);
    }),
    { numRuns: 100 },
  );
  expect(halved).toBeGreaterThan(20);
}, 120_000);

const plain: Form = { rows: 33, keys: 33, batch: [2, 3], width: 4, scores: "rows first", mixed: "scores first", across: false, over: "keys", masked: true, bias: false, dropped: false, layers: 1 }; // prettier-ignore

it.each([
  [700, 700],
  [400, 700],
  [700, 400],
])("has the same bits where depths come in blocks: %i rows, %i keys", async (rows, keys) => {
  const [now, before, cut] = await allRun({ ...plain, batch: [6], rows, keys });
  expect(now!.prepared.kernels).not.toBe(before!.prepared.kernels);
  expect(now!.values).toEqual(before!.values);
  expect(cut!.values).toEqual(before!.values);
});

describe("leaves out", () => {
  const found = (form: Partial<Form>) =>
    [...triangles(optimize(graphOf({ ...plain, ...form }))).values()].map((each) => JSON.stringify(each)).sort();

  it("half of all six products of an attention", () => {
    expect(found({})).toEqual(
      [{ from: "m" }, { from: "m" }, { out: "lower" }, { out: "lower" }, { to: "m" }, { to: "m" }]
        .map((each) => JSON.stringify(each))
        .sort(),
    );
  });
  it("of those that have the scores on the right, or the other way round", () => {
    const right = found({ mixed: "values first", across: true });
    expect(right).toEqual(expect.arrayContaining([JSON.stringify({ from: "n" }), JSON.stringify({ to: "n" })]));
    expect(found({ scores: "keys first" })).toContain(JSON.stringify({ out: "upper" }));
  });
  it("nothing without a mask", () => {
    expect(found({ masked: false })).toEqual([]);
  });
  it("with a bias what the mask alone tells: a bias may be as far as what is masked", () => {
    expect(found({ bias: true })).toEqual(
      [{ out: "lower" }, { to: "m" }, { from: "m" }].map((each) => JSON.stringify(each)).sort(),
    );
  });
});

describe("a product whose half is masked", () => {
  const shape = [20, 20];
  const product = g.dot(input("batch", "a", [20, 8]), input("batch", "b", [8, 20]), [], [[1, 0]]);
  const at = (axis: number) => make("iota", [], { shape, axis });
  const seen = make("le", [at(1), at(0)]);
  const masked = g.select(seen, product, g.like(product, 0));
  const count = (outputs: readonly Node[]) => triangles(outputs).size;

  it("is computed whole where it is asked for, or read elsewhere", () => {
    expect(count([masked])).toBe(1);
    expect(count([masked, product])).toBe(0);
    expect(count([masked, g.sum(product, [0])])).toBe(0);
    expect(count([g.select(seen, g.like(product, 0), product)])).toBe(0);
  });
  it("leaves 0 where nobody looks, so that nothing spreads from there", async () => {
    const a = numbers(160, 1);
    const b = numbers(160, 2);
    // the last columns are infinite, and seen in the last row alone
    for (let k = 0; k < 8; k++) b[20 * k + 19] = Infinity;
    const next = g.dot(masked, input("batch", "c", [20, 20]), [], [[1, 0]]);
    const device = new CpuDevice();
    const prepared = await device.prepare(segment("masked", fetches([masked, next])));
    const { fetched } = await device.run(prepared, { scalars: {}, batch: { a, b, c: numbers(400, 3) } });
    const rows = [...fetched["r0"]!.subarray(0, 380)];
    expect(rows.every((x, i) => (i % 20 > Math.floor(i / 20) ? x === 0 : Number.isFinite(x)))).toBe(true);
    expect([...fetched["r1"]!.subarray(0, 380)].every(Number.isFinite)).toBe(true);
    await device.dispose();
  });
});
