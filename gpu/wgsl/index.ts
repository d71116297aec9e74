/**
 * Kernel → WGSL text, pure. `banks` tells by parameter in which storage buffer it lies. A shader calls those that it uses
 * m0, m1, … at bindings 1, 2, …, for reading alone where it writes nothing there; where in it, each dispatch is told by a
 * block of offsets at binding 0.
 */
import type { Kernel, RowsKernel } from "../kernel.ts";
import type { Pairs } from "../halves.ts";
import type { LowerOptions } from "../lower.ts";
import { choleskyShader, eighShader } from "./decompose.ts";
import { branched, groupShaders } from "./branches.ts";
import { dotShaders } from "./dot.ts";
import { dotScratch, isTiled, planOf } from "./product-plan.ts";
import { besideWindows, chainShader, inSlices, outerLoops, WINDOWS } from "./chain.ts";
import { argsortShader } from "./order.ts";
import { rowsBranch, rowsSize, storesPairs } from "./rows.ts";
import type { Schedule } from "./schedule.ts";
import { cumsumShader, scatterShader, solveShader } from "./serial.ts";
import { MAX_PARAMS, Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

export { BLOCK } from "./writer.ts";
export { choicesOf, isChoice, keyOf } from "./product-plan.ts";
export type { Choice } from "./product-plan.ts";
export { hardware, software } from "./schedule.ts";
export type { Schedule } from "./schedule.ts";
export type { Module, Shader } from "./writer.ts";

/** What these shaders ask of fusion: tensors are ranges of a few banks, so bindings never run out. */
export const lowerOptions = (disable: ReadonlySet<string>, schedule: Schedule): LowerOptions => ({
  disable,
  maxParams: 60,
  maxGroupParams: MAX_PARAMS,
  minGrid: 8,
  joins: (product) => !isTiled(product, schedule),
  sharedScratch: false,
  dotScratch: (product) => dotScratch(product, schedule),
  ...(schedule.together
    ? {
        chains: {
          room: schedule.windows ?? WINDOWS,
          inScratch: false,
          byRows: true,
          outer: outerLoops,
          beside: besideWindows,
          inMemory: inSlices(schedule),
        },
      }
    : {}),
});

/** What these shaders write in pairs. */
export const pairsOf = (schedule: Schedule): Pairs => ({
  rows: (kernel, store, stage) => storesPairs(kernel, store, stage, schedule),
  dot(kernel) {
    const { pieces, tn } = planOf(kernel, schedule);
    return kernel.n % 2 === 0 && (pieces > 1 || tn % 2 === 0);
  },
});

function rowsShader(kernel: RowsKernel, banks: readonly number[], schedule: Schedule): Shader {
  const w = new Writer(kernel.params, banks, schedule);
  const [size, shared] = [rowsSize([kernel], schedule), new Map<string, string>()];
  return branched(w, size, [rowsBranch(w, kernel, (p) => p, size, shared)], shared);
}

/** The dispatches of a kernel in order; all take the same offsets. */
export function shadersOf(kernel: Kernel, banks: readonly number[], schedule: Schedule): readonly Shader[] {
  switch (kernel.kind) {
    case "rows":
      return [rowsShader(kernel, banks, schedule)];
    case "dot":
      return dotShaders(kernel, banks, schedule);
    case "cumsum":
      return [cumsumShader(kernel, banks, schedule)];
    case "scatter":
      return [scatterShader(kernel, banks, schedule)];
    case "group":
      return groupShaders(kernel, banks, schedule);
    case "chain":
      return [chainShader(kernel, banks, schedule)];
    case "argsort":
      return [argsortShader(kernel, banks, schedule)];
    case "solve":
      return [solveShader(kernel, banks, schedule)];
    case "cholesky":
      return [choleskyShader(kernel, banks, schedule)];
    case "eigh":
      return [eighShader(kernel, banks, schedule)];
    case "strand":
    case "pack":
      throw new Error(`expected a kernel of this device, got ${kernel.kind}`);
  }
}
