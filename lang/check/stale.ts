/**
 * A derivative goes back from y to what y was computed from. One by params that have moved since, by params of which y
 * saw only a snapshot, or by something made after y, would be 0 everywhere; it is a mistake.
 */
import { UserError } from "../diagnostic.ts";
import * as gradients from "../errors/gradients.ts";
import * as minimize from "../errors/minimize.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import { paramsOf } from "./hooks.ts";
import type { Checker } from "./state.ts";
import { variableOf } from "./tensors.ts";
import type { Tensor, Value } from "./values.ts";

const DERIVATIVES = new Set(["grad", "vjp", "jvp", "hvp", "jacobian", "hessian"]);

export function refuseStale(
  c: Checker,
  callee: string,
  y: Value | undefined,
  x: Value | undefined,
  spans: { readonly y: Span; readonly x: Span },
): void {
  if (!DERIVATIVES.has(callee) || y?.kind !== "tensor" || !x) return;
  const leaves = leavesOf(c, x, spans.x);
  if (!leaves || leaves.length === 0) return;
  const above = new Set<Node>();
  const stack = [y.node];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (above.has(node)) continue;
    above.add(node);
    // What a gradient does not pass may be as old as it likes; a move of params is a stop too.
    if (node.op !== "stop") stack.push(...node.inputs);
  }
  const paths = new Map(leaves.flatMap((leaf) => versionOf(c, leaf.node) ?? []));
  const others = [...above].flatMap((node) => {
    const [version] = versionOf(c, node) ?? [];
    return version && paths.get(version[0]) !== undefined && paths.get(version[0]) !== node ? [{ node, version }] : [];
  });
  for (const { node, version } of others) {
    const owner = c.ownerOf(node);
    if (owner?.kind === "tick" && owner.block === c.build.block)
      throw new UserError(minimize.staleLoss(spans.y, c.movedAt.get(version[0])));
  }
  if (leaves.some(({ node }) => above.has(node))) return;
  const owner = c.ownerOf(y.node);
  if (others.length > 0 || (paths.size > 0 && owner?.kind === "top" && owner !== c.build))
    throw new UserError(minimize.snapshot(spans.y, c.build.kind === "tick"));
  if (leaves.every(({ node }) => node.id > y.node.id))
    throw new UserError(gradients.madeAfter(callee, spans.y, spans.x));
}

/** The path of the param whose value at some moment this node is. */
function versionOf(c: Checker, node: Node): [readonly [string, Node]] | undefined {
  const isState = node.op === "input" && node.attrs.source === "state";
  const path = isState ? String(node.attrs.name) : c.versions.get(node);
  return path === undefined || c.slots.get(path)?.kind !== "param" ? undefined : [[path, node]];
}

function leavesOf(c: Checker, x: Value, span: Span): Tensor[] | undefined {
  switch (x.kind) {
    case "tensor":
      return [x];
    case "bundle":
      return [...x.leaves.values()];
    case "instance":
      return x.applied ? [...paramsOf(c, x, span).leaves.values()] : undefined;
    case "tuple":
    case "list": {
      const variable = x.kind === "list" ? variableOf(x) : undefined;
      if (variable) return [variable];
      const parts = x.items.flatMap((item) => (item.kind === "func" || item.kind === "builtin" ? [] : [item]));
      const found = parts.map((item) => leavesOf(c, item, span));
      return found.every((leaf) => leaf !== undefined) ? found.flat() : undefined;
    }
    default:
      return undefined;
  }
}
