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

function betweenProducts(first: Node, order: readonly Node[], from: number): Between | undefined {
  const size = sizeOf(first.type.shape);
  const region = new Set([first]);
  /** What needs the second product, and the product itself. */
  const after = new Set<Node>();
  const late = new Set<Node>();
  for (let i = from + 1; i < order.length; i++) {
    const node = order[i]!;
    const reads = node.inputs.some((input) => region.has(input));
    if (node.inputs.some((input) => after.has(input))) {
      after.add(node);
      if (reads) late.add(node);
    } else if (!reads) continue;
    else if (isProduct(node)) after.add(node);
    else if (sizeOf(node.type.shape) === size && !isReduction(node)) region.add(node);
  }
  return late.size > 0 ? { first, region, late } : undefined;
}

export interface Again {
  readonly outputs: readonly Node[];
  /** The copy of a product → the product. */
  readonly twins: ReadonlyMap<Node, Node>;
}

/** `room` is how many elements of one batch of such a product are worth it. */
export function computedAgain(outputs: readonly Node[], room: number): Again {
  const order = topological(outputs);
  const kept = new Set(outputs);
  const found = order.flatMap((node, i): Between[] => {
    if (!isProduct(node)) return [];
    const { g, m, n, k } = dotSizes(node);
    if (g < 2 || m * n < k * (m + n) || m * n > room) return [];
    const between = betweenProducts(node, order, i);
    return between && ![...between.region].some((each) => kept.has(each)) ? [between] : [];
  });
  if (found.length === 0) return { outputs, twins: new Map() };
  const mapped = new Map<Node, Node>();
  const to = (node: Node): Node => mapped.get(node)!;
  const copies = found.map(() => new Map<Node, Node>());
  for (const node of order) {
    let inputs = node.inputs.map(to);
    found.forEach(({ region, late }, which) => {
      const copy = copies[which]!;
      const of = (input: Node): Node => copy.get(input) ?? to(input);
      if (region.has(node)) copy.set(node, make(node.op, node.inputs.map(of), node.attrs, node.span));
      if (late.has(node)) inputs = node.inputs.map((input, i) => copy.get(input) ?? inputs[i]!);
    });
    mapped.set(node, remake(node, inputs));
  }
  const twins = new Map(found.map(({ first }, which) => [copies[which]!.get(first)!, to(first)]));
  return { outputs: outputs.map(to), twins };
}
