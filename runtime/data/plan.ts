/** Opens a plan: its sources from disk or drawn, its rows in the order that the plan says. */
import type { DataPlan } from "../../lang/program.ts";
import type { Rows } from "../host.ts";
import type { DataWhere } from "./disk.ts";
import { openSource } from "./open.ts";
import { rowsOf } from "./rows.ts";

export async function openPlan(plan: DataPlan, where: DataWhere, seed: number): Promise<Rows> {
  return rowsOf(plan, seed, (ref) => openSource(ref, where));
}
