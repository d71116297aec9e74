/** The device of a page: its graphics adapter where there is a real one, else the processor, and why. */
/// <reference types="@webgpu/types" />
import { openDevice, type Device } from "../gpu/index.ts";
import type { StartWorker } from "../gpu/threads.ts";
import { adapterName } from "../gpu/webgpu-open.ts";
import { startWebWorker } from "./threads-web.ts";

export type WebDeviceKind = "auto" | "webgpu" | "cpu";

export interface WebDeviceOptions {
  /** `auto` takes no adapter of software, which is slower than the processor; `webgpu` takes any. */
  readonly prefer?: WebDeviceKind;
  readonly threads?: number;
  readonly startWorker?: StartWorker;
  /** Instead of `navigator.gpu`. */
  readonly gpu?: GPU;
}

export interface WebDevice {
  readonly device: Device;
  /** In a sentence: why it is the processor though it was not asked for, or why that has one thread. */
  readonly reason?: string;
}

/** More threads than this are seldom busy at the sizes of a script. */
const MOST_THREADS = 4;

export async function openWebDevice(options: WebDeviceOptions = {}): Promise<WebDevice> {
  const { prefer = "auto" } = options;
  const gpu = options.gpu ?? (navigator.gpu as GPU | undefined);
  const why = prefer === "cpu" ? undefined : await noWebGpu(gpu, prefer);
  if (prefer !== "cpu" && why === undefined) return { device: await openDevice("webgpu", { gpu, timestamps: true }) };
  const { threads = Math.min(MOST_THREADS, navigator.hardwareConcurrency), startWorker = startWebWorker } = options;
  const device = await openDevice("cpu", { threads, startWorker });
  const alone = threads > 1 && device.info.threads === 1;
  const single = "one thread, because the page is not cross-origin isolated and so has no shared memory";
  if (why === undefined) return alone ? { device, reason: `The processor computes with ${single}.` } : { device };
  return { device, reason: `The processor computes${alone ? ` with ${single}` : ""}: ${why}.` };
}

/** Undefined where there is an adapter to take. */
async function noWebGpu(gpu: GPU | undefined, prefer: WebDeviceKind): Promise<string | undefined> {
  if (!gpu) return "this browser has no WebGPU";
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return "WebGPU finds no graphics adapter";
  const { name, software } = adapterName(adapter);
  return software && prefer === "auto"
    ? `the graphics adapter ${name} is software, which is slower than the processor itself`
    : undefined;
}
