/**
 * Orders and rewrites of a graph. All walks use their own stack: a graph may be deeper than the call stack.
 */
import { make } from "./make.ts";
import type { Attrs, Node } from "./node.ts";

/** Every node that the outputs need, inputs first; the same graph always gives the same order. */
export function topological(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const output of outputs) {
    if (seen.has(output)) continue;
    seen.add(output);
    stack.push({ node: output, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(input)) {
        seen.add(input);
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}

/** The node with other inputs or attrs; itself when nothing changed. */
export function remake(node: Node, inputs: readonly Node[], attrs: Attrs = node.attrs): Node {
  if (attrs === node.attrs && inputs.every((input, i) => input === node.inputs[i])) return node;
  return make(node.op, inputs, attrs, node.span, node.origin);
}

/** Maps a graph from the leaves up: `rule` gets each node once, with its inputs already mapped. */
export function rewrite(outputs: readonly Node[], rule: (node: Node, inputs: readonly Node[]) => Node): Node[] {
  const mapped = new Map<Node, Node>();
  for (const node of topological(outputs)) {
    const inputs = node.inputs.map((input) => mapped.get(input)!);
    mapped.set(node, rule(node, inputs));
  }
  return outputs.map((output) => mapped.get(output)!);
}

/** The same graph with some nodes replaced by others. */
export function substitute(outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): Node[] {
  return rewrite(outputs, (node, inputs) => replacements.get(node) ?? remake(node, inputs));
}
