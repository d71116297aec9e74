/**
 * Rows of a table that are asked for more often than there are rows: each is multiplied once, not each time it is asked
 * for. A sum over the places is one over the rows as well, with what belongs to each row added up before:
 *   gather(T, i) · W = gather(T · W, i)      gather(T, i)ᵀ · g = Tᵀ · scatter(g, i)      scatter(g · W, i) = scatter(g, i) · W
 * So a layer behind an embedding of few words, and its gradients, cost what the words cost and not what the text does.
 * The last two multiply sums of rows that nobody asked for, which are 0: by params alone, as one that is no number ends the run.
 */
import { make } from "./make.ts";
import type { Dims, Node } from "./node.ts";
import { origins, swapped } from "./ops/dot.ts";
import { sizeOf } from "./ops/row.ts";
import { behindViews, hasOp, remake, rewrite } from "./walk.ts";

/** A gather or scatter: the axes of its wide side (all the places) that its ids stand at, and what one row has. */
interface Rows {
  readonly ids: Node;
  readonly at: number;
  readonly rank: number;
  /** Of the table, or of the sums. */
  readonly count: number;
}

function rowsOf(node: Node, count: number): Rows | undefined {
  const ids = node.inputs[1]!;
  if (node.attrs["paired"] === true || 2 * count > sizeOf(ids.type.shape)) return undefined;
  return { ids, at: node.attrs["axis"] as number, rank: ids.type.shape.length, count };
}

/** A param, or a view of one. */
function isKept(node: Node): boolean {
  const { op, attrs } = behindViews(node);
  return op === "input" && attrs["source"] === "state";
}

/** An axis of the wide side, which is none of the ids, on the narrow one. */
const narrow = ({ at, rank }: Rows, axis: number): number => (axis < at ? axis : axis - rank + 1);
const within = ({ at, rank }: Rows, axis: number): boolean => axis >= at && axis < at + rank;

/** The contraction with its pairs as seen from one side. */
const pairsFrom = ({ attrs }: Node, side: 0 | 1): Dims =>
  side === 0 ? (attrs["contract"] as Dims) : swapped(attrs["contract"] as Dims);

/** A product with its operands, and its pairs, told from one side. */
function product(side: 0 | 1, own: Node, other: Node, pairs: Dims, like: Node): Node {
  const contract = side === 0 ? pairs : swapped(pairs);
  return make("dot", side === 0 ? [own, other] : [other, own], { batch: [], contract }, like.span, like.origin);
}

function ofGathered(dot: Node, side: 0 | 1): Node | undefined {
  const gather = dot.inputs[side]!;
  if (gather.op !== "gather") return undefined;
  const table = gather.inputs[0]!;
  const rows = rowsOf(gather, table.type.shape[gather.attrs["axis"] as number]!);
  if (!rows) return undefined;
  const { ids, at, rank, count } = rows;
  const other = dot.inputs[1 - side]!;
  const pairs = pairsFrom(dot, side);
  const summed = pairs.filter(([own]) => within(rows, own));
  if (summed.length === 0) {
    const small = product(side, table, other, pairs.map(([own, axis]) => [narrow(rows, own), axis] as const), dot); // prettier-ignore
    const axis = origins(small).findIndex(([from, own]) => from === side && own === at);
    return make("gather", [small, ids], { axis }, dot.span, dot.origin);
  }
  if (summed.length !== rank || pairs.length !== rank || !isKept(table)) return undefined;
  const places = pairs.toSorted(([a], [b]) => a - b).map(([, axis]) => axis);
  const rest = other.type.shape.map((_, axis) => axis).filter((axis) => !places.includes(axis));
  const first = make("permute", [other], { perm: [...places, ...rest] }, other.span);
  const sums = make("scatter", [first, ids], { axis: 0, size: count }, dot.span, dot.origin);
  return product(side, table, sums, [[at, 0]], dot);
}

function scattered(scatter: Node): Node | undefined {
  const dot = scatter.inputs[0]!;
  if (dot.op !== "dot" || (dot.attrs["batch"] as Dims).length > 0) return undefined;
  const rows = rowsOf(scatter, scatter.attrs["size"] as number);
  if (!rows || rows.rank === 0) return undefined;
  const { ids, at, rank, count } = rows;
  const places = origins(dot).slice(at, at + rank);
  const [side, axis] = places[0]!;
  // side by side, and all of one operand
  if (places.some(([from, own], i) => from !== side || own !== axis + i)) return undefined;
  const [x, other] = [dot.inputs[side]!, dot.inputs[1 - side]!];
  if (!isKept(other)) return undefined;
  const pairs = pairsFrom(dot, side);
  const sums = make("scatter", [x, ids], { axis, size: count }, scatter.span, scatter.origin);
  const wide = { ...rows, at: axis };
  return product(side, sums, other, pairs.map(([each, to]) => [narrow(wide, each), to] as const), dot); // prettier-ignore
}

export function gathered(outputs: readonly Node[]): readonly Node[] {
  if (!hasOp(outputs, "gather", "scatter")) return outputs;
  return rewrite(outputs, (node, inputs) => {
    const now = remake(node, inputs);
    if (now.op === "scatter") return scattered(now) ?? now;
    if (now.op !== "dot" || (now.attrs["batch"] as Dims).length > 0) return now;
    return ofGathered(now, 0) ?? ofGathered(now, 1) ?? now;
  });
}
