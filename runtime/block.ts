/**
 * The compiled side of a train or eval block: its segments made ready, and one tick of them run in order. On a device
 * that computes while it is called each segment waits for the one before; otherwise all of a tick are submitted at once.
 */
import type { Span } from "../lang/source.ts";
import type { Batches, TickSegment } from "../lang/program.ts";
import { Feeder, rowNumbers, type Feed, type Slice } from "./batches.ts";
import type { Ran } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Rows } from "./host.ts";
import type { Ready, Scalars, Started } from "./segments.ts";
import type { HostState } from "./state.ts";
import type { Reading } from "./windows.ts";

export interface BlockSource {
  readonly data?: Batches;
  readonly step: readonly TickSegment[];
  readonly short?: readonly TickSegment[];
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

export interface TickResult {
  readonly readings: readonly Reading[];
  readonly failed?: { readonly what: string; readonly span?: Span };
}

interface Part {
  readonly every: number;
  readonly ready: Ready;
}

export class Block {
  readonly rows: Rows | undefined;
  readonly credit: number;
  private readonly context: Context;
  private readonly feed: Feed | undefined;
  private readonly step: readonly Part[];
  private readonly short: readonly Part[] | undefined;
  private readonly before = new WeakMap<Tick, HostState>();

  private constructor(context: Context, rows: Rows | undefined, feed: Feed | undefined, parts: Parts, credit: number) {
    this.context = context;
    this.rows = rows;
    this.credit = credit;
    this.feed = feed;
    this.step = parts.step;
    this.short = parts.short;
  }

  /** `credit` decides from the segments how many ticks may be in flight. */
  static async open(context: Context, source: BlockSource, credit: (halts: boolean) => number): Promise<Block> {
    const { segments, data, state, pass } = context;
    const rows = source.data ? await data.batches(source.data, pass.seed, source.span) : undefined;
    const own = [...source.step, ...(source.short ?? [])].map(({ segment }) => segment);
    await data.openColumns(own, pass.seed);
    const held = rows && data.hold(rows, own);
    const ready = async (list: readonly TickSegment[]): Promise<Part[]> => {
      const parts: Part[] = [];
      for (const { every, segment } of list)
        parts.push({ every: every ?? 1, ready: await segments.ready(segment, held) });
      return parts;
    };
    const parts = { step: await ready(source.step), short: source.short && (await ready(source.short)) };
    for (const { ready } of [...parts.step, ...(parts.short ?? [])])
      await state.need([...ready.reads, ...ready.commits]);
    const most = credit(parts.step.some(({ ready }) => ready.halts));
    const fields = source.data?.fields ?? [];
    const feeder = !rows ? undefined : held ? rowNumbers : new Feeder(rows, fields, most).gather;
    return new Block(context, rows, feeder, parts, most);
  }

  start(tick: Tick): Promise<Ran<TickResult>> {
    const list = tick.slice?.short ? this.short : this.step;
    if (!list) throw new Error(`expected segments for a short batch of ${tick.slice?.rows.length} rows, got none`);
    const parts = list.filter(({ every }) => tick.step % every === 0);
    const batch = tick.slice && this.feed?.(tick.slice.rows);
    const begin = ({ ready }: Part) => this.context.segments.start(ready, tick.scalars, batch);
    this.before.set(tick, this.context.state.snapshot());
    return this.finish(tick, parts, begin, 0, this.credit > 1 ? parts.map(begin) : []);
  }

  /** Undoes what ticks that the device skipped did on the host. */
  rewind(later: readonly Tick[]): void {
    const before = later[0] && this.before.get(later[0]);
    if (before) this.context.state.restore(before);
    this.context.device.resume();
  }

  private async finish(
    tick: Tick,
    parts: readonly Part[],
    begin: (part: Part) => Started,
    from: number,
    started: readonly Started[],
    earlier: readonly Reading[] = [],
  ): Promise<Ran<TickResult>> {
    const readings = [...earlier];
    for (const [i, part] of parts.entries()) {
      if (i < from) continue;
      const run = started[i] ?? begin(part);
      const result = await run.result;
      // Nothing of this tick may still be queued when the device goes on.
      if (result.failed || result.skipped || result.halted)
        await Promise.all(started.slice(i + 1).map((each) => each.result));
      if (result.failed) {
        this.context.state.restore(run.before);
        return { result: { readings, failed: result.failed }, halted: false };
      }
      if (result.skipped) return { result: { readings }, halted: false };
      readings.push({ fetched: result.fetched, rows: tick.slice?.rows.length ?? 1 });
      if (!result.halted) continue;
      const next = started[i + 1];
      const rest = async () => {
        if (next) this.context.state.restore(next.before);
        return this.finish(tick, parts, begin, i + 1, [], readings);
      };
      return { result: { readings }, halted: true, rest: i + 1 < parts.length ? rest : undefined };
    }
    return { result: { readings }, halted: false };
  }
}

interface Parts {
  readonly step: readonly Part[];
  readonly short?: readonly Part[];
}
