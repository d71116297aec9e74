/**
 * The passes in their order. Dead code falls out by itself: a pass only visits what the outputs need.
 */
import { cse } from "./cse.ts";
import { tidyLoops } from "./loops.ts";
import { disjoint } from "./disjoint.ts";
import { extremes } from "./extremes.ts";
import { gathered } from "./gathered.ts";
import type { Body, Node } from "./node.ts";
import { oriented } from "./oriented.ts";
import { padded } from "./padded.ts";
import { simplify } from "./simplify.ts";
import { transposed } from "./transposed.ts";
import { hasOp, remake, rewrite } from "./walk.ts";

/** The same outputs by a smaller graph; to be used after all gradients are taken. */
export function optimize(outputs: readonly Node[]): readonly Node[] {
  const small = extremes(cse(simplify(tidyLoops(everywhere(simplify(outputs))))));
  const joined = padded(small);
  return joined === small ? small : cse(joined);
}

/** The same passes in the bodies of loops. */
function everywhere(outputs: readonly Node[]): readonly Node[] {
  return disjoint(oriented(gathered(transposed(hasOp(outputs, "loop") ? insideLoops(outputs) : outputs))));
}

function insideLoops(outputs: readonly Node[]): readonly Node[] {
  return rewrite(outputs, (node, inputs) => {
    if (node.op !== "loop") return remake(node, inputs);
    const { params, results } = node.attrs["body"] as Body;
    return remake(node, inputs, { ...node.attrs, body: { params, results: everywhere(results) } });
  });
}
