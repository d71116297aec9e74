/**
 * A cluster is a set of roots computed by one `rows` kernel: they share a parallel grid, and later members read
 * earlier reductions of the same grid point without going through memory. This file turns a cluster into its kernel.
 * Which roots belong together is decided in `merge`.
 */
import type { Node } from "../lang/graph/node.ts";
import { Emitter } from "./emit.ts";
import { addIndex, axisIndex, constantIndex, flatIndex, scaleIndex, shiftIndex, SplitAxis } from "./index-expr.ts";
import type { Index } from "./index-expr.ts";
import type { Acc, Param, RowsKernel, Stage, Store } from "./kernel.ts";
import { homeOf, wholeOf } from "./parts.ts";
import { elementOf, innerExtents, isReduction, sizeOf } from "./space.ts";
import { shownIndex } from "./views.ts";

export interface Member {
  readonly node: Node;
  /** By grid axis: the member's logical axis that runs along it. */
  readonly align: readonly number[];
}

export interface Cluster {
  /** Inputs first. */
  readonly members: readonly Member[];
  /** Extents; axes of size 1 are left out. */
  readonly grid: readonly number[];
}

/** What the kernel of a cluster is, and what it asked of its buffers. */
export interface Built {
  readonly kernel: RowsKernel;
  /** By parameter: the node whose buffer it is. */
  readonly params: readonly Node[];
  readonly reads: ReadonlyMap<Node, readonly (readonly Index[])[]>;
  /** Only meaningful for a cluster of one: the index of each logical axis. */
  readonly logical: readonly Index[];
}

export const logicalExtents = (node: Node): readonly number[] => [...node.type.shape, ...innerExtents(node)];

/** A root alone: its grid is all axes of its result. */
export function single(node: Node): Cluster {
  const align = node.type.shape.map((_, i) => i).filter((i) => node.type.shape[i] !== 1);
  return { members: [{ node, align }], grid: align.map((i) => node.type.shape[i] ?? 1) };
}

/** Physical axes; a logical axis is one or (after splits) several of them. */
class Axes {
  readonly extents: number[] = [];
  readonly owner: (readonly [key: string, place: number])[] = [];
  private readonly splits: ReadonlyMap<string, readonly number[]>;

  constructor(splits: ReadonlyMap<string, readonly number[]>) {
    this.splits = splits;
  }

  define(key: string, extent: number): Index {
    let index = constantIndex(0);
    (this.splits.get(key) ?? [extent]).forEach((n, place) => {
      const axis = this.extents.push(n) - 1;
      this.owner.push([key, place]);
      index = addIndex(scaleIndex(index, n), axisIndex(axis, n));
    });
    return index;
  }
}

interface StagePlan {
  readonly level: number;
  readonly inner: readonly number[];
  readonly members: Member[];
  /** Reductions whose result is stored here. */
  readonly finished: Member[];
}

const innerOf = (m: Member): readonly number[] => {
  const all = logicalExtents(m.node);
  return all.map((_, i) => i).filter((i) => !m.align.includes(i) && all[i] !== 1);
};

function planStages(cluster: Cluster, stored: (node: Node) => boolean, inMemory: (node: Node) => boolean): StagePlan[] {
  const byNode = new Map(cluster.members.map((m) => [m.node, m]));
  const levels = new Map<Node, number>();
  const levelFor = (node: Node): number => {
    let level = 0;
    const seen = new Set<Node>();
    const visit = (n: Node): void => {
      for (const input of n.inputs) {
        if (seen.has(input)) continue;
        seen.add(input);
        if (byNode.has(input)) {
          if (isReduction(input)) level = Math.max(level, (levels.get(input) ?? 0) + 1);
          else visit(input);
        } else if (!inMemory(input)) visit(input);
      }
    };
    visit(node);
    return level;
  };
  const plans: StagePlan[] = [];
  const planAt = (level: number, inner: readonly number[]): StagePlan => {
    let plan = plans.find((p) => p.level === level && p.inner.join() === inner.join());
    if (!plan) plans.push((plan = { level, inner, members: [], finished: [] }));
    return plan;
  };
  for (const m of cluster.members) {
    const level = levelFor(m.node);
    levels.set(m.node, level);
    const all = logicalExtents(m.node);
    planAt(
      level,
      innerOf(m).map((i) => all[i] ?? 1),
    ).members.push(m);
  }
  for (const m of cluster.members) {
    if (isReduction(m.node) && stored(wholeOf(m.node))) planAt((levels.get(m.node) ?? 0) + 1, []).finished.push(m);
  }
  return plans.sort((a, b) => a.level - b.level);
}

/** The kernel of a cluster. `stored` members are written to memory; `inMemory` nodes are loaded. */
export function buildCluster(
  cluster: Cluster,
  stored: (node: Node) => boolean,
  inMemory: (node: Node) => boolean,
): Built {
  const splits = new Map<string, number[]>();
  const plans = planStages(cluster, stored, inMemory);
  for (;;) {
    const axes = new Axes(splits);
    try {
      return attempt(cluster, plans, axes, stored, inMemory);
    } catch (error) {
      if (!(error instanceof SplitAxis)) throw error;
      const [key, place] = axes.owner[error.axis] ?? ["", 0];
      const extents = splits.get(key) ?? [axes.extents[error.axis] ?? 1];
      const whole = extents[place] ?? 1;
      splits.set(key, [...extents.slice(0, place), whole / error.inner, error.inner, ...extents.slice(place + 1)]);
    }
  }
}

function attempt(
  cluster: Cluster,
  plans: readonly StagePlan[],
  axes: Axes,
  stored: (node: Node) => boolean,
  inMemory: (node: Node) => boolean,
): Built {
  const params: Node[] = [];
  const written = new Set<Node>();
  const paramOf = (node: Node): number => {
    const at = params.indexOf(node);
    return at >= 0 ? at : params.push(node) - 1;
  };
  const reads = new Map<Node, (readonly Index[])[]>();
  const members = new Set(cluster.members.map((m) => m.node));
  const accOf = new Map<Node, { readonly value: number; readonly key: string }>();
  const keyOf = (index: readonly Index[]) => index.map((i) => i.key).join();
  const emitter = new Emitter({
    param(node) {
      return members.has(node) || !inMemory(node) ? undefined : paramOf(node);
    },
    reduction(node, index) {
      if (!members.has(node)) {
        if (inMemory(node)) {
          const list = reads.get(node);
          if (list) list.push(index);
          else reads.set(node, [index]);
        }
        return undefined;
      }
      if (!isReduction(node)) return undefined;
      const acc = accOf.get(node);
      // what is read outside of an axis of size 1 is thrown away
      const key = keyOf(index.map((at, i) => (node.type.shape[i] === 1 ? constantIndex(0) : at)));
      if (!acc || acc.key !== key) {
        throw new Error(`expected reduction ${node.op} at the grid point, got [${key}] for [${acc?.key}]`);
      }
      return acc.value;
    },
  });

  const grid = cluster.grid.map((n, i) => axes.define(`g${i}`, n));
  const gridCount = axes.extents.length;
  const logicalOf = (m: Member, inner: readonly Index[]): Index[] => {
    const all = logicalExtents(m.node);
    const out: Index[] = all.map(() => constantIndex(0));
    m.align.forEach((axis, g) => (out[axis] = grid[g] ?? constantIndex(0)));
    innerOf(m).forEach((axis, i) => (out[axis] = inner[i] ?? constantIndex(0)));
    return out;
  };
  const store = (node: Node, index: readonly Index[], value: number): Store => {
    const home = homeOf(node);
    const whole = wholeOf(node);
    written.add(whole);
    const piece = home ? home.views.reduce((at, view) => shownIndex(view, at), index) : index;
    const at = home ? piece.map((ix, i) => (i === home.axis ? shiftIndex(ix, home.start) : ix)) : index;
    return { access: emitter.access(paramOf(whole), flatIndex(at, whole.type.shape)), value };
  };

  let logical: Index[] = [];
  const stages = plans.map((plan, at): Stage => {
    const first = axes.extents.length;
    const inner = plan.inner.map((n, i) => axes.define(`s${at}.${i}`, n));
    const accs: Acc[] = [];
    const stores: Store[] = [];
    for (const m of plan.finished) {
      const acc = accOf.get(m.node);
      if (!acc) throw new Error(`expected ${m.node.op} to be reduced before it is stored`);
      stores.push(store(m.node, logicalOf(m, []).slice(0, m.node.type.shape.length), acc.value));
    }
    for (const m of plan.members) {
      logical = logicalOf(m, inner);
      const rank = m.node.type.shape.length;
      const index = logical.slice(0, rank);
      const element = elementOf(emitter, m.node, index, logical.slice(rank));
      if (typeof element === "number") {
        if (stored(wholeOf(m.node))) stores.push(store(m.node, index, element));
        continue;
      }
      let acc = accs.findIndex((a) => a.op === element.op && a.value === element.value && a.at === element.at);
      if (acc < 0) acc = accs.push(element) - 1;
      const value = emitter.values.add({ op: "acc", dtype: m.node.type.dtype, stage: at, acc, args: [] });
      accOf.set(m.node, { value, key: keyOf(index) });
    }
    const own = axes.extents.map((_, i) => i).slice(first);
    return { axes: own, accs, stores };
  });

  const kernel: RowsKernel = {
    kind: "rows",
    params: params.map((node): Param => ({
      dtype: node.type.dtype,
      size: sizeOf(node.type.shape),
      access: written.has(node) ? "write" : "read",
    })),
    axes: axes.extents,
    grid: gridCount,
    values: emitter.values.list,
    stages,
  };
  return { kernel, params, reads, logical };
}
