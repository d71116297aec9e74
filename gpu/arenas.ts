/**
 * Places of temporaries in a few arenas instead of one, for devices that bind an arena for reading or for writing but
 * never for both: a kernel's results should lie in other arenas than its inputs. Where that would take memory (an arena
 * is as large as its own fullest moment, and these moments differ) inputs and results share an arena after all.
 */
import type { Kernel } from "./kernel.ts";
import { lifetimes, mostLive, placed, sizeIn } from "./plan.ts";
import type { Plan, Sized } from "./plan.ts";
import { below } from "./program.ts";
import type { Lowered, Step } from "./program.ts";

export interface ArenasPlan extends Plan {
  /** By buffer: the arena in which it has its offset. */
  readonly arenas: readonly number[];
  /** Bytes of each arena. */
  readonly sizes: readonly number[];
}

/** All arenas together take no more than so much of what lives at one time. */
const MOST = 1.1;
/** Rounds over all temporaries: few change anything. */
const ROUNDS = 8;

/** Parameters that a kernel does write: not a product that its epilogue alone reads, nor scratch that it has no use for. */
export function writtenBy(kernel: Kernel): ReadonlySet<number> {
  if (kernel.kind === "group" || kernel.kind === "chain") {
    const written = kernel.members.flatMap((m) => [...writtenBy(m.kernel)].map((p) => m.params[p] ?? -1));
    return new Set(kernel.scratch === undefined ? written : [...written, kernel.scratch]);
  }
  const written = new Set(kernel.params.flatMap(({ access }, p) => (access === "write" ? [p] : [])));
  if (kernel.kind !== "dot") return written;
  if (!kernel.stored) written.delete(kernel.out);
  if ((kernel.params[kernel.scratch]?.size ?? 0) <= 1) written.delete(kernel.scratch);
  return written;
}

/** One dispatch, by the temporaries that it reads and writes; it runs `times` times. */
interface Call {
  readonly kernel: number;
  /** By parameter, -1 where it is no temporary. */
  readonly args: readonly number[];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly times: number;
}

function callsOf({ kernels, buffers, tape }: Lowered, planned: (id: number) => boolean): Call[] {
  const written = kernels.map(writtenBy);
  const calls: Call[] = [];
  const temps = (ids: readonly number[]) => [...new Set(ids.flatMap((id) => below(buffers, id)))].filter(planned);
  const walk = (steps: readonly Step[], times: number): void => {
    for (const step of steps) {
      if (step.kind === "loop") walk(step.body, times * step.count);
      else if (step.kind === "copy")
        calls.push({ kernel: -1, args: [], reads: temps([step.from]), writes: temps([step.to]), times });
      else {
        const writes = temps(step.args.filter((_, p) => written[step.kernel]?.has(p)));
        const params = kernels[step.kernel]?.params;
        const reads = temps(step.args.filter((_, p) => params?.[p]?.access === "read"));
        const args = step.args.map((id) => temps([id])[0] ?? -1);
        calls.push({ kernel: step.kernel, args, reads: reads.filter((id) => !writes.includes(id)), writes, times });
      }
    }
  };
  walk(tape, 1);
  return calls.filter(({ reads, writes }) => reads.length > 0 && writes.length > 0);
}

/** Which temporaries lie where, and what lives in each arena at each moment. */
class Arenas {
  readonly of: Map<number, number>;
  private readonly live: readonly Float64Array[];
  private readonly peaks: number[];
  private readonly calls = new Map<number, Call[]>();
  private readonly twins = new Map<number, Call[]>();

  /** All in the first one. */
  constructor(all: readonly Sized[], calls: readonly Call[], count: number) {
    const end = Math.max(0, ...all.map(({ range }) => range.end));
    this.of = new Map(all.map(({ id }) => [id, 0]));
    this.live = Array.from({ length: count }, () => new Float64Array(end + 1));
    this.peaks = this.live.map(() => 0);
    for (const each of all) this.add(each, 0, each.size);
    for (const call of calls) {
      const twins = this.twins.get(call.kernel);
      if (twins) twins.push(call);
      else this.twins.set(call.kernel, [call]);
      for (const id of [...call.reads, ...call.writes]) {
        const own = this.calls.get(id);
        if (own) own.push(call);
        else this.calls.set(id, [call]);
      }
    }
  }

  private add({ range }: Sized, arena: number, size: number): void {
    const live = this.live[arena]!;
    let [before, after] = [0, 0];
    for (let t = range.start; t <= range.end; t++) {
      before = Math.max(before, live[t]!);
      live[t]! += size;
      after = Math.max(after, live[t]!);
    }
    const peak = this.peaks[arena]!;
    if (size > 0) this.peaks[arena] = Math.max(peak, after);
    else if (before === peak) this.peaks[arena] = live.reduce((a, b) => Math.max(a, b), 0);
  }

  get bytes(): number {
    return this.peaks.reduce((a, b) => a + b, 0);
  }

  /** Inputs of the dispatches of a temporary that would share their arena with no result, if it lay in `arena`. */
  apart(id: number, arena: number): number {
    const at = (other: number) => (other === id ? arena : this.of.get(other));
    let apart = 0;
    for (const { reads, writes, times } of this.calls.get(id) ?? []) {
      const written = new Set(writes.map(at));
      for (const read of reads) if (!written.has(at(read))) apart += times;
    }
    return apart;
  }

  /** Calls of the same kernels whose operands lie together as here: one shader serves them all. */
  alike(id: number, arena: number): number {
    const pattern = ({ args }: Call): string => {
      const seen = new Map<number | undefined, number>();
      const number = (at: number | undefined): number => {
        if (!seen.has(at)) seen.set(at, seen.size);
        return seen.get(at)!;
      };
      return args.map((other) => number(other === id ? arena : this.of.get(other))).join();
    };
    let alike = 0;
    for (const call of this.calls.get(id) ?? []) {
      const own = pattern(call);
      for (const twin of this.twins.get(call.kernel) ?? []) if (twin !== call && pattern(twin) === own) alike++;
    }
    return alike;
  }

  move(each: Sized, arena: number): void {
    this.add(each, this.of.get(each.id)!, -each.size);
    this.add(each, arena, each.size);
    this.of.set(each.id, arena);
  }

  /** Moves one to the arena where most inputs are apart, if there is memory; of equal ones where it has most twins or takes least. */
  settle(each: Sized, budget: number): boolean {
    const own = this.of.get(each.id)!;
    const before = this.bytes;
    let best = { arena: own, apart: this.apart(each.id, own), alike: this.alike(each.id, own), bytes: before };
    for (const arena of this.live.keys()) {
      const apart = this.apart(each.id, arena);
      if (arena === own || apart < best.apart) continue;
      const alike = this.alike(each.id, arena);
      this.move(each, arena);
      const { bytes } = this;
      this.move(each, own);
      const fits = bytes <= Math.max(budget, before);
      const better = apart - best.apart || alike - best.alike || best.bytes - bytes;
      if (fits && better > 0) best = { arena, apart, alike, bytes };
    }
    if (best.arena === own) return false;
    this.move(each, best.arena);
    return true;
  }
}

/** Feeds have places of their own, outside of the arenas. */
export function planArenas(lowered: Lowered, count: number): ArenasPlan {
  const { buffers, tape, outputs } = lowered;
  const isTemp = (id: number) => buffers[id]?.place.kind === "temp";
  const lives = lifetimes(buffers, tape, outputs).map((range, id) => (isTemp(id) ? range : undefined));
  const all = lives.flatMap((range, id): Sized[] => (range ? [{ id, size: sizeIn(buffers[id]!), range }] : []));
  const live = mostLive(all);
  const calls = callsOf(lowered, (id) => lives[id] !== undefined);
  const settled = (budget: number): Arenas => {
    const arenas = new Arenas(all, calls, count);
    for (let round = 0; round < ROUNDS; round++) {
      if (all.filter((each) => arenas.settle(each, budget)).length === 0) break;
    }
    return arenas;
  };
  const free = settled(Infinity);
  const arenas = free.bytes <= MOST * live ? free : settled(MOST * live);
  const plan = (of: (id: number) => number): ArenasPlan => {
    const parts = Array.from({ length: count }, (_, arena) => placed(all.filter(({ id }) => of(id) === arena)));
    const sizes = parts.map(({ bytes }) => bytes);
    const offsets = buffers.map((_, id) => parts[of(id)]?.places.get(id) ?? -1);
    return {
      offsets,
      bytes: sizes.reduce((a, b) => a + b, 0),
      live,
      lives,
      arenas: buffers.map((_, id) => of(id)),
      sizes,
    };
  };
  const apart = plan((id) => arenas.of.get(id) ?? 0);
  if (apart.bytes <= MOST * live) return apart;
  // gaps between buffers count too
  const together = plan(() => 0);
  return together.bytes < apart.bytes ? together : apart;
}
