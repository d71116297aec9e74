/**
 * Every row of the op table on the cpu device against its meaning in float64; fused and unfused.
 */
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Numbers } from "../../gpu/device.ts";
import { gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { build, samples } from "../graph/samples.ts";
import type { Sample } from "../graph/samples.ts";
import { distance, inFloat64, input, numbers, runOn } from "./harness.ts";

const fused = new CpuDevice();
const unfused = new CpuDevice({ disable: ["inline", "parts", "rows", "prologue", "maps", "siblings", "epilogue"] });

/** As threads would run it. */
const cut = new CpuDevice({ pieces: 3 });

function inputsOf(sample: Sample): { nodes: Node[]; batch: Record<string, Numbers> } {
  const batch: Record<string, Numbers> = {};
  const nodes = sample.inputs.map((given, i) => {
    batch[`x${i}`] =
      given.dtype === "f32"
        ? Float32Array.from(given.data)
        : given.dtype === "u32"
          ? Uint32Array.from(given.data)
          : Int32Array.from(given.data);
    return input("batch", `x${i}`, given.shape, given.dtype);
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
  device: CpuDevice,
  nodes: readonly Node[],
  batch: Record<string, Numbers>,
  scalars: Record<string, number>,
  limit: number,
) {
  const { values } = await runOn(device, nodes, batch, scalars);
  const expected = inFloat64(nodes, batch, scalars);
  values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThanOrEqual(limit));
}

describe("each op", () => {
  for (const sample of samples) {
    it(`${sample.op}: ${sample.name}`, async () => {
      const { nodes, batch } = inputsOf(sample);
      const results = build(sample, nodes);
      for (const device of [fused, unfused, cut]) await check(device, results, batch, { ...sample.scalars }, 1e-5);
    });
  }
});

describe("gradients of each op", () => {
  for (const sample of samples) {
    const { nodes, batch } = inputsOf(sample);
    const results = build(sample, nodes);
    const wanted = nodes.filter((n, i) => n.type.dtype === "f32" && !sample.fixed?.includes(i));
    if (wanted.length === 0 || !results.some((r) => r.type.dtype === "f32")) continue;
    it(`${sample.op}: ${sample.name}`, async () => {
      const first = gradient(weighted(results), wanted);
      const second = gradient(weighted(first), wanted);
      await check(fused, first, batch, { ...sample.scalars }, 2e-5);
      await check(fused, second, batch, { ...sample.scalars }, 1e-4);
    });
  }
});
