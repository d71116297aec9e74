/** Three ways to the one server: the real process, two streams in memory, a worker thread as a browser has it. */
import { spawn, type ChildProcess } from "node:child_process";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { createConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";
import { serve } from "../../lang/services/lsp.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import type { Message, Wire } from "./client.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Messages with a header that tells their length in bytes. */
export function framed(input: Writable, output: Readable): Wire {
  return {
    send(message) {
      const text = JSON.stringify(message);
      input.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    },
    listen(receive) {
      let data = Buffer.alloc(0);
      output.on("data", (chunk: Buffer) => {
        data = Buffer.concat([data, chunk]);
        for (;;) {
          const head = data.indexOf("\r\n\r\n");
          const length = Number(/Content-Length: (\d+)/i.exec(data.subarray(0, Math.max(0, head)).toString())?.[1]);
          if (head < 0 || data.length < head + 4 + length) return;
          const text = data.subarray(head + 4, head + 4 + length).toString();
          data = data.subarray(head + 4 + length);
          receive(JSON.parse(text) as Message);
        }
      });
    },
  };
}

export function startProcess(folder: string): {
  wire: Wire;
  child: ChildProcess;
  exit: Promise<number | null>;
  errors: () => string;
} {
  const child = spawn(process.execPath, [`${root}bin/dlx.mjs`, "lsp", "--stdio"], { cwd: folder });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exit = new Promise<number | null>((done) => child.on("exit", done));
  return { wire: framed(child.stdin, child.stdout), child, exit, errors: () => errors };
}

export function inMemory(): Wire {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const connection = createConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient));
  const host = {
    prelude,
    facts: (ref: Parameters<typeof factsOf>[0]) => factsOf(ref, { scriptFolder: "/nowhere" }),
    readModule: async () => undefined,
    pause: () => new Promise<void>((done) => setImmediate(done)),
  };
  serve(connection, host, { version: "test" });
  return framed(toServer, toClient);
}

/** The server bundled for browsers, in a worker that has `self` and nothing of node. */
export async function startWorker(): Promise<{ wire: Wire; worker: Worker }> {
  const { outputFiles } = await build({
    entryPoints: [`${root}tests/services/worker.ts`],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2022",
    loader: { ".dlx": "text" },
    logLevel: "silent",
  });
  const shim = `const { parentPort } = require("node:worker_threads");
    globalThis.self = { postMessage: (m) => parentPort.postMessage(m), addEventListener() {}, set onmessage(f) { parentPort.on("message", (data) => f({ data })); } };`;
  const worker = new Worker(
    `${shim}\n(() => { const require = undefined, process = undefined;\n${outputFiles[0]!.text}\n})();`,
    { eval: true },
  );
  return {
    worker,
    wire: {
      send: (message) => worker.postMessage(message),
      listen: (receive) => void worker.on("message", receive),
    },
  };
}
