/**
 * The compiled side of a train or eval block: its segments made ready, and one tick of them run in order. On a device
 * that computes while it is called each segment waits for the one before; otherwise all of a tick are submitted at once.
 * Inner steps (`repeat`) are written out into the runs of a tick; their rows go on from tick to tick.
 */
import type { Span } from "../lang/source.ts";
import { tickOf, tickSegments, type Batches, type Repeat, type Segment, type TickPart } from "../lang/program.ts";
import { Feeder, rowNumbers, slices, ticksPerEpoch, type Feed, type Slice } from "./batches.ts";
import type { Ran } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Rows } from "./host.ts";
import type { Standing } from "./position.ts";
import type { Fed as PresentFed } from "./present.ts";
import type { Held } from "./resident.ts";
import type { Ready, Scalars, Started } from "./segments.ts";
import type { HostState } from "./state.ts";
import type { Reading } from "./windows.ts";

export interface BlockSource {
  readonly data?: Batches;
  readonly step: readonly TickPart[];
  readonly short?: readonly TickPart[];
  readonly span: Span;
}

/** One tick, drawn but not yet run. The same object is run again when a halt took it back. */
export interface Tick {
  /** 1-based in the block; what `every n` counts. */
  readonly step: number;
  readonly epoch: number;
  readonly slice?: Slice;
  readonly scalars: Scalars;
}

/** What a run read beside the state. */
export interface Fed {
  readonly scalars: Scalars;
  readonly slice?: Slice;
}

export interface Failed extends Fed {
  readonly what: string;
  readonly span?: Span;
  readonly segment: Segment;
  readonly rows?: Rows;
}

export interface TickResult {
  readonly readings: readonly Reading[];
  readonly failed?: Failed;
}

/** Rows of a block or of inner steps, and how a batch of them is fed. */
interface Source {
  readonly rows: Rows;
  readonly feed: Feed;
  readonly held: Held | undefined;
}

interface Single {
  readonly every: number;
  readonly ready: Ready;
}
interface Inner extends Pick<Repeat, "repeat" | "limit" | "data"> {
  readonly every: number;
  readonly source?: Source;
  /** The slices of a data set without an end. */
  readonly next?: () => Slice;
  readonly step: readonly Part[];
  readonly short?: readonly Part[];
}
type Part = Single | Inner;

/** The endless rows of inner steps, by repeat, and where they began. */
interface Walks {
  readonly from: ReadonlyMap<string, Standing>;
  readonly known: Map<string, { at: Standing; readonly order: Iterator<Slice> }>;
}

interface Drawn {
  readonly runs: readonly Run[];
  readonly after: ReadonlyMap<string, Standing>;
}

/** One run of a segment within a tick. */
interface Run extends Fed {
  readonly ready: Ready;
  readonly source?: Source;
}

export class Block {
  readonly rows: Rows | undefined;
  /** Ticks that may be in flight at most. */
  readonly credit: number;
  private readonly context: Context;
  private readonly source: Source | undefined;
  private readonly step: readonly Part[];
  private readonly short: readonly Part[] | undefined;
  private readonly before = new WeakMap<Tick, HostState>();
  private readonly drawn = new WeakMap<Tick, Drawn>();
  private readonly walks: Walks;

  private constructor(context: Context, opened: Opened & { readonly walks: Walks }, credit: number) {
    this.context = context;
    this.source = opened.source;
    this.rows = opened.source?.rows;
    this.step = opened.step;
    this.short = opened.short;
    this.credit = credit;
    this.walks = opened.walks;
  }

  /** `credit` decides from the segments how many ticks may be in flight. */
  static async open(
    context: Context,
    block: BlockSource,
    credit: (halts: boolean) => number,
    from: ReadonlyMap<string, Standing> = new Map(),
  ): Promise<Block> {
    const own = [...tickSegments(block.step), ...tickSegments(block.short)];
    await context.data.openColumns(own, context.pass.seed);
    const most = credit(own.some(({ outputs }) => outputs.some(({ role }) => role.kind === "halt")));
    const walks: Walks = { from, known: new Map() };
    const opened = await openParts(context, block, undefined, walks, most);
    return new Block(context, { ...opened, walks }, most);
  }

  start(tick: Tick): Promise<Ran<TickResult>> {
    const list = tick.slice?.short ? this.short : this.step;
    if (!list) throw new Error(`expected segments for a short batch of ${tick.slice?.rows.length} rows, got none`);
    let drawn = this.drawn.get(tick);
    if (!drawn) {
      const runs = runsOf(list, tick.step, tick, this.source);
      drawn = { runs, after: new Map([...this.walks.known].map(([name, walk]) => [name, walk.at])) };
      this.drawn.set(tick, drawn);
    }
    const { runs } = drawn;
    this.before.set(tick, this.context.state.snapshot());
    const begin = (run: Run) => this.begin(run);
    return this.finish(runs, 0, this.credit > 1 ? runs.map(begin) : []);
  }

  /** Ticks that should be in flight now. */
  get inFlight(): number {
    return Math.min(this.credit, this.context.device.inFlight ?? this.credit);
  }

  /** Where the rows of inner steps stand after a tick. */
  standing(tick: Tick): ReadonlyMap<string, Standing> {
    return this.drawn.get(tick)?.after ?? new Map();
  }

  /**
   * What the last run of the list of segments `list` read within a tick. `own` is the list of the tick itself, which is
   * known before it has run, and if none of its segments has anything to do.
   */
  fed(tick: Tick, list: string, own: string): PresentFed | undefined {
    const runs = this.drawn.get(tick)?.runs ?? [];
    const place = runs.findLastIndex(({ ready }) => tickOf(ready.segment.name) === list);
    const run = runs[place];
    if (!run && list !== own) return undefined;
    const { scalars, slice } = run ?? tick;
    const { rows, held } = (run ? run.source : this.source) ?? {};
    return { place, scalars, slice, rows, held };
  }

  /** Undoes what ticks that the device skipped did on the host. */
  rewind(later: readonly Tick[]): void {
    const before = later[0] && this.before.get(later[0]);
    if (before) this.context.state.restore(before);
    this.context.device.resume();
  }

  private begin({ ready, scalars, source, slice }: Run): Started {
    return this.context.segments.start(ready, scalars, slice && source?.feed(slice.rows));
  }

  private async finish(
    runs: readonly Run[],
    from: number,
    started: readonly Started[],
    earlier: readonly Reading[] = [],
  ): Promise<Ran<TickResult>> {
    const readings = [...earlier];
    for (const [i, run] of runs.entries()) {
      if (i < from) continue;
      const begun = started[i] ?? this.begin(run);
      const result = await begun.result;
      // Nothing of this tick may still be queued when the device goes on.
      if (result.failed || result.skipped || result.halted)
        await Promise.all(started.slice(i + 1).map((each) => each.result));
      if (result.failed) {
        this.context.state.restore(begun.before);
        const { scalars, slice, source, ready } = run;
        const failed = { ...result.failed, segment: ready.segment, rows: source?.rows, scalars, slice };
        return { result: { readings, failed }, halted: false };
      }
      if (result.skipped) return { result: { readings }, halted: false };
      readings.push({ fetched: result.fetched, rows: run.slice?.rows.length ?? 1 });
      if (!result.halted) continue;
      const next = started[i + 1];
      const rest = async () => {
        if (next) this.context.state.restore(next.before);
        return this.finish(runs, i + 1, [], readings);
      };
      return { result: { readings }, halted: true, rest: i + 1 < runs.length ? rest : undefined };
    }
    return { result: { readings }, halted: false };
  }
}

// ---------------------------------------------------------------- opening

interface Opened {
  readonly source?: Source;
  readonly step: readonly Part[];
  readonly short?: readonly Part[];
}

/** `outer` feeds the parts of a block that has no rows of its own. */
async function openParts(
  context: Context,
  block: BlockSource,
  outer: Source | undefined,
  walks: Walks,
  inFlight: number,
): Promise<Opened> {
  const { segments, data, state, pass, device } = context;
  const rows = block.data ? await data.batches(block.data, pass.seed, block.span) : undefined;
  const held = rows && data.hold(rows, feedsOf(block));
  const feed = held
    ? rowNumbers
    : rows && new Feeder(rows, block.data?.fields ?? [], device.inFlight === undefined ? inFlight : 1).gather;
  const source = rows && feed ? { rows, feed, held } : outer;

  const open = async (list: readonly TickPart[]): Promise<Part[]> => {
    const parts: Part[] = [];
    for (const part of list) {
      const every = part.every ?? 1;
      if ("segment" in part) {
        const ready = await segments.ready(part.segment, source?.held);
        await state.need([...ready.reads, ...ready.commits]);
        parts.push({ every, ready });
        continue;
      }
      const { repeat, limit } = part;
      const most = inFlight * (limit.unit === "steps" ? limit.count : 1);
      const inner = await openParts(context, part, source, walks, most);
      const next = part.data && inner.source ? walkOf(walks, repeat, part.data, inner.source.rows) : undefined;
      parts.push({ every, repeat, limit, data: part.data, next, ...inner });
    }
    return parts;
  };
  return { source, step: await open(block.step), short: block.short && (await open(block.short)) };
}

/**
 * The segments of a block made ready before it is opened; `outer`: held fields of the block around it. Nothing is brought to
 * the device for them: what reads a data set that is not there yet waits until the block is opened.
 */
export async function readyParts(
  context: Pick<Context, "segments" | "data">,
  seed: number,
  block: BlockSource,
  outer?: Held,
): Promise<void> {
  const { segments, data } = context;
  const rows = block.data && (await data.batches(block.data, seed, block.span));
  const found = rows ? data.foresee(rows, feedsOf(block)) : { held: outer };
  if (!found) return;
  const ready = (part: TickPart) =>
    "segment" in part ? segments.ready(part.segment, found.held) : readyParts(context, seed, part, found.held);
  await Promise.all([...block.step, ...(block.short ?? [])].map(ready));
}

const feedsOf = ({ step, short }: BlockSource): Segment[] => [...fedAlike(step), ...fedAlike(short)];

/** The segments that see the same batches: inner steps with rows of their own do not. */
function fedAlike(parts: readonly TickPart[] = []): Segment[] {
  return parts.flatMap((part) => {
    if ("segment" in part) return [part.segment];
    return part.data ? [] : [...fedAlike(part.step), ...fedAlike(part.short)];
  });
}

/** The full and the short batch of the block around go on in one order of rows. */
function walkOf(walks: Walks, name: string, data: Batches, rows: Rows): () => Slice {
  let walk = walks.known.get(name);
  if (!walk) {
    const at = walks.from.get(name) ?? { epoch: 1, taken: 0 };
    walk = { at, order: slices(data, rows, Infinity, at) };
    walks.known.set(name, walk);
  }
  const known = walk;
  return () => {
    const { value } = known.order.next();
    if (!value) throw new Error(`expected a batch for ${name}, got none`);
    known.at = { epoch: value.epoch, taken: value.place + 1 };
    return value;
  };
}

// ---------------------------------------------------------------- one tick

function runsOf(parts: readonly Part[], step: number, fed: Fed, source: Source | undefined): Run[] {
  return parts.flatMap((part): Run[] => {
    if (step % part.every !== 0) return [];
    if ("ready" in part) return [{ ready: part.ready, scalars: fed.scalars, slice: fed.slice, source }];
    const { limit, data, next } = part;
    const perEpoch = data && part.source ? ticksPerEpoch(data, part.source.rows.count) : 1;
    const count = limit.count * (limit.unit === "epochs" ? perEpoch : 1);
    return Array.from({ length: count }, (_, i): Run[] => {
      const slice = next ? next() : fed.slice;
      const scalars = { ...fed.scalars, [`inner:${part.repeat}`]: i };
      const list = next && slice?.short ? (part.short ?? part.step) : part.step;
      return runsOf(list, step, { scalars, slice }, part.source);
    }).flat();
  });
}
