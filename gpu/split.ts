/**
 * Sums with few results and many summands in two stages (rule `split`): the sum of a whole matrix, or of each column of
 * a tall one, has too few results to keep a machine busy and walks its summands far apart. The first stage sums blocks,
 * the second the partial sums. Left as they are: sums along trailing axes (a row kernel sums a row where it lies), and
 * sums that come back to the elements they came from (norms), which share their kernel with them.
 */
import { build as g, consumersIn, remake, rewrite, topological } from "../lang/graph/index.ts";
import type { ByNode } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { sizeOf } from "./space.ts";
import { isView } from "./views.ts";

/** Fewer summands per result than this stay one stage. */
const SUMMANDS = 512;
/** Less work than this stays one stage. */
const WORK = 16384;
/** More results than this keep a machine busy. */
const RESULTS = 4096;
/** Blocks wanted for each result. */
const BLOCKS = 256;

/** The largest divisor of n that is at most `most`. */
function divisor(n: number, most: number): number {
  for (let d = Math.min(n, most); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** Whether some map of the same values grows to `size` elements again before it is reduced. */
function comesBack(node: Node, size: number, consumers: ByNode<Node[]>): boolean {
  const seen = new Set<Node>();
  const stack = [node];
  for (let at = stack.pop(); at; at = stack.pop()) {
    for (const reader of consumers.get(at) ?? []) {
      if (seen.has(reader)) continue;
      seen.add(reader);
      if (sizeOf(reader.type.shape) >= size) return true;
      if (isView(reader) || sizeOf(reader.type.shape) === sizeOf(at.type.shape)) stack.push(reader);
    }
  }
  return false;
}

function split(node: Node, x: Node): Node | undefined {
  const { shape } = x.type;
  const axes = [...(node.attrs["axes"] as readonly number[])].sort((a, b) => a - b);
  const lead = axes.find((axis) => shape[axis] !== 1);
  if (lead === undefined) return undefined;
  const rows = shape[lead] ?? 1;
  const summands = sizeOf(axes.map((axis) => shape[axis] ?? 1));
  const wanted = Math.min(BLOCKS, Math.max(8, 2 ** Math.round(Math.log2(Math.sqrt(summands)))));
  const blocks = divisor(rows, wanted);
  if (blocks < 4 || summands / blocks < 4) return undefined;
  const cut = g.reshape(x, [...shape.slice(0, lead), blocks, rows / blocks, ...shape.slice(lead + 1)]);
  // the block axis stays, all others that were to be summed are
  const first = axes.map((axis) => (axis >= lead ? axis + 1 : axis));
  const partial = g.sum(cut, first);
  const kept = shape.slice(0, lead).filter((_, axis) => !axes.includes(axis)).length;
  return g.sum(partial, [kept]);
}

/** Of few results and many summands, which lie apart. */
function isLong(node: Node): boolean {
  const x = node.inputs[0];
  if (node.op !== "sum" || node.type.dtype !== "f32" || !x) return false;
  const size = sizeOf(x.type.shape);
  const results = sizeOf(node.type.shape);
  if (results > RESULTS || size < WORK || size / results < SUMMANDS) return false;
  const axes = node.attrs["axes"] as readonly number[];
  const lastKept = x.type.shape.findLastIndex((n, axis) => n !== 1 && !axes.includes(axis));
  return results === 1 || axes.some((axis) => axis < lastKept && x.type.shape[axis] !== 1);
}

export function splitSums(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const long = order.filter(isLong);
  if (long.length === 0) return outputs;
  const consumers = consumersIn(order);
  const wanted = new Set(
    long.filter(
      (node) => sizeOf(node.type.shape) === 1 || !comesBack(node, sizeOf(node.inputs[0]!.type.shape), consumers),
    ),
  );
  return rewrite(outputs, (node, inputs) => {
    const x = inputs[0];
    return (wanted.has(node) && x && split(node, x)) || remake(node, inputs);
  });
}
