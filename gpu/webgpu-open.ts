/** From a host's `GPU` to a device: asks for the fastest adapter and for all that it offers. */
/// <reference types="@webgpu/types" />
import { SOFTWARE, type DeviceInfo } from "./device.ts";
import { WebGpuDevice } from "./webgpu.ts";
import type { WebGpuOptions } from "./webgpu.ts";
import { tuningOf, type Tune } from "./webgpu-tune.ts";
import { hardware, software as softwareSchedule } from "./wgsl/index.ts";

/** Of data sets that may stay in memory of the adapter; larger ones are read row by row. */
const DATA_BYTES = 2 ** 29;

const PROGRAMS = /swiftshader|llvmpipe|lavapipe|basic render/i;

export interface AdapterName {
  readonly name: string;
  readonly software: boolean;
}

export function adapterName({ info }: GPUAdapter): AdapterName {
  const { description, device, architecture, vendor, isFallbackAdapter } = info;
  const name = [description, device, architecture, vendor].find((text) => text) ?? "unnamed";
  return { name, software: isFallbackAdapter === true || PROGRAMS.test([name, architecture, vendor].join(" ")) };
}

/** Asked for as high as the adapter has them; every other limit stays that of the standard. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Shaders are told the number of a lane's subgroup by a feature of the language. */
const knowsSubgroups = ({ wgslLanguageFeatures }: GPU): boolean => wgslLanguageFeatures.has("subgroup_id");

export interface OpenOptions extends Omit<WebGpuOptions, "tuning"> {
  readonly tune?: Tune | undefined;
}

/** Undefined when the host has no adapter. */
export async function openWebGpu(gpu: GPU, options: OpenOptions = {}): Promise<WebGpuDevice | undefined> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return undefined;
  const { name, software } = adapterName(adapter);
  const tuning = tuningOf(adapter, software, options.tune);
  const asked = options.timestamps === true || (options.profile ?? tuning) !== undefined;
  const timed = asked && adapter.features.has("timestamp-query");
  const usual = options.schedule ?? (software ? softwareSchedule : { ...hardware, subgroups: true });
  const subgroups = usual.subgroups === true && adapter.features.has("subgroups") && knowsSubgroups(gpu);
  const schedule = { ...usual, subgroups };
  const wanted: readonly (readonly [GPUFeatureName, boolean])[] = [
    ["timestamp-query", timed],
    ["subgroups", subgroups],
    ["shader-f16", adapter.features.has("shader-f16")],
  ];
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.flatMap(([name, asked]) => (asked ? [name] : [])),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  const info: DeviceInfo = {
    kind: "webgpu",
    name: `webgpu (${name}${software ? ", software" : ""})`,
    threads: 1,
    features: [...adapter.features, ...(software ? [SOFTWARE] : [])].sort(),
    dataBytes: DATA_BYTES,
    fieldBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
  };
  // the thread shares its processors with a software adapter alone
  return new WebGpuDevice(device, info, { ...options, schedule, tuning, rest: software ? options.rest : undefined });
}
