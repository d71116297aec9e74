/** State beyond the base limit of a binding (128 MiB): as large as the adapter allows, and told where it does not. */
import { describe, expect, it } from "vitest";
import { BASE_BINDING } from "../../gpu/webgpu-text.ts";
import { build as b, make } from "../../lang/graph/index.ts";
import { input, segment } from "../gpu/harness.ts";
import { gpu, open } from "./setup.ts";

const SIZE = BASE_BINDING / 4 + 4096;
const adapter = await gpu?.requestAdapter();
const allowed = adapter && Math.min(adapter.limits.maxStorageBufferBindingSize, adapter.limits.maxBufferSize);
const enough = (allowed ?? 0) >= 8 * SIZE;
if (gpu && !enough) console.warn(`skipped: the adapter binds ${allowed} bytes at most`);

describe.skipIf(!enough)("a parameter of more than 128 MiB", () => {
  it("is trained, and read back whole", async () => {
    const device = await open();
    device.createSlot("w", { dtype: "f32", shape: [SIZE] });
    const w = input("state", "w", [SIZE]);
    const next = b.add(b.scale(w, 0.5), b.cast(make("iota", [], { shape: [SIZE], axis: 0 }), "f32"));
    const prepared = await device.prepare(segment("large", [{ node: next, role: { kind: "commit", path: "w" } }]));
    for (let i = 0; i < 2; i++) await device.run(prepared, { scalars: {} });
    const values = await device.readSlot("w");
    expect(values).toHaveLength(SIZE);
    for (const at of [0, 1, BASE_BINDING / 4 - 1, BASE_BINDING / 4, SIZE - 1])
      expect(values[at]).toBe(Math.fround(Math.fround(at * 0.5) + at));
    await device.dispose();
  });
});
