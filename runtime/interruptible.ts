/**
 * Control-C in the middle of long work. A signal waits until the event loop turns, but a step on the processor, or the
 * drawing of a data set, holds it for as long as it takes. Node can cut code that a script of `vm` has called, also
 * inside of WebAssembly; a cut costs nothing, but the watch costs 60 µs, so short steps go without one.
 */
import { Script } from "node:vm";
import { deviceAround, type Device, type Prepared } from "../gpu/device.ts";
import type { Host } from "./host.ts";
import { Interrupted } from "./interrupted.ts";

/** Milliseconds; a shorter step is at its end before anyone notices. */
const LONG = 20;

const key = Symbol.for("dlx.work");
const script = new Script(`globalThis[Symbol.for("dlx.work")]()`);

/** What `work` gives. A SIGINT ends it with `Interrupted`, after those who listen for the signal. */
function watched<T>(work: () => T): T {
  // Without a listener the signal ends the process by itself, at once.
  if (process.listenerCount("SIGINT") === 0) return work();
  Reflect.set(globalThis, key, work);
  try {
    return script.runInThisContext({ breakOnSigint: true }) as T;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SCRIPT_EXECUTION_INTERRUPTED")
      throw error;
    process.emit("SIGINT");
    throw new Interrupted("interrupted");
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
}

/** A device that can be cut in a run and while it compiles; afterwards it can only be disposed. */
export function interruptibleDevice(device: Device): Device {
  const spent = new WeakMap<Prepared, number>();
  return deviceAround(device, {
    prepare: async (segment) => watched(() => device.prepare(segment)),
    run: async (prepared, feeds) => {
      const start = performance.now();
      const run = () => device.run(prepared, feeds);
      const result = (spent.get(prepared) ?? LONG) < LONG ? run() : watched(run);
      spent.set(prepared, performance.now() - start);
      return result;
    },
  });
}

export function interruptibleHost(host: Host): Host {
  return {
    open: async (plan, seed) => watched(() => host.open(plan, seed)),
    load: (file, span) => host.load(file, span),
    save: (file, tensors, span) => host.save(file, tensors, span),
  };
}
