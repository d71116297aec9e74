/**
 * A kernel-to-be, as `merge` puts them together: a cluster of roots, or a node with a kernel of its own.
 */
import type { Node } from "../lang/graph/node.ts";
import { logicalExtents } from "./cluster.ts";
import type { Cluster, Member } from "./cluster.ts";
import { wholeOf } from "./parts.ts";
import { isReduction } from "./space.ts";
import type { Links, Ranked } from "./unit-order.ts";

const isMap = ({ node }: Member, axes: number): boolean => {
  if (isReduction(node)) return false;
  let own = 0;
  for (const n of logicalExtents(node)) if (n !== 1) own++;
  return own === axes;
};

/** Nodes whose memory a cluster writes. */
function writtenBy(cluster: Cluster): Set<Node> {
  const out = new Set<Node>();
  for (const { node } of cluster.members) out.add(wholeOf(node));
  return out;
}

const NONE: ReadonlySet<Node> = new Set();

export class Unit implements Ranked<Unit> {
  readonly cluster: Cluster | undefined;
  readonly node: Node | undefined;
  /** Maps that a product applies to its elements. */
  epilogue: Cluster | undefined = undefined;
  /** Nodes in memory that it reads. */
  readonly reads: Set<Node>;
  /** Nodes whose memory its cluster writes. */
  readonly writes: ReadonlySet<Node>;
  /** Members whose reads share kernels: those of a cluster whose axes are still the members' own. */
  readonly placed: readonly Node[];
  /** Whoever it reads was tried, and none of them may join it. */
  tried = false;
  rank = 0;
  links: Links<Unit> | undefined = undefined;
  private maps: boolean | undefined = undefined;

  constructor(of: Cluster | Node, reads: Set<Node>, placed: readonly Node[] = []) {
    this.cluster = "members" in of ? of : undefined;
    this.node = "members" in of ? undefined : of;
    this.reads = reads;
    this.writes = this.cluster ? writtenBy(this.cluster) : NONE;
    this.placed = placed;
  }

  /** Members of one index space that reduce nothing. */
  get isMaps(): boolean {
    const { cluster } = this;
    return (this.maps ??= cluster !== undefined && cluster.members.every((m) => isMap(m, cluster.grid.length)));
  }
}
