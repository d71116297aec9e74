/**
 * The scratch of threads: the kernels of a wave have one buffer of the arena for it, in which each thread has a part of
 * its own. So it is as large as the wave needs, lives no longer than that, and counts as memory of the segment.
 */
import { scratchOf } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import type { Buffer, KernelStep, Lowered, Step, WaveStep } from "./program.ts";
import type { PieceScratch } from "./threads-piece.ts";

/** Elements of a cache line: threads write to none of another one's. */
const LINE = 16;

/** The same waves with their scratch, which is one more buffer of each. */
export function withScratch(
  lowered: Lowered,
  waves: readonly WaveStep[],
  threads: number,
): { readonly lowered: Lowered; readonly waves: readonly WaveStep[] } {
  const { kernels } = lowered;
  const buffers = [...lowered.buffers];
  const placeOf = ({ kernel }: KernelStep) => scratchOf(kernels[kernel] as Kernel) ?? -1;
  const shared = (steps: readonly KernelStep[]): readonly KernelStep[] => {
    const needs = steps.map((step) => buffers[step.args[placeOf(step)] ?? -1]?.size ?? 0);
    const size = threads * LINE * Math.ceil(Math.max(...needs) / LINE);
    if (size === 0) return steps;
    const id = buffers.push({ dtype: "f32", size, place: { kind: "temp" } }) - 1;
    return steps.map((step) => ({ ...step, args: step.args.map((own, i) => (i === placeOf(step) ? id : own)) }));
  };
  const isStrand = (step: Step) => step.kind === "kernel" && kernels[step.kernel]?.kind === "strand";
  const out = waves.map((wave): WaveStep => {
    if (wave.kind === "wave") return { kind: "wave", steps: shared(wave.steps) };
    if (wave.kind !== "loop" || !wave.body.some(isStrand)) return wave;
    return { ...wave, body: shared(wave.body.flatMap((step) => (step.kind === "kernel" ? [step] : []))) };
  });
  return { lowered: { ...lowered, buffers }, waves: out };
}

/** Where a piece finds the scratch of its thread. */
export function scratchPart(
  kernel: Kernel,
  args: readonly number[],
  buffers: readonly Buffer[],
  threads: number,
): PieceScratch | undefined {
  const at = scratchOf(kernel);
  return at === undefined ? undefined : { at, bytes: (4 * (buffers[args[at] ?? -1]?.size ?? 0)) / threads };
}
