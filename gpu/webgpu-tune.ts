/**
 * The quickest way to cut a large product, measured once on an adapter and kept: a handful of choices, timed by the
 * timestamps of the adapter on operands that lie as the product's do. What was kept is never measured again, so later
 * runs have the same bits. A store that cannot be read or written costs the measurement, and nothing else.
 */
/// <reference types="@webgpu/types" />
import type { DotKernel, Kernel } from "./kernel.ts";
import type { Lowered } from "./program.ts";
import type { TextStore } from "./trust.ts";
import { USAGE } from "./webgpu-memory.ts";
import { folded } from "./webgpu-pipelines.ts";
import type { Pipelines } from "./webgpu-pipelines.ts";
import type { ReadRing } from "./webgpu-ring.ts";
import { BLOCK, choicesOf, isChoice, keyOf, shadersOf } from "./wgsl/index.ts";
import type { Choice, Schedule } from "./wgsl/index.ts";

export interface Tuning {
  readonly store: TextStore;
  /** Multiplications of a product from which on it is measured. */
  readonly from: number;
  /** The adapter and its driver: a choice is good for these alone. */
  readonly adapter: string;
}

/** What a host allows: on graphics processors always, on software adapters when it is forced. */
export interface Tune {
  readonly store: TextStore;
  readonly force?: boolean | undefined;
  readonly from?: number | undefined;
}

/** Some microseconds of a graphics processor. */
const WORTH = 2 ** 25;

export function tuningOf({ info }: GPUAdapter, software: boolean, tune: Tune | undefined): Tuning | undefined {
  if (!tune || (software && tune.force !== true)) return undefined;
  const { vendor, architecture, device, description } = info;
  const adapter = [vendor, architecture, device, description].filter(Boolean).join(", ");
  return { store: tune.store, from: tune.from ?? WORTH, adapter };
}

/** Counts up when the code of products changes: what was measured of the old one is forgotten. */
const VERSION = 1;
/** Milliseconds of the adapter that one measurement takes at least, and calls at most. */
const LEAST_MS = 0.2;
const MOST_CALLS = 64;
const ROUNDS = 5;
/** Where a call takes longer than this, fewer rounds tell enough. */
const SLOW_MS = 20;
const SLOW_ROUNDS = 2;
/** What is hardly quicker than the rule's choice is not taken. */
const GAIN = 0.97;
/** Bytes that a measurement may take. */
const MOST_BYTES = 2 ** 30;
/** Words. */
const ALIGN = 64;

type Kept = Record<string, Record<string, Choice>>;

/** What is wrong in a text is left out. */
function parsed(text: string | undefined): Kept {
  const kept: Kept = {};
  let all: unknown;
  try {
    all = JSON.parse(text ?? "{}");
  } catch {
    // a file that was cut off or overwritten: as good as none
    return kept;
  }
  const { version, adapters } = (all ?? {}) as { version?: unknown; adapters?: unknown };
  if (version !== VERSION || typeof adapters !== "object") return kept;
  for (const [adapter, choices] of Object.entries(adapters ?? {})) {
    const valid = Object.entries((choices ?? {}) as object).filter(([, choice]) => isChoice(choice));
    kept[adapter] = Object.fromEntries(valid) as Record<string, Choice>;
  }
  return kept;
}

const productsOf = (kernel: Kernel): readonly DotKernel[] =>
  kernel.kind === "dot"
    ? [kernel]
    : kernel.kind === "group"
      ? kernel.members.flatMap((member) => (member.kernel.kind === "dot" ? [member.kernel] : []))
      : [];

const piecesOf = (choices: readonly Choice[]): number =>
  Math.max(...choices.map((choice) => Number(choice.split("p")[1])));

/** Words of operands, of the result, and of its pieces in whatever choice has most of them. */
function wordsOf({ params, a, b, g, m, n }: DotKernel, choices: readonly Choice[]): readonly number[] {
  return [params[a.param]?.size ?? 0, params[b.param]?.size ?? 0, g * m * n, piecesOf(choices) * g * m * n];
}

/** Undefined where nothing is to be measured, or the adapter has no clock. */
export function tunerOf(
  gpu: GPUDevice,
  pipelines: Pipelines,
  ring: ReadRing,
  schedule: Schedule,
  tuning: Tuning | undefined,
): Tuner | undefined {
  if (!tuning || !gpu.features.has("timestamp-query")) return undefined;
  return new Tuner(gpu, pipelines, ring, schedule, tuning);
}

export class Tuner {
  /** With the choices that were made so far, and those that will be. */
  readonly schedule: Schedule;
  private readonly choices = new Map<string, Choice>();
  private readonly gpu: GPUDevice;
  private readonly pipelines: Pipelines;
  private readonly ring: ReadRing;
  private readonly tuning: Tuning;
  private loaded: Promise<void> | undefined;
  /** One after the other: two measurements at once would disturb each other, and disagree. */
  private last: Promise<void> = Promise.resolve();

  constructor(gpu: GPUDevice, pipelines: Pipelines, ring: ReadRing, schedule: Schedule, tuning: Tuning) {
    this.gpu = gpu;
    this.pipelines = pipelines;
    this.ring = ring;
    this.schedule = { ...schedule, tuned: this.choices };
    this.tuning = tuning;
  }

  /** Once more where products were measured for it: they may need other memory, and have other neighbours. */
  async lowered(make: () => Lowered): Promise<Lowered> {
    await this.load();
    const first = make();
    if (this.missing(first.kernels).length === 0) return first;
    await this.tune(first.kernels);
    return make();
  }

  /** Before the first product is laid out: a choice that came later would change what was laid out already. */
  private load(): Promise<void> {
    return (this.loaded ??= (async () => {
      const kept = parsed(await this.tuning.store.load())[this.tuning.adapter] ?? {};
      for (const [key, choice] of Object.entries(kept)) this.choices.set(key, choice);
    })());
  }

  /** Products that have no choice yet, each form once. */
  private missing(kernels: readonly Kernel[]): readonly DotKernel[] {
    const found = new Map<string, DotKernel>();
    for (const product of kernels.flatMap(productsOf)) {
      const key = keyOf(product);
      if (key === undefined || this.choices.has(key) || !this.fits(product)) continue;
      if (product.g * product.m * product.n * product.k >= this.tuning.from) found.set(key, product);
    }
    return [...found.values()];
  }

  /** Whether one binding holds what the measurement needs. */
  private fits(product: DotKernel): boolean {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    const words = wordsOf(product, choicesOf(product, this.schedule)).reduce((sum, each) => sum + each + ALIGN, 0);
    return 4 * words <= Math.min(MOST_BYTES, maxStorageBufferBindingSize, maxBufferSize);
  }

  private tune(kernels: readonly Kernel[]): Promise<void> {
    this.last = this.last.then(async () => {
      // those that another segment brought meanwhile are known now
      const missing = this.missing(kernels);
      for (const product of missing) {
        this.choices.set(keyOf(product) as string, await this.best(product));
      }
      if (missing.length > 0) await this.keep();
    });
    return this.last;
  }

  /** With what other programs kept in the meantime. */
  private async keep(): Promise<void> {
    const { store, adapter } = this.tuning;
    const adapters = parsed(await store.load());
    adapters[adapter] = { ...adapters[adapter], ...Object.fromEntries(this.choices) };
    await store.save(`${JSON.stringify({ version: VERSION, adapters }, undefined, 1)}\n`);
  }

  private async best(product: DotKernel): Promise<Choice> {
    const choices = choicesOf(product, this.schedule);
    const [first] = choices;
    if (first === undefined) throw new Error("expected a choice by rule");
    const trial = new Trial(this.gpu, this.pipelines, this.ring, this.schedule, product, choices);
    try {
      const times = await trial.times();
      const least = Math.min(...times);
      return least < GAIN * (times[0] ?? Infinity) ? (choices[times.indexOf(least)] ?? first) : first;
    } finally {
      trial.end();
    }
  }
}

interface Call {
  readonly pipeline: GPUComputePipeline;
  readonly x: number;
  readonly y: number;
}

/** One product, alone and without what fusion put behind it, on memory of its own. */
class Trial {
  private readonly gpu: GPUDevice;
  private readonly ring: ReadRing;
  private readonly calls: Promise<readonly (readonly Call[])[]>;
  private readonly group: GPUBindGroup;
  private readonly buffers: readonly GPUBuffer[];
  private readonly queries: GPUQuerySet;
  private readonly stamps: GPUBuffer;

  constructor(
    gpu: GPUDevice,
    pipelines: Pipelines,
    ring: ReadRing,
    schedule: Schedule,
    product: DotKernel,
    choices: readonly Choice[],
  ) {
    this.gpu = gpu;
    this.ring = ring;
    const { a, b, out, scratch, params } = product;
    const key = keyOf(product) as string;
    const sizes = wordsOf(product, choices);
    const words = Math.ceil(Math.max(params.length, 1) / BLOCK) * BLOCK;
    const places = new Uint32Array(words);
    let end = 0;
    // an operand may be both sides: the later place is as good
    [a.param, b.param, out, scratch].forEach((param, i) => {
      places[param] = end;
      end += Math.ceil((sizes[i] ?? 0) / ALIGN) * ALIGN;
    });
    const storage = (bytes: number) => gpu.createBuffer({ size: bytes, usage: USAGE.storage | USAGE.copySrc });
    const args = gpu.createBuffer({ size: 4 * words, usage: USAGE.uniform | USAGE.copyDst });
    gpu.queue.writeBuffer(args, 0, places);
    const bank = storage(Math.max(256, 4 * end));
    this.stamps = gpu.createBuffer({ size: 256, usage: USAGE.queryResolve | USAGE.copySrc });
    this.buffers = [args, bank, this.stamps];
    this.queries = gpu.createQuerySet({ type: "timestamp", count: 2 });
    this.group = pipelines.bindGroup(args, 4 * words, [bank], [true]);
    const bare: DotKernel = { ...product, stored: true, epilogue: undefined };
    const shaders = choices.map((choice) =>
      shadersOf(
        bare,
        params.map(() => 0),
        { ...schedule, tuned: new Map([[key, choice]]) },
      ),
    );
    this.calls = pipelines.load(shaders.flat()).then(() =>
      shaders.map((each) =>
        each.map((shader): Call => {
          const [x, y] = folded(shader.groups);
          return { pipeline: pipelines.get(shader), x, y };
        }),
      ),
    );
  }

  /** The least milliseconds of each choice. They take turns: an adapter's speed drifts. */
  async times(): Promise<readonly number[]> {
    const all = await this.calls;
    const once: number[] = [];
    for (const calls of all) once.push(await this.time(calls, 1));
    const least = all.map(() => Infinity);
    const rounds = Math.min(...once) > SLOW_MS ? SLOW_ROUNDS : ROUNDS;
    for (let round = 0; round < rounds; round++) {
      for (const [i, calls] of all.entries()) {
        const times = Math.ceil(Math.min(MOST_CALLS, Math.max(1, LEAST_MS / Math.max(1e-4, once[i] ?? 1))));
        least[i] = Math.min(least[i] ?? Infinity, await this.time(calls, times));
      }
    }
    return least;
  }

  private async time(calls: readonly Call[], times: number): Promise<number> {
    const encoder = this.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet: this.queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    pass.setBindGroup(0, this.group, [0]);
    for (let i = 0; i < times; i++) {
      for (const { pipeline, x, y } of calls) {
        pass.setPipeline(pipeline);
        pass.dispatchWorkgroups(x, y);
      }
    }
    pass.end();
    encoder.resolveQuerySet(this.queries, 0, 2, this.stamps, 0);
    const read = this.ring.copy(encoder, this.stamps, 0, 4);
    this.gpu.queue.submit([encoder.finish()]);
    const [begin = 0n, end = 0n] = await this.ring.arrived(
      read,
      4,
      ({ buffer }) => new BigUint64Array(buffer.slice(0, 16)),
    );
    // a clock that stands still tells nothing: no choice is quicker than the first
    return end > begin ? Number(end - begin) / 1e6 / times : 1e9;
  }

  end(): void {
    this.queries.destroy();
    for (const buffer of this.buffers) buffer.destroy();
  }
}
