/**
 * A concatenation of equal pieces is not computed place by place, each asking which piece it lies in: every piece is
 * computed at its own shape and stored into its range of the whole. A part is a stand-in for a piece that knows where
 * it belongs.
 */
import type { Node } from "../lang/graph/node.ts";
import { isTurned } from "./views.ts";

export interface Home {
  readonly whole: Node;
  readonly axis: number;
  /** Where the part begins along the axis. */
  readonly start: number;
  /** Views that lead from the part's own shape to that of its piece. */
  readonly views: readonly Node[];
}

/** Each part is a store of its own in one kernel. */
const MOST = 16;

const homes = new WeakMap<Node, Home>();

export const homeOf = (node: Node): Home | undefined => (node.op === "stop" ? homes.get(node) : undefined);
/** The node whose memory this one is stored in. */
export const wholeOf = (node: Node): Node => homeOf(node)?.whole ?? node;

function partOf(whole: Node, base: Node, start: number, views: readonly Node[]): Node {
  const part: Node = { id: whole.id, op: "stop", inputs: [base], attrs: {}, type: base.type };
  homes.set(part, { whole, axis: whole.attrs["axis"] as number, start, views });
  return part;
}

/** The parts of a concatenation, or nothing where its pieces differ in shape. */
export function partsOf(whole: Node): readonly Node[] | undefined {
  if (whole.op !== "concat" || whole.inputs.length < 2 || whole.inputs.length > MOST) return undefined;
  const shape = whole.inputs[0]!.type.shape;
  if (whole.inputs.some((piece) => piece.type.shape.join() !== shape.join())) return undefined;
  const size = shape[whole.attrs["axis"] as number]!;
  return whole.inputs.map((piece, i) => partOf(whole, piece, i * size, []));
}

/** The same where each piece shows all of another product: each product may store its own. Parts have the products' shapes. */
export function piecesOf(whole: Node, isProduct: (node: Node) => boolean): readonly Node[] | undefined {
  if (whole.op !== "concat" || whole.inputs.length < 2 || whole.inputs.length > MOST) return undefined;
  const axis = whole.attrs["axis"] as number;
  const products = new Set<Node>();
  let start = 0;
  const parts = whole.inputs.map((piece) => {
    const views: Node[] = [];
    let base = piece;
    while (isTurned(base)) {
      views.unshift(base);
      base = base.inputs[0]!;
    }
    products.add(base);
    const part = partOf(whole, base, start, views);
    start += piece.type.shape[axis] ?? 0;
    return part;
  });
  const own = products.size === parts.length && [...products].every(isProduct);
  return own ? parts : undefined;
}
