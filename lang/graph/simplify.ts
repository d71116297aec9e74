/**
 * Simplification: every node is made again from the leaves up and offered to the rules of its op (simplify-rules.ts)
 * until none applies. Results stay the same but for rounding; a rule never turns a finite number into a NaN and never
 * drops an operand that could be one (so x * 0 stays).
 */
import { ByNode } from "./by-node.ts";
import type { Attrs, Body, Node } from "./node.ts";
import { make, movedTo, withInputs } from "./make.ts";
import { from } from "./origin.ts";
import { rules } from "./simplify-rules.ts";
import { after, topological } from "./walk.ts";

export interface SimplifyOptions {
  /** Gradients will still be taken: keeps `stop` and the identity of `let` variables. */
  readonly beforeGradient?: boolean;
}

export function simplify(outputs: readonly Node[], options: SimplifyOptions = {}): readonly Node[] {
  const order = topological(outputs);
  const mapped = new ByNode<Node>(order);
  const settled = new Set<Node>();

  /** A node in its simplest form; rules make new nodes by this, so those are simple too. */
  const simple = (op: string, inputs: readonly Node[], attrs: Attrs = {}): Node => settle(make(op, inputs, attrs));

  const settle = (node: Node): Node => {
    let now = node;
    while (!settled.has(now)) {
      const next = step(now);
      if (next === undefined) settled.add(now);
      else now = next;
    }
    return now;
  };

  const step = (node: Node): Node | undefined => {
    for (const rule of rules[node.op] ?? []) {
      const next = rule(node, simple, options.beforeGradient === true);
      if (next) return next;
    }
    return undefined;
  };

  for (const node of order) {
    const inputs = after(node.inputs, mapped);
    const attrs = node.op === "loop" ? withSimpleBody(node.attrs, options) : node.attrs;
    const same = attrs === node.attrs && inputs === node.inputs;
    if (same && !rules[node.op]) continue;
    const result = from(node.origin, () => settle(same ? node : made(node, inputs, attrs)));
    const now = result.span || !node.span || result.inputs.length === 0 ? result : spanned(result, node);
    if (now !== node) mapped.set(node, now);
  }
  return after(outputs, mapped);

  function made(node: Node, inputs: readonly Node[], attrs: Attrs): Node {
    return attrs === node.attrs ? withInputs(node, inputs) : make(node.op, inputs, attrs, node.span);
  }

  /** A rule's result keeps the place in the script of the node it stands for. */
  function spanned(result: Node, node: Node): Node {
    const copy = movedTo(result, node);
    settled.add(copy);
    return copy;
  }
}

function withSimpleBody(attrs: Attrs, options: SimplifyOptions): Attrs {
  const body = attrs["body"] as Body;
  const results = simplify(body.results, options);
  return results.every((r, i) => r === body.results[i]) ? attrs : { ...attrs, body: { params: body.params, results } };
}
