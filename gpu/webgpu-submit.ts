/**
 * Runs on their way to the adapter: several share one submit, one upload and one read-back. How many is chosen by
 * measured time, so that a submit lasts a few milliseconds: long enough that what it costs does not count, short enough
 * that a change of an input is felt at once. Runs keep their order, and how many go together changes no bit of them.
 */
/// <reference types="@webgpu/types" />
import type { RunResult } from "./device.ts";
import type { Memory } from "./webgpu-memory.ts";
import type { Encoded, WebGpuPrepared } from "./webgpu-prepared.ts";
import { resultOf } from "./webgpu-prepared.ts";
import { soon } from "./webgpu-ring.ts";
import type { ReadRing } from "./webgpu-ring.ts";
import type { Timing } from "./webgpu-timing.ts";

/** Milliseconds that a submit should take. */
const TARGET = 4;
/** Runs of a submit at most. */
export const MOST_RUNS = 32;
/** Submits in flight: one runs, one waits, one is being made. */
const SUBMITS = 3;
/** Milliseconds: behind a run that takes longer nothing waits, so that a pause, an input and a swap need not either. */
const SLOW = 20;
/** What the last measurement counts for. */
const NEW = 0.3;

interface Waiting {
  readonly prepared: WebGpuPrepared;
  readonly slot: number;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Part {
  runs: number;
  /** Word of its first result in the read-back. */
  at: number;
}

export class Submitter {
  /** Runs that go together, as measured so far. */
  runs: number;
  private readonly gpu: GPUDevice;
  private readonly memory: Memory;
  private readonly ring: ReadRing;
  private timing: Timing | undefined;
  private readonly given: number | undefined;
  private waiting: Waiting[] = [];
  private parts = new Map<WebGpuPrepared, Part>();
  private scheduled = false;
  /** Milliseconds of a run, and when the last results came. */
  private each: number | undefined;
  private last = 0;

  /** `runs`: not by measurement. */
  constructor(gpu: GPUDevice, memory: Memory, ring: ReadRing, runs: number | undefined) {
    this.gpu = gpu;
    this.memory = memory;
    this.ring = ring;
    this.given = runs;
    this.runs = runs ?? 1;
  }

  /** Runs in flight. */
  get inFlight(): number {
    return this.given === undefined && (this.each ?? 0) > SLOW ? 1 : SUBMITS * this.runs;
  }

  /** Runs from now on are timed, one by one; undefined: no longer. */
  time(timing: Timing | undefined): void {
    this.flush();
    this.timing = timing;
    this.runs = timing ? 1 : (this.given ?? 1);
  }

  /** Runs of a segment that wait. */
  count(prepared: WebGpuPrepared): number {
    return this.parts.get(prepared)?.runs ?? 0;
  }

  /** What is fed to the run lies in its slot already. */
  add(prepared: WebGpuPrepared): Promise<RunResult> {
    const part = this.parts.get(prepared) ?? { runs: 0, at: 0 };
    this.parts.set(prepared, part);
    const slot = part.runs++;
    const result = new Promise<RunResult>((resolve, reject) => {
      this.waiting.push({ prepared, slot, resolve, reject });
    });
    if (this.waiting.length >= this.runs) this.flush();
    else if (!this.scheduled) {
      this.scheduled = true;
      soon(() => {
        this.scheduled = false;
        this.flush();
      });
    }
    return result;
  }

  /** Submits what waits: when it is enough, when nobody adds more, and before anything that must come after it. */
  flush(): void {
    const { waiting, parts } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.parts = new Map();
    const { queue } = this.gpu;
    let words = 0;
    for (const [{ feeds, feedWords, upload, readWords }, part] of parts) {
      const bytes = 4 * feedWords * part.runs;
      if (bytes > 0) queue.writeBuffer(this.memory.buffer(feeds.bank), 4 * feeds.at, upload, 0, bytes);
      part.at = words;
      words += readWords * part.runs;
    }
    const encoder = this.gpu.createCommandEncoder();
    const timed = this.encode(encoder, waiting);
    const read = this.ring.take(words);
    for (const [{ reads, readWords }, { runs, at }] of parts) {
      encoder.copyBufferToBuffer(
        this.memory.buffer(reads.bank),
        4 * reads.at,
        read.buffer,
        4 * at,
        4 * readWords * runs,
      );
    }
    queue.submit([encoder.finish()]);
    const results = this.ring.arrived(read, words, (words) =>
      waiting.map(({ prepared, slot }) =>
        resultOf(prepared, words, (parts.get(prepared)?.at ?? 0) + slot * prepared.readWords),
      ),
    );
    void this.end(waiting, results, timed);
  }

  private encode(encoder: GPUCommandEncoder, waiting: readonly Waiting[]): (() => Promise<void>) | undefined {
    const { timing } = this;
    const [first] = waiting;
    // with a profile each run is a submit of its own
    if (timing && first) return timing.encode(encoder, first.prepared, stepsOf(first), boundOf(first).groups);
    const pass = encoder.beginComputePass();
    let pipeline: GPUComputePipeline | undefined;
    for (const each of waiting) {
      const { groups } = boundOf(each);
      for (const step of stepsOf(each)) {
        if (step.pipeline !== pipeline) pass.setPipeline((pipeline = step.pipeline));
        pass.setBindGroup(0, groups[step.form] as GPUBindGroup, [step.offset]);
        pass.dispatchWorkgroups(step.x, step.y);
      }
    }
    pass.end();
    return undefined;
  }

  private async end(
    waiting: readonly Waiting[],
    arrived: Promise<readonly RunResult[]>,
    timed: (() => Promise<void>) | undefined,
  ): Promise<void> {
    const sent = performance.now();
    try {
      const [results] = await Promise.all([arrived, timed?.()]);
      this.measure(sent, waiting.length);
      waiting.forEach(({ resolve }, i) => resolve(results[i] as RunResult));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Powers of two, so that what is made for a number of runs is seldom made again. */
  private measure(sent: number, runs: number): void {
    const now = performance.now();
    const took = (now - Math.max(sent, this.last)) / runs;
    this.last = now;
    this.each = this.each === undefined ? took : (1 - NEW) * this.each + NEW * took;
    if (this.timing || this.given !== undefined) return;
    const fits = Math.floor(Math.log2(Math.max(1, TARGET / this.each)));
    this.runs = Math.min(MOST_RUNS, 2 ** fits);
  }
}

function boundOf({ prepared }: Waiting) {
  if (!prepared.bound) throw new Error(`expected the tape of ${prepared.name} to be bound`);
  return prepared.bound;
}

function stepsOf(each: Waiting): readonly Encoded[] {
  const steps = boundOf(each).steps[each.slot];
  if (!steps) throw new Error(`expected ${each.prepared.name} to have a slot ${each.slot}`);
  return steps;
}
