/** What runs in Node: a session's host, facts and files, over Node's disk. Paths are relative to the script's folder. */
import { isAbsolute, relative, resolve } from "node:path";
import type { Diagnostic } from "../lang/diagnostic.ts";
import type { DataPlan, Facts, SourceRef } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";
import * as checkpoint from "./checkpoint.ts";
import type * as data from "./data/disk.ts";
import * as facts from "./data/facts.ts";
import * as open from "./data/open.ts";
import { openPlan as openPlanOn } from "./data/plan.ts";
import type { Table } from "./data/table.ts";
import { nodeDisk as disk } from "./disk.ts";
import type { FileTensor, Host, Rows } from "./host.ts";

export type DataWhere = Omit<data.DataWhere, "disk">;

export function nodeHost(where: DataWhere): Host {
  const place = (file: string) => shortPath(resolve(where.scriptFolder, file));
  return {
    open: (plan, seed) => openPlan(plan, where, seed),
    load: (file, span) => readSafetensors(place(file), span),
    save: async (file, tensors, span) => {
      await writeSafetensors(place(file), tensors, {}, span);
      return place(file);
    },
  };
}

export const factsOf = (ref: SourceRef, where: DataWhere): Promise<Facts | Diagnostic> =>
  facts.factsOf(ref, { ...where, disk });

export const openSource = (ref: SourceRef, where: DataWhere): Promise<Table> =>
  open.openSource(ref, { ...where, disk });

export const openPlan = (plan: DataPlan, where: DataWhere, seed: number): Promise<Rows> =>
  openPlanOn(plan, { ...where, disk }, seed);

export const readSafetensors = (file: string, span?: Span) => checkpoint.readSafetensors(disk, file, span);

export const readMetadata = (file: string, span?: Span) => checkpoint.readMetadata(disk, file, span);

export const writeSafetensors = (
  file: string,
  tensors: ReadonlyMap<string, FileTensor>,
  metadata?: Readonly<Record<string, string>>,
  span?: Span,
) => checkpoint.writeSafetensors(disk, file, tensors, metadata, span);

/** As seen from here, unless that leads out of here. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}
