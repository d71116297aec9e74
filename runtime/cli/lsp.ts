/** `dlx lsp`: the language server on standard input and output, with the disk behind it. */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { createConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";
import type { ServiceHost } from "../../lang/services/index.ts";
import { serve } from "../../lang/services/lsp.ts";
import { prelude } from "../../stdlib/index.ts";
import { factsOf } from "../data/facts.ts";
import type { Args } from "./args.ts";
import type { Io } from "./io.ts";
import type { Toolchain } from "./toolchain.ts";

/** Ends with the process: `exit` ends it with 0 after `shutdown` and with 1 without, as does an editor that goes away. */
export function lsp(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const connection = createConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout));
  serve(connection, diskHost(args.text("data")), { version: tools.version });
  process.stdin.once("close", () => io.exit(1));
  return new Promise(() => undefined);
}

/** Files are named by their URIs. */
function diskHost(data: string | undefined): ServiceHost {
  const pathOf = (uri: string): string | undefined => (uri.startsWith("file:") ? fileURLToPath(uri) : undefined);
  return {
    prelude,
    pause: () => new Promise((done) => setImmediate(done)),
    facts: (ref, script) => {
      const path = pathOf(script);
      return factsOf(ref, {
        scriptFolder: path ? dirname(path) : process.cwd(),
        dataFolder: data,
        env: process.env.DLX_DATA,
      });
    },
    readModule: async (uri) => {
      const path = pathOf(uri);
      if (path === undefined) return undefined;
      try {
        return { file: uri, text: await readFile(path, "utf8") };
      } catch (error) {
        // Only what is not there is no module; anything else is worth a message.
        if (error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR", "EISDIR"].includes(String(error.code)))
          return undefined;
        throw error;
      }
    },
  };
}
