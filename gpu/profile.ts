/**
 * How long each kernel took, call by call: on the cpu as the calling thread sees it, by a wrapper around the kernel's
 * function; on webgpu by the timestamps of the adapter. A device without a profile is run as ever, so that not being
 * asked costs nothing.
 */
import type { Span } from "../lang/source.ts";
import type { KernelFunction } from "./cpu-tape.ts";
import type { Kernel } from "./kernel.ts";
import { kernelText } from "./kernel-text.ts";
import { flopsOf, kernelBytes } from "./stats.ts";

export interface KernelTime {
  /** As `dlx graph --kernels` writes it; equal kernels share a row. What belongs to no kernel has a name. */
  readonly text: string;
  /** Floating-point operations of one call over all of its rows, and the distinct bytes that it touches. */
  readonly flops: number;
  readonly bytes: number;
  /** The places in the script and the library whose work it does. */
  spans: readonly Span[];
  calls: number;
  ms: number;
  /** Of the quickest call: what is left where other programs held the processor. */
  least: number;
}

/** The most that a device was seen to do in a millisecond. */
export interface Roofline {
  readonly bytes: number;
  readonly flops: number;
}

/** The part of what the device can do that the quickest call of a kernel reached. */
export function ofRoofline({ flops, bytes, least }: KernelTime, roofline: Roofline | undefined): number | undefined {
  if (!roofline || !(least > 0)) return undefined;
  return Math.max(flops / roofline.flops, bytes / roofline.bytes) / least;
}

export class Profile {
  /** Why there are no times, where the device has none to give. */
  missing: string | undefined;
  /** Where it was measured. */
  roofline: Roofline | undefined;
  private readonly rows = new Map<string, KernelTime>();

  /** The row of a kernel, or of what `what` names, which moves `bytes` at each call. */
  row(what: Kernel | string, spans: readonly Span[] = [], bytes = 0): KernelTime {
    const text = typeof what === "string" ? what : kernelText(what);
    const known = this.rows.get(text);
    const counts = typeof what === "string" ? { flops: 0, bytes } : { flops: flopsOf(what), bytes: kernelBytes(what) };
    const all = [...(known?.spans ?? []), ...spans];
    const once = [...new Map(all.map((span) => [`${span.file} ${span.start} ${span.end}`, span])).values()];
    const row = known ?? { text, ...counts, spans: once, calls: 0, ms: 0, least: Infinity };
    row.spans = once;
    this.rows.set(text, row);
    return row;
  }

  timed(kernel: Kernel, run: KernelFunction, spans: readonly Span[] = []): KernelFunction {
    const row = this.row(kernel, spans);
    return (...args) => {
      const begin = performance.now();
      run(...args);
      took(row, performance.now() - begin);
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

/** One more call. */
export function took(row: KernelTime, ms: number): void {
  row.ms += ms;
  row.least = Math.min(row.least, ms);
  row.calls++;
}
