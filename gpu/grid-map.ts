/**
 * How the grid of one cluster lies on that of another that reads it: a read at an axis as it is lays one on the other.
 */
import { isSame } from "../lang/graph/attrs.ts";
import type { ByNode } from "../lang/graph/index.ts";
import { logicalExtents } from "./cluster.ts";
import type { Built, Cluster, Member } from "./cluster.ts";
import type { Index } from "./index-expr.ts";
import { wholeOf } from "./parts.ts";
import { isReduction } from "./space.ts";

/** By grid axis of the producer: a grid axis of the consumer. */
export type GridMap = readonly number[];

/** How the producer's grid lies on the consumer's: -1 for an axis that is read along an inner axis; undefined when reads disagree. */
export function gridMap(
  producer: Cluster,
  consumer: Cluster,
  analysed: Pick<ByNode<Built>, "get">,
): GridMap | undefined {
  let found: number[] | undefined;
  for (const c of consumer.members) {
    const built = analysed.get(c.node);
    if (!built) throw new Error(`expected ${c.node.op} to be analysed`);
    for (const p of producer.members) {
      const whole = wholeOf(p.node);
      // the whole is there when all of its parts are
      if (whole !== p.node && built.reads.has(whole)) return undefined;
      const indices = built.reads.get(p.node);
      if (!indices) continue;
      for (const index of indices) {
        // a sum is known at its own place alone: not outside of an axis of size 1, where a pad may reach
        if (isReduction(p.node) && index.some((at, i) => p.node.type.shape[i] === 1 && at.key !== "0"))
          return undefined;
        const map = placesOn(c, built, p, index);
        if (!map || (found && !isSame(found, map))) return undefined;
        found = map;
      }
    }
  }
  return found;
}

/** The same for one read; undefined where it reads no axis of the consumer as it is, or one twice. */
function placesOn(c: Member, { logical }: Built, p: Member, index: readonly Index[]): number[] | undefined {
  const { shape } = c.node.type;
  const map: number[] = [];
  for (const axis of p.align) {
    const key = index[axis]?.key;
    const at = logical.findIndex((l) => l.terms.length > 0 && l.key === key);
    if (at < 0 || (shape[at] ?? logicalExtents(c.node)[at]) !== p.node.type.shape[axis]) return undefined;
    const on = c.align.indexOf(at);
    if (on >= 0 && map.includes(on)) return undefined;
    map.push(on);
  }
  return map;
}
