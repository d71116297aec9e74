/**
 * The order of kernels, and which of them share a dispatch (rule `group`). Kernels that are ready at the same time do not
 * depend on each other, so one dispatch may hold all of them: bias gradients, partial sums, the updates of an optimizer.
 * List scheduling: what the longest chain waits for goes first; other ready kernels go along when that frees memory,
 * else as late as they can. Grouping changes neither a kernel nor its numbers, only when it runs.
 */
import { BufferBindings } from "./bindings.ts";
import type { BindingLimits } from "./bindings.ts";
import type { GroupMember, Kernel, Param } from "./kernel.ts";
import type { Buffer, Step } from "./program.ts";

/** A step whose kernel has no number yet. */
export type Draft =
  { readonly kind: "kernel"; readonly kernel: Kernel; readonly args: readonly number[] } | Exclude<Step, { kind: "kernel" }>;
type KernelDraft = Extract<Draft, { kind: "kernel" }>;

export interface GroupLimits extends BindingLimits {
  readonly disable: ReadonlySet<string>;
  /** What may share a dispatch: only `rows` kernels, or products too (the default). */
  readonly groups?: "rows" | "all";
  /** Tensors one group may name. A WebAssembly function has at most 1000 parameters. */
  readonly maxGroupParams?: number;
}

interface Item {
  readonly draft: Draft;
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
  readonly before: Set<Item>;
  readonly after: Set<Item>;
  /** Items on the longest way to the end. */
  height: number;
  /** Of `before`, those not yet placed. */
  waits: number;
}

/** A loop touches what its body touches, and what that is a part of. */
function touchedBy(steps: readonly Step[], buffers: readonly Buffer[], into: Set<number>): void {
  const touch = (id: number): void => {
    into.add(id);
    const place = buffers[id]?.place;
    if (place?.kind === "slice") touch(place.of);
    else if (place?.kind === "swap") [place.even, place.odd].forEach(touch);
  };
  for (const step of steps) {
    if (step.kind === "kernel") step.args.forEach(touch);
    else if (step.kind === "copy") [step.from, step.to].forEach(touch);
    else {
      [...step.holds, step.tick].forEach(touch);
      touchedBy(step.body, buffers, into);
    }
  }
}

function itemOf(draft: Draft, buffers: readonly Buffer[]): Item {
  const reads = new Set<number>();
  const writes = new Set<number>();
  if (draft.kind === "kernel") {
    draft.args.forEach((id, i) => (draft.kernel.params[i]?.access === "write" ? writes : reads).add(id));
  } else if (draft.kind === "copy") {
    reads.add(draft.from);
    writes.add(draft.to);
  } else touchedBy([draft], buffers, writes);
  return { draft, reads, writes, before: new Set(), after: new Set(), height: 1, waits: 0 };
}

function itemsOf(drafts: readonly Draft[], buffers: readonly Buffer[]): Item[] {
  const items = drafts.map((draft) => itemOf(draft, buffers));
  const writer = new Map<number, Item>();
  const readers = new Map<number, Item[]>();
  const follow = (item: Item, earlier: Item | undefined): void => {
    if (!earlier || earlier === item) return;
    item.before.add(earlier);
    earlier.after.add(item);
  };
  for (const item of items) {
    for (const id of item.reads) {
      follow(item, writer.get(id));
      const list = readers.get(id);
      if (list) list.push(item);
      else readers.set(id, [item]);
    }
    for (const id of item.writes) {
      follow(item, writer.get(id));
      for (const reader of readers.get(id) ?? []) follow(item, reader);
      readers.delete(id);
      writer.set(id, item);
    }
  }
  for (const item of [...items].reverse()) {
    item.waits = item.before.size;
    for (const next of item.after) item.height = Math.max(item.height, next.height + 1);
  }
  return items;
}

/** Independent kernels as one. Tensors that several members read are named once; all products share one scratch. */
function groupOf(members: readonly KernelDraft[], buffers: readonly Buffer[]): KernelDraft {
  const [first] = members;
  if (!first) throw new Error("expected a group to have members");
  if (members.length === 1) return first;
  const params: Param[] = [];
  const args: number[] = [];
  const places = new Map<number, number>();
  const place = (id: number, param: Param): number => {
    let at = places.get(id);
    if (at === undefined) {
      args.push(id);
      at = params.push(param) - 1;
      places.set(id, at);
    } else if (param.access === "write") params[at] = param;
    return at;
  };
  let scratchId: number | undefined;
  for (const { kernel, args: own } of members) {
    if (kernel.kind !== "dot") continue;
    const id = own[kernel.scratch] as number;
    if (scratchId === undefined || (buffers[id]?.size ?? 0) > (buffers[scratchId]?.size ?? 0)) scratchId = id;
  }
  const list = members.map(({ kernel, args: own }): GroupMember => {
    if (kernel.kind !== "rows" && kernel.kind !== "dot") {
      throw new Error(`expected rows or a product in a group, got ${kernel.kind}`);
    }
    const where = kernel.params.map((param, i) => {
      const scratch = kernel.kind === "dot" && i === kernel.scratch ? scratchId : undefined;
      const id = scratch ?? (own[i] as number);
      return place(id, scratch === undefined ? param : { ...param, size: buffers[id]?.size ?? param.size });
    });
    return { kernel, params: where };
  });
  const scratch = scratchId === undefined ? undefined : places.get(scratchId);
  const kernel = { kind: "group", params, members: list } as const;
  return { kind: "kernel", kernel: scratch === undefined ? kernel : { ...kernel, scratch }, args };
}

export function groupSteps(drafts: readonly Draft[], buffers: readonly Buffer[], limits: GroupLimits): Draft[] {
  if (limits.disable.has("group")) return [...drafts];
  const bindings = new BufferBindings(buffers, limits);
  const maxParams = limits.maxGroupParams ?? 960;
  const items = itemsOf(drafts, buffers);
  const left = new Map<number, number>();
  for (const item of items) for (const id of item.reads) left.set(id, (left.get(id) ?? 0) + 1);
  const bytes = (id: number) => (buffers[id]?.place.kind === "temp" ? 4 * (buffers[id]?.size ?? 0) : 0);
  /** What memory grows by when the item runs now. */
  const growth = (item: Item): number => {
    const { draft } = item;
    let grows = 0;
    for (const id of item.writes) {
      const scratch = draft.kind === "kernel" && draft.kernel.kind === "dot" && id === draft.args[draft.kernel.scratch];
      if (!scratch) grows += bytes(id);
    }
    for (const id of item.reads) if (left.get(id) === 1) grows -= bytes(id);
    return grows;
  };
  const joins = ({ draft }: Item) =>
    draft.kind === "kernel" &&
    (draft.kernel.kind === "rows" || (draft.kernel.kind === "dot" && (limits.groups ?? "all") === "all"));

  const out: Draft[] = [];
  let ready = items.filter((item) => item.waits === 0);
  const finish = (done: readonly Item[]): void => {
    ready = ready.filter((item) => !done.includes(item));
    for (const item of done) {
      for (const id of item.reads) left.set(id, (left.get(id) ?? 0) - 1);
      for (const next of item.after) if (--next.waits === 0) ready.push(next);
    }
  };
  while (ready.length > 0) {
    const alone = ready.filter((item) => !joins(item)).sort((a, b) => b.height - a.height)[0];
    if (alone) {
      out.push(alone.draft);
      finish([alone]);
      continue;
    }
    const top = Math.max(...ready.map((item) => item.height));
    const now = ready.filter((item) => item.height === top || growth(item) <= 0);
    let members: KernelDraft[] = [];
    let args = new Set<number>();
    for (const { draft } of now) {
      if (draft.kind !== "kernel") throw new Error(`expected a kernel, got ${draft.kind}`);
      const more = new Set([...args, ...draft.args]);
      if (members.length > 0 && (more.size > maxParams || !bindings.fits(more))) {
        out.push(groupOf(members, buffers));
        members = [];
        args = new Set();
      }
      members.push(draft);
      for (const id of draft.args) args.add(id);
    }
    out.push(groupOf(members, buffers));
    finish(now);
  }
  return out;
}
