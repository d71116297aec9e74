/**
 * What a gradient asks of an operand, asked of the extreme itself: `y < x` is `y < max(x, y)`, `x < y` is `min(x, y) < y`.
 * An extreme that a product reads lies in memory; so its operand need not lie there too. Left alone where the operand is
 * made of one tensor that others read as well: then it costs nothing to make it again beside them.
 */
import { consumersIn } from "./by-node.ts";
import type { ByNode } from "./by-node.ts";
import { rowOf } from "./make.ts";
import type { Node } from "./node.ts";
import { sizeOf } from "./ops/row.ts";
import { behindViews, hasOp, remake, rewrite, topological } from "./walk.ts";

/** Computed again where it is read. */
const isInner = ({ op }: Node) => rowOf(op).family === "view" || rowOf(op).family === "elementwise";

/** Extremes that products read, as they are or as views of them. */
function operands(order: readonly Node[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const { op, inputs } of order) {
    if (op !== "dot") continue;
    for (const at of inputs.map(behindViews)) if (at.op === "max" || at.op === "min") found.add(at);
  }
  return found;
}

/** Whether the operand lies in memory itself, or is made of several tensors of its size or of what nobody else reads. */
function isDear(x: Node, kept: ReadonlySet<Node>, readersOf: ByNode<Node[]>): boolean {
  if (!isInner(x)) return true;
  const cone = new Set([x]);
  const leaves = new Set<Node>();
  for (const node of cone) {
    for (const input of node.inputs) {
      if (2 * sizeOf(input.type.shape) < sizeOf(x.type.shape)) continue;
      (isInner(input) && !kept.has(input) ? cone : leaves).add(input);
    }
  }
  if (leaves.size > 1) return true;
  const made = [...leaves, ...cone].filter((node) => node !== x);
  return made.every((node) => readersOf.get(node)!.every((reader) => cone.has(reader)));
}

/** Where the operand stands in the comparison. */
const placeOf = ({ op }: Node): number => (op === "max" ? 1 : 0);

export function extremes(outputs: readonly Node[]): readonly Node[] {
  if (!hasOp(outputs, "max", "min")) return outputs;
  const order = topological(outputs);
  const kept = operands(order);
  if (kept.size === 0) return outputs;
  const readersOf = consumersIn(order);
  /** By comparison: the extreme that is asked. */
  const asked = new Map<Node, Node>();
  for (const extreme of kept) {
    const [x, y] = extreme.inputs as readonly [Node, Node];
    const place = placeOf(extreme);
    const asks = (node: Node) => node.op === "lt" && node.inputs[place] === x && node.inputs[1 - place] === y;
    const readers = readersOf.get(x)!;
    const others = outputs.includes(x) || readers.some((node) => node !== extreme && !asks(node));
    if (others || !isDear(x, kept, readersOf)) continue;
    for (const node of readers) if (asks(node)) asked.set(node, extreme);
  }
  if (asked.size === 0) return outputs;
  const made = new Map<Node, Node>();
  // a comparison may come before the extreme
  const once = (node: Node, inputs: readonly Node[]): Node => {
    const now = made.get(node) ?? remake(node, inputs);
    made.set(node, now);
    return now;
  };
  return rewrite(outputs, (node, inputs) => {
    const extreme = asked.get(node);
    if (!extreme) return once(node, inputs);
    const place = placeOf(extreme);
    const whole = once(extreme, [inputs[place]!, inputs[1 - place]!]);
    return remake(node, place === 1 ? [inputs[0]!, whole] : [whole, inputs[1]!]);
  });
}
