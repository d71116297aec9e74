/**
 * Runs a graph in float64 by the meaning column of the op table, node by node, without fusing or sharing anything.
 * Slow and obvious: the oracle of every device and the host's calculator. Integers wrap, floats are not rounded to f32.
 */
import { rowOf } from "./make.ts";
import type { Node } from "./node.ts";
import { runLoop } from "./ops/loop.ts";
import type { Env, Value } from "./ops/row.ts";
import { sizeOf, typeText } from "./ops/row.ts";
import { topological } from "./walk.ts";

/** What an `input` node stands for: a number, or row-major elements. */
export type Outside = number | ArrayLike<number> | { readonly data: ArrayLike<number> };

/** The order of a graph and how often each node is read, kept for what runs many times: a body, or one number of the host. */
interface Plan {
  readonly order: readonly Node[];
  readonly uses: ReadonlyMap<Node, number>;
}
const plans = new WeakMap<Node | readonly Node[], Plan>();

function planOf(outputs: readonly Node[]): Plan {
  const [only] = outputs;
  const key = only && outputs.length === 1 ? only : outputs;
  const known = plans.get(key);
  if (known) return known;
  const order = topological(outputs);
  const uses = new Map<Node, number>();
  for (const node of [...order.flatMap((n) => n.inputs), ...outputs]) uses.set(node, (uses.get(node) ?? 0) + 1);
  const plan = { order, uses };
  plans.set(key, plan);
  return plan;
}

function valueOf(node: Node, outside: Outside | undefined): Value {
  if (outside === undefined)
    throw new Error(
      `evaluate: expected a value for ${String(node.attrs["source"])} ${String(node.attrs["name"])}, got none`,
    );
  const given = typeof outside === "number" ? [outside] : "data" in outside ? outside.data : outside;
  if (given.length !== sizeOf(node.type.shape))
    throw new Error(
      `evaluate: expected ${typeText(node.type)} for ${String(node.attrs["source"])} ${String(node.attrs["name"])}, got ${given.length} numbers`,
    );
  return { data: given instanceof Float64Array ? given : Float64Array.from(given), ...node.type };
}

function run(
  outputs: readonly Node[],
  bound: ReadonlyMap<Node, Value>,
  outside: (input: Node) => Outside | undefined,
): Value[] {
  const { order, uses } = planOf(outputs);
  const left = new Map(uses);
  const values = new Map<Node, Value>();
  const results = new Map<Node, readonly Value[]>();
  const env: Env = {
    input: (node) => bound.get(node) ?? valueOf(node, outside(node)),
    run: (inner, params) => run(inner, params, outside),
    results: (loop) => results.get(loop)!,
  };
  for (const node of order) {
    if (node.op === "loop") {
      results.set(
        node,
        runLoop(
          node.inputs.map((i) => values.get(i)!),
          node.attrs,
          env,
        ),
      );
    } else {
      const inputs = node.op === "pick" ? [] : node.inputs.map((i) => values.get(i)!);
      values.set(node, { data: rowOf(node.op).meaning(inputs, node.attrs, node.type, env, node), ...node.type });
    }
    for (const input of node.inputs) {
      const rest = left.get(input)! - 1;
      left.set(input, rest);
      if (rest > 0) continue;
      values.delete(input);
      results.delete(input);
    }
  }
  return outputs.map((output) => values.get(output)!);
}

/** The outputs, row-major. `env` gives the value of every `input` node that is met. */
export function evaluate(outputs: readonly Node[], env: (input: Node) => Outside | undefined): Float64Array[] {
  return run(outputs, new Map(), env).map((value) => value.data);
}
