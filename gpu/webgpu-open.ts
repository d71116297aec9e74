/** From a host's `GPU` to a device: asks for the fastest adapter and for all that it offers. */
/// <reference types="@webgpu/types" />
import type { DeviceInfo } from "./device.ts";
import { WebGpuDevice } from "./webgpu.ts";
import type { WebGpuOptions } from "./webgpu.ts";
import { hardware, software as softwareSchedule } from "./wgsl/index.ts";

/** Of data sets that may stay in memory of the adapter; larger ones are read row by row. */
const DATA_BYTES = 2 ** 29;

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render/i;

export interface AdapterName {
  readonly name: string;
  readonly software: boolean;
}

export function adapterName({ info }: GPUAdapter): AdapterName {
  const { description, device, architecture, vendor, isFallbackAdapter } = info;
  const name = [description, device, architecture, vendor].find((text) => text) ?? "unnamed";
  return { name, software: isFallbackAdapter === true || SOFTWARE.test([name, architecture, vendor].join(" ")) };
}

/** Undefined when the host has no adapter. */
export async function openWebGpu(gpu: GPU, options: WebGpuOptions = {}): Promise<WebGpuDevice | undefined> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return undefined;
  const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const asked = options.profile !== undefined || options.timestamps === true;
  const timed = asked && adapter.features.has("timestamp-query");
  const device = await adapter.requestDevice({
    requiredFeatures: timed ? ["timestamp-query"] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage },
  });
  const { name, software } = adapterName(adapter);
  const info: DeviceInfo = {
    kind: "webgpu",
    name: `webgpu (${name}${software ? ", software" : ""})`,
    threads: 1,
    features: [...adapter.features].sort(),
    dataBytes: DATA_BYTES,
    fieldBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
  };
  const schedule = options.schedule ?? (software ? softwareSchedule : hardware);
  return new WebGpuDevice(device, info, { ...options, schedule });
}
