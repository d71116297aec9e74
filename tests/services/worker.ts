/** A language server in a worker of a browser: facts of data that needs no file, no imports. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import { serve } from "../../lang/services/lsp.ts";
import { prelude } from "../../stdlib/index.ts";

const scope = self as unknown as ConstructorParameters<typeof BrowserMessageReader>[0];
const connection = createConnection(new BrowserMessageReader(scope), new BrowserMessageWriter(scope));
serve(
  connection,
  {
    prelude,
    facts: async () => undefined,
    readModule: async () => undefined,
    pause: () => new Promise((done) => setTimeout(done, 0)),
  },
  { version: "worker" },
);
