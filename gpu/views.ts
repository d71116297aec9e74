/**
 * Views as index rules: which element of its input a view shows at an index. Only those that show every element
 * unchanged; pads, concats and folds choose between elements and belong to `emit`.
 */
import { list } from "../lang/graph/attrs.ts";
import type { Node } from "../lang/graph/node.ts";
import { addIndex, constantIndex, reshapeIndex, scaleIndex, shiftIndex } from "./index-expr.ts";
import type { Index } from "./index-expr.ts";

type Rule = (node: Node, index: readonly Index[], shape: readonly number[]) => readonly Index[];

const rules: Readonly<Record<string, Rule>> = {
  stop: (_, index) => index,
  permute: (node, index) => {
    const inner: Index[] = [];
    list(node, "perm").forEach((p, i) => (inner[p] = index[i] ?? constantIndex(0)));
    return inner;
  },
  expand: (node, index) => list(node, "axes").map((a) => index[a] ?? constantIndex(0)),
  reshape: (node, index, shape) => reshapeIndex(index, node.type.shape, shape),
  slice: (node, index) =>
    index.map((ix, i) => shiftIndex(scaleIndex(ix, list(node, "step")[i] ?? 1), list(node, "start")[i] ?? 0)),
  flip: (node, index) =>
    index.map((ix, i) =>
      list(node, "axes").includes(i) ? shiftIndex(scaleIndex(ix, -1), (node.type.shape[i] ?? 1) - 1) : ix,
    ),
  windows: (node, index, shape) => {
    const inner = index.slice(0, shape.length);
    list(node, "axes").forEach((axis, i) => {
      const window = scaleIndex(index[shape.length + i] ?? constantIndex(0), list(node, "dilation")[i] ?? 1);
      inner[axis] = addIndex(window, index[axis] ?? constantIndex(0), list(node, "stride")[i] ?? 1);
    });
    return inner;
  },
};

export const isView = (node: Node): boolean => Object.hasOwn(rules, node.op);

/** The index into the only input of a view. */
export function viewIndex(node: Node, index: readonly Index[]): readonly Index[] {
  const rule = rules[node.op];
  const input = node.inputs[0];
  if (!rule || !input) throw new Error(`expected a view, got ${node.op}`);
  return rule(node, index, input.type.shape);
}

/** A view that shows each element just once: the other way round it is a view too. */
export const isTurned = (node: Node): boolean => node.op === "permute" || node.op === "reshape" || node.op === "stop";

/** Where such a view shows the element `index` of its input. */
export function shownIndex(node: Node, index: readonly Index[]): readonly Index[] {
  if (node.op === "permute") return list(node, "perm").map((p) => index[p] ?? constantIndex(0));
  return node.op === "reshape" ? reshapeIndex(index, node.inputs[0]!.type.shape, node.type.shape) : index;
}

/** The node under a chain of views. */
export function baseOf(node: Node, stop: (node: Node) => boolean): Node {
  let at = node;
  while (!stop(at) && isView(at)) at = at.inputs[0] as Node;
  return at;
}

/** The node under a chain of views and where the chain's element `index` lies in it. */
export function throughViews(
  node: Node,
  index: readonly Index[],
  stop: (node: Node) => boolean,
): { readonly base: Node; readonly index: readonly Index[] } {
  let base = node;
  let at = index;
  while (!stop(base) && isView(base)) {
    at = viewIndex(base, at);
    base = base.inputs[0] as Node;
  }
  return { base, index: at };
}
