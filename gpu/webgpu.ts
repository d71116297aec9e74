/**
 * The webgpu device: kernels as WGSL over a few large buffers, run as a tape in one pass; several runs share a
 * submit. The last dispatch of a run commits all next values or none by flags in memory, so many runs may be in flight
 * before the host knows how any of them ended. What they fetched comes back through a ring of mapped buffers.
 * The host hands in its `GPU`: nothing here knows Dawn or a browser.
 */
/// <reference types="@webgpu/types" />
import { optimize } from "../lang/graph/index.ts";
import { UserError } from "../lang/diagnostic.ts";
import { deviceLost } from "../lang/errors/running.ts";
import type { Type } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import { expectPart } from "./device.ts";
import type { Device, DeviceInfo, Feeds, Numbers, Prepared, RunResult } from "./device.ts";
import { planArenas } from "./arenas.ts";
import type { Profile } from "./profile.ts";
import type { Buffer } from "./program.ts";
import { sizeOf } from "./space.ts";
import { lowerForShaders } from "./webgpu-lower.ts";
import { FIRST_TEMP, GIVEN, Memory, NEXT, STEERING, TEMPS, USAGE } from "./webgpu-memory.ts";
import type { Region } from "./webgpu-memory.ts";
import { folded, Pipelines } from "./webgpu-pipelines.ts";
import { outputsOf } from "./webgpu-outputs.ts";
import { given, loopCounts, usedBuffers, view, WebGpuPrepared } from "./webgpu-prepared.ts";
import type { Bound, Encoded } from "./webgpu-prepared.ts";
import { ReadRing } from "./webgpu-ring.ts";
import { Submitter } from "./webgpu-submit.ts";
import { TapeWriter } from "./webgpu-tape.ts";
import type { Address, Dispatch, Shaders, Tape } from "./webgpu-tape.ts";
import { timingOf } from "./webgpu-timing.ts";
import { tunerOf, type Tuner, type Tuning } from "./webgpu-tune.ts";
import { exactConversions, type Conversions } from "./webgpu-unpacks.ts";
import { BLOCK, hardware } from "./wgsl/index.ts";
import type { Schedule } from "./wgsl/index.ts";
import { HALT_WORD, STATUS } from "./wgsl/service.ts";

export interface WebGpuOptions {
  /** Names of fusion rules to leave out. */
  readonly disable?: readonly string[];
  /** How work is laid out; as suits a graphics processor by default. */
  readonly schedule?: Schedule;
  /** Runs that share a submit, instead of as many as suit their time. */
  readonly runsPerSubmit?: number;
  /** Times of kernels are put down here, if the adapter has timestamps. */
  readonly profile?: Profile;
  /** Ways to cut large products are measured, and the choices kept, if the adapter has timestamps. */
  readonly tuning?: Tuning | undefined;
  /** Rests the thread for a moment. It is called while results are waited for, where the adapter needs the processors. */
  readonly rest?: (() => void) | undefined;
  /** They may be asked for later, by `measure`. */
  readonly timestamps?: boolean;
}

interface Cell {
  readonly type: Type;
  readonly size: number;
  /** The committed value, and where a run puts the next one. */
  readonly now: Region;
  next: Region | undefined;
}

/** Where the committed and the next value of a slot will lie, as far as is known before it is made. */
const COMING: Readonly<Record<"slot" | "stage", Address>> = {
  slot: { bank: GIVEN, at: 0 },
  stage: { bank: NEXT, at: 0 },
};

export class WebGpuDevice implements Device {
  readonly info: DeviceInfo;
  private readonly gpu: GPUDevice;
  private readonly memory: Memory;
  private readonly pipelines: Pipelines;
  private schedule: Schedule;
  private readonly disable: ReadonlySet<string>;
  private readonly cells = new Map<string, Cell>();
  private readonly ring: ReadRing;
  private readonly tuner: Tuner | undefined;
  private readonly submits: Submitter;
  /** Intermediates of all segments: one run after the other uses them. */
  private readonly temps: Region[] = [];
  private ticks: Region | undefined;
  /** Counts up when something moved that tapes refer to. */
  private moved = 0;
  private conversions: Promise<Conversions> | undefined;
  private failure: Error | undefined;
  private disposed = false;

  constructor(gpu: GPUDevice, info: DeviceInfo, options: WebGpuOptions = {}) {
    this.gpu = gpu;
    this.info = info;
    this.disable = new Set(options.disable ?? []);
    this.memory = new Memory(gpu);
    this.pipelines = new Pipelines(gpu);
    this.ring = new ReadRing(gpu, () => this.failure, options.rest);
    this.tuner = tunerOf(gpu, this.pipelines, this.ring, options.schedule ?? hardware, options.tuning);
    this.schedule = this.tuner?.schedule ?? options.schedule ?? hardware;
    this.submits = new Submitter(gpu, this.memory, this.ring, options.runsPerSubmit);
    this.measure(options.profile);
    this.memory.before = () => this.submits.flush();
    this.memory.alloc(1, STEERING);
    gpu.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.failure ??= new Error(`expected WebGPU to take every command, got ${error.message}`);
    });
    void gpu.lost.then(({ reason, message }) => {
      if (!this.disposed)
        this.failure ??= new UserError(deviceLost(this.info.name, message || reason || "no reason given"));
    });
  }

  measure(profile: Profile | undefined): void {
    this.submits.time(profile && timingOf(this.gpu, this.ring, profile, this.info.name));
  }

  private healthy(): void {
    if (this.failure) throw this.failure;
    if (this.disposed) throw new Error("expected a device that is open, got one that is disposed");
  }

  // ---------------------------------------------------------------- slots

  createSlot(path: string, type: Type): void {
    this.dropSlot(path);
    const size = sizeOf(type.shape);
    const now = this.memory.alloc(size, GIVEN);
    this.memory.clear(now);
    this.cells.set(path, { type, size, now, next: undefined });
    this.moved++;
  }

  dropSlot(path: string): void {
    const cell = this.cells.get(path);
    if (!cell) return;
    this.memory.free(cell.now);
    if (cell.next) this.memory.free(cell.next);
    this.cells.delete(path);
    this.moved++;
  }

  writeSlot(path: string, value: number | ArrayLike<number>, at?: number): void {
    const { now, size, type } = this.cell(path);
    if (typeof value !== "number") expectPart(path, size, value.length, at);
    const count = typeof value === "number" ? size : value.length;
    const words = view(new ArrayBuffer(4 * count), type.dtype, 0, count);
    if (typeof value === "number") words.fill(value);
    else words.set(value);
    this.memory.write({ ...now, at: now.at + (at ?? 0) }, words as ArrayBufferView<ArrayBuffer>);
  }

  async readSlot(path: string): Promise<Numbers> {
    this.healthy();
    const { now, size, type } = this.cell(path);
    this.submits.flush();
    const encoder = this.gpu.createCommandEncoder();
    const read = this.ring.copy(encoder, this.memory.buffer(now.bank), now.at, size);
    this.gpu.queue.submit([encoder.finish()]);
    return this.ring.arrived(read, size, (words) => words.numbers(type.dtype, 0, size));
  }

  private cell(path: string): Cell {
    const cell = this.cells.get(path);
    if (!cell) throw new Error(`expected a slot ${path}, got none`);
    return cell;
  }

  // ---------------------------------------------------------------- preparing

  async prepare(segment: Segment): Promise<Prepared> {
    this.healthy();
    for (const { node } of segment.outputs) {
      if (node.type.shape.includes(-1)) {
        throw new Error(`expected a closed shape for an output of ${segment.name}, got [${node.type.shape.join()}]`);
      }
    }
    const outputs = outputsOf(segment, optimize(segment.outputs.map((o) => o.node)));
    const made = () => lowerForShaders(outputs.wanted, this.disable, this.schedule);
    const lowered = this.tuner ? await this.tuner.lowered(made) : made();
    if (lowered.buffers.some(({ half }) => half)) {
      this.conversions ??= exactConversions(this.gpu, this.ring);
      this.schedule = { ...(await this.conversions), ...this.schedule };
    }
    const plan = planArenas(lowered, TEMPS);
    const used = usedBuffers(lowered);
    const feedPlaces = new Map<number, number>();
    let feedWords = 0;
    const data = new Map<number, Region>();
    lowered.buffers.forEach((b, id) => {
      if (b.place.kind === "data") {
        const region = this.memory.alloc(b.size, GIVEN);
        this.memory.write(region, b.place.data as Float32Array<ArrayBuffer>);
        data.set(id, region);
      } else if ((b.place.kind === "scalar" || b.place.kind === "batch") && used.has(id)) {
        feedPlaces.set(id, feedWords);
        feedWords += b.place.kind === "scalar" ? 1 : Math.ceil(b.size / 4) * 4;
      }
    });
    feedWords = Math.ceil(feedWords / 4) * 4;
    const prepared = new WebGpuPrepared(segment, lowered, plan, outputs, {
      reads: this.memory.alloc(STATUS + outputs.words, STEERING),
      feeds: this.memory.alloc(feedWords, GIVEN),
      feedWords,
      feedPlaces,
      data,
    });
    // shaders are compiled here, several at once; what moves meanwhile, or is not there yet, is bound by the first run
    const tapes = this.tapes(prepared, true);
    const version = this.moved;
    const bindable = this.hasSlotsOf(prepared);
    await this.pipelines.load(tapes[0]?.dispatches ?? []);
    if (bindable) this.bind(prepared, tapes, version);
    return prepared;
  }

  release(prepared: Prepared): void {
    if (!(prepared instanceof WebGpuPrepared) || this.disposed) return;
    const { data, reads, feeds, table, bound } = prepared;
    for (const region of [...data.values(), reads, feeds, ...(table ? [table] : [])]) this.memory.free(region);
    bound?.args.destroy();
    prepared.bound = undefined;
  }

  /** Whether a tape of it would be right now. */
  private hasSlotsOf({ lowered, segment, outputs }: WebGpuPrepared): boolean {
    const has = (path: string, size: number) => outputs.places.has(path) || this.cells.get(path)?.size === size;
    return (
      lowered.buffers.every(({ place, size }) => place.kind !== "slot" || has(place.path, size)) &&
      segment.outputs.every(({ role, node }) => role.kind !== "commit" || has(role.path, sizeOf(node.type.shape)))
    );
  }

  /**
   * Gives everything that the segment touches a place, then writes its tape for each slot. `ahead`: of slots that are not
   * there as it needs them only the bank is told, which is all that shaders depend on.
   */
  private tapes(prepared: WebGpuPrepared, ahead = false): readonly Tape[] {
    const { lowered, plan, outputs, segment } = prepared;
    plan.sizes.forEach((bytes, arena) => {
      const temps = this.temps[arena];
      if (temps && temps.size >= bytes / 4) return;
      if (temps) this.memory.free(temps);
      this.temps[arena] = this.memory.alloc(bytes / 4, FIRST_TEMP + arena);
      this.moved++;
    });
    const longest = Math.max(0, ...loopCounts(lowered.tape));
    if (longest > 0 && (!this.ticks || this.ticks.size < longest)) {
      if (this.ticks) this.memory.free(this.ticks);
      this.ticks = this.memory.alloc(longest, GIVEN);
      this.memory.write(
        this.ticks,
        Int32Array.from({ length: this.ticks.size }, (_, i) => i),
      );
      this.moved++;
    }
    const { temps, ticks } = this;
    const cellOf = (path: string, size: number, kind: keyof typeof COMING): Address => {
      const cell = this.cells.get(path);
      if (cell?.size === size) return kind === "slot" ? cell.now : this.next(cell);
      if (ahead) return COMING[kind];
      throw new Error(`expected ${size} numbers in slot ${path}, got ${cell ? cell.size : "no slot"}`);
    };
    const firstRead = (slot: number) => prepared.reads.at + slot * prepared.readWords + STATUS;
    const firstFeed = (slot: number) => prepared.feeds.at + slot * prepared.feedWords;
    const buffer = (slot: number, id: number): Address => {
      const { place, size } = lowered.buffers[id] as Buffer;
      const found = prepared.data.get(id);
      if (found) return found;
      switch (place.kind) {
        case "slot":
        case "stage": {
          const own = outputs.places.get(place.path);
          if (own !== undefined) return { bank: prepared.reads.bank, at: firstRead(slot) + own };
          return cellOf(place.path, size, place.kind);
        }
        case "scalar":
        case "batch":
          return { bank: prepared.feeds.bank, at: firstFeed(slot) + (prepared.feedPlaces.get(id) ?? 0) };
        default: {
          const { bank, at } = temps[plan.arenas[id] ?? 0] as Region;
          return { bank, at: at + Math.max(0, plan.offsets[id] ?? 0) / 4 };
        }
      }
    };
    // what only a commit or a check names must have its place before the table is measured
    const commits = segment.outputs.flatMap(({ role, node }) => {
      if (role.kind !== "commit") return [];
      const size = sizeOf(node.type.shape);
      return [{ from: cellOf(role.path, size, "stage"), to: cellOf(role.path, size, "slot"), size }];
    });
    const tick = (n: number) => ({ bank: ticks?.bank ?? 1, at: (ticks?.at ?? 0) + n });
    const shaders: Shaders = new Map();
    const write = (slot: number, table: number): Tape => {
      const first = firstRead(slot);
      const layout = { buffer: (id: number) => buffer(slot, id), tick, table };
      return new TapeWriter(lowered, layout, this.schedule, shaders).write({
        status: first - STATUS,
        commits,
        checks: outputs.checks.map(({ at, counted }) => ({ at: first + at, counted })),
        halts: outputs.halts.map((at) => first + at),
      });
    };
    const { capacity } = prepared;
    const words = write(0, 0).table.length;
    if (!prepared.table || prepared.table.size < capacity * words) {
      if (prepared.table) this.memory.free(prepared.table);
      prepared.table = this.memory.alloc(capacity * words, STEERING);
    }
    const { at } = prepared.table;
    return Array.from({ length: capacity }, (_, slot) => write(slot, at + slot * words));
  }

  private next(cell: Cell): Region {
    return (cell.next ??= this.memory.alloc(cell.size, NEXT));
  }

  private bind(prepared: WebGpuPrepared, tapes: readonly Tape[], version: number): void {
    this.submits.flush();
    const [tape] = tapes;
    if (!tape) throw new Error(`expected a tape of ${prepared.name}`);
    const count = tape.dispatches.length;
    const words = Math.max(1, ...tape.dispatches.map((d) => Math.ceil(d.args.length / BLOCK))) * BLOCK;
    const args = new Uint32Array(words * Math.max(1, count) * tapes.length);
    const forms = new Map<string, Bound["forms"][number] & { readonly at: number }>();
    const formOf = ({ banks, writes }: Dispatch): number => {
      const key = `${banks.join()} ${writes.join()}`;
      const form = forms.get(key) ?? { at: forms.size, banks, writes };
      forms.set(key, form);
      return form.at;
    };
    const steps = tapes.map(({ dispatches }, slot) =>
      dispatches.map((dispatch, i): Encoded => {
        const { groups, args: own, of, begins } = dispatch;
        const at = (slot * count + i) * words;
        args.set(own, at);
        const [x, y] = folded(groups);
        const pipeline = this.pipelines.get(dispatch);
        return { pipeline, offset: 4 * at, x, y, form: formOf(dispatch), of, begins };
      }),
    );
    prepared.bound?.args.destroy();
    const buffer = this.gpu.createBuffer({ size: args.byteLength, usage: USAGE.uniform | USAGE.copyDst });
    this.gpu.queue.writeBuffer(buffer, 0, args);
    const table = Uint32Array.from(tapes.flatMap((each) => each.table));
    if (prepared.table) this.memory.write(prepared.table, table);
    prepared.bound = {
      version,
      steps,
      args: buffer,
      blockBytes: 4 * words,
      memory: this.memory.version,
      forms: [...forms.values()],
      groups: this.groups(buffer, 4 * words, [...forms.values()]),
    };
    prepared.stats = { ...prepared.stats, dispatches: count };
  }

  private groups(args: GPUBuffer, blockBytes: number, forms: Bound["forms"]): readonly GPUBindGroup[] {
    return forms.map(({ banks, writes }) => {
      const buffers = banks.map((bank) => this.memory.buffer(bank));
      return this.pipelines.bindGroup(args, blockBytes, buffers, writes);
    });
  }

  private refresh(prepared: WebGpuPrepared): void {
    if (prepared.bound?.version !== this.moved) {
      const tapes = this.tapes(prepared);
      this.bind(prepared, tapes, this.moved);
    }
    const { bound } = prepared;
    if (!bound) throw new Error(`expected the tape of ${prepared.name} to be bound`);
    if (bound.memory !== this.memory.version) {
      bound.groups = this.groups(bound.args, bound.blockBytes, bound.forms);
      bound.memory = this.memory.version;
    }
  }

  /** A slot for one more run; when all are taken, what waits goes first, and there are as many as go together now. */
  private slot(prepared: WebGpuPrepared): number {
    this.refresh(prepared);
    if (this.submits.count(prepared) < prepared.capacity) return this.submits.count(prepared);
    this.submits.flush();
    const wanted = prepared.mostSlots(this.submits.runs);
    if (wanted > prepared.capacity) {
      this.memory.free(prepared.reads);
      this.memory.free(prepared.feeds);
      const reads = this.memory.alloc(wanted * prepared.readWords, STEERING);
      const feeds = this.memory.alloc(wanted * prepared.feedWords, GIVEN);
      prepared.reserve(wanted, { reads, feeds });
      this.bind(prepared, this.tapes(prepared), this.moved);
      this.refresh(prepared);
    }
    return 0;
  }

  // ---------------------------------------------------------------- running

  get inFlight(): number {
    return this.submits.inFlight;
  }

  /** What is fed is copied in the call, and runs and writes keep the order of their calls. */
  async run(prepared: Prepared, feeds: Feeds): Promise<RunResult> {
    if (!(prepared instanceof WebGpuPrepared))
      throw new Error("expected a segment that this device prepared, got another");
    this.healthy();
    this.feed(prepared, this.slot(prepared), feeds);
    return this.submits.add(prepared);
  }

  private feed({ lowered, fed, feedPlaces }: WebGpuPrepared, slot: number, feeds: Feeds): void {
    let i = 0;
    for (const id of feedPlaces.keys()) {
      const { place, size } = lowered.buffers[id] as Buffer;
      const into = fed[slot]?.[i++];
      if (!into) throw new Error(`expected a slot ${slot} for what is fed`);
      if (place.kind === "scalar") {
        const value = feeds.scalars[place.name];
        if (value === undefined) throw new Error(`expected the scalar ${place.name} to be fed`);
        into[0] = value;
      } else if (place.kind === "batch") {
        into.set(given(feeds.batch?.[place.name], "batch", place.name, size));
      }
    }
  }

  resume(): void {
    this.memory.write({ bank: 0, at: HALT_WORD, size: 1 }, new Uint32Array(1));
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.submits.flush();
    this.disposed = true;
    if (!this.failure) await this.gpu.queue.onSubmittedWorkDone();
    this.gpu.destroy();
    this.cells.clear();
  }
}
