/**
 * The devices that a random graph is compared on. The first is the one the others must agree with: `bits` to the last
 * bit (only order and memory differ), `close` within rounding. A device on a GPU is one more line.
 */
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device } from "../../gpu/device.ts";

export const rules = ["inline", "split", "rows", "prologue", "maps", "siblings", "epilogue", "group"] as const;

export interface Column {
  readonly name: string;
  readonly agree: "bits" | "close";
  readonly open: () => Device;
}

/** Only this rule leaves every kernel as it is. */
const keepsBits = (rule: string) => rule === "group";

export const columns: readonly Column[] = [
  { name: "cpu", agree: "close", open: () => new CpuDevice() },
  { name: "cut in pieces", agree: "bits", open: () => new CpuDevice({ pieces: 3 }) },
  { name: "poisoned", agree: "bits", open: () => new CpuDevice({ debug: "poison" }) },
  { name: "permuted", agree: "bits", open: () => new CpuDevice({ debug: "permute" }) },
  { name: "unfused", agree: "close", open: () => new CpuDevice({ disable: rules }) },
  ...rules.map((rule): Column => ({
    name: `without ${rule}`,
    agree: keepsBits(rule) ? "bits" : "close",
    open: () => new CpuDevice({ disable: [rule] }),
  })),
];
