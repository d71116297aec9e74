/**
 * A segment as the webgpu device prepared it: its tape bound to memory, what is fed and what comes back.
 */
/// <reference types="@webgpu/types" />
import type { DType } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Numbers, Prepared, RunResult, Stats } from "./device.ts";
import { loweredText } from "./kernel-text.ts";
import type { ArenasPlan } from "./arenas.ts";
import type { Buffer, Lowered } from "./program.ts";
import { sizeOf } from "./space.ts";
import { statsOf } from "./stats.ts";
import type { Region } from "./webgpu-memory.ts";
import type { Outputs } from "./webgpu-outputs.ts";
import type { Words } from "./webgpu-ring.ts";
import type { Dispatch } from "./webgpu-tape.ts";
import { STATUS } from "./wgsl/service.ts";

export interface Encoded {
  readonly pipeline: GPUComputePipeline;
  readonly offset: number;
  readonly x: number;
  readonly y: number;
  /** How it is bound. */
  readonly form: number;
  readonly of: Dispatch["of"];
  readonly begins: boolean;
}

/** Of what slots hold of one kind. */
const SLOT_BYTES = 2 ** 23;

/** What a tape is bound to; made again when memory or slots changed. */
export interface Bound {
  readonly version: number;
  /** By slot: runs that share a submit differ in what they are fed and where their results go. */
  readonly steps: readonly (readonly Encoded[])[];
  readonly args: GPUBuffer;
  readonly blockBytes: number;
  /** Which banks dispatches bind, and which of them to write; and the bind group of each of these forms. */
  readonly forms: readonly Pick<Dispatch, "banks" | "writes">[];
  groups: readonly GPUBindGroup[];
  memory: number;
}

export class WebGpuPrepared implements Prepared {
  readonly name: string;
  readonly segment: Segment;
  readonly lowered: Lowered;
  readonly plan: ArenasPlan;
  readonly outputs: Outputs;
  /** Runs that may share a submit: each has a slot of `reads` and of `feeds`. */
  capacity = 0;
  /** In each slot: status, then what is read back. */
  reads: Region;
  readonly readWords: number;
  /** In each slot: scalars and batch fields, uploaded in one piece; places by buffer. */
  feeds: Region;
  readonly feedWords: number;
  readonly feedPlaces: ReadonlyMap<number, number>;
  upload = new ArrayBuffer(0);
  /** By slot, in the order of `feedPlaces`. */
  fed: readonly (readonly Numbers[])[] = [];
  readonly data: ReadonlyMap<number, Region>;
  table: Region | undefined;
  bound: Bound | undefined;
  stats: Stats;

  constructor(
    segment: Segment,
    lowered: Lowered,
    plan: ArenasPlan,
    outputs: Outputs,
    regions: Pick<WebGpuPrepared, "reads" | "feeds" | "feedWords" | "feedPlaces" | "data">,
  ) {
    this.name = segment.name;
    this.segment = segment;
    this.lowered = lowered;
    this.plan = plan;
    this.outputs = outputs;
    this.reads = regions.reads;
    this.feeds = regions.feeds;
    this.readWords = STATUS + outputs.words;
    this.feedWords = regions.feedWords;
    this.feedPlaces = regions.feedPlaces;
    this.data = regions.data;
    this.reserve(1, regions);
    this.stats = statsOf(lowered, plan);
  }

  /** Slots in these regions. */
  reserve(capacity: number, { reads, feeds }: Pick<WebGpuPrepared, "reads" | "feeds">): void {
    this.capacity = capacity;
    this.reads = reads;
    this.feeds = feeds;
    this.upload = new ArrayBuffer(4 * capacity * this.feedWords);
    this.fed = Array.from({ length: capacity }, (_, slot) =>
      [...this.feedPlaces].map(([id, at]) => {
        const { dtype, size } = this.lowered.buffers[id] as Buffer;
        return view(this.upload, dtype, slot * this.feedWords + at, size);
      }),
    );
  }

  /** The most slots that are worth their memory. */
  mostSlots(runs: number): number {
    const blocks = (this.bound?.blockBytes ?? 256) * (this.bound?.steps[0]?.length ?? 1);
    const bytes = Math.max(4 * this.readWords, 4 * this.feedWords, blocks);
    return Math.max(1, Math.min(runs, Math.floor(SLOT_BYTES / bytes)));
  }

  get kernels(): string {
    return loweredText(this.lowered);
  }
}

/** Words of a buffer as numbers of a type. */
export function view(
  buffer: ArrayBuffer,
  dtype: DType,
  at: number,
  size: number,
): Float32Array | Int32Array | Uint32Array {
  if (dtype === "f32") return new Float32Array(buffer, 4 * at, size);
  return dtype === "u32" ? new Uint32Array(buffer, 4 * at, size) : new Int32Array(buffer, 4 * at, size);
}

export function loopCounts(steps: Lowered["tape"]): number[] {
  return steps.flatMap((s) => (s.kind === "loop" ? [s.count, ...loopCounts(s.body)] : []));
}

export function usedBuffers({ tape, buffers, outputs }: Lowered): ReadonlySet<number> {
  const used = new Set<number>(outputs);
  const visit = (steps: Lowered["tape"]): void => {
    for (const step of steps) {
      if (step.kind === "kernel") step.args.forEach((id) => used.add(id));
      else if (step.kind === "copy") [step.from, step.to].forEach((id) => used.add(id));
      else visit(step.body);
    }
  };
  visit(tape);
  buffers.forEach(({ place }, id) => {
    if (place.kind === "slice" && used.has(id)) used.add(place.of);
    if (place.kind === "swap" && used.has(id)) [place.even, place.odd].forEach((of) => used.add(of));
  });
  return used;
}

export function given(values: Numbers | undefined, kind: string, name: string, size: number): Numbers {
  if (!values) throw new Error(`expected the ${kind} ${name} to be fed`);
  if (values.length !== size) throw new Error(`expected ${size} numbers for ${name}, got ${values.length}`);
  return values;
}

/** The result that begins at word `first` of what was read back. */
export function resultOf({ segment, outputs }: WebGpuPrepared, words: Words, first: number): RunResult {
  const [state = 0, halted = 0] = [words.u32[first], words.u32[first + 1]];
  if (state === 1) return { fetched: {}, halted: false, skipped: true };
  if (state > 1) {
    const { what, span } = outputs.checks[state - 2] ?? { what: "a value" };
    return { fetched: {}, halted: false, skipped: false, failed: span ? { what, span } : { what } };
  }
  const fetched: Record<string, Numbers> = {};
  segment.outputs.forEach(({ role, node }, i) => {
    if (role.kind !== "fetch") return;
    const size = sizeOf(node.type.shape);
    fetched[role.name] = words.numbers(node.type.dtype, first + STATUS + (outputs.at[i] ?? 0), size);
  });
  return { fetched, halted: halted !== 0, skipped: false };
}
