/** Data and files of a run in a page: what scripts draw themselves. */
import { knownFacts } from "../../lang/check/sources.ts";
import type { Facts, SourceRef } from "../../lang/index.ts";
import { generatedTable } from "../../runtime/data/generated.ts";
import { rowsOf } from "../../runtime/data/rows.ts";
import type { Host } from "../../runtime/index.ts";
import { openDevice, type Device } from "../../gpu/index.ts";

export const facts = async (ref: SourceRef): Promise<Facts | undefined> => knownFacts(ref);
const nowhere = async (): Promise<never> => {
  throw new Error("expected a script without files");
};
export const host: Host = {
  open: async (plan, seed) => rowsOf(plan, seed, async (ref) => generatedTable(ref) ?? (await nowhere())),
  load: nowhere,
  save: nowhere,
};
export async function openWebDevice(prefer: string): Promise<{ device: Device; reason?: string }> {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  const adapter = prefer === "cpu" ? undefined : await gpu?.requestAdapter();
  if (gpu && adapter) return { device: await openDevice("webgpu", { gpu }) };
  return {
    device: await openDevice("cpu", { threads: 1 }),
    reason: prefer === "cpu" ? undefined : "this browser offers no WebGPU",
  };
}
