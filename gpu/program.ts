/**
 * A lowered segment: kernels, the buffers they bind and the tape that runs them. Plain data, the same for all devices;
 * `plan` gives temporaries their places, a device owns the rest.
 */
import type { DType } from "../lang/graph/node.ts";
import type { Span } from "../lang/source.ts";
import type { Kernel } from "./kernel.ts";

export type Place =
  /** In the arena of temporaries. */
  | { readonly kind: "temp" }
  /** The committed value of a slot, and where its next value is put. */
  | { readonly kind: "slot" | "stage"; readonly path: string }
  /** Uploaded before each run. */
  | { readonly kind: "scalar" | "batch"; readonly name: string }
  /** Constants and offset tables, uploaded once. */
  | { readonly kind: "data"; readonly data: Int32Array | Float32Array }
  /** Element `tick · stride` of another buffer. */
  | { readonly kind: "slice"; readonly of: number; readonly loop: number; readonly stride: number }
  /** One of two buffers by the parity of the loop's iteration: `even` on the first. */
  | { readonly kind: "swap"; readonly even: number; readonly odd: number; readonly loop: number };

export interface Buffer {
  readonly dtype: DType;
  /** In elements. */
  readonly size: number;
  readonly place: Place;
  /** Stored in 16 bits instead of 32. */
  readonly half?: true;
}

export type Step =
  | { readonly kind: "kernel"; readonly kernel: number; readonly args: readonly number[] }
  | { readonly kind: "copy"; readonly from: number; readonly to: number }
  | {
      readonly kind: "loop";
      readonly loop: number;
      readonly count: number;
      readonly reverse: boolean;
      /** i32 cell that holds the tick. */
      readonly tick: number;
      /** Buffers that must live as long as the loop. */
      readonly holds: readonly number[];
      readonly body: readonly Step[];
    };

export type KernelStep = Extract<Step, { readonly kind: "kernel" }>;
/** Kernels that do not depend on each other are one wave, which threads share. */
export type WaveStep =
  { readonly kind: "wave"; readonly steps: readonly KernelStep[] } | Exclude<Step, { readonly kind: "kernel" }>;

export interface Lowered {
  readonly kernels: readonly Kernel[];
  /** By kernel: the places in the script whose work it does. */
  readonly spans: readonly (readonly Span[])[];
  readonly buffers: readonly Buffer[];
  readonly tape: readonly Step[];
  readonly loops: number;
  /** By output of the segment. */
  readonly outputs: readonly number[];
}

/** A swap or a slice after its loop stands for the buffers below it. */
export function below(buffers: readonly Buffer[], id: number, out: number[] = []): number[] {
  out.push(id);
  const place = buffers[id]?.place;
  if (place?.kind === "slice") below(buffers, place.of, out);
  if (place?.kind === "swap") for (const of of [place.even, place.odd]) below(buffers, of, out);
  return out;
}
