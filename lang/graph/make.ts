/**
 * The only way a node is made: the row's shape rule computes the type, a counter gives the id.
 * Nothing is folded or shared here; that is the work of the passes. Rows import this file for their gradient rules and
 * this file imports the rows; the circle is harmless because neither calls the other while modules load.
 */
import type { Span } from "../source.ts";
import type { Attrs, Node, Type } from "./node.ts";
import { openOrigin } from "./origin.ts";
import type { Origin } from "./origin.ts";
import { ops } from "./ops/index.ts";
import type { Op } from "./ops/row.ts";
import { typeText } from "./ops/row.ts";

let counter = 0;

/** The id that the next node will get. */
export function nextId(): number {
  return counter;
}

/** Nodes of another process, in the order in which they were made, get ids of this one. */
export function adopt(nodes: readonly Node[]): void {
  for (const node of nodes) Object.assign(node, { id: counter++ });
}

/** The row of an op. */
export function rowOf(op: string): Op {
  const row = Object.hasOwn(ops, op) ? ops[op] : undefined;
  if (!row) throw new Error(`expected an op of the table, got ${op}`);
  return row;
}

export function make(op: string, inputs: readonly Node[], attrs: Attrs = {}, span?: Span, origin = openOrigin()): Node {
  const types = inputs.map((input) => input.type);
  let type;
  try {
    type = rowOf(op).shape(types, attrs, inputs);
  } catch (error) {
    throw new Error(`make ${op}(${types.map(typeText).join(", ")}): ${(error as Error).message}`, { cause: error });
  }
  return nodeOf(op, inputs, attrs, type, span, origin);
}

/** Every node has all fields: the engine reads fields of objects that are alike faster. */
function nodeOf(
  op: string,
  inputs: readonly Node[],
  attrs: Attrs,
  type: Type,
  span: Span | undefined,
  origin: Origin | undefined,
): Node {
  return { id: counter++, op, inputs, attrs, type, span, origin, place: 0 };
}

const isSameType = (a: Type, b: Type): boolean =>
  a === b || (a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]));

/** The node with other inputs: of the same types they make the same type, but for a pick, whose type lies in its loop. */
export function withInputs(node: Node, inputs: readonly Node[]): Node {
  const { op, attrs, type, span, origin = openOrigin() } = node;
  const known = op !== "pick" && inputs.length === node.inputs.length;
  const same = known && inputs.every((input, i) => isSameType(input.type, node.inputs[i]!.type));
  return same ? nodeOf(op, inputs, attrs, type, span, origin) : make(op, inputs, attrs, span, origin);
}

/** The same at another place in the script. */
export function movedTo(
  { op, inputs, attrs, type }: Node,
  { span, origin = openOrigin() }: Pick<Node, "span" | "origin">,
): Node {
  return nodeOf(op, inputs, attrs, type, span, origin);
}
