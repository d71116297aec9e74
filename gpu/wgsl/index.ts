/**
 * Kernel → WGSL text, pure. `banks` tells by parameter in which storage buffer it lies: m0, m1, … at bindings 1, 2, …;
 * where in it, each dispatch is told by a block of offsets at binding 0.
 */
import type { Kernel, RowsKernel } from "../kernel.ts";
import type { LowerOptions } from "../lower.ts";
import { choleskyShader, eighShader } from "./decompose.ts";
import { branched, groupShaders } from "./branches.ts";
import { dotScratch, dotShaders, isTiled } from "./dot.ts";
import { argsortShader } from "./order.ts";
import { rowsBranch, rowsSize } from "./rows.ts";
import { cumsumShader, scatterShader, solveShader } from "./serial.ts";
import { MAX_PARAMS, Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

export { BLOCK } from "./writer.ts";
export type { Shader } from "./writer.ts";

/** What these shaders ask of fusion: tensors are ranges of a few banks, so bindings never run out. */
export const lowerOptions = (disable: ReadonlySet<string>): LowerOptions => ({
  disable,
  maxParams: 60,
  maxGroupParams: MAX_PARAMS,
  minGrid: 8,
  joins: (product) => !isTiled(product),
  sharedScratch: false,
  dotScratch,
});

function rowsShader(kernel: RowsKernel, banks: readonly number[]): Shader {
  const w = new Writer(kernel.params, banks);
  const [size, shared] = [rowsSize([kernel]), new Map<string, string>()];
  return branched(w, size, [rowsBranch(w, kernel, (p) => p, size, shared)], shared);
}

/** The dispatches of a kernel in order; all take the same offsets. */
export function shadersOf(kernel: Kernel, banks: readonly number[]): readonly Shader[] {
  switch (kernel.kind) {
    case "rows":
      return [rowsShader(kernel, banks)];
    case "dot":
      return dotShaders(kernel, banks);
    case "cumsum":
      return [cumsumShader(kernel, banks)];
    case "scatter":
      return [scatterShader(kernel, banks)];
    case "group":
      return groupShaders(kernel, banks);
    case "argsort":
      return [argsortShader(kernel, banks)];
    case "solve":
      return [solveShader(kernel, banks)];
    case "cholesky":
      return [choleskyShader(kernel, banks)];
    case "eigh":
      return [eighShader(kernel, banks)];
  }
}
