/**
 * The devices that a random graph is compared on. The first is the one the others must agree with: `bits` to the last
 * bit (only order and memory differ), `close` within rounding. The last two are there where WebGPU is.
 */
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import type { Device } from "../../gpu/device.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { gpu, open } from "../webgpu/setup.ts";

export const rules = [
  "inline", "parts", "factor", "split", "batches", "rows", "prologue", "maps", "siblings", "epilogue", "chain", "triangle", "group", "prepack", "rounded",
] as const; // prettier-ignore

export interface Column {
  readonly name: string;
  readonly agree: "bits" | "close";
  readonly open: () => Device | Promise<Device>;
  /** Modules, tables and pipelines of prepared segments stay with their device: after so many graphs a new one. */
  readonly graphs: number;
}

const CPU_GRAPHS = 100;
/** Pipelines take long to compile and are shared by many graphs. */
const GPU_GRAPHS = 1000;

/** Only these rules leave every sum as it is. */
const keepsBits = (rule: string) => rule === "group" || rule === "prepack" || rule === "triangle" || rule === "rounded";

const onCpu = (name: string, agree: Column["agree"], options: CpuOptions): Column => ({
  name,
  agree,
  open: () => new CpuDevice(options),
  graphs: CPU_GRAPHS,
});

export const columns: readonly Column[] = [
  onCpu("cpu", "close", {}),
  onCpu("cut in pieces", "bits", { pieces: 3 }),
  onCpu("poisoned", "bits", { debug: "poison" }),
  onCpu("two threads", "bits", { threads: 2, startWorker: startNodeWorker, grain: 0 }),
  onCpu("permuted", "bits", { debug: "permute" }),
  onCpu("unfused", "close", { disable: rules }),
  ...rules.map((rule) => onCpu(`without ${rule}`, keepsBits(rule) ? "bits" : "close", { disable: [rule] })),
  ...(gpu
    ? [
        { name: "webgpu", agree: "close", open: () => open(), graphs: GPU_GRAPHS } as const,
        { name: "webgpu unfused", agree: "close", open: () => open({ disable: rules }), graphs: GPU_GRAPHS } as const,
      ]
    : []),
];
