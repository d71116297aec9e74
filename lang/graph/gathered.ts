/**
 * Rows of a table that are asked for more often than there are rows: each is multiplied once, not each time it is asked
 * for. A sum over the places is one over the rows as well, with what belongs to each row added up before:
 *   gather(T, i) · W = gather(T · W, i)      gather(T, i)ᵀ · g = Tᵀ · scatter(g, i)      scatter(g · W, i) = scatter(g, i) · W
 * So a layer behind an embedding of few words, and its gradients, cost what the words cost and not what the text does.
 * The last two multiply sums of rows that nobody asked for, which are 0: by params alone, as one that is no number ends the run.
 */
import { make, rowOf } from "./make.ts";
import type { Dims, Node } from "./node.ts";
import { dotAxes } from "./ops/dot.ts";
import { sizeOf } from "./ops/row.ts";
import { hasOp, remake, rewrite } from "./walk.ts";

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
  let at = node;
  while (rowOf(at.op).family === "view" && at.inputs.length === 1) at = at.inputs[0]!;
  return at.op === "input" && at.attrs["source"] === "state";
}

/** An axis of the wide side, which is none of the ids, on the narrow one. */
const narrow = ({ at, rank }: Rows, axis: number): number => (axis < at ? axis : axis - rank + 1);
const within = ({ at, rank }: Rows, axis: number): boolean => axis >= at && axis < at + rank;

/** The contraction with its pairs as seen from one side. */
const pairsFrom = (dot: Node, side: 0 | 1): Dims =>
  (dot.attrs["contract"] as Dims).map(([a, b]) => (side === 0 ? [a, b] : [b, a]));

/** A product with its operands, and its pairs, told from one side. */
function product(side: 0 | 1, own: Node, other: Node, pairs: Dims, like: Node): Node {
  const contract = side === 0 ? pairs : pairs.map(([a, b]) => [b, a] as const);
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
    const { freeA, freeB } = dotAxes(small.inputs[0]!.type.shape.length, small.inputs[1]!.type.shape.length, small.attrs); // prettier-ignore
    const axis = side === 0 ? freeA.indexOf(at) : freeA.length + freeB.indexOf(at);
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
  const { freeA, freeB } = dotAxes(dot.inputs[0]!.type.shape.length, dot.inputs[1]!.type.shape.length, dot.attrs);
  const side = at < freeA.length ? 0 : 1;
  const own = (side === 0 ? freeA : freeB).slice(side === 0 ? at : at - freeA.length).slice(0, rank);
  const axis = own[0]!;
  // side by side, and all of one operand
  if (own.length < rank || own.some((each, i) => each !== axis + i)) return undefined;
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
