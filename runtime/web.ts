/**
 * What a session and the compiler ask of a page: files that were dropped on it, by name, and all that needs no file.
 * What a script saves goes to the same files, and whoever listens may hand it on.
 */
import type { Host as CompileHost } from "../lang/index.ts";
import { type Diagnostic, UserError } from "../lang/diagnostic.ts";
import type { Facts, SourceRef } from "../lang/program.ts";
import { readSafetensors, writeSafetensors } from "./checkpoint.ts";
import { aboutFile, type AboutFile } from "./data/about.ts";
import type { DataWhere } from "./data/disk.ts";
import { factsOf } from "./data/facts.ts";
import { openPlan } from "./data/plan.ts";
import { type FileMap, memoryDisk } from "./disk-memory.ts";
import type { Host } from "./host.ts";

export interface WebHostOptions {
  /** By name: `iris.csv`, `mnist/t10k-images-idx3-ubyte.gz`; may change at any time. */
  readonly files: FileMap;
  /** Hears of each file that the script saved; its bytes are in `files` then. */
  readonly saved?: (file: string, bytes: Uint8Array) => void;
  /** Hears of each file that is read. */
  readonly read?: (file: string) => void;
}

export interface WebHost extends Host, Pick<CompileHost, "readModule"> {
  facts(ref: SourceRef): Promise<Facts | Diagnostic>;
  /** What a file is that no script has named yet. */
  about(file: string): Promise<AboutFile>;
}

export function webHost({ files, saved, read }: WebHostOptions): WebHost {
  const disk = memoryDisk(files, read);
  const where: DataWhere = { disk, scriptFolder: ".", dataFolder: "." };
  const place = (file: string) => disk.paths.resolve(where.scriptFolder, file);
  return {
    facts: async (ref) => {
      const told = await factsOf(ref, where);
      return "code" in told ? forPage(told, files) : told;
    },
    about: (file) => aboutFile(file, where),
    readModule: async (path) => {
      const bytes = files.get(place(path));
      if (bytes) read?.(place(path));
      return bytes && { file: path, text: new TextDecoder().decode(bytes) };
    },
    open: (plan, seed) => advised(files, openPlan(plan, where, seed)),
    load: (file, span) => advised(files, readSafetensors(disk, place(file), span)),
    save: async (file, tensors, span) => {
      const path = place(file);
      await writeSafetensors(disk, path, tensors, {}, span);
      saved?.(path, await disk.read(path));
      return path;
    },
  };
}

async function advised<T>(files: FileMap, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw thrown instanceof UserError ? new UserError(forPage(thrown.diagnostic, files)) : thrown;
  }
}

/** Files that are not there: a page has no folders to name. */
const MISSING = new Set(["DLX0501", "DLX0502"]);
const MOST_NAMES = 8;

function forPage(diagnostic: Diagnostic, files: FileMap): Diagnostic {
  if (!MISSING.has(diagnostic.code)) return diagnostic;
  const names = [...files.keys()].map((name) => `\`${name}\``);
  const more = names.length > MOST_NAMES ? [`… (${names.length} in all)`] : [];
  const has = names.length > 0 ? [...names.slice(0, MOST_NAMES), ...more].join(", ") : "no files";
  const help = diagnostic.help?.startsWith("did you mean")
    ? diagnostic.help
    : "drop it on the page, or add it under Data; `digits()` and `toy` need no files";
  return { ...diagnostic, help, notes: [`the page has ${has}`] };
}
