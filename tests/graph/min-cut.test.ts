/** The cheapest cut, against all cuts of small random networks. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { MinCut } from "../../lang/graph/min-cut.ts";

const NODES = 6;
const edges = fc.array(fc.tuple(fc.nat(NODES - 1), fc.nat(NODES - 1), fc.nat(20)), { maxLength: 20 });

it("costs as little as the best of all cuts, and is the one nearest to the sink", () => {
  fc.assert(
    fc.property(edges, (list) => {
      const cut = new MinCut();
      for (let i = 2; i < NODES; i++) cut.node();
      for (const [from, to, capacity] of list) cut.edge(from, to, capacity);
      const cost = (side: ReadonlySet<number>) =>
        list.reduce((sum, [from, to, capacity]) => sum + (!side.has(from) && side.has(to) ? capacity : 0), 0);
      const sides = Array.from({ length: 2 ** (NODES - 2) }, (_, bits) => {
        const inside = Array.from({ length: NODES - 2 }, (_, i) => i + 2).filter((i) => (bits >> (i - 2)) & 1);
        return new Set([cut.sink, ...inside]);
      });
      const least = Math.min(...sides.map(cost));
      const side = cut.sinkSide();
      expect(side.has(cut.source)).toBe(false);
      expect(cost(side)).toBe(least);
      const fewest = sides.filter((other) => cost(other) === least).map((other) => other.size);
      expect(side.size).toBe(Math.min(...fewest));
    }),
    { seed: 3, numRuns: 300 },
  );
});
