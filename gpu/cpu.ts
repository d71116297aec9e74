/**
 * The cpu device: kernels as WebAssembly over one memory, run as a tape of calls. Each slot has two cells; a run writes
 * next values into the second ones, and the commit of a run that succeeded swaps them, so that it is all or nothing.
 * With threads, what the device is asked while a run waits for workers happens after it, in the order of the calls.
 */
import type { Type } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Store } from "../lang/store.ts";
import { CpuPrepared, loweredForCpu, textOf } from "./cpu-segment.ts";
import { Slots } from "./cpu-slots.ts";
import { actionsOf, execute } from "./cpu-tape.ts";
import type { Action, KernelFunction, Wave } from "./cpu-tape.ts";
import { permuted, poisoned, POISON } from "./debug.ts";
import type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult } from "./device.ts";
import { Heap } from "./heap.ts";
import { kernelText } from "./kernel-text.ts";
import { stranded } from "./strands.ts";
import { Latest, once } from "./latest.ts";
import { planArena } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import type { Buffer, Lowered, Step, WaveStep } from "./program.ts";
import { sizeOf } from "./space.ts";
import { Threads } from "./threads.ts";
import type { StartWorker } from "./threads.ts";
import { bound } from "./threads-piece.ts";
import type { PieceText } from "./threads-piece.ts";
import { withScratch } from "./threads-scratch.ts";
import { GRAIN, strandPieces, piecesOf, planTape, wavesOf } from "./threads-waves.ts";
import { hasRelaxedSimd } from "./wasm/assembler.ts";
import { kernelModule, stepsOf } from "./wasm/module.ts";

export interface CpuOptions {
  /** Names of fusion rules to leave out. */
  readonly disable?: readonly string[];
  /** Fused multiply-add in products; asked of the engine when left out. */
  readonly relaxed?: boolean;
  /** Calls that each kernel is cut into, as threads would run it; 1 when left out. */
  readonly pieces?: number;
  /** How many threads compute, the calling one among them; 1 when left out, without shared memory or `startWorker`. */
  readonly threads?: number;
  readonly startWorker?: StartWorker;
  /** Nanoseconds of work worth a piece for a thread; tests cut finer than pays. */
  readonly grain?: number;
  /** False: plain memory even where shared memory is to be had. */
  readonly shared?: boolean;
  /** Fill memory without a value with NaN, or shuffle what is independent: the same bits, or a mistake of ours. */
  readonly debug?: "poison" | "permute";
  /** Hears how long each kernel took, which then run one after the other on the calling thread. */
  readonly profile?: Profile;
  /** Where segments and modules are kept beyond this device. */
  readonly store?: Store;
  /** Elements of scratch for the scores of a batch; beyond that they are cut into rows. */
  readonly room?: number;
}

/** Of data sets that may stay in memory; larger ones are read row by row. */
const DATA_BYTES = 2 ** 29;
/** Segments whose kernels and plan are remembered. */
const KEPT = 32;
/** Kernels that are, besides those at work. */
const KERNELS = 1024;

/** A segment as far as it does not depend on where things lie. */
interface Planned {
  readonly lowered: Lowered;
  /** By kernel. */
  readonly texts: readonly string[];
  readonly waves: readonly WaveStep[] | undefined;
  readonly plan: Plan;
}

/** A kernel as its module exports it. */
interface Loaded {
  readonly module: WebAssembly.Module;
  readonly name: string;
  readonly run: KernelFunction;
}

export class CpuDevice implements Device {
  readonly info: DeviceInfo;
  private readonly heap: Heap;
  private readonly slots: Slots;
  /** By text, the one asked for last at the end: a kernel is compiled once, whatever segments it is part of. */
  private readonly kernels = new Map<string, Promise<Loaded>>();
  /** By text: a script that was changed elsewhere finds its segments as they were. */
  private readonly planned = new Latest<Planned>(KEPT);
  private readonly madd: boolean;
  private readonly pieces: number;
  private readonly disable: ReadonlySet<string>;
  private readonly room: number | undefined;
  private readonly debug: CpuOptions["debug"];
  private profile: Profile | undefined;
  private readonly store: Store | undefined;
  private shuffles = 0;
  private readonly startWorker: StartWorker | undefined;
  private readonly grain: number;
  private workers: Threads | undefined;
  private halted = false;
  /** A run waits for its workers through the event loop. */
  private suspended = false;
  /** What a piece of the calling thread threw. */
  private readonly trapped: unknown[] = [];
  private readonly queue: (() => void)[] = [];

  constructor(options: CpuOptions = {}) {
    this.madd = options.relaxed ?? hasRelaxedSimd();
    this.pieces = options.pieces ?? 1;
    this.disable = new Set(options.disable ?? []);
    this.room = options.room;
    this.debug = options.debug;
    this.profile = options.profile;
    this.store = options.store;
    this.heap = new Heap(options.shared);
    this.slots = new Slots(this.heap);
    this.startWorker = options.startWorker;
    this.grain = options.grain ?? GRAIN;
    const threads = this.heap.shared && options.startWorker ? Math.max(1, options.threads ?? 1) : 1;
    const features = ["simd", ...(this.madd ? ["relaxed-simd"] : []), ...(this.heap.shared ? ["shared-memory"] : [])];
    const count = `${threads} thread${threads === 1 ? "" : "s"}`;
    const name = `cpu (WebAssembly, ${this.madd ? "relaxed SIMD" : "SIMD"}, ${count})`;
    this.info = { kind: "cpu", name, threads, features, dataBytes: DATA_BYTES, fieldBytes: DATA_BYTES };
  }

  /** Now, or after the run that is suspended and what was asked before. */
  private inTurn<T>(act: () => T | Promise<T>): Promise<T> {
    const start = async () => act();
    return this.suspended ? new Promise((done) => this.queue.push(() => done(start()))) : start();
  }

  private resumeQueue(): void {
    this.suspended = false;
    while (!this.suspended && this.queue.length > 0) this.queue.shift()!();
  }

  // ---------------------------------------------------------------- slots

  createSlot(path: string, type: Type): void {
    if (this.suspended) return void this.inTurn(() => this.createSlot(path, type));
    this.slots.create(path, type);
  }

  dropSlot(path: string): void {
    if (this.suspended) return void this.inTurn(() => this.dropSlot(path));
    this.slots.drop(path);
  }

  writeSlot(path: string, value: number | ArrayLike<number>, at?: number): void {
    if (this.suspended) {
      const kept = typeof value === "number" ? value : Array.from(value);
      return void this.inTurn(() => this.writeSlot(path, kept, at));
    }
    this.slots.write(path, value, at);
  }

  async readSlot(path: string): Promise<Numbers> {
    return this.inTurn(() => this.slots.read(path));
  }

  // ---------------------------------------------------------------- preparing

  /** Kernels and tape, before threads divide them. */
  private ordered(segment: Segment): Lowered {
    const fused = loweredForCpu(segment, this.disable, this.room);
    return this.debug === "permute" ? permuted(fused, ++this.shuffles) : fused;
  }

  private plan(segment: Segment): Planned {
    const ordered = this.ordered(segment);
    const { threads } = this.info;
    const apart = threads > 1 && !this.disable.has("strands");
    const whole = apart ? stranded(ordered, threads, this.grain) : ordered;
    const { lowered, waves } =
      threads > 1 ? withScratch(whole, wavesOf(whole), threads) : { lowered: whole, waves: undefined };
    const tape = waves ? planTape(waves) : lowered.tape;
    const plan = planArena(lowered.buffers, tape, lowered.outputs, lowered.kernels);
    return { lowered, texts: lowered.kernels.map(kernelText), waves, plan };
  }

  /** As it was planned before, maybe for a script whose lines lie elsewhere; not where a test shuffles. */
  private plannedOnce(segment: Segment): Planned {
    if (this.debug) return this.plan(segment);
    const key = textOf(segment);
    const options = `segment ${[...this.disable].join()} ${this.info.threads} ${this.grain} ${this.room}\n`;
    return this.planned.get(key, () => once(this.store, options + key, () => this.plan(segment)));
  }

  async prepare(segment: Segment): Promise<Prepared> {
    const { lowered, texts, waves, plan } = this.plannedOnce(segment);
    const loaded = await this.load(lowered, texts);
    const functions = loaded.map(({ run }) => run);
    const bytes = 4 * lowered.buffers.length;
    const addresses = new Uint32Array(waves ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    this.fill(lowered, addresses);
    const kernels = { functions, outer: lowered.kernels.map((kernel) => stepsOf(kernel)), pieces: this.pieces };
    const { outer } = kernels;
    if (!waves) {
      const plain = (steps: readonly Step[]) => actionsOf(lowered, steps, kernels);
      const all = this.debug === "poison" ? poisoned(lowered, plan, (step) => plain([step])) : plain(lowered.tape);
      return new CpuPrepared(segment, lowered, plan, all, addresses, -1);
    }
    const shared: (readonly PieceText[])[] = [];
    const waveOf = (pieces: readonly PieceText[], wide: boolean): Wave => {
      const runs = pieces.map((piece) => bound(piece, functions[piece.kernel] as KernelFunction, addresses, 0));
      return { kind: "wave", number: wide ? shared.push(pieces) - 1 : -1, pieces: runs };
    };
    const actions = waves.flatMap((wave): Action[] => {
      if (wave.kind === "wave") {
        const { wide, pieces } = piecesOf(wave.steps, lowered, outer, this.info.threads, this.grain);
        return [waveOf(pieces, wide)];
      }
      const strands = wave.kind === "loop" ? strandPieces(wave, lowered, this.info.threads) : [];
      return strands.length > 0 ? [waveOf(strands, true)] : actionsOf(lowered, [wave], kernels);
    });
    const share = () => this.threads().add(loaded, shared, addresses);
    const number = shared.length > 0 ? await this.inTurn(share) : -1;
    return new CpuPrepared(segment, lowered, plan, actions, addresses, number);
  }

  /**
   * The same on the calling thread alone, each kernel by itself, with its time. It is lowered again: threads share other
   * kernels, and what was planned before names other lines. A run waits for it as for workers.
   */
  private async timed(prepared: CpuPrepared, profile: Profile): Promise<CpuPrepared> {
    this.suspended = true;
    const { segment } = prepared;
    const before = prepared.timed?.alone;
    const lowered = before?.lowered ?? this.ordered(segment);
    const loaded = await this.load(lowered, lowered.kernels.map(kernelText));
    const functions = lowered.kernels.map((kernel, i) =>
      profile.timed(kernel, (loaded[i] as Loaded).run, lowered.spans[i]),
    );
    const outer = lowered.kernels.map((kernel) => stepsOf(kernel));
    const actions = actionsOf(lowered, lowered.tape, { functions, outer, pieces: this.pieces });
    const plan = before?.plan ?? planArena(lowered.buffers, lowered.tape, lowered.outputs, lowered.kernels);
    const addresses = before?.addresses ?? this.fill(lowered, new Uint32Array(lowered.buffers.length));
    const alone = new CpuPrepared(segment, lowered, plan, actions, addresses, -1);
    prepared.timed = { profile, alone };
    return alone;
  }

  /** Data of the segment itself gets a place. */
  private fill({ buffers }: Lowered, addresses: Uint32Array): Uint32Array {
    buffers.forEach(({ place, size }, id) => {
      if (place.kind !== "data") return;
      const at = this.heap.alloc(4 * size);
      if (place.data instanceof Float32Array) this.heap.f32.set(place.data, at / 4);
      else this.heap.i32.set(place.data, at / 4);
      addresses[id] = at;
    });
    return addresses;
  }

  release(prepared: Prepared): void {
    if (this.suspended) return void this.inTurn(() => this.release(prepared));
    if (!(prepared instanceof CpuPrepared)) return;
    for (const each of [prepared, prepared.timed?.alone]) {
      each?.lowered.buffers.forEach(({ place }, id) => {
        if (place.kind === "data") this.heap.free(each.addresses[id] ?? 0);
      });
    }
    prepared.timed = undefined;
    this.workers?.drop(prepared.tape);
  }

  /** Workers start with the first segment that is worth them. */
  private threads(): Threads {
    if (this.workers) return this.workers;
    if (!this.startWorker) throw new Error("expected a way to start workers, got none");
    this.workers = new Threads(this.startWorker, this.heap.memory, this.info.threads - 1);
    return this.workers;
  }

  /** The kernels of a segment; those that are new make one module. */
  private async load({ kernels }: Lowered, texts: readonly string[]): Promise<Loaded[]> {
    const fresh = [...new Map(kernels.map((kernel, i) => [texts[i] ?? "", kernel]))].filter(
      ([text]) => !this.kernels.has(text),
    );
    if (fresh.length > 0) {
      const memory = { initial: 1, maximum: this.heap.maximum, shared: this.heap.shared };
      const options = { memory, madd: this.madd };
      const key = ["module", JSON.stringify(options), ...fresh.map(([text]) => text)].join("\n");
      const bytes = once(this.store, key, () =>
        kernelModule(
          fresh.map(([, kernel]) => kernel),
          options,
        ),
      );
      const made = WebAssembly.instantiate(bytes, { m: { memory: this.heap.memory } });
      fresh.forEach(([text], i) => {
        const name = `k${i}`;
        const run = (exports: WebAssembly.Exports) => exports[name] as KernelFunction;
        this.kernels.set(
          text,
          made.then(({ module, instance }) => ({ module, name, run: run(instance.exports) })),
        );
      });
    }
    const loaded = texts.map((text) => {
      const known = this.kernels.get(text);
      if (!known) throw new Error("expected a kernel to be loaded");
      this.kernels.delete(text);
      this.kernels.set(text, known);
      return known;
    });
    for (const text of this.kernels.keys()) if (this.kernels.size > KERNELS) this.kernels.delete(text);
    return Promise.all(loaded);
  }

  // ---------------------------------------------------------------- running

  async run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    if (!(prepared instanceof CpuPrepared))
      throw new Error("expected a segment that this device prepared, got another");
    return this.suspended ? this.inTurn(() => this.perform(prepared, feeds)) : this.perform(prepared, feeds);
  }

  private async perform(prepared: CpuPrepared, feeds: Feeds): Promise<RunResult> {
    this.workers?.check();
    if (this.halted) return { fetched: {}, halted: false, skipped: true };
    const { profile } = this;
    let arena = -1;
    try {
      const known = prepared.timed?.profile === profile ? prepared.timed?.alone : undefined;
      const own = profile ? (known ?? (await this.timed(prepared, profile))) : prepared;
      arena = this.heap.alloc(own.plan.bytes);
      this.resolve(own, arena);
      if (this.debug === "poison") this.poison(own, arena);
      this.upload(own, feeds);
      for (const action of own.actions) {
        if (action.kind === "wave" && action.number >= 0 && this.workers) {
          if (!this.share(this.workers, action, own)) {
            this.suspended = true;
            await this.workers.joined();
          }
          if (this.trapped.length > 0) throw this.trapped.shift();
          if (this.workers.failed) {
            this.suspended = true;
            await this.workers.rethrow();
          }
        } else execute(action, own.addresses, this.heap);
      }
      return this.finish(own);
    } finally {
      if (arena >= 0) this.heap.free(arena);
      if (this.suspended) this.resumeQueue();
    }
  }

  private poison({ plan, lowered, addresses }: CpuPrepared, arena: number): void {
    this.heap.i32.fill(POISON, arena / 4, (arena + plan.bytes) / 4);
    lowered.buffers.forEach(({ place, size }, id) => {
      const at = (addresses[id] ?? 0) / 4;
      if (place.kind === "stage") this.heap.i32.fill(POISON, at, at + size);
    });
  }

  /** A wave by all threads; false when workers have not finished after a short wait. */
  private share(workers: Threads, wave: Wave, prepared: CpuPrepared): boolean {
    workers.publish(prepared.tape, wave.number, wave.pieces.length);
    for (let i = workers.claim(); i >= 0; i = workers.claim()) {
      try {
        wave.pieces[i]?.();
      } catch (error) {
        // the others may still compute: it is thrown when all have ended
        this.trapped[0] = error;
      }
      workers.finished();
    }
    return workers.join();
  }

  private resolve(prepared: CpuPrepared, arena: number): void {
    const { addresses, plan } = prepared;
    prepared.lowered.buffers.forEach((b, id) => {
      const { place } = b;
      if (place.kind === "slot") addresses[id] = this.slots.now(place.path, b.size);
      else if (place.kind === "stage") addresses[id] = this.slots.stage(place.path, b.size);
      else if ((plan.offsets[id] ?? -1) >= 0) addresses[id] = arena + (plan.offsets[id] ?? 0);
    });
  }

  private upload(prepared: CpuPrepared, feeds: Feeds): void {
    prepared.lowered.buffers.forEach((b, id) => {
      const { place } = b;
      if (place.kind !== "scalar" && place.kind !== "batch") return;
      if ((prepared.plan.offsets[id] ?? -1) < 0) return;
      // through the view of all memory: a run makes no arrays
      const into = b.dtype === "f32" ? this.heap.f32 : this.heap.i32;
      const at = (prepared.addresses[id] ?? 0) / 4;
      if (place.kind === "scalar") {
        const value = feeds.scalars[place.name];
        if (value === undefined) throw new Error(`expected the scalar ${place.name} to be fed`);
        into[at] = value;
        return;
      }
      const values = feeds.batch?.[place.name];
      if (!values) throw new Error(`expected the batch ${place.name} to be fed`);
      if (values.length !== b.size)
        throw new Error(`expected ${b.size} numbers for ${place.name}, got ${values.length}`);
      into.set(values, at);
    });
  }

  private finish(prepared: CpuPrepared): RunResult {
    const { segment, lowered, addresses } = prepared;
    const read = (i: number): { readonly buffer: Buffer; readonly address: number } => {
      const id = lowered.outputs[i] ?? 0;
      return { buffer: lowered.buffers[id] as Buffer, address: addresses[id] ?? 0 };
    };
    const first = (i: number): number => {
      const { buffer, address } = read(i);
      return buffer.dtype === "f32" ? (this.heap.f32[address / 4] ?? 0) : (this.heap.i32[address / 4] ?? 0);
    };
    for (let i = 0; i < segment.outputs.length; i++) {
      const output = segment.outputs[i];
      if (output?.role.kind !== "finite") continue;
      const counted = sizeOf(output.node.type.shape) > 1;
      if (counted ? first(i) === 0 : sizeOf(output.node.type.shape) === 0 || Number.isFinite(first(i))) continue;
      const { what, span } = output.role;
      return { fetched: {}, halted: false, skipped: false, failed: span ? { what, span } : { what } };
    }
    const fetched: Record<string, Numbers> = {};
    segment.outputs.forEach(({ role, node }, i) => {
      if (role.kind === "halt" && first(i) !== 0) this.halted = true;
      if (role.kind !== "fetch") return;
      const { buffer, address } = read(i);
      fetched[role.name] = this.heap.numbers(address, buffer.size, node.type.dtype);
    });
    for (const { role } of segment.outputs) {
      if (role.kind === "commit") this.slots.commit(role.path);
    }
    return { fetched, halted: this.halted, skipped: false };
  }

  measure(profile: Profile | undefined): void {
    this.profile = profile;
  }

  resume(): void {
    if (this.suspended) return void this.inTurn(() => this.resume());
    this.halted = false;
  }

  async dispose(): Promise<void> {
    await this.workers?.stop();
    this.slots.clear();
    this.kernels.clear();
  }
}
