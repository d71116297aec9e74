/**
 * Orders and rewrites of a graph. All walks use their own stack: a graph may be deeper than the call stack.
 */
import { ByNode, number } from "./by-node.ts";
import { make, rowOf, withInputs } from "./make.ts";
import type { Attrs, Node } from "./node.ts";

/** Passes ask for the order of a graph in turn, and most leave it as it was. */
const orders = new WeakMap<readonly Node[], { readonly outputs: readonly Node[]; readonly order: readonly Node[] }>();

/** Every node that the outputs need, inputs first; the same graph always gives the same order. */
export function topological(outputs: readonly Node[]): readonly Node[] {
  const known = orders.get(outputs);
  if (known?.outputs.length === outputs.length && outputs.every((node, i) => node === known.outputs[i])) {
    number(known.order);
    return known.order;
  }
  const order = walked(outputs);
  orders.set(outputs, { outputs: [...outputs], order });
  return order;
}

/** A node is in the order if that has it at the node's place; on the way to where the walk is, no node is met again. */
function walked(outputs: readonly Node[]): readonly Node[] {
  const order: Node[] = [];
  // the way to where the walk is, and at each node which input comes next
  const path: Node[] = [];
  const next: number[] = [];
  for (const output of outputs) {
    if (order[output.place ?? 0] === output) continue;
    path.push(output);
    next.push(0);
    while (path.length > 0) {
      const top = path.length - 1;
      const node = path[top]!;
      const input = node.inputs[next[top]!++];
      if (input === undefined) {
        node.place = order.push(node) - 1;
        path.pop();
        next.pop();
      } else if (order[input.place ?? 0] !== input) {
        path.push(input);
        next.push(0);
      }
    }
  }
  return order;
}

/** The node with other inputs or attrs; itself when nothing changed. */
export function remake(node: Node, inputs: readonly Node[], attrs: Attrs = node.attrs): Node {
  if (attrs !== node.attrs) return make(node.op, inputs, attrs, node.span, node.origin);
  if (inputs === node.inputs || inputs.every((input, i) => input === node.inputs[i])) return node;
  return withInputs(node, inputs);
}

/** What a node is a view of, through all views of one tensor. */
export function behindViews(node: Node): Node {
  let at = node;
  while (rowOf(at.op).family === "view" && at.inputs.length === 1) at = at.inputs[0]!;
  return at;
}

/** What a pass made of the nodes that it changed. */
export type Changed = Pick<ReadonlyMap<Node, Node>, "get">;

/** Nodes after a pass: the same array where it left all of them as they were. */
export function after(nodes: readonly Node[], changed: Changed): readonly Node[] {
  for (let i = 0; i < nodes.length; i++) {
    const now = changed.get(nodes[i]!);
    if (now !== undefined && now !== nodes[i]) return nodes.map((node) => changed.get(node) ?? node);
  }
  return nodes;
}

/** Whether a node of the graph has one of these ops: a pass that looks for them need not walk another graph. */
export const hasOp = (outputs: readonly Node[], ...ops: readonly string[]): boolean =>
  topological(outputs).some(({ op }) => ops.includes(op));

/** Maps a graph from the leaves up: `rule` gets each node once, with its inputs already mapped. */
export function rewrite(
  outputs: readonly Node[],
  rule: (node: Node, inputs: readonly Node[]) => Node,
): readonly Node[] {
  const order = topological(outputs);
  const changed = new ByNode<Node>(order);
  for (const node of order) {
    const now = rule(node, after(node.inputs, changed));
    if (now !== node) changed.set(node, now);
  }
  return after(outputs, changed);
}

/** The same graph with some nodes replaced by others. */
export function substitute(outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): readonly Node[] {
  return rewrite(outputs, (node, inputs) => replacements.get(node) ?? remake(node, inputs));
}
