/**
 * Clusters that are alike have one kernel: the same ops with the same attributes on the same shapes, from the members down
 * to memory, wherever in the graph they stand. A cluster is described by numbers, nodes by the order in which they are
 * met; what was built for a description is told again for other nodes. So equal layers cost little more than one.
 */
import { attrsText, typeText } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { buildCluster } from "./cluster.ts";
import type { Built, Cluster } from "./cluster.ts";
import { homeOf } from "./parts.ts";

/** `Built`, with the places of nodes in the description instead of the nodes. */
interface Plain extends Pick<Built, "kernel" | "logical"> {
  readonly params: readonly number[];
  readonly reads: readonly (readonly [place: number, indices: NonNullable<ReturnType<Built["reads"]["get"]>>])[];
}

export class Alike {
  private readonly built = new Map<string, Plain>();
  /** Numbers below 0, which places never are. */
  private readonly labels = new Map<string, number>();
  private readonly labelOf = new Map<Node, number>();

  build(cluster: Cluster, stored: (node: Node) => boolean, inMemory: (node: Node) => boolean): Built {
    const places = new Map<Node, number>();
    const key = this.describe(cluster, stored, inMemory, places);
    let plain = this.built.get(key);
    if (!plain) {
      const { kernel, logical, params, reads } = buildCluster(cluster, stored, inMemory);
      const placeOf = (node: Node): number => {
        const place = places.get(node);
        if (place === undefined) throw new Error(`expected a description of ${node.op}, which the kernel names`);
        return place;
      };
      plain = { kernel, logical, params: params.map(placeOf), reads: [...reads].map(([n, at]) => [placeOf(n), at]) };
      this.built.set(key, plain);
    }
    const nodes = [...places.keys()];
    const { kernel, logical } = plain;
    const params = plain.params.map((place) => nodes[place]!);
    return { kernel, logical, params, reads: new Map(plain.reads.map(([place, at]) => [nodes[place]!, at])) };
  }

  private describe(
    { grid, members }: Cluster,
    stored: (node: Node) => boolean,
    inMemory: (node: Node) => boolean,
    places: Map<Node, number>,
  ): string {
    const own = new Set(members.map(({ node }) => node));
    const words: number[] = [grid.length, ...grid, members.length];
    const visit = (node: Node): void => {
      const known = places.get(node);
      if (known !== undefined) return void words.push(known);
      places.set(node, places.size);
      if (!own.has(node) && inMemory(node)) return void words.push(this.label(typeText(node.type)));
      words.push(this.whole(node));
      node.inputs.forEach(visit);
    };
    for (const { node, align } of members) {
      const home = homeOf(node);
      words.push(...align, stored(home?.whole ?? node) ? 1 : 0);
      visit(node);
      if (!home) continue;
      words.push(home.axis, home.start, this.label(typeText(home.whole.type)));
      if (!places.has(home.whole)) places.set(home.whole, places.size);
      words.push(places.get(home.whole)!);
    }
    return words.join();
  }

  /** Of what a node does, whatever it reads. */
  private whole(node: Node): number {
    let label = this.labelOf.get(node);
    if (label === undefined) {
      label = this.label(`${node.op} ${node.inputs.length} ${attrsText(node.attrs)} ${typeText(node.type)}`);
      this.labelOf.set(node, label);
    }
    return label;
  }

  private label(text: string): number {
    const known = this.labels.get(text);
    if (known !== undefined) return known;
    const label = -1 - this.labels.size;
    this.labels.set(text, label);
    return label;
  }
}
