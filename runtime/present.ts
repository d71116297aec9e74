/**
 * Where a block stands, for who looks on beside it: what its last committed tick read, and what it measured. Before its
 * first tick that is the batch which it will begin with, and behind a swap the batch that it had.
 */
import type { Block, Tick } from "./block.ts";
import type { Numbers } from "../gpu/device.ts";
import type { Slice } from "./batches.ts";
import type { Rows } from "./host.ts";
import type { Held } from "./resident.ts";
import type { Scalars } from "./segments.ts";
import type { Values } from "./windows.ts";

export interface Fed {
  /** Of the run among those of its tick; -1 for the tick itself. */
  readonly place: number;
  readonly scalars: Scalars;
  readonly slice?: Slice;
  readonly rows?: Rows;
  readonly held?: Held;
  /** Instead of rows of the data. */
  readonly given?: Readonly<Record<string, Numbers>>;
}

export class Present {
  tick: Tick | undefined;
  private readonly name: string;
  private readonly block: Block;
  private readonly first: () => Tick | undefined;
  readonly fold: (name: string) => Values | undefined;

  constructor(
    name: string,
    block: Block,
    fold: (name: string) => Values | undefined,
    first: () => Tick | undefined = () => undefined,
  ) {
    this.name = name;
    this.block = block;
    this.fold = fold;
    this.first = first;
  }

  get rows(): Rows | undefined {
    return this.block.rows;
  }

  /** What the list of segments `list` read; undefined where the tick has no such list, as the one for a short batch. */
  fed(list: string): Fed | undefined {
    const tick = this.tick ?? (this.tick = this.first());
    if (!tick) return undefined;
    return this.block.fed(tick, list, tick.slice?.short ? `${this.name}.short` : this.name);
  }
}
