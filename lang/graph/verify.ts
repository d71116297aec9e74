/**
 * Checks a graph against the op table: every op has a row, every type is what the row's shape rule gives, bodies of
 * loops are closed. A broken graph is our mistake, so it throws, saying expected and got.
 */
import { rowOf } from "./make.ts";
import type { Body, Node } from "./node.ts";
import { typeText } from "./ops/row.ts";
import { topological } from "./walk.ts";

export function verify(outputs: readonly Node[]): void {
  for (const output of outputs)
    if (output.op === "loop") throw new Error("verify: expected a pick as output, got its loop");
  for (const node of topological(outputs)) {
    verifyNode(node);
    for (const input of node.inputs)
      if (input.op === "loop" && node.op !== "pick")
        throw new Error(`verify: expected only pick to read a loop, got ${node.op}`);
    if (node.op === "loop") verifyBody(node.attrs["body"] as Body);
  }
}

function verifyNode(node: Node): void {
  let type;
  try {
    type = rowOf(node.op).shape(
      node.inputs.map((input) => input.type),
      node.attrs,
      node.inputs,
    );
  } catch (error) {
    throw new Error(`verify: node ${node.id}: ${(error as Error).message}`, { cause: error });
  }
  if (typeText(type) !== typeText(node.type))
    throw new Error(`verify: node ${node.id}, ${node.op}: expected ${typeText(type)}, got ${typeText(node.type)}`);
}

/** Nothing but params may come from outside: a value that is not handed in gets no gradient. */
function verifyBody(body: Body): void {
  const params = new Set(body.params);
  for (const node of topological(body.results)) {
    if (node.op !== "input" || params.has(node)) continue;
    throw new Error(
      `verify: expected a closed body, got ${String(node.attrs["source"])} ${String(node.attrs["name"])} in it`,
    );
  }
  verify(body.results);
}
