/**
 * The passes in their order. Dead code falls out by itself: a pass only visits what the outputs need.
 */
import { cse } from "./cse.ts";
import { tidyLoops } from "./loops.ts";
import type { Node } from "./node.ts";
import { simplify } from "./simplify.ts";
import { transposed } from "./transposed.ts";

/** The same outputs by a smaller graph; to be used after all gradients are taken. */
export function optimize(outputs: readonly Node[]): Node[] {
  return cse(simplify(tidyLoops(transposed(simplify(outputs)))));
}
