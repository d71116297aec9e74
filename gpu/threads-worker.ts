/**
 * What a worker thread does, from start to end. `serve` travels as text, so it must stand alone: no imports, nothing
 * from around it, no syntax that a compiler turns into helpers.
 *
 * One word, `JOB`, holds the number of the job (upper 20 bits) and how many of its pieces nobody has begun (lower 12);
 * a piece is claimed by taking one off with a compare-and-exchange, which fails when the job changed meanwhile. So what
 * was read about the job before is of that job, and a worker that slept through one harms nothing.
 */

import type { Bound, PieceText } from "./threads-piece.ts";

/** Places in the shared words. */
export const JOB = 0;
/** Pieces of the job that are not done yet. */
export const PENDING = 1;
/** Letters posted so far: a worker with fewer read leaves its loop for its event loop, where letters arrive. */
export const MAIL = 2;
export const SLEEPERS = 3;
/** How the calling thread waits: 0 not, 1 asleep on PENDING, 2 for a message. */
export const WAITING = 4;
export const TAPE = 5;
export const WAVE = 6;
/** Pieces of this job that threw; their texts come as messages. */
export const FAILED = 7;
export const WORDS = 8;

export type Letter =
  | {
      readonly kind: "start";
      readonly words: Int32Array;
      readonly memory: WebAssembly.Memory;
      /** This worker's number; the calling thread is 0. */
      readonly thread: number;
      /** Milliseconds that a worker looks for a job before it sleeps. */
      readonly spin: number;
    }
  | { readonly kind: "module"; readonly number: number; readonly module: WebAssembly.Module }
  /** Neither is asked for again. */
  | { readonly kind: "drop"; readonly tapes: readonly number[]; readonly modules: readonly number[] }
  | {
      readonly kind: "tape";
      readonly tape: number;
      /** By kernel of a piece: the number of its module, and the name there. */
      readonly kernels: readonly { readonly module: number; readonly name: string }[];
      readonly waves: readonly (readonly PieceText[])[];
      /** By buffer; rewritten before each run. */
      readonly addresses: Uint32Array;
    };

export type Answer =
  /** A letter was read, or could not be followed. */
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly text: string }
  /** The last piece of a job that the calling thread waits for is done. */
  | { readonly kind: "done" }
  /** A piece threw. */
  | { readonly kind: "failed"; readonly text: string };

export type Serve = (
  receive: (listener: (letter: Letter) => void) => void,
  send: (answer: Answer) => void,
  bound: Bound,
) => void;

export const serve: Serve = (receive, send, bound) => {
  const [job, pending, mail, sleepers, waiting, tapeAt, waveAt, failed] = [0, 1, 2, 3, 4, 5, 6, 7];
  let words: Int32Array = new Int32Array(0);
  let memory: WebAssembly.Memory | undefined;
  let thread = 0;
  let spin = 0;
  let read = 0;
  const tapes = new Map<number, (() => void)[][]>();
  const instances = new Map<number, WebAssembly.Instance>();

  const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

  const open = (letter: Letter): void => {
    if (letter.kind === "start") {
      words = letter.words;
      memory = letter.memory;
      thread = letter.thread;
      spin = letter.spin;
      return;
    }
    if (letter.kind === "module") {
      instances.set(letter.number, new WebAssembly.Instance(letter.module, { m: { memory } } as WebAssembly.Imports));
      return;
    }
    if (letter.kind === "drop") {
      for (const tape of letter.tapes) tapes.delete(tape);
      for (const module of letter.modules) instances.delete(module);
      return;
    }
    const { addresses, kernels } = letter;
    const waves = letter.waves.map((pieces) =>
      pieces.map((piece) => {
        const kernel = kernels[piece.kernel] as { readonly module: number; readonly name: string };
        const run = (instances.get(kernel.module) as WebAssembly.Instance).exports[kernel.name] as (
          ...args: number[]
        ) => void;
        return bound(piece, run, addresses, thread);
      }),
    );
    tapes.set(letter.tape, waves);
  };

  const work = (): void => {
    let looks = 0;
    let since = performance.now();
    for (;;) {
      const word = Atomics.load(words, job);
      if (Atomics.load(words, mail) !== read) return;
      const left = word & 0xfff;
      if (left === 0) {
        if (++looks % 200 !== 0 || performance.now() - since < spin) continue;
        Atomics.add(words, sleepers, 1);
        Atomics.wait(words, job, word);
        Atomics.sub(words, sleepers, 1);
        since = performance.now();
        continue;
      }
      const tape = words[tapeAt] as number;
      const wave = words[waveAt] as number;
      if (Atomics.compareExchange(words, job, word, word - 1) !== word) continue;
      try {
        const run = tapes.get(tape)?.[wave]?.[left - 1];
        if (!run)
          throw new Error("expected piece " + (left - 1) + " of wave " + wave + " of tape " + tape + ", got none");
        run();
      } catch (error) {
        send({ kind: "failed", text: describe(error) });
        Atomics.add(words, failed, 1);
      }
      if (Atomics.sub(words, pending, 1) === 1) {
        const how = Atomics.load(words, waiting);
        if (how === 1) Atomics.notify(words, pending);
        else if (how === 2) send({ kind: "done" });
      }
      since = performance.now();
    }
  };

  receive((letter) => {
    try {
      open(letter);
      send({ kind: "ready" });
    } catch (error) {
      send({ kind: "refused", text: describe(error) });
    }
    read++;
    work();
  });
};
