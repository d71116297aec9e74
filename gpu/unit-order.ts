/**
 * A topological order of units that stays one while units merge: what a unit reads stands before it. Two units may
 * become one unless some third has to run between them, and only those that stand between the two can be such: the
 * search is as wide as the merge, not as the graph. What the later one needs from there moves in front of the earlier.
 */
import type { Node } from "../lang/graph/node.ts";

export interface Ranked<T> {
  /** Rises along the order. */
  rank: number;
  /** While it is in the order. */
  links?: Links<T> | undefined;
}

export interface Links<T> {
  before: T | undefined;
  behind: T | undefined;
  readonly readers: Set<T>;
}

/** Between neighbours at first, so that others find room. */
const SPACE = 2 ** 20;

export class UnitOrder<T extends Ranked<T>> {
  private readonly readsOf: (unit: T) => Iterable<Node>;
  private readonly unitOf: Pick<ReadonlyMap<Node, T>, "get">;
  private first: T | undefined;
  private last: T | undefined;

  constructor(readsOf: (unit: T) => Iterable<Node>, unitOf: Pick<ReadonlyMap<Node, T>, "get">) {
    this.readsOf = readsOf;
    this.unitOf = unitOf;
  }

  /** A unit that reads only what is here. */
  append(unit: T): void {
    unit.rank = (this.last?.rank ?? 0) + SPACE;
    this.link(unit, this.last, undefined, new Set());
    for (const producer of this.producersOf(unit)) this.linksOf(producer).readers.add(unit);
  }

  /** A unit that nobody reads. */
  remove(unit: T): void {
    for (const producer of this.producersOf(unit)) this.linksOf(producer).readers.delete(unit);
    this.unlink(unit);
  }

  /** Who reads it. */
  readersOf(unit: T): ReadonlySet<T> {
    return this.linksOf(unit).readers;
  }

  private producersOf(unit: T): T[] {
    const out: T[] = [];
    for (const node of this.readsOf(unit)) {
      const from = this.unitOf.get(node);
      if (from !== undefined && from !== unit) out.push(from);
    }
    return out;
  }

  private unlink(unit: T): void {
    const { before, behind } = this.linksOf(unit);
    unit.links = undefined;
    if (before) this.linksOf(before).behind = behind;
    else this.first = behind;
    if (behind) this.linksOf(behind).before = before;
    else this.last = before;
  }

  /**
   * What the later of two units needs of what stands between them; undefined where some of that needs the earlier. Asked
   * from both ends in turn: one end may see all of the graph where the other sees a few units.
   */
  between(a: T, b: T): T[] | undefined {
    const [early, late] = a.rank < b.rank ? [a, b] : [b, a];
    const first = this.firstLook(late, early);
    if (first !== undefined) return first ? [] : undefined;
    const found: T[] = [];
    const before = new Set<T>([late]);
    const open: T[] = [late];
    const behind = new Set<T>([early]);
    const ahead: T[] = [early];
    while (open.length > 0) {
      const from = ahead.pop();
      const readers = from && this.linksOf(from).readers;
      if (from !== early && readers?.has(late)) return undefined;
      for (const reader of readers ?? []) {
        if (reader.rank >= late.rank || behind.has(reader)) continue;
        behind.add(reader);
        ahead.push(reader);
      }
      const to = open.pop()!;
      for (const producer of this.producersOf(to)) {
        if (producer.rank < early.rank || before.has(producer)) continue;
        if (producer !== early) {
          before.add(producer);
          found.push(producer);
          open.push(producer);
        } else if (to !== late) return undefined;
      }
    }
    return found;
  }

  /** True where the later one reads nothing that stands between, false where what it reads there reads the earlier one. */
  private firstLook(late: T, early: T): boolean | undefined {
    const { readers } = this.linksOf(early);
    let free: true | undefined = true;
    for (const node of this.readsOf(late)) {
      const from = this.unitOf.get(node);
      if (from === undefined || from === late || from === early || from.rank < early.rank) continue;
      if (readers.has(from)) return false;
      free = undefined;
    }
    return free;
  }

  /** `merged`, which may be one of the two, takes the place of the earlier; `between` is what stands there before it. */
  merge(a: T, b: T, merged: T, between: readonly T[]): void {
    const [early, late] = a.rank < b.rank ? [a, b] : [b, a];
    const readers = new Set<T>();
    for (const of of [a, b]) for (const reader of this.linksOf(of).readers) if (reader !== a && reader !== b) readers.add(reader); // prettier-ignore
    for (const unit of [a, b]) {
      for (const producer of this.producersOf(unit)) {
        const known = this.linksOf(producer).readers;
        known.delete(unit);
        if (producer !== a && producer !== b) known.add(merged);
      }
    }
    const moved = [...between]
      .sort((x, y) => x.rank - y.rank)
      .map((unit) => [unit, this.linksOf(unit).readers] as const);
    for (const [unit] of moved) this.unlink(unit);
    this.unlink(late);
    const { before, behind } = this.linksOf(early);
    const rank = early.rank;
    this.unlink(early);
    let last = before;
    for (const [unit, own] of [...moved, [merged, readers] as const]) {
      this.link(unit, last, behind, own);
      last = unit;
    }
    merged.rank = rank;
    if (moved.length === 0) return;
    const from = before?.rank ?? 0;
    const step = Math.floor((rank - from) / (moved.length + 1));
    if (step >= 1) moved.forEach(([unit], i) => (unit.rank = from + (i + 1) * step));
    else this.spread();
  }

  private spread(): void {
    let rank = 0;
    for (let unit = this.first; unit; unit = this.linksOf(unit).behind) unit.rank = rank += SPACE;
  }

  private link(unit: T, before: T | undefined, behind: T | undefined, readers: Set<T>): void {
    unit.links = { before, behind, readers };
    if (before) this.linksOf(before).behind = unit;
    else this.first = unit;
    if (behind) this.linksOf(behind).before = unit;
    else this.last = unit;
  }

  private linksOf(unit: T): Links<T> {
    const { links } = unit;
    if (!links) throw new Error("expected a unit of the order, got another");
    return links;
  }
}
