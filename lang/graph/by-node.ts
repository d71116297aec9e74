/**
 * What a pass keeps for each node of an order: a list by the places of the nodes, where a map would hash every node. A node
 * tells its place in the order that was made last; of an order whose nodes have places in another since, a map tells it.
 */
import type { Node } from "./node.ts";

/** Gives every node of an order its place there. */
export function number(order: readonly Node[]): void {
  for (let i = 0; i < order.length; i++) order[i]!.place = i;
}

/** Whether an order has a node where that tells. */
const stands = (order: readonly Node[], node: Node): boolean => node.place !== undefined && order[node.place] === node;

export class ByNode<T> {
  private readonly order: readonly Node[];
  private readonly values: (T | undefined)[];
  private places: ReadonlyMap<Node, number> | undefined;
  /** Of nodes that are not of the order. */
  private others: Map<Node, T> | undefined;

  constructor(order: readonly Node[]) {
    this.order = order;
    this.values = new Array<T | undefined>(order.length);
    number(order);
  }

  get(node: Node): T | undefined {
    const place = this.placeOf(node);
    return place === undefined ? this.others?.get(node) : this.values[place];
  }

  set(node: Node, value: T): void {
    const place = this.placeOf(node);
    if (place === undefined) (this.others ??= new Map()).set(node, value);
    else this.values[place] = value;
  }

  delete(node: Node): void {
    const place = this.placeOf(node);
    if (place === undefined) this.others?.delete(node);
    else this.values[place] = undefined;
  }

  clear(): void {
    this.values.fill(undefined);
    this.others = undefined;
  }

  /** Where the order has a node. */
  placeOf(node: Node): number | undefined {
    if (stands(this.order, node)) return node.place;
    if (node.place === undefined) return undefined;
    this.places ??= new Map(this.order.map((own, place) => [own, place]));
    return this.places.get(node);
  }
}

/** By node: who reads it, each reader once, in their order. */
export function consumersIn(order: readonly Node[]): ByNode<Node[]> {
  const consumers = new ByNode<Node[]>(order);
  for (const node of order) {
    for (const input of node.inputs) {
      const known = consumers.get(input);
      if (!known) consumers.set(input, [node]);
      else if (known.at(-1) !== node) known.push(node);
    }
  }
  return consumers;
}
