/**
 * One copy of what a convolution pads: everybody else reads it through the padded one, `x` as `slice(pad(x))`. A pad that
 * windows look at has to lie in memory; without this x would lie there a second time, as the operand of other products.
 */
import { list } from "./attrs.ts";
import { make } from "./make.ts";
import type { Node } from "./node.ts";
import { after, remake, topological } from "./walk.ts";

function inside(pad: Node): Node {
  const [lo, shape] = [list(pad, "lo"), pad.inputs[0]!.type.shape];
  const stop = lo.map((n, i) => n + shape[i]!);
  return make("slice", [pad], { start: lo, stop, step: lo.map(() => 1) }, pad.span);
}

/** The outputs themselves where nothing is padded. */
export function padded(outputs: readonly Node[]): readonly Node[] {
  const order = topological(outputs);
  const seen = new Set(order.flatMap((node) => (node.op === "windows" ? [node.inputs[0]!] : [])));
  /** By what is padded: the first pad of it that windows look at. */
  const pads = new Map<Node, Node>();
  for (const node of order) {
    if (node.op !== "pad" || !seen.has(node)) continue;
    const x = node.inputs[0]!;
    if (x.op !== "input" && x.op !== "const" && !pads.has(x)) pads.set(x, node);
  }
  if (pads.size === 0) return outputs;
  const mapped = new Map<Node, Node>();
  const views = new Map<Node, Node>();
  for (const node of order) {
    if (mapped.has(node)) continue;
    const now = remake(
      node,
      node.inputs.map((input) => views.get(input) ?? mapped.get(input)!),
    );
    mapped.set(node, now);
    const pad = pads.get(node);
    if (!pad) continue;
    const wide = remake(pad, [now]);
    mapped.set(pad, wide);
    views.set(node, inside(wide));
  }
  return after(outputs, mapped);
}
