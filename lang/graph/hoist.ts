/**
 * Scalars for the host: what depends only on the step counter, the epoch, inputs and host slots (a schedule, a bias
 * correction) is computed in float64 by the host and uploaded, because f32 is too coarse for it.
 * `seed` and `tick` stay: they are whole 32-bit words for `random`.
 */
import * as b from "./build.ts";
import type { Node } from "./node.ts";
import { rowOf } from "./make.ts";
import { remake, rewrite, topological } from "./walk.ts";

export type IsHostSlot = (path: string) => boolean;

function isHostLeaf(node: Node, isHostSlot: IsHostSlot): boolean {
  const [source, name] = [node.attrs["source"], node.attrs["name"] as string];
  if (source === "scalar") return name !== "seed" && name !== "tick";
  return source === "state" && isHostSlot(name);
}

/** Of all nodes those that the host can compute; consts are among them. */
function hostables(order: readonly Node[], isHostSlot: IsHostSlot): Set<Node> {
  const found = new Set<Node>();
  for (const node of order) {
    if (node.type.shape.length > 0) continue;
    const leaf = node.op === "const" || (node.op === "input" && isHostLeaf(node, isHostSlot));
    const inner = node.inputs.every((input) => found.has(input)) && rowOf(node.op).family === "elementwise";
    if (leaf || inner) found.add(node);
  }
  return found;
}

/** A scalar of consts, uploaded scalars and host slots through elementwise ops alone. */
export function hostable(node: Node, isHostSlot: IsHostSlot): boolean {
  return hostables(topological([node]), isHostSlot).has(node);
}

export interface Hoisted {
  readonly outputs: readonly Node[];
  readonly host: { readonly name: string; readonly node: Node }[];
}

/**
 * Replaces every largest hostable part that the device would read by an uploaded scalar. Consts and uploads that are
 * read as they are stay; host slots do not, since the device has no cell for them. `name(k)` is the k-th upload's name.
 */
export function hoistScalars(
  outputs: readonly Node[],
  isHostSlot: IsHostSlot,
  name: (k: number) => string = (k) => `h${k}`,
): Hoisted {
  const order = topological(outputs);
  const found = hostables(order, isHostSlot);
  const varies = new Set<Node>();
  for (const node of found) if (node.op === "input" || node.inputs.some((input) => varies.has(input))) varies.add(node);
  const wanted = new Set<Node>(outputs);
  for (const node of order) {
    if (!found.has(node)) for (const input of node.inputs) if (found.has(input)) wanted.add(input);
  }
  const isUpload = (node: Node) => node.op === "input" && node.attrs["source"] === "scalar";

  const host: { name: string; node: Node }[] = [];
  const replaced = rewrite(outputs, (node, inputs) => {
    if (!found.has(node)) return remake(node, inputs);
    if (!wanted.has(node) || !varies.has(node) || isUpload(node)) return node;
    const upload = name(host.length);
    host.push({ name: upload, node });
    return b.input("scalar", upload, node.type);
  });
  return { outputs: replaced, host };
}
