/**
 * A concatenation of equal pieces is not computed place by place, each asking which piece it lies in: every piece is
 * computed at its own shape and stored into its range of the whole. A part is a stand-in for a piece that knows where
 * it belongs.
 */
import type { Node } from "../lang/graph/node.ts";

export interface Home {
  readonly whole: Node;
  readonly axis: number;
  /** Where the part begins along the axis. */
  readonly start: number;
}

/** Each part is a store of its own in one kernel. */
const MOST = 16;

const homes = new WeakMap<Node, Home>();

export const homeOf = (node: Node): Home | undefined => homes.get(node);
/** The node whose memory this one is stored in. */
export const wholeOf = (node: Node): Node => homes.get(node)?.whole ?? node;

/** The parts of a concatenation, or nothing where its pieces differ in shape. */
export function partsOf(whole: Node): readonly Node[] | undefined {
  if (whole.op !== "concat" || whole.inputs.length < 2 || whole.inputs.length > MOST) return undefined;
  const shape = whole.inputs[0]!.type.shape;
  if (whole.inputs.some((piece) => piece.type.shape.join() !== shape.join())) return undefined;
  const axis = whole.attrs["axis"] as number;
  return whole.inputs.map((piece, i) => {
    const part: Node = { id: whole.id, op: "stop", inputs: [piece], attrs: {}, type: piece.type };
    homes.set(part, { whole, axis, start: i * shape[axis]! });
    return part;
  });
}
