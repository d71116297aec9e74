/**
 * The order of kernels, and which of them share a dispatch (rule `group`). Kernels that are ready at the same time do not
 * depend on each other, so one dispatch may hold all of them: bias gradients, partial sums, the updates of an optimizer.
 * List scheduling: what the longest chain waits for goes first; other ready kernels go along when that frees memory or
 * takes less than what they read together with those that go anyway, which is then read once; else as late as they can. Grouping changes neither a kernel nor its numbers, only when it runs.
 */
import { BufferBindings } from "./bindings.ts";
import type { BindingLimits } from "./bindings.ts";
import { joined } from "./calls.ts";
import type { Call } from "./calls.ts";
import { itemsOf } from "./dependences.ts";
import type { Draft, Item } from "./dependences.ts";
import type { DotKernel } from "./kernel.ts";
import type { Buffer } from "./program.ts";

type KernelDraft = Extract<Draft, { kind: "kernel" }>;

export interface GroupLimits extends BindingLimits {
  readonly disable: ReadonlySet<string>;
  /** Which products may share a dispatch (all, when left out); `rows` kernels may. */
  readonly joins?: (product: DotKernel) => boolean;
  /** Whether members run one after the other, so that one scratch serves all products (the default). */
  readonly sharedScratch?: boolean;
  /** Tensors one group may name. A WebAssembly function has at most 1000 parameters. */
  readonly maxGroupParams?: number;
}

/** Independent kernels as one. */
function groupOf(members: readonly KernelDraft[], buffers: readonly Buffer[], sharedScratch: boolean): KernelDraft {
  const [first] = members;
  if (!first) throw new Error("expected a group to have members");
  if (members.length === 1) return first;
  const calls = members.map(({ kernel, args }): Call => {
    if (kernel.kind === "rows" || kernel.kind === "dot") return { kernel, args };
    throw new Error(`expected rows or a product in a group, got ${kernel.kind}`);
  });
  const { args, ...group } = joined(calls, buffers, sharedScratch);
  const spans = members.flatMap((member) => member.spans);
  return { kind: "kernel", kernel: { kind: "group", ...group }, args, spans };
}

export function groupSteps(drafts: readonly Draft[], buffers: readonly Buffer[], limits: GroupLimits): Draft[] {
  if (limits.disable.has("group")) return [...drafts];
  const bindings = new BufferBindings(buffers, limits);
  const maxParams = limits.maxGroupParams ?? 960;
  const items = itemsOf(drafts, buffers);
  const left = new Map<number, number>();
  const readers = new Map<number, Item[]>();
  for (const item of items) {
    for (const id of item.reads) {
      left.set(id, (left.get(id) ?? 0) + 1);
      const known = readers.get(id);
      if (known) known.push(item);
      else readers.set(id, [item]);
    }
  }
  const bytes = (id: number) => (buffers[id]?.place.kind === "temp" ? 4 * (buffers[id]?.size ?? 0) : 0);
  const growths = new Map<Item, number>();
  /** What memory grows by when the item runs now. */
  const growth = (item: Item): number => {
    const known = growths.get(item);
    if (known !== undefined) return known;
    const { draft } = item;
    let grows = 0;
    for (const id of item.writes) {
      const scratch = draft.kind === "kernel" && draft.kernel.kind === "dot" && id === draft.args[draft.kernel.scratch];
      if (!scratch) grows += bytes(id);
    }
    for (const id of item.reads) if (left.get(id) === 1) grows -= bytes(id);
    growths.set(item, grows);
    return grows;
  };
  const bytesOf = (ids: ReadonlySet<number>, among: ReadonlySet<number>): number => {
    let bytes = 0;
    for (const id of ids) if (among.has(id)) bytes += 4 * (buffers[id]?.size ?? 0);
    return bytes;
  };
  /** Memory does not grow, or by less than what is read again of what is read anyway. */
  const pays = (item: Item, read: ReadonlySet<number>): boolean => {
    const grows = growth(item);
    return grows <= 0 || grows <= bytesOf(item.reads, read);
  };
  const joins = ({ draft }: Item) =>
    draft.kind === "kernel" &&
    (draft.kernel.kind === "rows" || (draft.kernel.kind === "dot" && (limits.joins?.(draft.kernel) ?? true)));
  const single = new Set(items.filter((item) => !joins(item)));
  const highest = (among: readonly Item[]): Item | undefined =>
    among.reduce<Item | undefined>((best, item) => (best && best.height >= item.height ? best : item), undefined);

  const out: Draft[] = [];
  let ready = items.filter((item) => item.waits === 0);
  const finish = (done: readonly Item[]): void => {
    const gone = new Set(done);
    ready = ready.filter((item) => !gone.has(item));
    for (const item of done) {
      for (const id of item.reads) {
        left.set(id, (left.get(id) ?? 0) - 1);
        if (left.get(id) === 1) for (const reader of readers.get(id) ?? []) growths.delete(reader);
      }
      for (const next of item.after) if (--next.waits === 0) ready.push(next);
    }
  };
  while (ready.length > 0) {
    const alone = single.size > 0 ? highest(ready.filter((item) => single.has(item))) : undefined;
    if (alone) {
      out.push(alone.draft);
      finish([alone]);
      continue;
    }
    const top = highest(ready)!.height;
    const first = ready.filter((item) => item.height === top);
    const read = new Set(first.flatMap((item) => [...item.reads]));
    const now = ready.filter((item) => item.height === top || pays(item, read));
    let members: KernelDraft[] = [];
    let args = new Set<number>();
    for (const { draft } of now) {
      if (draft.kind !== "kernel") throw new Error(`expected a kernel, got ${draft.kind}`);
      const more = new Set(draft.args.filter((id) => !args.has(id)));
      if (members.length > 0 && (args.size + more.size > maxParams || !bindings.fits(args, more))) {
        out.push(groupOf(members, buffers, limits.sharedScratch ?? true));
        members = [];
        args = new Set();
      }
      members.push(draft);
      for (const id of draft.args) args.add(id);
    }
    out.push(groupOf(members, buffers, limits.sharedScratch ?? true));
    finish(now);
  }
  return out;
}
