/**
 * Kernel → WGSL text, pure. `banks` tells by parameter in which storage buffer it lies: m0, m1, … at bindings 1, 2, …;
 * where in it, each dispatch is told by a block of offsets at binding 0.
 */
import type { Kernel } from "../kernel.ts";
import type { LowerOptions } from "../lower.ts";
import { choleskyShader, eighShader } from "./decompose.ts";
import { dotScratch, dotShaders } from "./dot.ts";
import { argsortShader } from "./order.ts";
import { groupShader, rowsShader } from "./rows.ts";
import { cumsumShader, scatterShader, solveShader } from "./serial.ts";
import { MAX_PARAMS } from "./writer.ts";
import type { Shader } from "./writer.ts";

export { BLOCK } from "./writer.ts";
export type { Shader } from "./writer.ts";

/** What these shaders ask of fusion: tensors are ranges of a few banks, so bindings never run out. */
export const lowerOptions = (disable: ReadonlySet<string>): LowerOptions => ({
  disable,
  maxParams: 60,
  maxGroupParams: MAX_PARAMS,
  minGrid: 8,
  groups: "rows",
  dotScratch,
});

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
      return [groupShader(kernel, banks)];
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
