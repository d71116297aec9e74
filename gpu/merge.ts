/**
 * Which roots share a kernel. Units (clusters, or single nodes that are kernels of their own) form a DAG; two clusters
 * become one when their grids align and no third unit lies between them. Structure alone decides, never names.
 *
 *   rows      a reduction and its readers on the same rows (softmax, norms, losses, epilogues)
 *   prologue  a stored map and a reduction that reads it along the same rows
 *   maps      maps of one index space where one reads the other at the same place
 *   siblings  clusters of one index space that read the same elements
 *   epilogue  maps that read a tiled product at their own place
 */
import { ByNode } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { NodeBindings } from "./bindings.ts";
import type { BindingLimits } from "./bindings.ts";
import type { Twins } from "./again.ts";
import type { Alike } from "./alike.ts";
import { logicalExtents, single } from "./cluster.ts";
import type { Built, Cluster, Member } from "./cluster.ts";
import { gridMap } from "./grid-map.ts";
import type { GridMap } from "./grid-map.ts";
import { wholeOf } from "./parts.ts";
import { isReduction, sizeOf } from "./space.ts";
import { UnitOrder } from "./unit-order.ts";
import { Unit } from "./unit.ts";

export const mergeRules = ["rows", "prologue", "maps", "siblings", "epilogue"] as const;
export type MergeRule = (typeof mergeRules)[number];

export interface MergeLimits extends BindingLimits {
  readonly disable: ReadonlySet<string>;
  /** Tensors one fused kernel may name: its addresses are kept in registers. */
  readonly maxParams: number;
  /** A shared grid below this would leave lanes idle unless the work is small anyway. */
  readonly minGrid: number;
}

/** Whether the grid lies on a member as on the member alone. */
function isOwn({ node, align }: Member): boolean {
  let axes = 0;
  return node.type.shape.every((n, axis) => n === 1 || align[axes++] === axis) && axes === align.length;
}

export class Merger {
  readonly units = new Set<Unit>();
  readonly unitOf: ByNode<Unit>;
  /** Of each root alone. */
  private readonly built: ByNode<Built>;
  private readonly limits: MergeLimits;
  /** What is computed more than once. */
  private readonly twins: Twins;
  private readonly alike: Alike;
  private readonly inMemory: (node: Node) => boolean;
  /** Of a concatenation that is stored by several units. */
  private readonly pieces = new Map<Node, readonly Node[]>();

  private readonly bindings: NodeBindings;
  private readonly order: UnitOrder<Unit>;

  constructor(
    limits: MergeLimits,
    nodes: readonly Node[],
    inMemory: (node: Node) => boolean,
    alike: Alike,
    built: ByNode<Built>,
    twins: Twins,
  ) {
    this.alike = alike;
    this.built = built;
    this.twins = twins;
    this.limits = limits;
    this.inMemory = inMemory;
    this.unitOf = new ByNode(nodes);
    this.bindings = new NodeBindings(nodes.filter(inMemory), limits);
    this.order = new UnitOrder((unit) => unit.reads, this.unitOf);
  }

  private fits(reads: ReadonlySet<Node>, writes: ReadonlySet<Node>, product: boolean): boolean {
    if (reads.size + writes.size + (product ? 4 : 0) > this.limits.maxParams) return false;
    return !this.mixesTwins(reads) && this.bindings.fits(reads, writes, product);
  }

  /** What reads scores must not wait for their copies. */
  private mixesTwins(reads: ReadonlySet<Node>): boolean {
    if (this.twins.size === 0) return false;
    const copies = new Map<number, number>();
    for (const node of reads) {
      for (const [scores, copy] of this.twins.get(node) ?? []) {
        if ((copies.get(scores) ?? copy) !== copy) return true;
        copies.set(scores, copy);
      }
    }
    return false;
  }

  /** Whether one kernel may name what the earlier of two clusters reads, and what the other does, and all that they write. */
  private mayFit(a: Unit, b: Unit): boolean {
    const members = (a.cluster?.members.length ?? 0) + (b.cluster?.members.length ?? 0);
    if (members > this.limits.maxParams) return false;
    let names = a.reads.size + a.writes.size;
    for (const node of b.writes) if (!a.writes.has(node)) names++;
    for (const node of b.reads) if (!a.reads.has(node) && this.unitOf.get(node) !== a) names++;
    return names <= this.limits.maxParams;
  }

  addRoot(node: Node): void {
    const cluster = single(node);
    const built = this.built.get(node) ?? this.alike.build(cluster, () => true, this.inMemory);
    this.built.set(node, built);
    const unit = new Unit(cluster, this.withPieces(built.reads.keys()), [node]);
    this.order.append(unit);
    this.units.add(unit);
    this.unitOf.set(node, unit);
  }

  /** One unit for all parts of a concatenation: they have one shape. */
  addParts(whole: Node, parts: readonly Node[]): void {
    for (const part of parts) this.addRoot(part);
    const units = parts.map((part) => this.unitOf.get(part)!);
    const members = units.flatMap((unit) => unit.cluster!.members);
    const reads = new Set(units.flatMap((u) => [...u.reads]));
    const unit = new Unit({ members, grid: units[0]!.cluster!.grid }, reads, parts);
    this.order.append(unit);
    for (const old of units) {
      this.order.remove(old);
      this.units.delete(old);
    }
    this.units.add(unit);
    for (const node of [whole, ...parts]) this.unitOf.set(node, unit);
  }

  /** A unit for each part of a concatenation; who reads the whole comes after all of them. */
  addPieces(whole: Node, parts: readonly Node[]): void {
    for (const part of parts) {
      this.addRoot(part);
      this.unitOf.set(whole, this.unitOf.get(part)!);
    }
    this.pieces.set(whole, parts);
  }

  private withPieces(reads: Iterable<Node>): Set<Node> {
    const all = new Set<Node>();
    for (const node of reads) {
      all.add(node);
      for (const piece of this.pieces.get(node) ?? []) all.add(piece);
    }
    return all;
  }

  addOpaque(node: Node, reads: readonly Node[]): void {
    const unit = new Unit(node, this.withPieces(reads));
    this.order.append(unit);
    this.units.add(unit);
    this.unitOf.set(node, unit);
  }

  run(): void {
    const on = (rule: MergeRule) => !this.limits.disable.has(rule);
    // a pair that does not fit never will: a merge makes a new unit, and no merge of others opens a way
    const refused = new Map<Unit, Set<Unit>>();
    const refuse = (producer: Unit, consumer: Unit) => {
      const list = refused.get(consumer);
      if (list) list.add(producer);
      else refused.set(consumer, new Set([producer]));
    };
    for (let again = true; again;) {
      again = false;
      for (const consumer of [...this.units]) {
        if (consumer.tried || !consumer.cluster || consumer.reads.size > this.limits.maxParams) continue;
        if (!this.units.has(consumer)) continue;
        consumer.tried = true;
        const producers = this.producersOf(consumer);
        let between: ReadonlySet<Unit> | undefined;
        for (const producer of producers) {
          if (!producer.cluster || !this.units.has(producer) || refused.get(consumer)?.has(producer)) continue;
          if (!this.units.has(consumer)) break;
          const apart = this.mayFit(producer, consumer) && !(between ??= this.readBy(producers)).has(producer);
          const merged = apart && this.vertical(producer, consumer, on);
          const epilogue = () => on("epilogue") && !consumer.isMaps && this.isEpilogue(producer);
          if (merged && !epilogue() && this.apply(producer, consumer, merged)) again = true;
          else refuse(producer, consumer);
        }
      }
    }
    if (on("siblings")) this.siblings();
    if (on("epilogue")) this.epilogues();
  }

  private epilogues(): void {
    const readers = new Map<Node, Unit[]>();
    for (const unit of this.units) {
      // beside what it reads there are the product, its scratch and offsets
      if (!unit.cluster || unit.reads.size + 5 > this.limits.maxParams || !unit.isMaps) continue;
      for (const node of unit.reads) {
        if (node.op !== "dot") continue;
        const list = readers.get(node);
        if (list) list.push(unit);
        else readers.set(node, [unit]);
      }
    }
    for (const product of [...this.units]) {
      const { node } = product;
      if (node?.op !== "dot") continue;
      const own = single(node);
      for (const reader of readers.get(node) ?? []) {
        if (!reader.cluster || !this.units.has(reader)) continue;
        const map = this.mapAfter(node, reader);
        const between = map && this.order.between(product, reader);
        if (!between) continue;
        this.order.merge(product, reader, product, between);
        const members = reader.cluster.members.map((m) => ({ node: m.node, align: map.map((p) => m.align[p] ?? 0) }));
        product.epilogue = { members, grid: own.grid };
        for (const read of reader.reads) if (read !== node) product.reads.add(read);
        for (const m of members) for (const of of [m.node, wholeOf(m.node)]) this.unitOf.set(of, product);
        this.units.delete(reader);
        break;
      }
    }
  }

  /** How a product lies on maps that may be its epilogue. */
  private mapAfter(product: Node, { cluster, reads, writes }: Unit): GridMap | undefined {
    const map = cluster && gridMap(single(product), cluster, this.built);
    if (!map || map.length !== cluster.grid.length || map.some((p) => p < 0)) return undefined;
    const all = new Set([...this.unitOf.get(product)!.reads, ...reads].filter((n) => n !== product));
    return this.fits(all, new Set([product, ...writes]), true) ? map : undefined;
  }

  /** Maps of a product that none but they read: it is not stored where they are its epilogue. */
  private isEpilogue(unit: Unit): boolean {
    if (!unit.isMaps) return false;
    for (const node of unit.reads) {
      const product = this.unitOf.get(node);
      if (node.op !== "dot" || product?.node !== node || product.epilogue) continue;
      if (this.order.readersOf(product).size === 1 && this.mapAfter(node, unit)) return true;
    }
    return false;
  }

  private producersOf(unit: Unit): Set<Unit> {
    const out = new Set<Unit>();
    for (const node of unit.reads) {
      const from = this.unitOf.get(node);
      if (from && from !== unit) out.add(from);
    }
    return out;
  }

  /** What others of these units read: between it and a reader of all there is a third unit. */
  private readBy(units: ReadonlySet<Unit>): Set<Unit> {
    const out = new Set<Unit>();
    if (units.size < 2) return out;
    for (const unit of units) {
      for (const node of unit.reads) {
        const from = this.unitOf.get(node);
        if (from && from !== unit && units.has(from)) out.add(from);
      }
    }
    return out;
  }

  private vertical(from: Unit, to: Unit, on: (rule: MergeRule) => boolean): Cluster | undefined {
    const [producer, consumer] = [from.cluster!, to.cluster!];
    const map = gridMap(producer, consumer, this.built);
    if (!map) return undefined;
    const n = consumer.grid.length;
    const producerMaps = from.isMaps;
    const consumerMaps = to.isMaps;
    if (producerMaps && consumerMaps) {
      return on("maps") && map.length === n && map.every((p) => p >= 0)
        ? this.join(producer, consumer, map)
        : undefined;
    }
    // the producer's grid is kept: all of it must lie on the consumer's
    if (!producerMaps && map.every((p) => p >= 0) && (consumerMaps || map.length === n)) {
      return on("rows") ? this.join(producer, consumer, map) : undefined;
    }
    if (producerMaps && !consumerMaps) {
      // the consumer's grid is kept: the producer's other axes become inner ones
      const inverse = consumer.grid.map((_, g) => map.indexOf(g));
      if (!on("prologue") || inverse.some((p) => p < 0) || inverse.some((p, i) => p !== i)) return undefined;
      const members = producer.members.map((m) => ({ node: m.node, align: inverse.map((p) => m.align[p] ?? 0) }));
      return { members: [...members, ...consumer.members], grid: consumer.grid };
    }
    return undefined;
  }

  private join(producer: Cluster, consumer: Cluster, map: GridMap): Cluster | undefined {
    if (map.length < consumer.grid.length && sizeOf(producer.grid) < this.limits.minGrid) {
      const inside = [...consumer.members, ...producer.members.filter((m) => !isReduction(m.node))];
      if (inside.reduce((n, m) => n + sizeOf(logicalExtents(m.node)), 0) > 1024) return undefined;
    }
    const members = consumer.members.map((m): Member => ({ node: m.node, align: map.map((p) => m.align[p] ?? 0) }));
    return { members: [...producer.members, ...members], grid: producer.grid };
  }

  private apply(a: Unit, b: Unit, cluster: Cluster): boolean {
    const between = this.order.between(a, b);
    if (!between) return false;
    const reads = new Set(a.reads);
    for (const read of b.reads) reads.add(read);
    for (const { node } of cluster.members) reads.delete(node);
    const unit = new Unit(cluster, reads, cluster.members.every(isOwn) ? [...a.placed, ...b.placed] : []);
    if (!this.fits(reads, unit.writes, false)) return false;
    this.order.merge(a, b, unit, between);
    for (const reader of this.order.readersOf(unit)) reader.tried = false;
    this.units.delete(a);
    this.units.delete(b);
    this.units.add(unit);
    for (const { node } of cluster.members) this.unitOf.set(node, unit);
    for (const node of unit.writes) this.unitOf.set(node, unit);
    return true;
  }

  /** `node @ index` of what the members of a unit read, and others of its group. */
  private placesOf({ placed }: Unit, readers: ReadonlyMap<Node, number>): Set<string> {
    const places = new Set<string>();
    for (const member of placed) {
      for (const [read, indices] of this.built.get(member)!.reads) {
        // a number that both read is no reason to share a kernel
        if ((readers.get(read) ?? 0) < 2 || sizeOf(read.type.shape) === 1) continue;
        for (const index of indices) places.add(`${read.id}@${index.map((i) => i.key).join()}`);
      }
    }
    return places;
  }

  private siblings(): void {
    const groups = new Map<string, Unit[]>();
    for (const unit of this.units) {
      if (!unit.cluster || unit.placed.length === 0 || unit.reads.size > this.limits.maxParams) continue;
      const first = unit.cluster.members[0];
      const key = `${unit.cluster.grid.join()}|${first ? logicalExtents(first.node).join() : ""}`;
      const group = groups.get(key);
      if (group) group.push(unit);
      else groups.set(key, [unit]);
    }
    for (const group of groups.values()) if (group.length > 1) this.siblingsOf(group);
  }

  /** Units of one index space: those that share a place are tried, in their order. */
  private siblingsOf(group: readonly Unit[]): void {
    const now: (Unit | undefined)[] = [...group];
    const counts = new Map<Node, number>();
    for (const { reads } of group) for (const node of reads) counts.set(node, (counts.get(node) ?? 0) + 1);
    const places = group.map((unit) => this.placesOf(unit, counts));
    const readers = new Map<string, number[]>();
    places.forEach((own, i) => {
      for (const place of own) {
        const list = readers.get(place);
        if (list) list.push(i);
        else readers.set(place, [i]);
      }
    });
    for (let i = 0; i < now.length; i++) {
      if (!now[i]) continue;
      const queued = new Set<number>();
      let queue: number[] = [];
      const addReaders = (own: ReadonlySet<string>): void => {
        const more: number[] = [];
        for (const place of own) {
          for (const j of readers.get(place) ?? []) {
            if (j <= i || queued.has(j)) continue;
            queued.add(j);
            more.push(j);
          }
        }
        // the first one last
        if (more.length > 0) queue = [...queue, ...more].sort((x, y) => y - x);
      };
      addReaders(places[i]!);
      while (queue.length > 0) {
        const j = queue.pop()!;
        const [a, b] = [now[i], now[j]];
        if (!a?.cluster || !b?.cluster || !this.mayFit(a, b) || this.directlyLinked(a, b)) continue;
        const cluster = { members: [...a.cluster.members, ...b.cluster.members], grid: a.cluster.grid };
        if (!this.apply(a, b, cluster)) continue;
        const merged = this.unitOf.get(cluster.members[0]?.node as Node)!;
        now[i] = merged;
        now[j] = undefined;
        if (merged.placed.length === 0) break;
        addReaders(places[j]!);
      }
    }
  }

  private directlyLinked(a: Unit, b: Unit): boolean {
    return this.isRead(a, b) || this.isRead(b, a);
  }

  private isRead(a: Unit, b: Unit): boolean {
    for (const node of b.reads) if (this.unitOf.get(node) === a) return true;
    return false;
  }

  /** Units so that each comes after those it reads. */
  ordered(): Unit[] {
    const out: Unit[] = [];
    const state = new Map<Unit, "open" | "done">();
    for (const root of this.units) {
      const stack: Unit[] = [root];
      while (stack.length > 0) {
        const unit = stack[stack.length - 1] as Unit;
        if (state.get(unit) === "done") {
          stack.pop();
          continue;
        }
        const waiting = [...this.producersOf(unit)].filter((u) => state.get(u) !== "done");
        if (waiting.length === 0) {
          state.set(unit, "done");
          out.push(unit);
          stack.pop();
        } else {
          if (state.get(unit) === "open") throw new Error("expected units without a cycle");
          state.set(unit, "open");
          stack.push(...waiting);
        }
      }
    }
    return out;
  }
}
