/** `dlx devices`: what scripts can run on here, and why webgpu is missing where it is. */
import { probe } from "../dawn.ts";
import type { Args } from "./args.ts";
import { DONE, type Io } from "./io.ts";
import type { Toolchain } from "./toolchain.ts";

interface Row {
  readonly kind: "cpu" | "webgpu" | "reference";
  readonly name: string;
  readonly features: readonly string[];
  /** Only of adapters. */
  readonly software?: boolean;
  /** Why it is not there. */
  readonly missing?: string;
}

export async function devices(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const rows: Row[] = [];
  for (const kind of ["cpu", "reference"] as const) {
    const device = await tools.openDevice(kind);
    rows.push({ kind, name: device.info.name, features: device.info.features });
    await device.dispose();
  }
  const { adapter, reason } = await probe();
  if (adapter) rows.push({ kind: "webgpu", ...adapter });
  else rows.push({ kind: "webgpu", name: "", features: [], missing: reason ?? "no reason given" });
  const auto = adapter && !adapter.software ? "webgpu" : "cpu";
  if (args.has("json")) io.stdout(`${JSON.stringify({ devices: rows, auto })}\n`);
  else io.stdout(`${[...rows.map(line), `auto takes ${auto}`].join("\n")}\n`);
  return DONE;
}

function line({ kind, name, software, missing, features }: Row): string {
  if (missing !== undefined) return `${kind.padEnd(9)}  not available: ${missing}`;
  const where = software === undefined ? "" : software ? ", software" : ", hardware";
  return `${kind.padEnd(9)}  ${name}${where}${features.length > 0 ? `\n${" ".repeat(11)}${features.join(" ")}` : ""}`;
}
