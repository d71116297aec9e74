/** The language services on this disk: data as a run finds it, imports as files. */
import { dirname } from "node:path";
import type { ServiceHost } from "../../lang/services/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { factsOf } from "../node.ts";
import { readSource } from "./source.ts";

/** `pathOf`: the path that a file of the services stands for; undefined for a script that is on no disk. */
export function diskHost(data: string | undefined, pathOf: (file: string) => string | undefined): ServiceHost {
  return {
    prelude,
    pause: () => new Promise((done) => setImmediate(done)),
    facts: (ref, script) => {
      const path = pathOf(script);
      const scriptFolder = path === undefined ? process.cwd() : dirname(path);
      return factsOf(ref, { scriptFolder, dataFolder: data, env: process.env.DLX_DATA });
    },
    readModule: async (file) => {
      const path = pathOf(file);
      const source = path === undefined ? undefined : await readSource(path);
      return source && "text" in source ? { file, text: source.text } : undefined;
    },
  };
}
