/** Order and factors on the cpu device, whole and cut into pieces as threads would run them. */
import { describe, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { factorsMatrices, ordersLines } from "./factors.ts";
import { runOn } from "./harness.ts";
import type { Run } from "./factors.ts";

for (const [name, device] of [
  ["whole", new CpuDevice()],
  ["in pieces", new CpuDevice({ pieces: 3 })],
] as const) {
  const run: Run = async (nodes, batch) => (await runOn(device, nodes, batch)).values;
  describe(name, () => {
    it("lines of floats in order", () => ordersLines(run, 3, 1000, "f32"));
    it("lines of integers in order", () => ordersLines(run, 5, 257, "i32"));
    it("factors of matrices", () => factorsMatrices(run, 5, 24));
  });
}
