/**
 * Which steps of a tape must keep their order: a reader comes after those who wrote, a writer after everybody before it.
 */
import type { Span } from "../lang/source.ts";
import type { Kernel } from "./kernel.ts";
import type { Buffer, Step } from "./program.ts";

/** A step whose kernel has no number yet. */
export type Draft =
  | {
      readonly kind: "kernel";
      readonly kernel: Kernel;
      readonly args: readonly number[];
      readonly spans: readonly Span[];
    }
  | Exclude<Step, { readonly kind: "kernel" }>;

export interface Item {
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

export function itemsOf(drafts: readonly Draft[], buffers: readonly Buffer[]): Item[] {
  const items = drafts.map((draft) => itemOf(draft, buffers));
  /** By buffer: who wrote it since it was read last. Kernels that write one tensor write pieces of it apart. */
  const writers = new Map<number, Item[]>();
  const readers = new Map<number, Item[]>();
  const follow = (item: Item, earlier: Item | undefined): void => {
    if (!earlier || earlier === item) return;
    item.before.add(earlier);
    earlier.after.add(item);
  };
  for (const item of items) {
    for (const id of item.reads) {
      for (const writer of writers.get(id) ?? []) follow(item, writer);
      const list = readers.get(id);
      if (list) list.push(item);
      else readers.set(id, [item]);
    }
    for (const id of item.writes) {
      const before = writers.get(id) ?? [];
      const piece = !readers.has(id) && [item, ...before].every(({ draft }) => draft.kind === "kernel");
      if (!piece) for (const writer of before) follow(item, writer);
      for (const reader of readers.get(id) ?? []) follow(item, reader);
      readers.delete(id);
      writers.set(id, piece ? [...before, item] : [item]);
    }
  }
  for (const item of [...items].reverse()) {
    item.waits = item.before.size;
    for (const next of item.after) item.height = Math.max(item.height, next.height + 1);
  }
  return items;
}
