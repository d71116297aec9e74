/**
 * Kernel → WGSL text, pure. `banks` tells by parameter in which storage buffer it lies: m0, m1, … at bindings 1, 2, …;
 * where in it, each dispatch is told by a block of offsets at binding 0.
 */
import type { Kernel } from "../kernel.ts";
import { dotShaders } from "./dot.ts";
import { rowsShader } from "./rows.ts";
import { cumsumShader, scatterShader, solveShader } from "./serial.ts";
import type { Shader } from "./writer.ts";

export { dotScratch } from "./dot.ts";
export { ARGS } from "./writer.ts";
export type { Shader } from "./writer.ts";

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
    case "solve":
      return [solveShader(kernel, banks)];
  }
}
