/**
 * Products of few results and great depth in two stages (rule `split`), as the weight gradient of a first convolution is:
 * a number of parts of the depth side by side, then their sum. The number does not depend on who computes them.
 */
import type { Pair } from "../lang/graph/attrs.ts";
import { build as g, make, remake, rewrite, topological } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import { dotSizes } from "./space.ts";

/** Less depth than this stays one stage, and more results than this keep a machine busy. */
const DEPTH = 5120;
const RESULTS = 4096;
/** Most parts. */
const PARTS = 8;

/** An axis as two, the first of `parts` places. */
function cut(node: Node, axis: number, parts: number): Node {
  const { shape } = node.type;
  return g.reshape(node, [...shape.slice(0, axis), parts, (shape[axis] ?? 1) / parts, ...shape.slice(axis + 1)]);
}

function isDeep(node: Node): boolean {
  if (node.op !== "dot" || (node.attrs["batch"] as readonly Pair[]).length > 0) return false;
  const { m, n, k } = dotSizes(node);
  return k >= DEPTH && m * n <= RESULTS;
}

function split(node: Node, a: Node, b: Node): Node | undefined {
  const contract = node.attrs["contract"] as readonly Pair[];
  const lead = contract[0];
  if (!lead) return undefined;
  const extent = a.type.shape[lead[0]] ?? 1;
  let parts = PARTS;
  while (extent % parts !== 0) parts--;
  if (parts < 4) return undefined;
  const shifted = contract.map(([i, j]): Pair => [i >= lead[0] ? i + 1 : i, j >= lead[1] ? j + 1 : j]);
  const partial = make("dot", [cut(a, lead[0], parts), cut(b, lead[1], parts)], { batch: [lead], contract: shifted }, node.span); // prettier-ignore
  return g.sum(partial, [0]);
}

export const splitDepth = (outputs: readonly Node[]): readonly Node[] =>
  topological(outputs).some(isDeep)
    ? rewrite(outputs, (node, inputs) => {
        const [a, b] = inputs;
        return (isDeep(node) && a && b && split(node, a, b)) || remake(node, inputs);
      })
    : outputs;
