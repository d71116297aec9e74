/**
 * How long each kernel took, call by call, as the calling thread sees it: a wrapper around a kernel's function. A device
 * without a profile calls the functions themselves, so that not being asked costs nothing.
 */
import type { KernelFunction } from "./cpu-tape.ts";
import type { Kernel } from "./kernel.ts";
import { kernelText } from "./kernel-text.ts";
import { flopsOf } from "./stats.ts";

export interface KernelTime {
  /** As `dlx graph --kernels` writes it; equal kernels share a row. */
  readonly text: string;
  /** Floating-point operations of one call over all of its rows. */
  readonly flops: number;
  calls: number;
  ms: number;
  /** Of the quickest call: what is left where other programs held the processor. */
  least: number;
}

export class Profile {
  private readonly rows = new Map<string, KernelTime>();

  timed(kernel: Kernel, run: KernelFunction): KernelFunction {
    const text = kernelText(kernel);
    const row = this.rows.get(text) ?? { text, flops: flopsOf(kernel), calls: 0, ms: 0, least: Infinity };
    this.rows.set(text, row);
    return (...args) => {
      const begin = performance.now();
      run(...args);
      const ms = performance.now() - begin;
      row.ms += ms;
      row.least = Math.min(row.least, ms);
      row.calls++;
    };
  }

  /** What was measured so far is forgotten: first calls compile. */
  reset(): void {
    for (const row of this.rows.values()) Object.assign(row, { calls: 0, ms: 0, least: Infinity });
  }

  /** Those that ran, the dearest first. */
  get kernels(): readonly KernelTime[] {
    return [...this.rows.values()].filter(({ calls }) => calls > 0).sort((a, b) => b.ms - a.ms);
  }
}
