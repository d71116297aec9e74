/**
 * The order of kernels, and which of them share a dispatch (rule `group`). Kernels that are ready at the same time do not
 * depend on each other, so one dispatch may hold all of them: bias gradients, partial sums, the updates of an optimizer.
 * List scheduling: what the longest chain waits for goes first; other ready kernels go along when that frees memory or
 * takes less than what they read together with those that go anyway, which is then read once; else as late as they can. Grouping changes neither a kernel nor its numbers, only when it runs.
 */
import { BufferBindings } from "./bindings.ts";
import type { BindingLimits } from "./bindings.ts";
import { itemsOf } from "./dependences.ts";
import type { Draft, Item } from "./dependences.ts";
import type { DotKernel, GroupMember, Param } from "./kernel.ts";
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

/** Gives each buffer a parameter, one for all members: written where any of them writes it. */
export function placeOf(params: Param[], args: number[]): (id: number, param: Param) => number {
  const places = new Map<number, number>();
  return (id, param) => {
    let at = places.get(id);
    if (at === undefined) {
      args.push(id);
      at = params.push(param) - 1;
      places.set(id, at);
    } else if (param.access === "write") params[at] = param;
    return at;
  };
}

/** Independent kernels as one. Tensors that several members read are named once; products may share one scratch. */
function groupOf(members: readonly KernelDraft[], buffers: readonly Buffer[], sharedScratch: boolean): KernelDraft {
  const [first] = members;
  if (!first) throw new Error("expected a group to have members");
  if (members.length === 1) return first;
  const params: Param[] = [];
  const args: number[] = [];
  const place = placeOf(params, args);
  let scratchId: number | undefined;
  for (const { kernel, args: own } of members) {
    if (kernel.kind !== "dot" || !sharedScratch) continue;
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
  const scratch = scratchId === undefined ? undefined : args.indexOf(scratchId);
  const kernel = { kind: "group", params, members: list } as const;
  const spans = members.flatMap((member) => member.spans);
  return { kind: "kernel", kernel: scratch === undefined ? kernel : { ...kernel, scratch }, args, spans };
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
  const bytesOf = (ids: ReadonlySet<number>, among: ReadonlySet<number>): number =>
    [...ids].reduce((sum, id) => (among.has(id) ? sum + 4 * (buffers[id]?.size ?? 0) : sum), 0);
  const joins = ({ draft }: Item) =>
    draft.kind === "kernel" &&
    (draft.kernel.kind === "rows" || (draft.kernel.kind === "dot" && (limits.joins?.(draft.kernel) ?? true)));

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
    const first = ready.filter((item) => item.height === top);
    const read = new Set(first.flatMap((item) => [...item.reads]));
    const now = ready.filter((item) => item.height === top || growth(item) <= bytesOf(item.reads, read));
    let members: KernelDraft[] = [];
    let args = new Set<number>();
    for (const { draft } of now) {
      if (draft.kind !== "kernel") throw new Error(`expected a kernel, got ${draft.kind}`);
      const more = new Set([...args, ...draft.args]);
      if (members.length > 0 && (more.size > maxParams || !bindings.fits(more))) {
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
