/** `dlx lsp`: the language server on standard input and output, with the disk behind it. */
import { fileURLToPath } from "node:url";
import { createConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";
import { serve } from "../../lang/services/lsp.ts";
import type { Args } from "./args.ts";
import { diskHost } from "./disk-host.ts";
import type { Io } from "./io.ts";
import type { Toolchain } from "./toolchain.ts";

/** The editor went away without `exit`. */
const GONE = 1;

/** Ends with the process: `exit` ends it with 0 after `shutdown` and with 1 without. */
export function lsp(args: Args, io: Io, tools: Toolchain): Promise<number> {
  const connection = createConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout));
  // Files are named by their URIs.
  const pathOf = (uri: string): string | undefined => (uri.startsWith("file:") ? fileURLToPath(uri) : undefined);
  serve(connection, diskHost(args.text("data"), pathOf), { version: tools.version });
  process.stdin.once("close", () => io.exit(GONE));
  return new Promise(() => undefined);
}
