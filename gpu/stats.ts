/**
 * Counts of a lowered segment, exact on any machine: dispatches, bytes that kernels touch (each buffer once per
 * dispatch), arithmetic. A loop's body counts once per tick.
 */
import type { Stats } from "./device.ts";
import type { Kernel, RowsKernel } from "./kernel.ts";
import type { Buffer, Lowered, Step } from "./program.ts";
import { dependencies } from "./wasm/schedule.ts";

const FREE: ReadonlySet<string> = new Set(["const", "axis", "load", "acc", "cast"]);

function rowsFlops(kernel: RowsKernel): number {
  const depends = dependencies(kernel);
  const over = (axes: Iterable<number>) => {
    let n = 1;
    for (const axis of axes) n *= kernel.axes[axis] ?? 1;
    return n;
  };
  let flops = 0;
  kernel.values.forEach((value, v) => {
    if (!FREE.has(value.op) && value.dtype === "f32") flops += over(depends[v] ?? []);
  });
  for (const stage of kernel.stages) {
    flops += stage.accs.length * over([...kernel.axes.keys()].slice(0, kernel.grid)) * over(stage.axes);
  }
  return flops;
}

export function flopsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case "rows":
      return rowsFlops(kernel);
    case "dot":
      return 2 * kernel.g * kernel.m * kernel.n * kernel.k + (kernel.epilogue ? rowsFlops(kernel.epilogue.rows) : 0);
    case "cumsum":
    case "scatter":
      return kernel.outer * kernel.count * kernel.inner;
    case "solve":
      return Math.round((2 / 3) * kernel.n ** 3) + 2 * kernel.n ** 2 * kernel.m;
  }
}

/** Scratch is neither read nor written in this count; a product that its epilogue alone reads is scratch. */
const isScratch = (kernel: Kernel, param: number) =>
  (kernel.kind === "dot" && (param === kernel.scratch || (param === kernel.out && !kernel.stored))) ||
  (kernel.kind === "solve" && param === 3);

export function statsOf(lowered: Lowered, arenaBytes: number): Stats {
  const flops = lowered.kernels.map(flopsOf);
  let dispatches = 0;
  let bytesRead = 0;
  let bytesWritten = 0;
  let total = 0;
  const walk = (steps: readonly Step[], times: number): void => {
    for (const step of steps) {
      if (step.kind === "loop") walk(step.body, times * step.count);
      else if (step.kind === "copy") {
        const bytes = 4 * (lowered.buffers[step.to]?.size ?? 0) * times;
        bytesRead += bytes;
        bytesWritten += bytes;
      } else {
        const kernel = lowered.kernels[step.kernel] as Kernel;
        dispatches += times;
        total += (flops[step.kernel] ?? 0) * times;
        kernel.params.forEach((param, i) => {
          if (isScratch(kernel, i)) return;
          if (param.access === "read") bytesRead += 4 * param.size * times;
          else bytesWritten += 4 * param.size * times;
        });
      }
    }
  };
  walk(lowered.tape, 1);
  const outside = (b: Buffer) => b.place.kind === "slot" || b.place.kind === "stage" || b.place.kind === "data";
  const slots = lowered.buffers.filter(outside).reduce((n, b) => n + 4 * b.size, 0);
  return { dispatches, bytesRead, bytesWritten, flops: total, peakBytes: arenaBytes + slots };
}
