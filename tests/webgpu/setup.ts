/**
 * WebGPU for tests: whatever adapter Dawn finds, else the software driver of Debian's chromium. Where neither is there,
 * `gpu` is undefined and tests skip with one line.
 */
/// <reference types="@webgpu/types" />
import { existsSync } from "node:fs";
import type { Numbers, Prepared } from "../../gpu/device.ts";
import { openWebGpu, type OpenOptions } from "../../gpu/webgpu-open.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import type { Node } from "../../lang/graph/node.ts";
import { fetches, segment } from "../gpu/harness.ts";

const LOADER = "/usr/lib/chromium/libvulkan.so.1";
const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
/** RTLD_NOW, RTLD_GLOBAL and, so that it stays when Node finds that it is no addon, RTLD_NODELETE. */
const STAY = 0x2 | 0x100 | 0x1000;

async function openGpu(): Promise<GPU | undefined> {
  if (process.platform === "linux" && existsSync(LOADER) && process.env["VK_ICD_FILENAMES"] === undefined) {
    process.env["VK_ICD_FILENAMES"] = DRIVER;
    try {
      process.dlopen({ exports: {} }, LOADER, STAY);
    } catch (error) {
      // it is a library, not an addon; now it is loaded, and Dawn finds it by its name
      if (!String(error).includes("self-register")) throw error;
    }
  }
  const { create } = await import("webgpu");
  const gpu = create([]);
  return (await gpu.requestAdapter()) ? gpu : undefined;
}

export const gpu = await openGpu();
if (!gpu)
  console.warn("skipped: no WebGPU adapter (install a Vulkan driver, or Debian's chromium for its software driver)");

export async function open(options: OpenOptions = {}): Promise<WebGpuDevice> {
  const device = gpu && (await openWebGpu(gpu, options));
  if (!device) throw new Error("expected an adapter, got none");
  return device;
}

/** Every batch input by name. */
export async function runOn(
  device: WebGpuDevice,
  nodes: readonly Node[],
  batch: Readonly<Record<string, Numbers>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<{ readonly values: readonly Numbers[]; readonly prepared: Prepared }> {
  const prepared = await device.prepare(segment("test", fetches(nodes)));
  const { fetched } = await device.run(prepared, { scalars, batch });
  return { values: nodes.map((_, i) => fetched[`r${i}`] as Numbers), prepared };
}
