/**
 * Where choices that were measured on this machine are kept between runs: a file in the user's folder of caches. It is
 * a cache: where it cannot be read or written, choices are measured again, and nobody is told.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ChoiceStore } from "../gpu/index.ts";

export const choicesFile = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "dlx", "products.json");

export function choiceStore(file = choicesFile()): ChoiceStore {
  return {
    load: () => readFile(file, "utf8").catch(() => undefined),
    save: async (text) => {
      // whole or not at all: another program may read it now
      const own = `${file}.${process.pid}`;
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(own, text);
        await rename(own, file);
      } catch {
        // a cache that cannot be kept costs the next run its measurement
      }
    },
  };
}
