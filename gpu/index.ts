/**
 * The door of gpu: devices by kind.
 */
import { CpuDevice } from "./cpu.ts";
import type { CpuOptions } from "./cpu.ts";
import type { Device } from "./device.ts";
import { ReferenceDevice } from "./reference.ts";

export type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult, Stats } from "./device.ts";
export type { CpuOptions } from "./cpu.ts";
export { hasRelaxedSimd } from "./wasm/assembler.ts";

export type DeviceKind = "cpu" | "reference";
export type DeviceOptions = CpuOptions;

export async function openDevice(kind: DeviceKind, options: DeviceOptions = {}): Promise<Device> {
  return kind === "cpu" ? new CpuDevice(options) : new ReferenceDevice();
}
