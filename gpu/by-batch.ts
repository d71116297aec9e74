/**
 * The columns of a convolution's input gradient, image by image (rule `batches`): in `fold(dot(w, g))` the product gets
 * the images as its batch, each with the same w. So a chain keeps the columns of an image to itself, and they are summed
 * where they were written a moment before.
 */
import { list, type Pair } from "../lang/graph/attrs.ts";
import { build as g, make, rewrite } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { axesOfDot } from "../lang/graph/ops/dot.ts";
import { hasOp, remake } from "../lang/graph/walk.ts";
import { sizeOf } from "./space.ts";

/** Fewer batches are no chain, and columns of fewer numbers stay in a cache. */
const BATCHES = 4;
const NUMBERS = 2 ** 17;

function byBatch(fold: Node, columns: Node, room: number): Node | undefined {
  const turned = columns.op === "permute";
  const dot = turned ? columns.inputs[0]! : columns;
  const [w, x] = dot.inputs;
  if (dot.op !== "dot" || !w || !x || sizeOf(dot.type.shape) < NUMBERS) return undefined;
  const { batch, contract, freeA, freeB } = axesOfDot(dot);
  // with a larger step a sum reads places that no window of an image bounds
  if (batch.length > 0 || list(fold, "stride").some((n) => n !== 1)) return undefined;
  const perm = turned ? list(columns, "perm") : dot.type.shape.map((_, i) => i);
  const places = list(fold, "axes");
  const rank = fold.type.shape.length;
  const lead = perm.findIndex((from, i) => i < rank && !places.includes(i) && from >= freeA.length);
  const from = perm[lead];
  if (from === undefined) return undefined;
  const axis = freeB[from - freeA.length]!;
  const count = x.type.shape[axis]!;
  if (count < BATCHES || sizeOf(dot.type.shape) / count > room) return undefined;
  const wide = g.expand(w, [count, ...w.type.shape], w.type.shape.map((_, i) => i + 1)); // prettier-ignore
  const pairs = contract.map(([i, j]): Pair => [i + 1, j]);
  const product = make("dot", [wide, x], { batch: [[0, axis]], contract: pairs }, dot.span);
  const order = perm.map((old) => (old === from ? 0 : old < from ? old + 1 : old));
  return remake(fold, [make("permute", [product], { perm: order }, columns.span)]);
}

/** `room`: numbers that a chain may keep to itself. */
export const byBatches = (outputs: readonly Node[], room: number): readonly Node[] =>
  hasOp(outputs, "fold")
    ? rewrite(outputs, (node, inputs) => {
        const [columns] = inputs;
        return (node.op === "fold" && columns && byBatch(node, columns, room)) || remake(node, inputs);
      })
    : outputs;
