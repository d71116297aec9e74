/**
 * Rows that subgroups put together: sums and maxima of floats and integers, several in one kernel, in batches, with NaN
 * and infinity among them, and a training; equal to float64, and the same bits each time.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../gpu/lower.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { hardware, lowerOptions, shadersOf } from "../../gpu/wgsl/index.ts";
import { gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, inFloat64, input, numbers } from "../gpu/harness.ts";
import { softmax } from "../gpu/networks.ts";
import { gpu, open, runOn } from "./setup.ts";

const schedule = { ...hardware, subgroups: true };
const able = gpu !== undefined && (await gpu.requestAdapter())?.features.has("subgroups") === true;

let device: WebGpuDevice;
beforeAll(async () => {
  if (able) device = await open({ schedule });
});
afterAll(() => device?.dispose());

const textOf = (nodes: readonly Node[], by: typeof schedule | typeof hardware) =>
  lower(nodes.map((node) => ({ node })), lowerOptions(new Set(), by)) // prettier-ignore
    .kernels.flatMap((kernel) =>
      shadersOf(
        kernel,
        kernel.params.map(() => 1),
        by,
      ),
    ) // prettier-ignore
    .map(({ code }) => code)
    .join("\n");

const rows = (op: string, x: Node, axis = 1): Node => make(op, [x], op === "argmax" ? { axis } : { axes: [axis] });

describe.skipIf(!able)("rows by subgroups", () => {
  for (const width of [32, 33, 64, 100, 1000, 3000]) {
    it(`of ${width}: sums and maxima, softmax and its gradient`, async () => {
      const batch = { x: numbers(7 * width, 5, -3, 3) };
      const x = input("batch", "x", [7, width]);
      const y = softmax(x);
      const loss = make("sum", [make("mul", [y, make("tanh", [x])])], { axes: [0, 1] });
      const nodes = [rows("sum", x), rows("amax", x), rows("argmax", x), y, ...gradient(loss, [x])];
      const text = textOf(nodes, schedule);
      expect(text).toContain("subgroupAdd(");
      expect(text).toContain("subgroup_largest(");
      expect(textOf(nodes, hardware)).not.toContain("subgroup");
      const { values } = await runOn(device, nodes, batch);
      const expected = inFloat64(nodes, batch);
      values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThan(1e-5));
      expect((await runOn(device, nodes, batch)).values).toEqual(values);
    });
  }

  it("of integers", async () => {
    const batch = { x: Int32Array.from({ length: 5 * 200 }, (_, i) => ((i * 7919) % 2003) - 1001) };
    const x = input("batch", "x", [5, 200], "i32");
    const nodes = [rows("sum", x), rows("amax", x)];
    const { values } = await runOn(device, nodes, batch);
    inFloat64(nodes, batch).forEach((expected, i) => expect([...(values[i] ?? [])]).toEqual([...expected]));
  });

  it("with NaN and infinity", async () => {
    const x = numbers(6 * 70, 5);
    x[3] = NaN;
    x[70 + 69] = Infinity;
    x.fill(-Infinity, 140, 210);
    x[210] = -Infinity;
    x[280 + 33] = -NaN;
    const nodes = [rows("amax", input("batch", "x", [6, 70])), rows("sum", input("batch", "x", [6, 70]))];
    const { values } = await runOn(device, nodes, { x });
    inFloat64(nodes, { x }).forEach((expected, i) => {
      expect(distance(values[i] ?? [], expected)).toBeLessThan(1e-5);
    });
  });

  it("are not asked of an adapter without them", async () => {
    const plain = await open({ schedule: hardware });
    const { values } = await runOn(plain, [rows("sum", input("batch", "x", [2, 64]))], { x: numbers(128, 1) });
    expect(values[0]).toHaveLength(2);
    await plain.dispose();
  });
});
