/**
 * Every row of the op table on the webgpu device against its meaning in float64, with first and second gradients: as the
 * adapter is driven, and as graphics processors are, with and without subgroups.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Numbers } from "../../gpu/device.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { hardware, software } from "../../gpu/wgsl/index.ts";
import { distance, inFloat64, input, numbers } from "../gpu/harness.ts";
import { build, samples } from "../graph/samples.ts";
import type { Sample } from "../graph/samples.ts";
import { gpu, open, runOn } from "./setup.ts";

const schedules = { software, hardware, subgroups: { ...hardware, subgroups: true } };
type Kind = keyof typeof schedules;
const kinds = Object.keys(schedules) as Kind[];
const devices = new Map<Kind, WebGpuDevice>();
beforeAll(async () => {
  if (gpu) for (const kind of kinds) devices.set(kind, await open({ schedule: schedules[kind] }));
});
afterAll(async () => {
  for (const device of devices.values()) await device.dispose();
});

function inputsOf(sample: Sample): { nodes: Node[]; batch: Record<string, Numbers> } {
  const batch: Record<string, Numbers> = {};
  const nodes = sample.inputs.map((given, i) => {
    const { dtype, data, shape } = given;
    batch[`x${i}`] =
      dtype === "f32" ? Float32Array.from(data) : dtype === "u32" ? Uint32Array.from(data) : Int32Array.from(data);
    return input("batch", `x${i}`, shape, dtype);
  });
  return { nodes, batch };
}

/** A scalar that depends on every element differently. */
function weighted(results: readonly Node[]): Node {
  const parts = results
    .filter((r) => r.type.dtype === "f32")
    .map((r, i) => {
      const n = r.type.shape.reduce((a, b) => a * b, 1);
      const weights = make("const", [], { values: [...numbers(n, 900 + i)], shape: r.type.shape, dtype: "f32" });
      const axes = r.type.shape.map((_, axis) => axis);
      const product = make("mul", [r, weights]);
      return axes.length > 0 ? make("sum", [product], { axes }) : product;
    });
  return parts.reduce((a, b) => make("add", [a, b]));
}

async function check(
  kind: Kind,
  nodes: readonly Node[],
  batch: Record<string, Numbers>,
  scalars: Record<string, number>,
  limit: number,
) {
  const { values } = await runOn(devices.get(kind) as WebGpuDevice, nodes, batch, scalars);
  const expected = inFloat64(nodes, batch, scalars);
  values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThanOrEqual(limit));
}

describe.skipIf(!gpu).each(kinds)("each op, for %s", (kind) => {
  for (const sample of samples) {
    it(`${sample.op}: ${sample.name}`, async () => {
      const { nodes, batch } = inputsOf(sample);
      await check(kind, build(sample, nodes), batch, { ...sample.scalars }, 1e-5);
    });
  }
});

describe.skipIf(!gpu).each(kinds)("gradients of each op, for %s", (kind) => {
  for (const sample of samples) {
    const { nodes, batch } = inputsOf(sample);
    const results = build(sample, nodes);
    const wanted = nodes.filter((n, i) => n.type.dtype === "f32" && !sample.fixed?.includes(i));
    if (wanted.length === 0 || !results.some((r) => r.type.dtype === "f32")) continue;
    it(`${sample.op}: ${sample.name}`, async () => {
      const first = gradient(weighted(results), wanted);
      const second = gradient(weighted(first), wanted);
      await check(kind, first, batch, { ...sample.scalars }, 2e-5);
      await check(kind, second, batch, { ...sample.scalars }, 1e-4);
    });
  }
});
