/**
 * Convolutions with their windows on the right: `dot(windows(x), w)` as a permutation of `dot(w, windows(x))`, whose
 * results lie channel by channel with the pixels side by side, as images do. So neighbours are neighbours in all that
 * follows (padding, pooling, sums over a channel), and no product makes a thin matrix of pixels by channels.
 */
import { make } from "./make.ts";
import type { Node } from "./node.ts";
import { dotAxes, swapped } from "./ops/dot.ts";
import { hasOp, remake, rewrite } from "./walk.ts";

const VIEWS: ReadonlySet<string> = new Set(["permute", "reshape", "slice", "flip", "expand"]);

/** Whether a tensor is a view of windows. */
function seesWindows(node: Node): boolean {
  let at = node;
  while (VIEWS.has(at.op)) at = at.inputs[0]!;
  return at.op === "windows";
}

export function oriented(outputs: readonly Node[]): readonly Node[] {
  if (!hasOp(outputs, "windows")) return outputs;
  return rewrite(outputs, (node, inputs) => {
    const [a, b] = inputs;
    if (node.op !== "dot" || !a || !b || !seesWindows(a) || seesWindows(b)) return remake(node, inputs);
    const { batch, contract, freeA, freeB } = dotAxes(a.type.shape.length, b.type.shape.length, node.attrs);
    if (batch.length > 0) return remake(node, inputs);
    const product = make("dot", [b, a], { batch: [], contract: swapped(contract) }, node.span);
    const perm = [...freeA.map((_, i) => freeB.length + i), ...freeB.map((_, i) => i)];
    return make("permute", [product], { perm }, node.span);
  });
}
