/** A session's host in Node: data plans and safetensors files, all paths relative to the script's folder. */
import { isAbsolute, relative, resolve } from "node:path";
import { readSafetensors, writeSafetensors } from "./checkpoint.ts";
import type { DataWhere } from "./data/disk.ts";
import { openPlan } from "./data/plan.ts";
import type { Host } from "./host.ts";

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

/** As seen from here, unless that leads out of here. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}
