/**
 * What may run at the same time: neighbours on the tape that read nothing of each other's results form a wave, and each
 * kernel of a wave is cut into pieces along its outermost loop. Costs are estimates and decide only who computes, never
 * what: the bits do not depend on them. Loops and copies stay whole on the calling thread.
 */
import { scratchOf } from "./kernel.ts";
import type { Kernel, RowsKernel } from "./kernel.ts";
import { below } from "./program.ts";
import type { KernelStep, Lowered, Step, WaveStep } from "./program.ts";
import { MOST_PIECES } from "./threads.ts";
import type { PieceLoop, PieceText } from "./threads-piece.ts";
import { scratchPart } from "./threads-scratch.ts";
import { shareOf } from "./triangle.ts";
import { asWinograd, packs } from "./wasm/blocks.ts";
import { dependencies } from "./wasm/schedule.ts";

/** Nanoseconds of work that are worth a piece of their own. */
export const GRAIN = 10_000;
/** A wave of fewer grains stays on the calling thread: waking and joining cost some microseconds. */
const LEAST_GRAINS = 2;
/** The same for a loop whose rows are shared: its threads are woken once for all ticks. */
export const STRAND_GRAINS = 4;
/**
 * Pieces per thread: a thread that the machine holds back leaves its share to the others. Fewer where each piece packs
 * an operand anew.
 */
const SHARES = 4;
const PACKED_SHARES = 3;

const packsAnew = (kernel: Kernel): boolean =>
  kernel.kind === "group"
    ? kernel.members.some((member) => packsAnew(member.kernel))
    : kernel.kind === "dot" && packs(kernel);

// ---------------------------------------------------------------- costs

/** Nanoseconds per element of every value, rough; for products per multiply-add and packed number. */
const ROWS_NS = 0.17;
const MADD_NS = 0.05;
const PACK_NS = 0.3;
const SERIAL_NS = 1.5;

function rowsCost(kernel: RowsKernel): number {
  const depends = dependencies(kernel);
  let elements = 1;
  kernel.values.forEach((value, v) => {
    if (value.op === "const" || value.op === "axis") return;
    let n = 1;
    for (const axis of depends[v] ?? []) n *= kernel.axes[axis] ?? 1;
    elements += n;
  });
  return ROWS_NS * elements;
}

/** Nanoseconds of a kernel on one thread. */
export function costOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case "rows":
      return rowsCost(kernel);
    case "dot": {
      const { g, m, n, k } = kernel;
      const epilogue = kernel.epilogue ? rowsCost(kernel.epilogue.rows) : 0;
      const plain = g * (MADD_NS * m * n * k + PACK_NS * k * (kernel.packed ? m : m + n));
      return (asWinograd(kernel)?.share ?? shareOf(kernel)) * plain + epilogue;
    }
    case "pack":
      return PACK_NS * kernel.k * kernel.n;
    case "cumsum":
    case "scatter":
      return SERIAL_NS * kernel.outer * kernel.count * kernel.inner;
    case "group":
    case "chain":
    case "strand":
      return kernel.members.reduce((sum, member) => sum + costOf(member.kernel), 0);
    case "solve":
      return SERIAL_NS * kernel.outer * kernel.n * kernel.n * (kernel.n + kernel.m);
    case "argsort":
      return 2 * SERIAL_NS * kernel.outer * kernel.count * Math.ceil(Math.log2(Math.max(2, kernel.count)));
    case "cholesky":
      return SERIAL_NS * kernel.outer * kernel.n ** 3;
    case "eigh":
      return 40 * SERIAL_NS * kernel.outer * kernel.n ** 3;
  }
}

// ---------------------------------------------------------------- waves

type LoopStep = Extract<Step, { readonly kind: "loop" }>;

/** The pieces of a loop of one kernel `strand`; none of another loop. */
export function strandPieces(
  { body, count, reverse }: LoopStep,
  { buffers, kernels }: Lowered,
  threads: number,
): readonly PieceText[] {
  const [step] = body;
  const kernel = step?.kind === "kernel" ? kernels[step.kernel] : undefined;
  if (step?.kind !== "kernel" || kernel?.kind !== "strand") return [];
  const slices: PieceLoop["slices"][number][] = [];
  const swaps: PieceLoop["swaps"][number][] = [];
  step.args.forEach((id, at) => {
    const place = buffers[id]?.place;
    if (place?.kind === "slice") slices.push({ at, of: place.of, bytes: 4 * place.stride });
    if (place?.kind === "swap") swaps.push({ at, even: place.even, odd: place.odd });
  });
  const loop = { count, reverse, slices, swaps };
  const scratch = scratchPart(kernel, step.args, buffers, threads);
  return cuts(kernel.rows, kernel.part, MOST_PIECES).map(([begin, end]) => ({
    kernel: step.kernel, begin, end, buffers: step.args, scratch, loop,
  })); // prettier-ignore
}

export function wavesOf(lowered: Lowered): readonly WaveStep[] {
  const out: WaveStep[] = [];
  let steps: KernelStep[] = [];
  let read = new Set<number>();
  let written = new Set<number>();
  const close = (): void => {
    if (steps.length > 0) out.push({ kind: "wave", steps });
    steps = [];
    read = new Set();
    written = new Set();
  };
  for (const step of lowered.tape) {
    if (step.kind !== "kernel") {
      close();
      out.push(step);
      continue;
    }
    const kernel = lowered.kernels[step.kernel] as Kernel;
    const own = scratchOf(kernel);
    const reads: number[] = [];
    const writes: number[] = [];
    step.args.forEach((id, i) => {
      if (i === own) return;
      (kernel.params[i]?.access === "read" ? reads : writes).push(...below(lowered.buffers, id));
    });
    const clash = reads.some((id) => written.has(id)) || writes.some((id) => written.has(id) || read.has(id));
    if (clash) close();
    steps.push(step);
    for (const id of reads) read.add(id);
    for (const id of writes) written.add(id);
  }
  close();
  return out;
}

/** The tape as the memory plan must see it: all buffers of a wave live at the same time, and none takes another's place. */
export function planTape(waves: readonly WaveStep[]): readonly Step[] {
  return waves.map((wave): Step => {
    if (wave.kind !== "wave") return wave;
    const [only] = wave.steps;
    if (only && wave.steps.length === 1) return only;
    return { kind: "kernel", kernel: -1, args: [...new Set(wave.steps.flatMap(({ args }) => args))] };
  });
}

/** [0, count) in at most `pieces` parts as alike as can be, whose borders are multiples of `unit`. */
export function cuts(count: number, unit: number, pieces: number): (readonly [number, number])[] {
  const units = Math.ceil(count / unit);
  const parts = Math.min(units, pieces);
  const border = (i: number) => Math.min(count, unit * Math.floor((i * units) / parts));
  return Array.from({ length: parts }, (_, i) => [border(i), border(i + 1)] as const);
}

export interface Outer {
  readonly count: number;
  readonly unit: number;
  /** Of each place, where these differ (and the unit is 1). */
  readonly work?: readonly number[];
}

/** A range in parts of nearly equal work, with the share of the whole that each has. */
function shares({ count, unit, work }: Outer, pieces: number): { begin: number; end: number; share: number }[] {
  if (!work) return cuts(count, unit, pieces).map(([begin, end]) => ({ begin, end, share: (end - begin) / count }));
  const total = work.reduce((a, b) => a + b, 0);
  const out: { begin: number; end: number; share: number }[] = [];
  let [begin, share] = [0, 0];
  work.forEach((own, place) => {
    share += own / total;
    // nearer to an even share with this place than with the next one too
    if (place + 1 < count && share + (work[place + 1] ?? 0) / total / 2 < 1 / pieces) return;
    out.push({ begin, end: place + 1, share });
    [begin, share] = [place + 1, 0];
  });
  return out;
}

/** Whether the wave is worth more than one thread, and its pieces, the dearest last: claims begin there. */
export function piecesOf(
  wave: readonly KernelStep[],
  { kernels, buffers }: Lowered,
  outer: readonly Outer[],
  threads: number,
  grain: number,
): { readonly wide: boolean; readonly pieces: readonly PieceText[] } {
  const costs = wave.map((step) => costOf(kernels[step.kernel] as Kernel));
  const total = costs.reduce((a, b) => a + b, 0);
  const packed = wave.some((step) => packsAnew(kernels[step.kernel] as Kernel));
  const target = Math.max(1, grain, total / (threads * (packed ? PACKED_SHARES : SHARES)));
  const least = LEAST_GRAINS * grain;
  const list = wave.flatMap((step, i) => {
    const kernel = kernels[step.kernel] as Kernel;
    const range = outer[step.kernel] as Outer;
    const { count, unit } = range;
    const cost = costs[i] as number;
    // each piece of a product packs one operand anew: none of less than a unit
    const most = kernel.kind === "dot" ? Math.max(1, Math.floor(count / unit)) : MOST_PIECES;
    const wanted = total < least ? 1 : Math.max(1, Math.min(most, Math.round(cost / target)));
    const scratch = scratchPart(kernel, step.args, buffers, threads);
    return shares(range, wanted).map(({ begin, end, share }) => ({
      cost: cost * share,
      piece: { kernel: step.kernel, begin, end, buffers: step.args, scratch },
    }));
  });
  const wide = total >= least && list.length > 1 && list.length <= MOST_PIECES;
  if (wide) list.sort((a, b) => a.cost - b.cost);
  return { wide, pieces: list.map(({ piece }) => piece) };
}
