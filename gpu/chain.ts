/**
 * Kernels that walk the same batches in turn, and what passes between them (rule `chain`): all run on one unit of the
 * batches before the next, so a tensor that none but they read is never whole in memory. The scores of an attention are
 * such a tensor, forward and backward. Where a kernel's outermost loop and a tensor's windows fall on the same units is
 * read off strides, never off names.
 */
import { itemsOf } from "./dependences.ts";
import type { Draft, Item } from "./dependences.ts";
import { placeOf } from "./group.ts";
import type { Access, ChainKernel, DotKernel, GroupMember, Operand, Param, RowsKernel } from "./kernel.ts";
import type { Buffer } from "./program.ts";

export type Link = RowsKernel | DotKernel;

/** How a renderer cuts a kernel: along which axis of its `rows` (or of its epilogue's), in multiples of `unit`. */
export interface OuterLoop {
  readonly count: number;
  readonly unit: number;
  /** The kernel's `rows`, or what a product's epilogue is run as, and the axis of its outermost loop. */
  readonly rows?: RowsKernel;
  readonly axis?: number;
}

export interface ChainLimits {
  readonly disable: ReadonlySet<string>;
  readonly chains?: {
    /** Elements that one unit may keep to itself, scratch of products included. */
    readonly room: number;
    /** Undefined where the outermost loop is not one of batches. */
    outer(kernel: Link): OuterLoop | undefined;
  };
}

type KernelDraft = Extract<Draft, { kind: "kernel" }>;

/** Kernels that hang together by `locals`, and how finely they are cut. */
interface Found {
  readonly members: ReadonlySet<Item>;
  readonly locals: ReadonlySet<number>;
  readonly units: number;
  /** Elements of the locals, and what one unit needs of them and of scratch. */
  readonly size: number;
  readonly room: number;
}

/** Fewer units would leave threads idle. */
const LEAST_UNITS = 4;

/** Vectors load whole. */
export const whole = (size: number): number => 4 * Math.ceil(size / 4);

const isLink = (draft: Draft): draft is KernelDraft & { readonly kernel: Link } =>
  draft.kind === "kernel" && (draft.kernel.kind === "rows" || draft.kernel.kind === "dot");

/** Whether the u-th of the units reaches nothing but [u · window, (u + 1) · window): steps of `coef`, and what lies from `lo` to `hi` beside them. */
const inWindow = (coef: number, steps: number, window: number, lo: number, hi: number): boolean =>
  coef * steps === window && lo >= 0 && hi + coef * (steps - 1) < window;

function accessInWindow(rows: RowsKernel, access: Access, axis: number, steps: number, window: number): boolean {
  if (access.dynamic.length > 0) return false;
  let [coef, lo, hi] = [0, access.base, access.base];
  for (const [at, by] of access.terms) {
    const reach = by * ((rows.axes[at] ?? 1) - 1);
    if (at === axis) coef = by;
    else if (reach < 0) lo += reach;
    else hi += reach;
  }
  return inWindow(coef, steps, window, lo, hi);
}

const rowsInWindow = (rows: RowsKernel, axis: number, param: number, steps: number, window: number): boolean =>
  [
    ...rows.values.flatMap((value) => (value.op === "load" ? [value.access] : [])),
    ...rows.stages.flatMap(({ stores }) => stores.map(({ access }) => access)),
  ].every((access) => access.param !== param || accessInWindow(rows, access, axis, steps, window));

function operandInWindow({ base, g, outer, k }: Operand, sizes: readonly number[], steps: number, window: number) {
  let [lo, hi] = [base, base];
  for (const [i, offsets] of [outer, k].entries()) {
    if (offsets.kind === "table") return false;
    const reach = offsets.stride * ((sizes[i] ?? 1) - 1);
    if (reach < 0) lo += reach;
    else hi += reach;
  }
  return g.kind === "stride" && inWindow(g.stride, steps, window, lo, hi);
}

class Chains {
  private readonly buffers: Buffer[];
  private readonly kept: ReadonlySet<number>;
  private readonly limits: NonNullable<ChainLimits["chains"]>;
  private readonly outers = new Map<Link, OuterLoop | undefined>();
  /** By buffer: who reads or writes it. */
  private readonly users = new Map<number, Set<Item>>();
  /** A topological order of what is there now. */
  private readonly ranks = new Map<Item, number>();

  constructor(
    items: readonly Item[],
    buffers: Buffer[],
    kept: ReadonlySet<number>,
    limits: NonNullable<ChainLimits["chains"]>,
  ) {
    this.buffers = buffers;
    this.kept = kept;
    this.limits = limits;
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

  private outer(kernel: Link): OuterLoop | undefined {
    if (!this.outers.has(kernel)) this.outers.set(kernel, this.limits.outer(kernel));
    return this.outers.get(kernel);
  }

  /** Whether each unit of a kernel touches only its own window of a parameter. */
  private apart(kernel: Link, param: number, units: number): boolean {
    const outer = this.outer(kernel);
    const size = kernel.params[param]?.size ?? 0;
    if (!outer || outer.count % units !== 0 || size % units !== 0) return false;
    const [steps, window] = [outer.count / units, size / units];
    if (steps % outer.unit !== 0) return false;
    const { rows, axis = 0 } = outer;
    if (kernel.kind === "rows") return rowsInWindow(kernel, axis, param, steps, window);
    const { m, n, k, a, b, epilogue } = kernel;
    if (a.param === param && !operandInWindow(a, [m, k], steps, window)) return false;
    if (b.param === param && !operandInWindow(b, [n, k], steps, window)) return false;
    if (kernel.out === param && m * n * steps !== window) return false;
    if (!epilogue || !rows) return true;
    const places = (rows.axes[axis] ?? 1) / units;
    return epilogue.params.every((own, i) => own !== param || rowsInWindow(rows, axis, i, places, window));
  }

  private isLocal(id: number, units: number): boolean {
    const users = [...(this.users.get(id) ?? [])];
    return (
      users.length > 1 &&
      this.buffers[id]?.place.kind === "temp" &&
      !this.kept.has(id) &&
      users.every(
        ({ draft }) => isLink(draft) && draft.args.every((arg, i) => arg !== id || this.apart(draft.kernel, i, units)),
      )
    );
  }

  // ---------------------------------------------------------------- what hangs together

  /** What needs one of these and stands before the last of them. */
  private behind(members: ReadonlySet<Item>): Set<Item> {
    const last = Math.max(...[...members].map((item) => this.rank(item)));
    const out = new Set<Item>();
    for (const from of [members, out]) {
      for (const item of from) {
        for (const next of item.after) if (!members.has(next) && this.rank(next) < last) out.add(next);
      }
    }
    return out;
  }

  /** All that hangs together with a product by tensors that they keep to themselves; the largest first. */
  private around(seed: Item, units: number): Found | undefined {
    let members = new Set([seed]);
    const locals = new Set<number>();
    const seen = new Set<number>();
    for (;;) {
      const touched = [...members].flatMap((item) => [...item.reads, ...item.writes]);
      const open = touched.filter((id) => !seen.has(id) && this.isLocal(id, units));
      for (const id of touched) if (!open.includes(id)) seen.add(id);
      if (open.length === 0) break;
      const id = open.reduce((a, b) => (this.sizeOf(b) > this.sizeOf(a) ? b : a));
      seen.add(id);
      const more = new Set([...members, ...(this.users.get(id) ?? [])]);
      // nothing outside may have to run between two members
      if ([...this.behind(more)].some((item) => [...item.after].some((next) => more.has(next)))) continue;
      members = more;
      locals.add(id);
    }
    const sizes = [...locals].map((id) => this.sizeOf(id));
    const products = [...members].map(({ draft }) =>
      isLink(draft) && draft.kernel.kind === "dot" ? this.sizeOf(draft.args[draft.kernel.scratch]!) : 0,
    );
    const room = sizes.reduce((sum, size) => sum + whole(size / units), whole(Math.max(...products)));
    const size = sizes.reduce((a, b) => a + b, 0);
    const fits = room <= this.limits.room && this.keepsApart(members, locals);
    return fits && size > 0 ? { members, locals, units, size, room } : undefined;
  }

  /** Whether what members pass on is passed within the units. */
  private keepsApart(members: ReadonlySet<Item>, locals: ReadonlySet<number>): boolean {
    const all = [...members];
    return all.every((writer) =>
      [...writer.writes].every((id) => locals.has(id) || all.every((item) => item === writer || !item.reads.has(id))),
    );
  }

  /** As many units as keep most to themselves. */
  private best(seed: Item, batches: number): Found | undefined {
    let best: Found | undefined;
    for (let units = batches; units >= LEAST_UNITS; units--) {
      if (batches % units !== 0) continue;
      const found = this.around(seed, units);
      if (found && found.size > (best?.size ?? 0)) best = found;
    }
    return best;
  }

  // ---------------------------------------------------------------- the chain

  private draftOf(drafts: readonly KernelDraft[], { locals, units, room }: Found): KernelDraft {
    const params: Param[] = [];
    const args: number[] = [];
    const place = placeOf(params, args);
    const id = this.buffers.push({ dtype: "f32", size: room, place: { kind: "temp" } }) - 1;
    const scratch = place(id, { dtype: "f32", size: room, access: "write" });
    const windows = [...locals];
    const places = drafts.map(({ kernel, args: own }) =>
      kernel.params.map((param, i) => {
        if (kernel.kind === "dot" && i === kernel.scratch) return scratch;
        const local = windows.indexOf(own[i]!);
        return local < 0 ? place(own[i]!, param) : -1 - local;
      }),
    );
    const members = drafts.map(({ kernel }, m): GroupMember => {
      if (kernel.kind !== "rows" && kernel.kind !== "dot") throw new Error(`expected a link, got ${kernel.kind}`);
      return { kernel, params: places[m]!.map((at) => (at < 0 ? params.length - 1 - at : at)) };
    });
    const sizes = windows.map((local) => this.sizeOf(local) / units);
    const kernel: ChainKernel = { kind: "chain", params, members, units, locals: sizes, scratch };
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
    const window = [...this.ranks.keys()].filter((item) => this.rank(item) >= first && this.rank(item) <= last);
    const ranks = window.map((item) => this.rank(item)).sort((a, b) => a - b);
    for (const item of members) {
      this.ranks.delete(item);
      for (const id of [...item.reads, ...item.writes]) this.users.get(id)?.delete(item);
      for (const other of item.before) other.after.delete(item);
      for (const other of item.after) other.before.delete(item);
    }
    for (const other of chain.before) other.after.add(chain);
    for (const other of chain.after) other.before.add(chain);
    const rest = window.filter((item) => !found.members.has(item)).sort((a, b) => this.rank(a) - this.rank(b));
    const order = [...rest.filter((item) => !behind.has(item)), chain, ...rest.filter((item) => behind.has(item))];
    order.forEach((item, i) => this.ranks.set(item, ranks[i]!));
    this.use(chain);
  }

  run(items: readonly Item[]): readonly Draft[] {
    for (const item of items) {
      const { draft } = item;
      if (!this.ranks.has(item) || !isLink(draft) || draft.kernel.kind !== "dot") continue;
      const found = this.best(item, draft.kernel.g);
      if (found) this.join(found);
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
  const batched = drafts.some((draft) => isLink(draft) && draft.kernel.kind === "dot" && draft.kernel.g >= LEAST_UNITS);
  if (!batched) return drafts;
  const items = itemsOf(drafts, buffers);
  return new Chains(items, buffers, kept, limits.chains).run(items);
}
