/**
 * Random numbers cost arithmetic and no memory: where scores are computed again, what was drawn for them (a dropout's mask)
 * is drawn again, as numbers that several kernels read would be kept. They are the same numbers: a draw is a hash of its
 * place.
 */
import { rowOf } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";

/** Maps that have copies, and the readers of copies. */
interface Copied {
  readonly region: Set<Node>;
  readonly late: Set<Node>;
}

/** Random numbers, and maps of them and of constants. */
function drawnIn(order: readonly Node[]): ReadonlySet<Node> {
  const drawn = new Set<Node>();
  for (const node of order) {
    const known = (input: Node) => drawn.has(input) || (input.op === "expand" && input.inputs[0]!.op === "const");
    const map = rowOf(node.op).family === "elementwise" && node.inputs.some((input) => drawn.has(input));
    if (node.op === "random" || (map && node.inputs.every(known))) drawn.add(node);
  }
  return drawn;
}

/** Adds what was drawn for a region to it; all others read the copy. */
export function drawnAnew(order: readonly Node[], all: readonly Copied[]): void {
  const drawn = drawnIn(order);
  if (drawn.size === 0) return;
  for (const { region, late } of all) {
    for (const node of [...order].reverse()) {
      if (!region.has(node) && !late.has(node)) continue;
      for (const input of node.inputs) if (drawn.has(input)) region.add(input);
    }
    for (const node of order) {
      if (!region.has(node) && node.inputs.some((input) => drawn.has(input) && region.has(input))) late.add(node);
    }
  }
}
