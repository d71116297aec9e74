/**
 * What a pass keeps for each node of an order: a list by the places of the nodes, where a map would hash every node. A node
 * tells its place in the order that was made last; of an order whose nodes have places in another since, a map tells it.
 */
import type { Node } from "./node.ts";

/** Gives every node of an order its place there. */
export function number(order: readonly Node[]): void {
  for (let i = 0; i < order.length; i++) order[i]!.place = i;
}

/** Whether a node stands in an order where it tells. */
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
    if (stands(this.order, node)) return this.values[node.place!];
    const place = this.placeOf(node);
    return place === undefined ? this.others?.get(node) : this.values[place];
  }

  set(node: Node, value: T): void {
    const place = stands(this.order, node) ? node.place! : this.placeOf(node);
    if (place === undefined) (this.others ??= new Map()).set(node, value);
    else this.values[place] = value;
  }

  private placeOf(node: Node): number | undefined {
    if (node.place === undefined) return undefined;
    this.places ??= new Map(this.order.map((own, place) => [own, place]));
    return this.places.get(node);
  }
}
