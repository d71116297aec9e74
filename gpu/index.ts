/**
 * The door of gpu: devices by kind.
 */
/// <reference types="@webgpu/types" />
import { CpuDevice } from "./cpu.ts";
import type { CpuOptions } from "./cpu.ts";
import type { Device } from "./device.ts";
import { ReferenceDevice } from "./reference.ts";
import { openWebGpu, type OpenOptions } from "./webgpu-open.ts";

export type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult, Stats } from "./device.ts";
export type { CpuOptions } from "./cpu.ts";
export { ofRoofline, Profile } from "./profile.ts";
export type { KernelTime } from "./profile.ts";
export { Trust, trusting } from "./trust.ts";
export type { TextStore } from "./trust.ts";
export { measureRoofline } from "./roofline.ts";
export { hasRelaxedSimd } from "./wasm/assembler.ts";
export { segmentCounts, segmentView } from "./segment-view.ts";
export type { CallView, KernelView, SegmentView, ViewedDevice } from "./segment-view.ts";
export { BASE_BINDING, segmentKernels, segmentStats, segmentWgsl } from "./webgpu-text.ts";

export type DeviceKind = "cpu" | "webgpu" | "reference";
export interface DeviceOptions extends CpuOptions, Pick<OpenOptions, "rest" | "tune"> {
  /** What webgpu runs on: `navigator.gpu`, or Dawn's. */
  readonly gpu?: GPU;
  readonly timestamps?: boolean;
}

export async function openDevice(kind: DeviceKind, options: DeviceOptions = {}): Promise<Device> {
  if (kind === "webgpu") {
    const device = options.gpu && (await openWebGpu(options.gpu, options));
    if (!device) throw new Error(`expected a WebGPU adapter, got ${options.gpu ? "none" : "no GPU to ask"}`);
    return device;
  }
  return kind === "cpu" ? new CpuDevice(options) : new ReferenceDevice();
}
