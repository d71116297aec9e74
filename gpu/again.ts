/**
 * What lies between two products and is no smaller than what the first one reads (the scores of an attention) is computed
 * again where the backward pass reads it (part of rule `chain`): so every such tensor lives within one chain of kernels,
 * and of the first pass only the sums and maxima of its rows are kept.
 */
import { topological } from "../lang/graph/index.ts";
import { make, remake } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { dotIsRows, dotSizes, isReduction, sizeOf } from "./space.ts";

/** Of one product: what is made of it before the next one, and who reads that after the next one. */
interface Between {
  readonly first: Node;
  readonly region: ReadonlySet<Node>;
  readonly late: ReadonlySet<Node>;
}

const isProduct = (node: Node): boolean => node.op === "dot" && !dotIsRows(node);

/** For all products that are worth it in one walk. */
function betweenProducts(order: readonly Node[], room: number): readonly Between[] {
  const all: { readonly first: Node; readonly region: Set<Node>; readonly late: Set<Node> }[] = [];
  /** By node: of which products it lies in the region. */
  const within = new Map<Node, number[]>();
  /** By node: a bit for each product whose second product the node needs, or is. */
  const after = new Map<Node, bigint>();
  const enter = (node: Node, which: number) => {
    all[which]!.region.add(node);
    within.set(node, [...(within.get(node) ?? []), which]);
  };
  for (const node of order) {
    let needed = 0n;
    for (const input of node.inputs) needed |= after.get(input) ?? 0n;
    for (const which of new Set(node.inputs.flatMap((input) => within.get(input) ?? []))) {
      const bit = 1n << BigInt(which);
      if (needed & bit) all[which]!.late.add(node);
      else if (isProduct(node)) needed |= bit;
      else if (sizeOf(node.type.shape) === sizeOf(all[which]!.first.type.shape) && !isReduction(node))
        enter(node, which);
    }
    if (needed) after.set(node, needed);
    if (isProduct(node) && isWorthIt(node, room))
      enter(node, all.push({ first: node, region: new Set(), late: new Set() }) - 1);
  }
  return all.filter(({ late }) => late.size > 0);
}

/** Scores that are no smaller than what they are made of; `room` is how many elements of a batch may be computed again. */
function isWorthIt(product: Node, room: number): boolean {
  const { g, m, n, k } = dotSizes(product);
  return g >= 2 && m * n >= k * (m + n) && m * n <= room;
}

export interface Again {
  readonly outputs: readonly Node[];
  /** The copy of a product → the product. */
  readonly twins: ReadonlyMap<Node, Node>;
}

/** By node: the places of the sets that have it. */
function placesOf(sets: readonly ReadonlySet<Node>[]): ReadonlyMap<Node, readonly number[]> {
  const out = new Map<Node, number[]>();
  sets.forEach((set, which) => {
    for (const node of set) out.set(node, [...(out.get(node) ?? []), which]);
  });
  return out;
}

export function computedAgain(outputs: readonly Node[], room: number): Again {
  const order = topological(outputs);
  const kept = new Set(outputs);
  const found = betweenProducts(order, room).filter(({ region }) => ![...region].some((each) => kept.has(each)));
  if (found.length === 0) return { outputs, twins: new Map() };
  const mapped = new Map<Node, Node>();
  const to = (node: Node): Node => mapped.get(node)!;
  const copies = found.map(() => new Map<Node, Node>());
  const [copied, reading] = [placesOf(found.map(({ region }) => region)), placesOf(found.map(({ late }) => late))];
  for (const node of order) {
    let inputs = node.inputs.map(to);
    for (const which of copied.get(node) ?? []) {
      const copy = copies[which]!;
      const of = (input: Node): Node => copy.get(input) ?? to(input);
      copy.set(node, make(node.op, node.inputs.map(of), node.attrs, node.span));
    }
    for (const which of reading.get(node) ?? [])
      inputs = node.inputs.map((input, i) => copies[which]!.get(input) ?? inputs[i]!);
    mapped.set(node, remake(node, inputs));
  }
  const twins = new Map(found.map(({ first }, which) => [copies[which]!.get(first)!, to(first)]));
  return { outputs: outputs.map(to), twins };
}
