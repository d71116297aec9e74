/**
 * Worker threads in Node and in browsers for `gpu/threads.ts`. The code of a worker is text, not a file, so that it is
 * at hand in the bundle, in tests and on a page alike.
 */
import { availableParallelism } from "node:os";
import { Worker as NodeWorker } from "node:worker_threads";
import type { StartWorker } from "../gpu/threads.ts";

/** More threads than this are seldom busy at the sizes of a script; an explicit `--threads` may ask for more. */
const MOST = 4;

export const defaultThreads = (): number => Math.min(MOST, availableParallelism());

export const startNodeWorker: StartWorker = (source, events) => {
  const text = `const { parentPort } = require("node:worker_threads");
(${source})((listener) => parentPort.on("message", listener), (answer) => parentPort.postMessage(answer));`;
  const worker = new NodeWorker(text, { eval: true, execArgv: [], name: "dlx" });
  worker.on("message", events.message);
  worker.on("error", (error) => events.dead(error.message));
  worker.on("exit", (code) => events.dead(`its end with code ${code}`));
  return {
    post: (letter) => worker.postMessage(letter),
    hold: (on) => (on ? worker.ref() : worker.unref()),
    stop: async () => void (await worker.terminate()),
  };
};
