/**
 * What a running program tells the world. `RunEvent` is, field by field, one line of `dlx run --json`;
 * `Frame` and `Point` are the finer stream that people watch and programs do not need.
 */
import type { DeviceInfo } from "../gpu/device.ts";
import type { Diagnostic } from "../lang/diagnostic.ts";
import type { Span } from "../lang/source.ts";
import type { Shown } from "./values.ts";

export type InputValue = number | boolean | string;
export type Inputs = Readonly<Record<string, InputValue>>;

/** Absent before a first value, nested for tensors. */
export type Metric = number | null | readonly Metric[];
export type Metrics = Readonly<Record<string, Metric>>;

/** `run` counts the passes of a top-level `for` from 1. */
interface InRun {
  readonly run?: number;
}

export type RunEvent =
  | {
      readonly event: "start";
      readonly device: DeviceInfo;
      readonly seed: number;
      readonly parameters: number;
      readonly inputs: Inputs;
    }
  | (InRun & {
      readonly event: "train";
      readonly name: string;
      readonly step: number;
      readonly epoch: number;
      /** The metrics are those of the whole epoch, not of the tick. */
      readonly fold?: "epoch";
      readonly metrics: Metrics;
    })
  | (InRun & {
      readonly event: "eval";
      readonly name: string;
      readonly step: number;
      readonly epoch: number;
      readonly metrics: Metrics;
    })
  | (InRun & { readonly event: "print"; readonly text: string })
  | (InRun & { readonly event: "show"; readonly items: readonly ShownItem[] })
  /** Values that the script asks to keep, with the place of the training. */
  | (InRun & { readonly event: "record"; readonly step: number; readonly epoch: number; readonly metrics: Metrics })
  | (InRun & { readonly event: "saved"; readonly path: string })
  /** A live input was moved; `step` is the first that sees it. */
  | { readonly event: "input"; readonly step: number; readonly name: string; readonly value: InputValue }
  /** Another program runs in the place of this one; `step` is the last that the one before took. */
  /** `undone`: it is the state before a swap that is there again. */
  | ({ readonly event: "swap"; readonly step: number; readonly undone?: true } & SwapReport)
  | (InRun & { readonly event: "warning" | "error"; readonly diagnostic: Diagnostic })
  /** In a test only, where no run of `--json` comes. */
  | { readonly event: "assert"; readonly holds: boolean; readonly span: Span; readonly sides: readonly Side[] }
  | EndEvent;

/** What `show` shows, by the words of the script: an image where the last two axes are rows and columns. */
export interface ShownItem {
  readonly label: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A value that an assert compares. */
export interface Side {
  readonly value: Shown;
  readonly span: Span;
}

export interface SwapReport {
  /** False when only comments, spaces or places changed: nothing that could be undone. */
  readonly changed: boolean;
  /** How many params, optimizer slots and states went on. */
  readonly kept: number;
  /** Those that begin anew, and those that are no more, by path. */
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}

export interface EndEvent {
  readonly event: "end";
  readonly status: "done" | "stopped" | "failed";
  /** Ticks of all train blocks together. */
  readonly steps: number;
  readonly seconds: number;
}

/** Where a train block stands; a few per second, never one per tick. */
export interface Frame {
  readonly name: string;
  readonly run?: number;
  readonly step: number;
  readonly epoch: number;
  readonly limit: { readonly unit: "epochs" | "steps" | "seconds"; readonly count: number };
  /** Ticks of the whole block, where that is known. */
  readonly total?: number;
  /** Of this block, pauses left out. */
  readonly seconds: number;
  readonly metrics: Metrics;
}

/** The scalar metrics of one tick of a train block; of every tick, for as long as someone listens. */
export interface TickMetrics {
  readonly name: string;
  readonly run?: number;
  readonly step: number;
  readonly epoch: number;
  /** Those that this tick gave. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** One value of a `plot`. */
export interface Point {
  readonly label: string;
  readonly run?: number;
  readonly step: number;
  readonly value: number;
}
