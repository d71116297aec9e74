/** Order and factors on the webgpu device. */
import { afterAll, beforeAll, describe, it } from "vitest";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { factorsMatrices, ordersLines } from "../gpu/factors.ts";
import type { Run } from "../gpu/factors.ts";
import { gpu, open, runOn } from "./setup.ts";

let device: WebGpuDevice;
beforeAll(async () => {
  if (gpu) device = await open();
});
afterAll(() => device?.dispose());
const run: Run = async (nodes, batch) => (await runOn(device, nodes, batch)).values;

describe.skipIf(!gpu)("on webgpu", () => {
  it("lines of floats in order", () => ordersLines(run, 3, 1000, "f32"));
  it("lines of integers in order", () => ordersLines(run, 5, 257, "i32"));
  it("factors of matrices", () => factorsMatrices(run, 5, 24));
});
