/**
 * Common subexpressions: nodes with the same op, attrs and inputs become one. Bodies of loops are treated alike and
 * compared by their text. Draws with the same site and keys are the same numbers, so they merge as well.
 */
import { ByNode } from "./by-node.ts";
import type { Attrs, Body, Node } from "./node.ts";
import { attrsText, text } from "./text.ts";
import { after, remake, topological } from "./walk.ts";

/** Of more nodes with the same inputs, as the slices of one tensor, attrs tell which to look at. */
const FEW = 8;

type Parts = Pick<Node, "op" | "inputs" | "attrs">;

export function cse(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const mapped = new ByNode<Node>(order);
  const byKey = new Map<string | number, Node[]>();
  for (const node of order) {
    const inputs = after(node.inputs, mapped);
    const attrs = node.op === "loop" ? withSharedBody(node.attrs) : node.attrs;
    const parts = { op: node.op, inputs, attrs };
    let key = keyOf(parts);
    let known = byKey.get(key);
    let one = known?.find((other) => isSame(other, parts));
    if (!one && known && known.length >= FEW) {
      key = `${key} ${node.op} ${attrsText(attrs)}`;
      known = byKey.get(key);
      one = known?.find((other) => isSame(other, parts));
    }
    if (!one) {
      one = remake(node, inputs, attrs);
      if (known) known.push(one);
      else byKey.set(key, [one]);
    }
    if (one !== node) mapped.set(node, one);
  }
  return after(outputs, mapped);
}

/** What equal nodes have in common and few others: the inputs, or of a node without inputs all that it is. */
function keyOf({ op, inputs, attrs }: Parts): string | number {
  if (inputs.length === 0) return `${op} ${attrsText(attrs)}`;
  let hash = op.charCodeAt(0) + op.length;
  for (let i = 0; i < inputs.length; i++) hash = Math.imul(hash ^ inputs[i]!.id, 0x01000193);
  return hash & 0x3fffffff;
}

function isSame(a: Parts, b: Parts): boolean {
  if (a.op !== b.op || a.inputs.length !== b.inputs.length) return false;
  for (let i = 0; i < a.inputs.length; i++) if (a.inputs[i] !== b.inputs[i]) return false;
  return attrsText(a.attrs) === attrsText(b.attrs) && (a.op !== "loop" || textOfBody(a) === textOfBody(b));
}

const textOfBody = ({ attrs }: Parts): string => text((attrs["body"] as Body).results);

function withSharedBody(attrs: Attrs): Attrs {
  const body = attrs["body"] as Body;
  const results = cse(body.results);
  return results.every((r, i) => r === body.results[i]) ? attrs : { ...attrs, body: { params: body.params, results } };
}
