/**
 * Where a training stands between two ticks: enough to go on from there with another program, or with the same one
 * later. Snapshots are copies, so what runs on does not change them.
 */
import type { Memory } from "./watches.ts";
import type { Window } from "./windows.ts";

export interface Standing {
  /** Epoch, from 1, and how many batches of it are behind. */
  readonly epoch: number;
  readonly taken: number;
}

export interface TrainPosition extends Standing {
  readonly name: string;
  /** The last committed step. */
  readonly step: number;
  /** Rows of a batch; absent without data. */
  readonly size?: number;
  readonly seconds: number;
  /** What the windows hold: they fit only a block that measures the same. */
  readonly measures: string;
  readonly windows: Windows;
  readonly seen: ReadonlyMap<string, Memory>;
  /** By reaction: seconds when it last ran. */
  readonly timed: readonly number[];
  /** Rows of inner steps. */
  readonly walks: ReadonlyMap<string, Standing>;
}

export interface Windows {
  readonly tick: Window;
  readonly latest: Window;
  readonly epoch: Window;
  readonly reactions: readonly Window[];
}

export function copyOfWindows({ tick, latest, epoch, reactions }: Windows): Windows {
  return {
    tick: tick.copy(),
    latest: latest.copy(),
    epoch: epoch.copy(),
    reactions: reactions.map((window) => window.copy()),
  };
}

export function copyOfMemories(memories: ReadonlyMap<string, Memory>): Map<string, Memory> {
  return new Map([...memories].map(([name, memory]) => [name, memory.copy()]));
}
