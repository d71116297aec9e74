/**
 * Kernels that walk the same batches in turn, and what passes between them (rule `chain`): all run on one unit of the
 * batches, or of a batch's rows, before the next, so a tensor that none but they read is never whole in memory. The
 * scores of an attention are such a tensor, forward and backward. What falls on the same units tells `unit-window`.
 */
import { itemsOf } from "./dependences.ts";
import type { Draft, Item } from "./dependences.ts";
import { placeOf } from "./calls.ts";
import type { ChainKernel, DotKernel, GroupMember, Param } from "./kernel.ts";
import { replacements, replacementsAfter } from "./in-place.ts";
import type { Buffer } from "./program.ts";
import { keepsToWindow } from "./unit-window.ts";
import type { Link, OuterLoops } from "./unit-window.ts";

export interface ChainLimits {
  readonly disable: ReadonlySet<string>;
  readonly chains?: {
    /** Elements that one unit may keep to itself: windows, and what its kernels need beside them. */
    readonly room: number;
    readonly inScratch: boolean;
    /** Units may be blocks of a batch's rows. */
    readonly byRows: boolean;
    /** Undefined where the outermost loop is not one of batches. */
    outer(kernel: Link): OuterLoops | undefined;
    /** Elements that a kernel needs for itself while one of so many units runs. */
    beside(kernel: Link, units: number): number;
  };
}

type KernelDraft = Extract<Draft, { kind: "kernel" }>;

/** Kernels that hang together by `locals`, and how finely they are cut. */
interface Found {
  readonly members: ReadonlySet<Item>;
  readonly locals: ReadonlySet<number>;
  readonly units: number;
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

const isLink = (draft: Draft): draft is KernelDraft & { readonly kernel: Link } =>
  draft.kind === "kernel" && (draft.kernel.kind === "rows" || draft.kernel.kind === "dot");

class Chains {
  private readonly buffers: Buffer[];
  private readonly kept: ReadonlySet<number>;
  private readonly limits: NonNullable<ChainLimits["chains"]>;
  private readonly outers = new Map<Link, OuterLoops | undefined>();
  /** By kernel, then by parameter and units. */
  private readonly keeping = new Map<Link, Map<number, boolean>>();
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

  private outer(kernel: Link): OuterLoops | undefined {
    if (!this.outers.has(kernel)) this.outers.set(kernel, this.limits.outer(kernel));
    return this.outers.get(kernel);
  }

  /** Whether each unit of a kernel touches only its own window of a parameter. */
  private apart(kernel: Link, param: number, units: number): boolean {
    let known = this.keeping.get(kernel);
    if (!known) this.keeping.set(kernel, (known = new Map()));
    const key = param + kernel.params.length * units;
    let apart = known.get(key);
    if (apart === undefined) {
      const outer = this.outer(kernel);
      apart = outer !== undefined && keepsToWindow(kernel, outer, param, units);
      known.set(key, apart);
    }
    return apart;
  }

  /** Whether each unit of a kernel touches only its own window of a tensor. */
  private keepsTo({ draft }: Item, id: number, units: number): boolean {
    return isLink(draft) && draft.args.every((arg, i) => arg !== id || this.apart(draft.kernel, i, units));
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
  private around(seed: Item, units: number): Found | undefined {
    let members = new Set([seed]);
    const seen = new Set<number>();
    for (;;) {
      const touched = [...members].flatMap((item) => [...item.reads, ...item.writes]);
      const open = touched.filter((id) => !seen.has(id) && this.buffers[id]?.place.kind === "temp");
      if (open.length === 0) break;
      const id = open.reduce((a, b) => (this.sizeOf(b) > this.sizeOf(a) ? b : a));
      seen.add(id);
      const users = [...(this.users.get(id) ?? [])].filter((item) => this.keepsTo(item, id, units));
      if (users.length < 2) continue;
      const all = new Set([...members, ...users]);
      if (this.holds(all, units)) members = all;
      else {
        for (const user of users.sort((a, b) => this.rank(a) - this.rank(b))) {
          const more = new Set([...members, user]);
          if (this.holds(more, units)) members = more;
        }
      }
    }
    const passed = this.passedOn(members);
    return passed.size > 0 ? { members, units, ...this.roomFor(members, passed, units) } : undefined;
  }

  /** Nothing outside has to run between members, and each unit of them keeps to itself. */
  private holds(members: ReadonlySet<Item>, units: number): boolean {
    const touches = (item: Item, id: number) => item.reads.has(id) || item.writes.has(id);
    const apart = (id: number) => [...members].every((item) => !touches(item, id) || this.keepsTo(item, id, units));
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
  private roomFor(members: ReadonlySet<Item>, passed: ReadonlySet<number>, units: number) {
    const drafts = [...members]
      .sort((a, b) => this.rank(a) - this.rank(b))
      .flatMap(({ draft }) => (isLink(draft) ? [draft] : []));
    let room = whole(Math.max(...drafts.map(({ kernel }) => this.limits.beside(kernel, units))));
    const locals = new Set<number>();
    const windows = new Map<number, number>();
    for (const id of [...passed].sort((a, b) => this.sizeOf(b) - this.sizeOf(a))) {
      const own = [...(this.users.get(id) ?? [])].every((item) => members.has(item));
      if (!own || this.kept.has(id) || this.buffers[id]?.dtype !== "f32") continue;
      const window = this.freed(id, drafts, windows) ?? locals.size;
      const needs = window === locals.size ? whole(this.sizeOf(id) / units) : 0;
      if (room + needs > this.limits.room) continue;
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
   * windows so: what a product reads of all rows is read anew for each.
   */
  private best(seed: Item, product: DotKernel): Found | undefined {
    const [batches = 1, rows = 1] = this.outer(product)?.counts ?? [];
    let best: Found | undefined;
    const consider = (units: number, of: "saved" | "inWindows"): void => {
      const found = units < LEAST_UNITS ? undefined : this.around(seed, units);
      if (found && found[of] > (best?.[of] ?? 0)) best = found;
    };
    for (const units of divisors(batches).reverse()) consider(units, "saved");
    for (const parts of divisors(rows).slice(1)) consider(batches * parts, "inWindows");
    return best;
  }

  /** Without members that pass on more to others, as they could with those in a chain of their own. */
  private thinned(found: Found): Found {
    const { units } = found;
    let best = found;
    for (const item of [...found.members].sort((a, b) => this.rank(b) - this.rank(a))) {
      const others = (id: number) =>
        [...this.users.get(id)!].some((user) => !found.members.has(user) && this.keepsTo(user, id, units));
      const elsewhere = [...item.writes].filter(others);
      if (elsewhere.length === 0) continue;
      const members = new Set([...best.members].filter((other) => other !== item));
      const passed = this.passedOn(members);
      if (passed.size === 0 || !this.holds(members, units)) continue;
      const less = { members, units, ...this.roomFor(members, passed, units) };
      const more = elsewhere.reduce((sum, id) => sum + this.sizeOf(id), 0);
      if (less.saved + more >= best.saved) best = less;
    }
    return best;
  }

  // ---------------------------------------------------------------- the chain

  private draftOf(drafts: readonly KernelDraft[], { locals, windows, units, room }: Found): KernelDraft {
    const params: Param[] = [];
    const args: number[] = [];
    const place = placeOf(params, args);
    const { inScratch } = this.limits;
    const id = inScratch ? this.buffers.push({ dtype: "f32", size: room, place: { kind: "temp" } }) - 1 : -1;
    const scratch = inScratch ? place(id, { dtype: "f32", size: room, access: "write" }) : undefined;
    const places = drafts.map(({ kernel, args: own }) =>
      kernel.params.map((param, i) => {
        if (kernel.kind === "dot" && i === kernel.scratch && scratch !== undefined) return scratch;
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
