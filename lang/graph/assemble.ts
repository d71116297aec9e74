/**
 * Puts a loop together from loose parts. Any `input` node may stand for a parameter; here they get their places and
 * names. Consts and scans that the body does not read are left out.
 */
import * as b from "./build.ts";
import type { Node } from "./node.ts";
import { paramNames } from "./ops/loop.ts";
import { substitute, topological } from "./walk.ts";

export interface LoopPlan {
  readonly count: number;
  readonly reverse: boolean;
  readonly consts: readonly { readonly param: Node; readonly value: Node }[];
  readonly carries: readonly { readonly param: Node; readonly init: Node; readonly next: Node }[];
  readonly scans: readonly { readonly param: Node; readonly value: Node }[];
  readonly tick: Node;
  readonly yields: readonly Node[];
}

/** Picks of the last carries and of the stacked yields. */
export function assembleLoop(plan: LoopPlan): { carries: Node[]; yields: Node[] } {
  const results = [...plan.carries.map((c) => c.next), ...plan.yields];
  if (results.length === 0) return { carries: [], yields: [] };
  const read = new Set(topological(results));
  const consts = plan.consts.filter((c) => read.has(c.param));
  const scans = plan.scans.filter((s) => read.has(s.param));
  const loose = [
    ...consts.map((c) => c.param),
    ...plan.carries.map((c) => c.param),
    ...scans.map((s) => s.param),
    plan.tick,
  ];
  const params = paramNames(consts.length, plan.carries.length, scans.length).map((name, i) =>
    b.param(name, loose[i]!.type),
  );
  const body = { params, results: substitute(results, new Map(loose.map((node, i) => [node, params[i]!]))) };
  const inputs = [...consts.map((c) => c.value), ...plan.carries.map((c) => c.init), ...scans.map((s) => s.value)];
  const loop = b.make("loop", inputs, {
    count: plan.count,
    consts: consts.length,
    carries: plan.carries.length,
    scans: scans.length,
    reverse: plan.reverse,
    body,
  });
  const picks = results.map((_, i) => b.pick(loop, i));
  return { carries: picks.slice(0, plan.carries.length), yields: picks.slice(plan.carries.length) };
}
