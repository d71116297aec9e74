/**
 * Common subexpressions: nodes with the same op, attrs and inputs become one. Bodies of loops are treated alike and
 * compared by their text. Draws with the same site and keys are the same numbers, so they merge as well.
 */
import type { Attrs, Body, Node } from "./node.ts";
import { attrsText, text } from "./text.ts";
import { inputsAfter, outputsAfter, remake, topological } from "./walk.ts";

export function cse(outputs: readonly Node[]): readonly Node[] {
  const names = new Map<Node, number>();
  const byKey = new Map<string, Node>();
  const mapped = new Map<Node, Node>();
  for (const node of topological(outputs)) {
    const inputs = inputsAfter(node, mapped);
    const attrs = node.op === "loop" ? withSharedBody(node.attrs) : node.attrs;
    const body = attrs["body"] as Body | undefined;
    const key = [node.op, attrsText(attrs), body ? text(body.results) : "", ...inputs.map((i) => names.get(i))].join(
      "|",
    );
    let one = byKey.get(key);
    if (!one) {
      one = remake(node, inputs, attrs);
      byKey.set(key, one);
      names.set(one, names.size);
    }
    mapped.set(node, one);
  }
  return outputsAfter(outputs, mapped);
}

function withSharedBody(attrs: Attrs): Attrs {
  const body = attrs["body"] as Body;
  const results = cse(body.results);
  return results.every((r, i) => r === body.results[i]) ? attrs : { ...attrs, body: { params: body.params, results } };
}
