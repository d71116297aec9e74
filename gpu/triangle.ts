/**
 * Halves of products that need not be computed (rule `triangle`): behind a causal mask, factors are zero on one side of the
 * diagonal, and results there are thrown away or multiplied by zero. Every number stays the same, but what is infinite or
 * no number on the side that is left out does not spread.
 */
import { ByNode, constant, consumersIn, axesOfDot, topological } from "../lang/graph/index.ts";
import type { Dims, Node } from "../lang/graph/node.ts";

/** Of one product of rows m, columns n and depths k. */
export interface Triangle {
  /** Depths before the row, or the column, have a factor that is zero. */
  readonly from?: "m" | "n";
  /** The same for those behind it. */
  readonly to?: "m" | "n";
  /** Results above the diagonal (their column is greater than their row) are not looked at, or those below it. */
  readonly out?: "lower" | "upper";
}

/** How much of a product is computed. */
export const shareOf = ({ m, triangle }: { readonly m: number; readonly triangle?: Triangle }): number =>
  triangle ? (1 + 1 / m) / 2 : 1;

/** What lies above the diagonal of two axes: elements whose place along `column` is greater than that along `row`. */
interface Diagonal {
  readonly row: number;
  readonly column: number;
}

const isSame = (a: Diagonal | undefined, b: Diagonal | undefined) => a?.row === b?.row && a?.column === b?.column;
/** Scores of this size are 0 once exp is through. */
const FAR = -1e30;
/** With fewer places there is little to leave out. */
const LEAST = 16;

/** The same through a view with axes in another order. */
const turned = (diagonal: Diagonal | undefined, perm: readonly number[]): Diagonal | undefined =>
  diagonal && { row: perm.indexOf(diagonal.row), column: perm.indexOf(diagonal.column) };

/** The diagonal up to which a condition holds: column <= row. */
function maskOf({ op, inputs, attrs }: Node): Diagonal | undefined {
  if (op === "expand") {
    const [inner, axes] = [maskOf(inputs[0]!), attrs["axes"] as readonly number[]];
    return inner && { row: axes[inner.row]!, column: axes[inner.column]! };
  }
  if (op === "permute") return turned(maskOf(inputs[0]!), attrs["perm"] as readonly number[]);
  const [a, b] = inputs;
  if (op !== "le" || a!.op !== "iota" || b!.op !== "iota") return undefined;
  const [column, row] = [a!.attrs["axis"] as number, b!.attrs["axis"] as number];
  return row === column ? undefined : { row, column };
}

/** Masked scores, of which at least the one on the diagonal of each row is one. */
function scores({ op, inputs }: Node): Diagonal | undefined {
  const [mask, score, far] = inputs;
  if (op !== "select" || (constant(far!) ?? 0) > FAR) return undefined;
  let at = score!;
  while ((at.op === "mul" || at.op === "div") && constant(at.inputs[1]!) !== undefined) at = at.inputs[0]!;
  return at.op === "dot" ? maskOf(mask!) : undefined;
}

/** Above which diagonal a node is zero, when that is known of what it is made of. */
function zeroAbove(node: Node, known: ByNode<Diagonal>): Diagonal | undefined {
  const [a, b, c] = node.inputs;
  if (node.op === "select") return constant(c!) === 0 ? maskOf(a!) : undefined;
  if (node.op === "mul") return known.get(a!) ?? known.get(b!);
  if (node.op === "div" || node.op === "neg" || node.op === "half") return known.get(a!);
  if (node.op !== "exp" || a!.op !== "sub") return undefined;
  const [score, most] = a!.inputs as readonly [Node, Node];
  const diagonal = scores(score);
  const perm = most.op === "permute" ? (most.attrs["perm"] as readonly number[]) : undefined;
  const wide = perm ? most.inputs[0]! : most;
  const largest = wide.op === "expand" ? wide.inputs[0]! : wide;
  // scores that are made again, or turned, are less the largest of the first ones
  const first = largest.op === "amax" ? scores(largest.inputs[0]!) : undefined;
  if (!diagonal || !first || !isSame(diagonal, perm ? turned(first, perm) : first)) return undefined;
  const axes = largest.attrs["axes"] as readonly number[];
  return axes.length === 1 && axes[0] === first.column ? diagonal : undefined;
}

const PASSING: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "neg", "half"]);

/** Above which diagonal a reader does not look at a node. */
function ignoredBy(reader: Node, node: Node, zero: ByNode<Diagonal>, ignored: ByNode<Diagonal>): Diagonal | undefined {
  const [a, b, c] = reader.inputs;
  if (reader.op === "select") return node === b && node !== c ? maskOf(a!) : undefined;
  if (reader.op === "mul" && a !== b) {
    const other = zero.get(node === a ? b! : a!);
    if (other) return other;
  }
  return PASSING.has(reader.op) ? ignored.get(reader) : undefined;
}

/** The only axis of a product's operand that stays, and the only one that it is summed over. */
function axesOf(dot: Node, side: 0 | 1): { readonly free: number; readonly depth: number } | undefined {
  const { freeA, freeB } = axesOfDot(dot);
  const [free, contract] = [side === 0 ? freeA : freeB, dot.attrs["contract"] as Dims];
  return free.length === 1 && contract.length === 1 ? { free: free[0]!, depth: contract[0]![side]! } : undefined;
}

const isLarge = ({ type }: Node, { row, column }: Diagonal) => Math.min(type.shape[row]!, type.shape[column]!) >= LEAST;

function triangleOf(dot: Node, zero: ByNode<Diagonal>, ignored: Diagonal | undefined): Triangle {
  let triangle: Triangle = {};
  for (const side of [0, 1] as const) {
    const [diagonal, axes] = [zero.get(dot.inputs[side]!), axesOf(dot, side)];
    if (!diagonal || !axes || !isLarge(dot.inputs[side]!, diagonal)) continue;
    const own = side === 0 ? "m" : "n";
    if (isSame(diagonal, { row: axes.free, column: axes.depth })) triangle = { ...triangle, to: own };
    if (isSame(diagonal, { row: axes.depth, column: axes.free })) triangle = { ...triangle, from: own };
  }
  const rank = dot.type.shape.length;
  if (!ignored || !axesOf(dot, 0) || !axesOf(dot, 1) || !isLarge(dot, ignored)) return triangle;
  if (isSame(ignored, { row: rank - 2, column: rank - 1 })) return { ...triangle, out: "lower" };
  return isSame(ignored, { row: rank - 1, column: rank - 2 }) ? { ...triangle, out: "upper" } : triangle;
}

/** By product. */
export function triangles(outputs: readonly Node[]): ReadonlyMap<Node, Triangle> {
  const found = new Map<Node, Triangle>();
  const order = topological(outputs);
  if (!order.some((node) => node.op === "select" && maskOf(node.inputs[0]!))) return found;
  const zero = new ByNode<Diagonal>(order);
  for (const node of order) {
    const diagonal = zeroAbove(node, zero);
    if (diagonal) zero.set(node, diagonal);
  }
  const [kept, readersOf, ignored] = [new Set(outputs), consumersIn(order), new ByNode<Diagonal>(order)];
  for (const node of order.toReversed()) {
    const [first, ...others] = (readersOf.get(node) ?? []).map((reader) => ignoredBy(reader, node, zero, ignored));
    if (first && !kept.has(node) && others.every((other) => isSame(first, other))) ignored.set(node, first);
    if (node.op !== "dot") continue;
    const triangle = triangleOf(node, zero, ignored.get(node));
    if (Object.keys(triangle).length > 0) found.set(node, triangle);
  }
  return found;
}
