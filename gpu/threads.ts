/**
 * Worker threads over the one memory. The calling thread publishes a wave of pieces in a few shared words, takes pieces
 * itself like every worker, and waits until all are done: no message per wave, nothing allocated. It blocks shortly at
 * most; a longer wait goes through its event loop, where the death of a worker is heard too.
 * How a worker is started is the host's: Node and browsers give one function each.
 */
import { bound } from "./threads-piece.ts";
import type { PieceText } from "./threads-piece.ts";
import { FAILED, JOB, MAIL, PENDING, SLEEPERS, TAPE, WAITING, WAVE, WORDS, serve } from "./threads-worker.ts";
import type { Answer, Letter } from "./threads-worker.ts";

export interface WorkerEvents {
  message(answer: Answer): void;
  /** It died: by an error that nobody caught, or by its host. */
  dead(reason: string): void;
}
export interface WorkerHandle {
  post(letter: Letter): void;
  /** Whether the process must stay alive for it. */
  hold(on: boolean): void;
  stop(): Promise<void>;
}
/** Starts a thread that runs `(source)(receive, send)`: `receive` takes a listener of letters, `send` answers. */
export type StartWorker = (source: string, events: WorkerEvents) => WorkerHandle;

/** Most pieces of one wave: they are counted in 12 bits. */
export const MOST_PIECES = 4095;
/**
 * Milliseconds that a thread looks for what it waits for before it sleeps. Where both threads were put on one core,
 * looking is what keeps the other one from working, so it must stay short.
 */
const SPIN = 0.1;
/** Looks between two glances at the clock. */
const LOOKS = 200;
/** Milliseconds that the calling thread may block. */
const BLOCK = 20;
/** The same where it may not sleep (the window of a browser). */
const BLOCK_SPINNING = 4;

interface Waiter {
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

export class Threads {
  private readonly words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  private readonly handles: WorkerHandle[] = [];
  private readonly mayBlock: boolean;
  private job = 0;
  private counted = 0;
  /** Those that the workers have, by the number that they know them by. */
  private readonly modules = new Map<WebAssembly.Module, number>();
  /** The modules of each tape that may be run, and tapes that the workers still have. */
  private readonly tapes = new Map<number, ReadonlySet<WebAssembly.Module>>();
  private readonly dropped: number[] = [];
  /** Letters that were not answered yet. */
  private unread = 0;
  private readonly refusals: string[] = [];
  private readonly failures: string[] = [];
  private death: Error | undefined;
  private stopped = false;
  private readonly waiters: Waiter[] = [];

  /** Workers are numbered from 1. */
  constructor(start: StartWorker, memory: WebAssembly.Memory, workers: number) {
    this.mayBlock = canBlock(this.words);
    const source = `(receive, send) => (${serve.toString()})(receive, send, ${bound.toString()})`;
    for (let thread = 1; thread <= workers; thread++) {
      const handle = start(source, {
        message: (answer) => this.hear(answer),
        dead: (reason) => this.bury(`expected worker ${thread} to live, got: ${reason}`),
      });
      handle.hold(false);
      this.handles.push(handle);
      this.unread++;
      handle.post({ kind: "start", words: this.words, memory, thread, spin: SPIN });
    }
    this.announce(1);
  }

  private hear(answer: Answer): void {
    if (answer.kind === "failed") this.failures.push(answer.text);
    if (answer.kind === "refused") this.refusals.push(answer.text);
    if (answer.kind === "ready" || answer.kind === "refused") this.unread--;
    for (const waiter of this.waiters.splice(0)) waiter.done();
  }

  private bury(text: string): void {
    if (this.stopped) return;
    this.death ??= new Error(text);
    for (const waiter of this.waiters.splice(0)) waiter.fail(this.death);
  }

  /** The next message, or the death of a worker. */
  private async message(): Promise<void> {
    this.check();
    for (const handle of this.handles) handle.hold(true);
    try {
      await new Promise<void>((done, fail) => this.waiters.push({ done, fail }));
    } finally {
      if (this.waiters.length === 0) for (const handle of this.handles) handle.hold(false);
    }
  }

  /** Workers that sleep or look for jobs must read letters. */
  private announce(letters: number): void {
    Atomics.add(this.words, MAIL, letters);
    Atomics.store(this.words, JOB, this.nextJob());
    Atomics.notify(this.words, JOB);
  }

  /** What the workers have. */
  get held(): { readonly tapes: number; readonly modules: number } {
    return { tapes: this.tapes.size + this.dropped.length, modules: this.modules.size };
  }

  private nextJob(): number {
    this.job = (this.job + 1) & 0xfffff;
    return this.job << 12;
  }

  /** Gives every worker the waves of a tape, when no piece waits for a thread. Returns the number of the tape. */
  async add(
    kernels: readonly { readonly module: WebAssembly.Module; readonly name: string }[],
    waves: readonly (readonly PieceText[])[],
    addresses: Uint32Array,
  ): Promise<number> {
    const tape = this.counted++;
    this.tapes.set(tape, new Set(kernels.map(({ module }) => module)));
    const letters: Letter[] = this.leftOver();
    const places = kernels.map(({ module, name }) => {
      let number = this.modules.get(module);
      if (number === undefined) {
        number = this.counted++;
        this.modules.set(module, number);
        letters.push({ kind: "module", number, module });
      }
      return { module: number, name };
    });
    letters.push({ kind: "tape", tape, kernels: places, waves, addresses });
    for (const handle of this.handles) {
      this.unread += letters.length;
      for (const letter of letters) handle.post(letter);
    }
    this.announce(letters.length);
    while (this.unread > 0) await this.message();
    const refusal = this.refusals.shift();
    if (refusal === undefined) return tape;
    this.drop(tape);
    throw new Error(`expected a worker to take a tape, got: ${refusal}`);
  }

  /** A tape that is not run again; the workers hear of it with the next one, which may need the same modules. */
  drop(tape: number): void {
    if (this.tapes.delete(tape)) this.dropped.push(tape);
  }

  private leftOver(): Letter[] {
    if (this.dropped.length === 0) return [];
    const used = new Set([...this.tapes.values()].flatMap((modules) => [...modules]));
    const unused = [...this.modules].filter(([module]) => !used.has(module));
    for (const [module] of unused) this.modules.delete(module);
    return [{ kind: "drop", tapes: this.dropped.splice(0), modules: unused.map(([, number]) => number) }];
  }

  /** Throws once a worker died: its pieces may still be open. */
  check(): void {
    if (this.death) throw this.death;
  }

  // ---------------------------------------------------------------- one wave

  publish(tape: number, wave: number, pieces: number): void {
    this.check();
    const { words } = this;
    words[TAPE] = tape;
    words[WAVE] = wave;
    words[FAILED] = 0;
    Atomics.store(words, PENDING, pieces);
    Atomics.store(words, JOB, this.nextJob() | pieces);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, JOB);
  }

  /** A piece for the calling thread; -1 when all are taken. */
  claim(): number {
    const { words } = this;
    for (;;) {
      const word = Atomics.load(words, JOB);
      const left = word & 0xfff;
      if (left === 0) return -1;
      if (Atomics.compareExchange(words, JOB, word, word - 1) === word) return left - 1;
    }
  }

  /** The calling thread has done a piece (or failed to). */
  finished(): void {
    Atomics.sub(this.words, PENDING, 1);
  }

  /** Waits shortly; false when pieces are still pending. */
  join(): boolean {
    const { words } = this;
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, PENDING) === 0) return true;
    const begin = performance.now();
    while (performance.now() - begin < SPIN) {
      for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, PENDING) === 0) return true;
    }
    const limit = begin + (this.mayBlock ? BLOCK : BLOCK_SPINNING);
    Atomics.store(words, WAITING, 1);
    let pending = Atomics.load(words, PENDING);
    while (pending > 0) {
      const left = limit - performance.now();
      if (left <= 0) break;
      if (this.mayBlock) Atomics.wait(words, PENDING, pending, left);
      pending = Atomics.load(words, PENDING);
    }
    Atomics.store(words, WAITING, 0);
    return pending === 0;
  }

  /** Waits through the event loop. */
  async joined(): Promise<void> {
    const { words } = this;
    Atomics.store(words, WAITING, 2);
    try {
      while (Atomics.load(words, PENDING) > 0) await this.message();
    } finally {
      Atomics.store(words, WAITING, 0);
    }
  }

  get failed(): boolean {
    return Atomics.load(this.words, FAILED) > 0;
  }

  /** Throws what a piece of the last wave threw; its text may still be on the way. */
  async rethrow(): Promise<never> {
    const count = Atomics.load(this.words, FAILED);
    while (this.failures.length < count) await this.message();
    const [text] = this.failures.splice(0);
    throw new Error(`expected a worker to finish its piece of a kernel, got: ${text}`);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    const ended = new Error("expected the device to live until its runs end, got dispose");
    this.death ??= ended;
    for (const waiter of this.waiters.splice(0)) waiter.fail(ended);
    await Promise.all(this.handles.map((handle) => handle.stop()));
  }
}

/** The window of a browser may not sleep. */
function canBlock(words: Int32Array): boolean {
  try {
    Atomics.wait(words, PENDING, -1, 0);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
