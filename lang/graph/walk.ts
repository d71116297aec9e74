/**
 * Orders and rewrites of a graph. All walks use their own stack: a graph may be deeper than the call stack.
 */
import { make } from "./make.ts";
import type { Attrs, Node } from "./node.ts";

/** Passes ask for the order of a graph in turn, and most leave it as it was. */
const orders = new WeakMap<readonly Node[], { readonly outputs: readonly Node[]; readonly order: readonly Node[] }>();

/** Every node that the outputs need, inputs first; the same graph always gives the same order. */
export function topological(outputs: readonly Node[]): readonly Node[] {
  const known = orders.get(outputs);
  if (known?.outputs.length === outputs.length && outputs.every((node, i) => node === known.outputs[i]))
    return known.order;
  const order = walked(outputs);
  orders.set(outputs, { outputs: [...outputs], order });
  return order;
}

function walked(outputs: readonly Node[]): readonly Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // the way to where the walk is, and at each node which input comes next
  const path: Node[] = [];
  const next: number[] = [];
  for (const output of outputs) {
    if (seen.has(output)) continue;
    seen.add(output);
    path.push(output);
    next.push(0);
    while (path.length > 0) {
      const top = path.length - 1;
      const node = path[top]!;
      const input = node.inputs[next[top]!++];
      if (input === undefined) {
        order.push(node);
        path.pop();
        next.pop();
      } else if (!seen.has(input)) {
        seen.add(input);
        path.push(input);
        next.push(0);
      }
    }
  }
  return order;
}

/** The node with other inputs or attrs; itself when nothing changed. */
export function remake(node: Node, inputs: readonly Node[], attrs: Attrs = node.attrs): Node {
  if (attrs === node.attrs && (inputs === node.inputs || inputs.every((input, i) => input === node.inputs[i])))
    return node;
  return make(node.op, inputs, attrs, node.span, node.origin);
}

/** The inputs of a node after a pass; those of the node itself where the pass left them as they were. */
export function inputsAfter(node: Node, mapped: ReadonlyMap<Node, Node>): readonly Node[] {
  const { inputs } = node;
  for (let i = 0; i < inputs.length; i++) {
    if (mapped.get(inputs[i]!) !== inputs[i]) return inputs.map((input) => mapped.get(input)!);
  }
  return inputs;
}

/** The outputs after a pass: themselves, as one array, where the pass left the graph as it was. */
export function outputsAfter(outputs: readonly Node[], mapped: ReadonlyMap<Node, Node>): readonly Node[] {
  return outputs.every((output) => mapped.get(output) === output)
    ? outputs
    : outputs.map((output) => mapped.get(output)!);
}

/** Whether a node of the graph has one of these ops: a pass that looks for them need not walk another graph. */
export const hasOp = (outputs: readonly Node[], ...ops: readonly string[]): boolean =>
  topological(outputs).some(({ op }) => ops.includes(op));

/** Maps a graph from the leaves up: `rule` gets each node once, with its inputs already mapped. */
export function rewrite(
  outputs: readonly Node[],
  rule: (node: Node, inputs: readonly Node[]) => Node,
): readonly Node[] {
  const mapped = new Map<Node, Node>();
  for (const node of topological(outputs)) {
    mapped.set(node, rule(node, inputsAfter(node, mapped)));
  }
  return outputsAfter(outputs, mapped);
}

/** The same graph with some nodes replaced by others. */
export function substitute(outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): readonly Node[] {
  return rewrite(outputs, (node, inputs) => replacements.get(node) ?? remake(node, inputs));
}
