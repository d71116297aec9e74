/** What every part of a running session shares: the device and its tables, the streams, and where the clock stands. */
import type { BehaviorSubject, Subject } from "rxjs";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../lang/program.ts";
import type { Breath, Gate } from "./clock.ts";
import type { DataTables } from "./batches.ts";
import type { Frame, Inputs, Point, RunEvent, TickMetrics } from "./events.ts";
import type { Host, HostMath } from "./host.ts";
import { withoutPass } from "./passes.ts";
import type { Entry } from "./entry.ts";
import type { TrainPosition } from "./position.ts";
import type { Present } from "./present.ts";
import type { Probes } from "./probes.ts";
import type { Scalars, Segments } from "./segments.ts";
import type { StateTable } from "./state.ts";
import type { HostValues, Scope } from "./values.ts";
import type { Memory } from "./watches.ts";
import type { Window } from "./windows.ts";

export interface Context {
  readonly program: Program;
  readonly device: Device;
  readonly host: Host;
  readonly math: HostMath;
  readonly state: StateTable;
  readonly segments: Segments;
  readonly data: DataTables;
  readonly values: HostValues;

  readonly gate: Gate;
  readonly breath: Breath;
  readonly now: () => number;
  readonly inputs$: BehaviorSubject<Inputs>;
  readonly events$: Subject<RunEvent>;
  readonly frames$: Subject<Frame>;
  readonly points$: Subject<Point>;
  readonly metrics$: Subject<TickMetrics>;

  /** `--steps`: at most so many in each train block. */
  readonly maxSteps: number;
  /** `--every`: a train event each so many steps. */
  readonly every: number;
  /** Ticks in flight. */
  readonly credit: number;

  /** The last committed tick; sinks and eval blocks show it. */
  readonly at: { step: number; epoch: number; tick: number };
  /** The last tick that was handed out, committed or not. */
  readonly drawn: { step: number };
  /** Of all train blocks. */
  readonly total: { steps: number };
  /** The pass of a top-level `for`, its number among those of all loops, and the seed of its random numbers. */
  readonly pass: { run?: number; nth?: number; seed: number };
  /** Passes that were begun. */
  readonly passes: { begun: number };
  /** Memories of the watches of eval blocks by name, which outlive a pass. */
  readonly memories: Map<string, ReadonlyMap<string, Memory>>;
  /** How many ticks each eval block has run by name, over all its passes. */
  readonly counters: Map<string, { ticks: number; passes: number }>;
  /** Where blocks stand, by name, in the order in which they began. */
  readonly present: Map<string, Present>;
  /** Segments of the top level that have run. */
  readonly ran: Set<string>;
  readonly probes: Probes;
  /** Another program waits for the end of the tick. */
  readonly leave: { asked: boolean };
  /** Train blocks that have run to their end. */
  readonly done: Set<string>;
  /** Where the run stands: what `leave` left. */
  readonly standing: { train?: TrainPosition };
  /** How this program is entered, when it goes on from another. */
  readonly entry: { now?: Entry };
}

/** Scalars of the session as a run or a reader at this moment sees them. */
export function scalars(context: Context, inputs = sampleInputs(context)): Scalars {
  return { ...inputs, ...context.at, seed: context.pass.seed };
}

/** Live inputs as numbers: a choice is its place among the options. */
export function sampleInputs(context: Context): Scalars {
  const values = context.inputs$.value;
  const sampled: Record<string, number> = {};
  for (const { name, options } of context.program.inputs) {
    const value = values[name];
    sampled[`input:${name}`] = typeof value === "string" ? (options?.indexOf(value) ?? -1) : Number(value);
  }
  return sampled;
}

export function scopeOf(
  context: Context,
  window?: Window,
  watches: ReadonlyMap<string, Memory> = new Map(),
  parent?: Scope,
): Scope {
  return {
    scalars: scalars(context),
    fold: (name) => window?.value(name),
    watches,
    watched: new Map(),
    parent,
  };
}

/** Adds the pass to an event or a frame inside of one. */
export function inRun<E extends object>(context: Context, event: E): E {
  const { run } = context.pass;
  if (run === undefined) return event;
  const named = "name" in event ? { name: withoutPass(String(event.name)) } : {};
  return { ...event, ...named, run };
}
