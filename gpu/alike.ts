/**
 * Clusters that are alike have one kernel: the same ops with the same attributes on the same shapes, from the members down
 * to memory, wherever in the graph they stand. A cluster is described by numbers, nodes by the order in which they are
 * met; what was built for a description is told again for other nodes. So equal layers cost little more than one.
 */
import { isSame } from "../lang/graph/attrs.ts";
import { attrsText } from "../lang/graph/index.ts";
import type { Node, Type } from "../lang/graph/node.ts";
import { buildCluster } from "./cluster.ts";
import type { Built, Cluster } from "./cluster.ts";
import { homeOf } from "./parts.ts";

/** `Built`, with the places of nodes in the description instead of the nodes. */
interface Plain extends Pick<Built, "kernel" | "logical"> {
  readonly description: readonly number[];
  readonly params: readonly number[];
  readonly reads: readonly (readonly [place: number, indices: NonNullable<ReturnType<Built["reads"]["get"]>>])[];
}

/** Stands before the type of what is read; labels of what is computed are below it, places above. */
const READ = -1;

/** Of more nodes a map tells the places. */
const FEW = 24;

function hashOf(words: readonly number[]): number {
  let hash = words.length;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  return hash & 0x3fffffff;
}

/** Nodes in the order in which they are met: few are looked for one by one. */
class Met {
  readonly nodes: Node[] = [];
  private places: Map<Node, number> | undefined;

  find(node: Node): number {
    return this.places ? (this.places.get(node) ?? -1) : this.nodes.indexOf(node);
  }

  add(node: Node): void {
    const place = this.nodes.push(node) - 1;
    if (place === FEW) this.places = new Map(this.nodes.map((each, i) => [each, i]));
    else this.places?.set(node, place);
  }
}

export class Alike {
  /** By the hash of their descriptions. */
  private readonly built = new Map<number, Plain[]>();
  /** By op and text of attrs. */
  private readonly labels = new Map<string, Map<string, number>>();
  private labelled = 0;

  build(cluster: Cluster, stored: (node: Node) => boolean, inMemory: (node: Node) => boolean): Built {
    const places = new Met();
    const description = this.describe(cluster, stored, inMemory, places);
    const hash = hashOf(description);
    const known = this.built.get(hash) ?? [];
    let plain = known.find((other) => isSame(other.description, description));
    if (!plain) {
      const { kernel, logical, params, reads } = buildCluster(cluster, stored, inMemory);
      const placeOf = (node: Node): number => {
        const place = places.find(node);
        if (place < 0) throw new Error(`expected a description of ${node.op}, which the kernel names`);
        return place;
      };
      const plainReads = [...reads].map(([n, at]) => [placeOf(n), at] as const);
      plain = { description, kernel, logical, params: params.map(placeOf), reads: plainReads };
      this.built.set(hash, [...known, plain]);
    }
    const { nodes } = places;
    const { kernel, logical } = plain;
    const params = plain.params.map((place) => nodes[place]!);
    return { kernel, logical, params, reads: new Map(plain.reads.map(([place, at]) => [nodes[place]!, at])) };
  }

  private describe(
    { grid, members }: Cluster,
    stored: (node: Node) => boolean,
    inMemory: (node: Node) => boolean,
    places: Met,
  ): number[] {
    const own = new Set(members.map(({ node }) => node));
    const words: number[] = [grid.length, ...grid, members.length];
    const visit = (node: Node): void => {
      const known = places.find(node);
      if (known >= 0) return void words.push(known);
      places.add(node);
      const read = inMemory(node) && !own.has(node);
      words.push(read ? READ : this.label(node.op, attrsText(node.attrs)));
      this.describeType(node.type, words);
      if (read) return;
      const { inputs } = node;
      words.push(inputs.length);
      for (let i = 0; i < inputs.length; i++) visit(inputs[i]!);
    };
    for (const { node, align } of members) {
      const home = homeOf(node);
      words.push(...align, stored(home?.whole ?? node) ? 1 : 0);
      visit(node);
      if (!home) continue;
      words.push(home.axis, home.start);
      this.describeType(home.whole.type, words);
      if (places.find(home.whole) < 0) places.add(home.whole);
      words.push(places.find(home.whole));
    }
    return words;
  }

  private describeType({ dtype, shape }: Type, words: number[]): void {
    words.push(this.label(dtype, ""), shape.length);
    for (let i = 0; i < shape.length; i++) words.push(shape[i]!);
  }

  private label(op: string, attrs: string): number {
    let labels = this.labels.get(op);
    if (!labels) this.labels.set(op, (labels = new Map()));
    let label = labels.get(attrs);
    if (label === undefined) labels.set(attrs, (label = READ - ++this.labelled));
    return label;
  }
}
