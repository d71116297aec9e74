/**
 * Puts Dawn where libraries made for browsers look for WebGPU: the Dawn that dlx runs on, so that only the libraries differ.
 * The driver is what the environment names, as for dlx.
 */
import { create, globals } from "webgpu";

export async function installWebGpu() {
  Object.assign(globalThis, globals);
  // kept by `navigator`: once it were collected, its devices would answer nothing more
  const navigator = { gpu: create([]), userAgent: "node", hardwareConcurrency: 2 };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
  if (!(await navigator.gpu.requestAdapter())) throw new Error("expected a WebGPU adapter, got none");
}
