/**
 * What lies between two products and is no smaller than what the first one reads (the scores of an attention) is computed
 * again where the backward pass reads it (part of rule `chain`): so every such tensor lives within one chain of kernels,
 * and of the first pass only the sums and maxima of its rows are kept.
 */
import { after, ByNode, make, remake, topological } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { drawnAnew } from "./drawn.ts";
import { fitOf } from "./fit.ts";
import { dotIsRows, dotSizes, isReduction, sizeOf } from "./space.ts";
import { Turned } from "./turned.ts";

/** Of one product: what is made of it before the next one, and who reads that after the next one. */
interface Between {
  readonly first: Node;
  /** Where units of its chain are blocks of rows. */
  readonly turned: Turned | undefined;
  readonly region: Set<Node>;
  readonly late: Set<Node>;
}

type Limits = Parameters<typeof fitOf>[1];

const isProduct = (node: Node): boolean => node.op === "dot" && !dotIsRows(node);

/** For all products that are worth it in one walk. */
function betweenProducts(order: readonly Node[], limits: Limits): readonly Between[] {
  const all: Between[] = [];
  /** By node: of which products it lies in the region. */
  const within = new ByNode<number[]>(order);
  /** By node: a bit for each product whose second product the node needs, or is. */
  const needs = new ByNode<bigint>(order);
  const enter = (node: Node, which: number) => {
    all[which]!.region.add(node);
    within.set(node, [...(within.get(node) ?? []), which]);
  };
  /** Products whose rows some reader mixes. */
  const mixed = new Set<number>();
  for (const node of order) {
    let needed = 0n;
    for (const input of node.inputs) {
      const more = needs.get(input);
      if (more !== undefined && more !== needed) needed |= more;
    }
    const inside = node.inputs.some((input) => within.get(input) !== undefined);
    for (const which of inside ? new Set(node.inputs.flatMap((input) => within.get(input) ?? [])) : []) {
      const bit = 1n << BigInt(which);
      const { first, turned, region, late } = all[which]!;
      if (needed & bit) late.add(node);
      else {
        if (turned?.mixesRows(node, region)) mixed.add(which);
        if (isProduct(node)) needed |= bit;
        else if (sizeOf(node.type.shape) === sizeOf(first.type.shape) && !isReduction(node)) enter(node, which);
      }
    }
    if (needed) needs.set(node, needed);
    const fit = isProduct(node) ? fitOf(dotSizes(node), limits) : undefined;
    if (!fit) continue;
    const turned = fit === "whole" ? undefined : new Turned(node);
    enter(node, all.push({ first: node, turned, region: new Set(), late: new Set() }) - 1);
  }
  return all.filter(({ late }, which) => late.size > 0 && !mixed.has(which));
}

/** By node: of which scores it is, and whether they are those of the first pass, those made again, or turned. */
export type Twins = ReadonlyMap<Node, readonly (readonly [scores: number, copy: number])[]>;

export interface Again {
  readonly outputs: readonly Node[];
  readonly twins: Twins;
}

/** By node: the places of the sets that have it. */
function placesOf(sets: readonly ReadonlySet<Node>[]): ReadonlyMap<Node, readonly number[]> {
  const out = new Map<Node, number[]>();
  sets.forEach((set, which) => {
    for (const node of set) out.set(node, [...(out.get(node) ?? []), which]);
  });
  return out;
}

export function computedAgain(outputs: readonly Node[], limits: Limits): Again {
  const order = topological(outputs);
  const kept = new Set(outputs);
  const found = betweenProducts(order, limits).filter(({ region }) => ![...region].some((each) => kept.has(each)));
  if (found.length === 0) return { outputs, twins: new Map() };
  const byRows = found.flatMap(({ turned, ...sets }) => (turned ? [{ turned, ...sets }] : []));
  drawnAnew(order, byRows);
  const mapped = new ByNode<Node>(order);
  const to = (node: Node): Node => mapped.get(node) ?? node;
  const copies = found.map(() => new Map<Node, Node>());
  const [copied, reading] = [placesOf(found.map(({ region }) => region)), placesOf(found.map(({ late }) => late))];
  for (const node of order) {
    let inputs = after(node.inputs, mapped);
    for (const which of copied.get(node) ?? []) {
      const copy = copies[which]!;
      const of = (input: Node): Node => copy.get(input) ?? to(input);
      const again = make(node.op, node.inputs.map(of), node.attrs, node.span);
      copy.set(node, again);
      found[which]!.turned?.add(again);
    }
    for (const which of reading.get(node) ?? [])
      inputs = node.inputs.map((input, i) => copies[which]!.get(input) ?? inputs[i]!);
    const now = byRows.reduce((at, { turned }) => turned.replaced(at), remake(node, inputs));
    if (now !== node) mapped.set(node, now);
    for (const which of copied.get(node) ?? []) found[which]!.turned?.add(to(node));
  }
  const twins = new Map<Node, (readonly [number, number])[]>();
  found.forEach(({ region, turned }, which) => {
    const add = (nodes: Iterable<Node>, copy: number) => {
      for (const node of nodes) twins.set(node, [...(twins.get(node) ?? []), [which, copy]]);
    };
    // what is only looked at the other way round is no copy
    const pairs = [...(turned?.copies ?? [])].filter(([node, copy]) => !copy.inputs.includes(node));
    add([...region].map(to), 0);
    add(new Set([...copies[which]!.values(), ...pairs.map(([node]) => node)]), 1);
    add(new Set(pairs.map(([, copy]) => copy)), 2);
  });
  return { outputs: after(outputs, mapped), twins };
}
