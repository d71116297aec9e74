/** Times of kernels by the adapter's timestamps: a row for each kernel that ran, with its calls, work and places. */
import { describe, expect, it } from "vitest";
import { Profile } from "../../gpu/profile.ts";
import { WebGpuDevice } from "../../gpu/webgpu.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { fetches, input, numbers, segment } from "../gpu/harness.ts";
import { gpu, open } from "./setup.ts";

const adapter = await gpu?.requestAdapter();
const timestamps = adapter?.features.has("timestamp-query") === true;
if (gpu && !timestamps) console.warn("skipped: the adapter has no timestamps");

const at = (start: number) => ({ file: "a.dlx", start, end: start + 3 });

/** A product whose depth is cut into pieces, then a sum over it. */
function graph(): Node {
  const [x, y] = [input("batch", "x", [9, 3000]), input("batch", "y", [3000, 21])];
  const product = make("dot", [x, y], { batch: [], contract: [[1, 0]] }, at(10));
  return make("sum", [make("exp", [product], {}, at(20))], { axes: [0, 1] }, at(30));
}

async function ran(device: WebGpuDevice, times: number): Promise<number[]> {
  device.createSlot("n", { dtype: "f32", shape: [100] });
  const more = make("exp", [input("state", "n", [100])], {}, at(40));
  const outputs = [...fetches([graph()]), { node: more, role: { kind: "commit", path: "n" } } as const];
  const prepared = await device.prepare(segment("timed", outputs));
  const batch = { x: numbers(27000, 1, -0.01, 0.01), y: numbers(63000, 2) };
  const results: number[] = [];
  for (let i = 0; i < times; i++) {
    const { fetched } = await device.run(prepared, { scalars: {}, batch });
    results.push(fetched["r0"]?.[0] as number);
  }
  return results;
}

describe.skipIf(!timestamps)("a profile", () => {
  it("is switched on and off between runs, and changes no number", async () => {
    const device = await open({ timestamps: true });
    const plain = await open();
    const profile = new Profile();
    expect(await ran(device, 2)).toEqual(await ran(plain, 2));
    const calls = async (times: number): Promise<number[]> => {
      device.measure(profile);
      await ran(device, times);
      device.measure(undefined);
      await ran(device, 3);
      return [...new Set(profile.kernels.map((row) => row.calls))];
    };
    expect(await calls(4)).toEqual([4]);
    expect(await calls(2)).toEqual([6]);
    await device.dispose();
    await plain.dispose();
  });

  it("counts calls, work and places of each kernel, and changes no number", async () => {
    const profile = new Profile();
    const device = await open({ profile });
    const plain = await open();
    expect(await ran(device, 5)).toEqual(await ran(plain, 5));
    await device.dispose();
    await plain.dispose();
    expect(profile.missing).toBeUndefined();
    const { kernels } = profile;
    for (const { calls, ms, least, text } of kernels) {
      expect(calls, text).toBe(5);
      expect(least * calls, text).toBeLessThanOrEqual(ms + 1e-9);
      expect(least, text).toBeGreaterThanOrEqual(0);
    }
    expect(kernels.reduce((sum, { ms }) => sum + ms, 0)).toBeGreaterThan(0);
    const product = kernels.find(({ text }) => text.includes("dot"));
    expect(product?.flops).toBeGreaterThanOrEqual(2 * 9 * 21 * 3000);
    expect(product?.bytes).toBeGreaterThanOrEqual(4 * (27000 + 63000));
    expect(product?.spans.map(({ start }) => start)).toContain(10);
    const starts = new Set(kernels.flatMap(({ spans }) => spans.map(({ start }) => start)));
    expect([...starts].sort((a, b) => a - b)).toEqual([10, 20, 30, 40]);
    expect(kernels.find(({ text }) => text === "commit of timed")?.bytes).toBe(800);
    profile.reset();
    expect(profile.kernels).toEqual([]);
  });

  it("is had of a tape longer than a query set", async () => {
    const profile = new Profile();
    const device = await open({ profile });
    const count = 2500;
    const carry = input("loop", "carry0", [2]);
    const tick = input("loop", "tick", [], "i32");
    const attrs = {
      body: { params: [carry, tick], results: [make("exp", [make("neg", [carry])])] },
      count,
      consts: 0,
      carries: 1,
      scans: 0,
    };
    const loop = make("loop", [input("batch", "x", [2])], { ...attrs, reverse: false });
    const prepared = await device.prepare(segment("long", fetches([make("pick", [loop], { index: 0 })])));
    const { fetched } = await device.run(prepared, { scalars: {}, batch: { x: Float32Array.of(0, 1) } });
    // the fixed point of exp(-x)
    expect(fetched["r0"]?.[0]).toBeCloseTo(0.567143, 5);
    const longest = profile.kernels.find(({ text }) => text.includes("exp"));
    expect(longest?.calls).toBe(count);
    await device.dispose();
  });
});

describe.skipIf(!gpu)("a device without timestamps", () => {
  it("says so and runs as ever", async () => {
    const raw = await adapter?.requestDevice();
    if (!raw) throw new Error("expected a device");
    const profile = new Profile();
    const info = {
      kind: "webgpu",
      name: "webgpu (test)",
      threads: 1,
      features: [],
      dataBytes: 0,
      fieldBytes: 0,
    } as const;
    const device = new WebGpuDevice(raw, info, { profile });
    expect((await ran(device, 2)).every(Number.isFinite)).toBe(true);
    expect(profile.missing).toContain("webgpu (test) has no timestamps");
    expect(profile.kernels).toEqual([]);
    await device.dispose();
  });
});
