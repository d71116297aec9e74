/**
 * Numbers below the smallest normal one are kept as 0: a processor takes a hundred times as long for an operation on
 * them, and a moment that only decays, as that of an embedding whose word does not come, would stay there for ever.
 * (What is halfway to the smallest of them rounds to it again.) Graphics adapters may flush them as well.
 */
import { build as g, remake, rewrite } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";

/** The smallest normal number of single precision. */
const LEAST = 2 ** -126;

/** By shape: what numbers are compared to, and what takes their place. */
type Fills = Map<string, { readonly least: Node; readonly zero: Node }>;

function flushed(x: Node, fills: Fills): Node {
  const shape = x.type.shape.join();
  const known = fills.get(shape) ?? { least: g.like(x, LEAST), zero: g.like(x, 0) };
  fills.set(shape, known);
  return g.select(g.binary("lt", g.unary("abs", x), known.least), known.zero, x);
}

/** The same outputs, where those that slots are set to have none of them; who else reads such a value reads the same. */
export function withoutSubnormals(outputs: readonly Node[], isKept: (output: number) => boolean): readonly Node[] {
  const kept = new Set(outputs.filter((node, i) => isKept(i) && node.type.dtype === "f32" && node.op !== "input"));
  const fills: Fills = new Map();
  return rewrite(outputs, (node, inputs) => {
    const now = remake(node, inputs);
    return kept.has(node) ? flushed(now, fills) : now;
  });
}
