/**
 * Numbers that are written again and again: an optimizer's update of many params has each of its consts, and each of its
 * scalars spread over a tensor, once for every param. In one segment they are one node where nothing tells them apart:
 * not what they are, nor the place in the script, nor the call that they come from.
 */
import { isSame } from "../graph/attrs.ts";
import type { Node } from "../graph/node.ts";
import type { Origin } from "../graph/origin.ts";

/** A number as a const has it, not a list of them, nor the variable that a `let` of the script is. */
const numberOf = ({ op, attrs }: Node): number | undefined =>
  op === "const" && attrs["let"] === undefined && typeof attrs["value"] === "number" ? attrs["value"] : undefined;

/** The scalar that an expand has at every place. */
const scalarIn = ({ op, inputs }: Node): Node | undefined =>
  op === "expand" && inputs[0]!.type.shape.length === 0 ? inputs[0] : undefined;

export class Repeats {
  /** By the call, then by the number or the scalar: what was made of it at different places and in different shapes. */
  private readonly byCall = new Map<Origin | undefined, Map<number | Node, Node[]>>();

  /** The node, or the one that it repeats. */
  one(node: Node): Node {
    const of = scalarIn(node) ?? numberOf(node);
    if (of === undefined) return node;
    let call = this.byCall.get(node.origin);
    if (!call) this.byCall.set(node.origin, (call = new Map<number | Node, Node[]>()));
    const known = call.get(of);
    const { span, type } = node;
    const before = known?.find(
      (other) =>
        other.span === span &&
        other.type.dtype === type.dtype &&
        isSame(other.type.shape, type.shape) &&
        Object.is(other.attrs["value"], node.attrs["value"]),
    );
    if (before) return before;
    if (known) known.push(node);
    else call.set(of, [node]);
    return node;
  }
}
