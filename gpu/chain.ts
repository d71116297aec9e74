/**
 * Kernels that walk the same batches in turn, and what passes between them (rule `chain`): all run on one unit of the
 * batches, or of a batch's rows, before the next, so a tensor that none but they read is never whole in memory. The
 * scores of an attention are such a tensor, forward and backward. What falls on the same units tells `unit-window`.
 */
import { itemsOf } from "./dependences.ts";
import type { Draft, Item } from "./dependences.ts";
import { placeOf } from "./calls.ts";
import { fitOf, rowOf } from "./fit.ts";
import type { ChainKernel, DotKernel, GroupMember, Param } from "./kernel.ts";
import { replacements, replacementsAfter } from "./in-place.ts";
import type { Buffer } from "./program.ts";
import { keepsToWindow } from "./unit-window.ts";
import type { Link, OuterLoops } from "./unit-window.ts";

/** How kernels are cut into units. */
interface Cutting {
  /** Undefined where the outermost loop is not one of batches. */
  outer(kernel: Link): OuterLoops | undefined;
  /** Elements that a kernel needs for itself while one of so many units runs. */
  beside(kernel: Link, units: number): number;
}

/** Blocks of rows that are too long for the room that units have elsewhere: windows lie in slices of one buffer. */
export interface InMemory extends Cutting {
  /** Elements of one row in all windows, at most. */
  readonly longest: number;
  /** Elements of a slice's windows, those of such a row at least. */
  room(row: number): number;
  /** How many of so many units run at once, each with a slice of so many elements. */
  slices(units: number, room: number): number;
}

export interface ChainLimits {
  readonly disable: ReadonlySet<string>;
  readonly chains?: Cutting & {
    /** Elements that one unit may keep to itself: windows, and what its kernels need beside them. */
    readonly room: number;
    readonly inScratch: boolean;
    /** Units may be blocks of a batch's rows. */
    readonly byRows: boolean;
    readonly inMemory?: InMemory;
  };
}

interface Cut {
  readonly units: number;
  readonly by: Cutting;
  readonly room: number;
}

type KernelDraft = Extract<Draft, { kind: "kernel" }>;

/** Kernels that hang together by `locals`, and how finely they are cut. */
interface Found {
  readonly members: ReadonlySet<Item>;
  readonly locals: ReadonlySet<number>;
  readonly cut: Cut;
  /** By local: which window it has; a kernel may put a result where it has read for the last time. */
  readonly windows: ReadonlyMap<number, number>;
  /** Elements that are not written to memory. */
  readonly inWindows: number;
  /** Elements that are read where they were written, twice where they are not written to memory, and what one unit needs for locals and scratch. */
  readonly saved: number;
  readonly room: number;
}

/** Fewer units would leave threads idle. */
const LEAST_UNITS = 4;

/** Kernels between two members at most. */
const FAR = 256;

/** Vectors load whole. */
export const whole = (size: number): number => 4 * Math.ceil(size / 4);

/** The divisors of a number, ascending. */
const divisors = (of: number): number[] => Array.from({ length: of }, (_, i) => i + 1).filter((i) => of % i === 0);

/** What a map has for a key, or what it gets now. */
function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

const isLink = (draft: Draft): draft is KernelDraft & { readonly kernel: Link } =>
  draft.kind === "kernel" && (draft.kernel.kind === "rows" || draft.kernel.kind === "dot");

class Chains {
  private readonly buffers: Buffer[];
  private readonly kept: ReadonlySet<number>;
  private readonly limits: NonNullable<ChainLimits["chains"]>;
  private readonly outers = new Map<Cutting, Map<Link, OuterLoops | undefined>>();
  /** By the way of cutting and kernel, then by parameter and units. */
  private readonly keeping = new Map<Cutting, Map<Link, Map<number, boolean>>>();
  /** By buffer: who reads or writes it. */
  private readonly users = new Map<number, Set<Item>>();
  /** A topological order of what is there now, and who stands where in it. */
  private readonly ranks = new Map<Item, number>();
  private readonly byRank: (Item | undefined)[];

  constructor(
    items: readonly Item[],
    buffers: Buffer[],
    kept: ReadonlySet<number>,
    limits: NonNullable<ChainLimits["chains"]>,
  ) {
    this.buffers = buffers;
    this.kept = kept;
    this.limits = limits;
    this.byRank = [...items];
    items.forEach((item, rank) => {
      this.ranks.set(item, rank);
      this.use(item);
    });
  }

  private use(item: Item): void {
    for (const id of [...item.reads, ...item.writes]) {
      const users = this.users.get(id);
      if (users) users.add(item);
      else this.users.set(id, new Set([item]));
    }
  }

  private sizeOf(id: number): number {
    return this.buffers[id]?.size ?? 0;
  }

  private rank(item: Item): number {
    return this.ranks.get(item) ?? 0;
  }

  // ---------------------------------------------------------------- windows

  private outer(kernel: Link, by: Cutting): OuterLoops | undefined {
    const outers = known(this.outers, by, () => new Map<Link, OuterLoops | undefined>());
    if (!outers.has(kernel)) outers.set(kernel, by.outer(kernel));
    return outers.get(kernel);
  }

  /** Whether each unit of a kernel touches only its own window of a parameter. */
  private apart(kernel: Link, param: number, { units, by }: Cut): boolean {
    const kernels = known(this.keeping, by, () => new Map<Link, Map<number, boolean>>());
    return known(
      known(kernels, kernel, () => new Map<number, boolean>()),
      param + kernel.params.length * units,
      () => {
        const outer = this.outer(kernel, by);
        return outer !== undefined && keepsToWindow(kernel, outer, param, units);
      },
    );
  }

  /** Whether each unit of a kernel touches only its own window of a tensor. */
  private keepsTo({ draft }: Item, id: number, cut: Cut): boolean {
    return isLink(draft) && draft.args.every((arg, i) => arg !== id || this.apart(draft.kernel, i, cut));
  }

  // ---------------------------------------------------------------- what hangs together

  /** What needs one of these and stands before the last of them; beyond `most` nobody counts. */
  private behind(members: ReadonlySet<Item>, most = Infinity): Set<Item> {
    const last = Math.max(...[...members].map((item) => this.rank(item)));
    const out = new Set<Item>();
    for (const from of [members, out]) {
      for (const item of from) {
        if (out.size > most) return out;
        for (const next of item.after) if (!members.has(next) && this.rank(next) < last) out.add(next);
      }
    }
    return out;
  }

  /** Nothing outside has to run between two of them. Of members that stand far apart nobody asks: they are no chain. */
  private isConvex(members: ReadonlySet<Item>): boolean {
    const between = this.behind(members, FAR);
    return between.size <= FAR && [...between].every((item) => [...item.after].every((next) => !members.has(next)));
  }

  /** All that hangs together with a product by tensors that units pass on apart; the largest first. */
  private around(seed: Item, cut: Cut): Found | undefined {
    let members = new Set([seed]);
    const seen = new Set<number>();
    for (;;) {
      const touched = [...members].flatMap((item) => [...item.reads, ...item.writes]);
      const open = touched.filter((id) => !seen.has(id) && this.buffers[id]?.place.kind === "temp");
      if (open.length === 0) break;
      const id = open.reduce((a, b) => (this.sizeOf(b) > this.sizeOf(a) ? b : a));
      seen.add(id);
      const users = [...(this.users.get(id) ?? [])].filter((item) => this.keepsTo(item, id, cut));
      if (users.length < 2) continue;
      const all = new Set([...members, ...users]);
      if (this.holds(all, cut)) members = all;
      else {
        for (const user of users.sort((a, b) => this.rank(a) - this.rank(b))) {
          const more = new Set([...members, user]);
          if (this.holds(more, cut)) members = more;
        }
      }
    }
    const passed = this.passedOn(members);
    return passed.size > 0 ? { members, cut, ...this.roomFor(members, passed, cut) } : undefined;
  }

  /** Nothing outside has to run between members, and each unit of them keeps to itself. */
  private holds(members: ReadonlySet<Item>, cut: Cut): boolean {
    const touches = (item: Item, id: number) => item.reads.has(id) || item.writes.has(id);
    const apart = (id: number) => [...members].every((item) => !touches(item, id) || this.keepsTo(item, id, cut));
    return this.isConvex(members) && [...this.passedOn(members)].every(apart);
  }

  /** What one member writes and another reads. */
  private passedOn(members: ReadonlySet<Item>): Set<number> {
    const passed = new Set<number>();
    for (const writer of members) {
      for (const id of writer.writes) {
        for (const item of members) if (item !== writer && item.reads.has(id)) passed.add(id);
      }
    }
    return passed;
  }

  /** The largest of what is passed on lies in windows while there is room. */
  private roomFor(members: ReadonlySet<Item>, passed: ReadonlySet<number>, cut: Cut) {
    const drafts = [...members]
      .sort((a, b) => this.rank(a) - this.rank(b))
      .flatMap(({ draft }) => (isLink(draft) ? [draft] : []));
    let room = whole(Math.max(...drafts.map(({ kernel }) => cut.by.beside(kernel, cut.units))));
    const most = cut.by === this.limits ? cut.room : cut.room + room;
    const locals = new Set<number>();
    const windows = new Map<number, number>();
    for (const id of [...passed].sort((a, b) => this.sizeOf(b) - this.sizeOf(a))) {
      const own = [...(this.users.get(id) ?? [])].every((item) => members.has(item));
      if (!own || this.kept.has(id) || this.buffers[id]?.dtype !== "f32") continue;
      const window = this.freed(id, drafts, windows) ?? locals.size;
      const needs = window === locals.size ? whole(this.sizeOf(id) / cut.units) : 0;
      if (room + needs > most) continue;
      room += needs;
      if (needs > 0) locals.add(id);
      windows.set(id, window);
    }
    const sizes = (ids: Iterable<number>) => [...ids].reduce((sum, id) => sum + this.sizeOf(id), 0);
    const inWindows = sizes(windows.keys());
    return { locals, windows, room, inWindows, saved: sizes(passed) + inWindows };
  }

  /** The window of what a kernel reads for the last time where it writes this. */
  private freed(id: number, drafts: readonly KernelDraft[], windows: ReadonlyMap<number, number>): number | undefined {
    const at = drafts.findIndex(({ kernel, args }) =>
      args.some((arg, i) => arg === id && kernel.params[i]?.access === "write"),
    );
    const draft = drafts[at];
    if (!draft) return undefined;
    const { kernel, args } = draft;
    for (const [from, to] of kernel.kind === "dot" ? replacementsAfter(kernel, args) : replacements(kernel, args)) {
      const window = windows.get(from);
      if (to !== id || window === undefined || drafts.slice(at + 1).some(({ args }) => args.includes(from))) continue;
      const others = [...windows].filter(([other, own]) => other !== from && own === window);
      if (others.every(([other]) => drafts.slice(at).every(({ args }) => !args.includes(other)))) return window;
    }
    return undefined;
  }

  /**
   * As many units of whole batches as keep most to themselves. Blocks of rows, as large as can be, where more lies in
   * windows so: what a product reads of all rows is read anew for each. Whole batches of what is too large for them would
   * pass on the rest through memory.
   */
  private best(seed: Item, product: DotKernel): Found | undefined {
    let best: Found | undefined;
    const consider = (cut: Cut, of: "saved" | "inWindows"): void => {
      const found = cut.units < LEAST_UNITS ? undefined : this.around(seed, cut);
      if (found && found[of] > (best?.[of] ?? 0)) best = found;
    };
    const blocks = (by: Cutting, room: number): void => {
      const [batches = 1, rows = 1] = this.outer(product, by)?.counts ?? [];
      for (const parts of divisors(rows).slice(1)) consider({ units: batches * parts, by, room }, "inWindows");
    };
    const { limits } = this;
    const { inMemory } = limits;
    const large = inMemory && fitOf(product, limits) === "in memory";
    const batches = (): void => {
      const [count = 1] = this.outer(product, limits)?.counts ?? [];
      for (const units of divisors(count).reverse()) consider({ units, by: limits, room: limits.room }, "saved");
    };
    if (!large) batches();
    blocks(limits, limits.room);
    if (large) {
      blocks(inMemory, inMemory.room(rowOf(product)));
      if (best === undefined) batches();
    }
    return best;
  }

  /** Without members that pass on more to others, as they could with those in a chain of their own. */
  private thinned(found: Found): Found {
    const { cut } = found;
    let best = found;
    for (const item of [...found.members].sort((a, b) => this.rank(b) - this.rank(a))) {
      const others = (id: number) =>
        [...this.users.get(id)!].some((user) => !found.members.has(user) && this.keepsTo(user, id, cut));
      const elsewhere = [...item.writes].filter(others);
      if (elsewhere.length === 0) continue;
      const members = new Set([...best.members].filter((other) => other !== item));
      const passed = this.passedOn(members);
      if (passed.size === 0 || !this.holds(members, cut)) continue;
      const less = { members, cut, ...this.roomFor(members, passed, cut) };
      const more = elsewhere.reduce((sum, id) => sum + this.sizeOf(id), 0);
      if (less.saved + more >= best.saved) best = less;
    }
    return best;
  }

  // ---------------------------------------------------------------- the chain

  private draftOf(drafts: readonly KernelDraft[], { locals, windows, cut, room }: Found): KernelDraft {
    const { units, by } = cut;
    const params: Param[] = [];
    const args: number[] = [];
    const place = placeOf(params, args);
    const { inScratch, inMemory } = this.limits;
    const slices = by === inMemory ? inMemory.slices(units, room) : undefined;
    const size = (slices ?? 1) * room;
    const id = inScratch || slices ? this.buffers.push({ dtype: "f32", size, place: { kind: "temp" } }) - 1 : -1;
    const scratch = id < 0 ? undefined : place(id, { dtype: "f32", size, access: "write" });
    const places = drafts.map(({ kernel, args: own }) =>
      kernel.params.map((param, i) => {
        if (inScratch && kernel.kind === "dot" && i === kernel.scratch && scratch !== undefined) return scratch;
        const window = windows.get(own[i]!);
        return window === undefined ? place(own[i]!, param) : -1 - window;
      }),
    );
    const members = drafts.map(({ kernel }, m): GroupMember => {
      if (kernel.kind !== "rows" && kernel.kind !== "dot") throw new Error(`expected a link, got ${kernel.kind}`);
      return { kernel, params: places[m]!.map((at) => (at < 0 ? params.length - 1 - at : at)) };
    });
    const sizes = [...locals].map((local) => this.sizeOf(local) / units);
    const kernel: ChainKernel = {
      kind: "chain",
      params,
      members,
      units,
      locals: sizes,
      ...(scratch === undefined ? {} : { scratch }),
      ...(slices === undefined ? {} : { slices }),
    };
    return { kind: "kernel", kernel, args, spans: drafts.flatMap(({ spans }) => spans) };
  }

  /** Puts one item in the place of the members. */
  private join(found: Found): void {
    const members = [...found.members].sort((a, b) => this.rank(a) - this.rank(b));
    const behind = this.behind(found.members);
    const draft = this.draftOf(
      members.flatMap((item) => (isLink(item.draft) ? [item.draft] : [])),
      found,
    );
    const of = (key: "before" | "after") =>
      new Set(members.flatMap((item) => [...item[key]].filter((other) => !found.members.has(other))));
    const args = (access: Param["access"]) =>
      new Set(draft.args.filter((_, i) => draft.kernel.params[i]?.access === access));
    const chain: Item = {
      draft,
      reads: args("read"),
      writes: args("write"),
      before: of("before"),
      after: of("after"),
      height: 0,
      waits: 0,
    };
    const [first, last] = [this.rank(members[0]!), this.rank(members.at(-1)!)];
    const window = this.byRank.slice(first, last + 1).filter((item) => item !== undefined);
    const ranks = window.map((item) => this.rank(item));
    for (const item of members) {
      this.ranks.delete(item);
      for (const id of [...item.reads, ...item.writes]) this.users.get(id)?.delete(item);
      for (const other of item.before) other.after.delete(item);
      for (const other of item.after) other.before.delete(item);
    }
    for (const other of chain.before) other.after.add(chain);
    for (const other of chain.after) other.before.add(chain);
    const rest = window.filter((item) => !found.members.has(item));
    const order = [...rest.filter((item) => !behind.has(item)), chain, ...rest.filter((item) => behind.has(item))];
    this.byRank.fill(undefined, first, last + 1);
    order.forEach((item, i) => {
      this.ranks.set(item, ranks[i]!);
      this.byRank[ranks[i]!] = item;
    });
    this.use(chain);
  }

  run(items: readonly Item[]): readonly Draft[] {
    for (const item of items) {
      const { draft } = item;
      if (!this.ranks.has(item) || !isLink(draft) || draft.kernel.kind !== "dot") continue;
      const found = this.best(item, draft.kernel);
      if (found) this.join(this.thinned(found));
    }
    return [...this.ranks].sort(([, a], [, b]) => a - b).map(([item]) => item.draft);
  }
}

/** The steps with chains in them. `kept` are buffers that somebody reads in the end. */
export function chainSteps(
  drafts: readonly Draft[],
  buffers: Buffer[],
  kept: ReadonlySet<number>,
  limits: ChainLimits,
): readonly Draft[] {
  if (!limits.chains || limits.disable.has("chain")) return drafts;
  const batched = drafts.some((draft) => isLink(draft) && draft.kernel.kind === "dot" && draft.kernel.g > 1);
  if (!batched) return drafts;
  const items = itemsOf(drafts, buffers);
  return new Chains(items, buffers, kept, limits.chains).run(items);
}
