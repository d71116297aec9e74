/** The order of units under random merges against a search through the whole graph. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { UnitOrder } from "../../gpu/unit-order.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";

interface Unit {
  rank: number;
  reads: Set<Node>;
}

/** Whether `to` reads `from` through some third unit. */
function throughThird(from: Unit, to: Unit, unitOf: ReadonlyMap<Node, Unit>): boolean {
  const producers = (unit: Unit) => [...unit.reads].map((node) => unitOf.get(node)!).filter((u) => u !== unit);
  const open = producers(to).filter((u) => u !== from);
  const seen = new Set(open);
  for (let unit = open.pop(); unit; unit = open.pop()) {
    for (const next of producers(unit)) {
      if (next === from) return true;
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}

const pair = fc.tuple(fc.nat(), fc.nat());

it("tells which units may become one, and what a unit reads stands before it", () => {
  let merges = 0;
  let refusals = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 24 }),
      fc.array(pair, { maxLength: 40 }),
      (graph, pairs) => {
        const unitOf = new Map<Node, Unit>();
        const order = new UnitOrder<Unit>((unit) => unit.reads, unitOf);
        const nodes: Node[] = [];
        for (const inputs of graph) {
          const unit = { rank: 0, reads: new Set(nodes.length > 0 ? inputs.map((i) => nodes[i % nodes.length]!) : []) };
          order.append(unit);
          nodes.push(make("const", [], { value: 1, dtype: "f32" }));
          unitOf.set(nodes.at(-1)!, unit);
        }
        for (const [i, j] of pairs) {
          const [a, b] = [unitOf.get(nodes[i % nodes.length]!)!, unitOf.get(nodes[j % nodes.length]!)!];
          if (a === b) continue;
          const between = order.between(a, b);
          expect(between === undefined).toBe(throughThird(a, b, unitOf) || throughThird(b, a, unitOf));
          if (!between) {
            refusals++;
            continue;
          }
          merges++;
          const merged = {
            rank: 0,
            reads: new Set([...a.reads, ...b.reads].filter((n) => ![a, b].includes(unitOf.get(n)!))),
          };
          order.merge(a, b, merged, between);
          for (const node of nodes) if ([a, b].includes(unitOf.get(node)!)) unitOf.set(node, merged);
          const units = [...new Set(unitOf.values())];
          expect(new Set(units.map(({ rank }) => rank)).size).toBe(units.length);
          for (const unit of units)
            for (const node of unit.reads) expect(unitOf.get(node)!.rank).toBeLessThan(unit.rank);
        }
      },
    ),
    { seed: 5, numRuns: 400 },
  );
  expect(merges).toBeGreaterThan(500);
  expect(refusals).toBeGreaterThan(100);
});

it("finds room for many merges at one place", () => {
  const unitOf = new Map<Node, Unit>();
  const order = new UnitOrder<Unit>((unit) => unit.reads, unitOf);
  const add = (reads: Node[]) => {
    const unit = { rank: 0, reads: new Set(reads) };
    order.append(unit);
    const node = make("const", [], { value: 1, dtype: "f32" });
    unitOf.set(node, unit);
    return node;
  };
  const first = add([]);
  const chains = Array.from({ length: 60 }, () => add([add([])]));
  const together = [first];
  for (const late of chains) {
    together.push(late);
    const [a, b] = [unitOf.get(first)!, unitOf.get(late)!];
    const between = order.between(a, b)!;
    expect(between).toHaveLength(1);
    const merged = { rank: 0, reads: new Set([...a.reads, ...b.reads]) };
    order.merge(a, b, merged, between);
    for (const node of together) unitOf.set(node, merged);
    for (const node of chains)
      for (const read of unitOf.get(node)!.reads) expect(unitOf.get(read)!.rank).toBeLessThan(unitOf.get(node)!.rank);
  }
});
