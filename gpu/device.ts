/**
 * What every device promises. A device owns the state table (path → cell), prepares segments once and runs them.
 * It knows neither the language nor the clock.
 *
 * Promises: runs happen in the order of the calls; all commits of a run happen together, after everything of that run
 * is computed, or not at all; a run after a halt commits nothing until `resume`, nor does one that was in flight behind a
 * run that failed; same inputs, same bits.
 */
import type { Type } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";
import type { Profile } from "./profile.ts";

export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array;

/** The feature of an adapter that is a program: its work and the compiler of its shaders need the same processors. */
export const SOFTWARE = "software";

export interface DeviceInfo {
  readonly kind: "cpu" | "webgpu" | "reference";
  /** For people: `cpu (WebAssembly, relaxed SIMD, 1 thread)`. */
  readonly name: string;
  readonly threads: number;
  readonly features: readonly string[];
  /** Bytes of data sets that may stay here, and of one field of them; 0: batches are fed. */
  readonly dataBytes: number;
  readonly fieldBytes: number;
}

/** What a run needs beside the state table. A field is asked for only if a node reads it. */
export interface Feeds {
  /** `step epoch tick seed input:<name> h:<k>` */
  readonly scalars: Readonly<Record<string, number>>;
  /** Batch fields by name, row-major, [B, ..row]; bools and integers as Int32Array. */
  readonly batch?: Readonly<Record<string, Numbers>>;
}

export interface RunResult {
  /** By fetch name, row-major. Fresh arrays. */
  readonly fetched: Readonly<Record<string, Numbers>>;
  /** This run raised the halt flag (its commits happened). */
  readonly halted: boolean;
  /** An earlier run had halted, or failed: nothing was committed, nothing fetched. */
  readonly skipped: boolean;
  /** A `finite` output was not finite: nothing was committed. */
  readonly failed?: { readonly what: string; readonly span?: Span };
}

/** A prepared segment with what the compiler counted. */
export interface Prepared {
  readonly name: string;
  readonly stats: Stats;
  /** The kernels as text, for `dlx graph --kernels`. */
  readonly kernels: string;
}

export interface Stats {
  readonly dispatches: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What cannot be left out: inputs once, slots read and written once, what is saved written and read once. */
  readonly boundBytes: number;
  readonly flops: number;
  /** All arenas: intermediates at their peak plus slots and feeds of this segment. */
  readonly peakBytes: number;
  /** The same without gaps between buffers: the most that is alive at one time. */
  readonly liveBytes: number;
}

export interface Device {
  readonly info: DeviceInfo;
  /**
   * How many runs should be under way at once, as far as is measured; left out where one after the other is best. What
   * such a device is fed it copies in the call of `run`.
   */
  readonly inFlight?: number;
  /** Makes a cell (or replaces it), zero-filled. */
  createSlot(path: string, type: Type): void;
  dropSlot(path: string): void;
  /** Fills a cell with one number, or with row-major values from element `at` on (0). */
  writeSlot(path: string, value: number | ArrayLike<number>, at?: number): void;
  readSlot(path: string): Promise<Numbers>;
  prepare(segment: Segment): Promise<Prepared>;
  run(prepared: Prepared, feeds: Feeds): Promise<RunResult>;
  /** Gives back what a segment holds, once none of its runs is under way; it cannot be run again. */
  release(prepared: Prepared): void;
  resume(): void;
  /**
   * Runs that begin from now on put the times of their kernels down there; undefined: no longer. The same bits, but
   * more slowly: kernels run one by one. Left out by a device without kernels.
   */
  measure?(profile: Profile | undefined): void;
  dispose(): Promise<void>;
}

/** Values for a part of a cell, or for all of it. */
export function expectPart(path: string, size: number, length: number, at: number | undefined): void {
  const fits = at === undefined ? length === size : at >= 0 && at + length <= size;
  if (!fits) throw new Error(`expected ${size} numbers for slot ${path}, got ${length}${at ? ` from ${at} on` : ""}`);
}

/** A device that does as another one does but for `own`. */
export function deviceAround(device: Device, own: Partial<Omit<Device, "inFlight">>): Device {
  const same: Device = {
    info: device.info,
    get inFlight() {
      return device.inFlight;
    },
    createSlot: (path, type) => device.createSlot(path, type),
    dropSlot: (path) => device.dropSlot(path),
    writeSlot: (path, value, at) => device.writeSlot(path, value, at),
    readSlot: (path) => device.readSlot(path),
    prepare: (segment) => device.prepare(segment),
    run: (prepared, feeds) => device.run(prepared, feeds),
    release: (prepared) => device.release(prepared),
    resume: () => device.resume(),
    measure: (profile) => device.measure?.(profile),
    dispose: () => device.dispose(),
  };
  return Object.assign(same, own);
}
