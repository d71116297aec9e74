/**
 * A text in the user's folder of caches. Where it cannot be read or written it is as if it were not there: what it saves
 * is time.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TextStore } from "../../gpu/index.ts";
import { cacheFolder } from "./disk-store.ts";

export function textStore(name: string, folder = cacheFolder(process.env)): TextStore {
  const file = join(folder, name);
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
        // a cache that cannot be kept costs time only
      }
    },
  };
}
