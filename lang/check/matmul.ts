/**
 * `a @ b`: sums over the last axis of a and the second to last of b (the only one if b has one axis); the axes
 * before those broadcast. One `dot` node; axes that only one side has stay free, so nothing is repeated in memory.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/shapes.ts";
import { fits } from "./axes.ts";
import { pairAxes } from "./broadcast.ts";
import type { At } from "./ctx.ts";
import { contraction, reorder, tensor } from "./tensors.ts";
import type { Axis, Tensor } from "./values.ts";

export function matmul(a: Tensor, b: Tensor, at: At): Tensor {
  const left = { value: a, span: at.left ?? at.span };
  const right = { value: b, span: at.right ?? at.span };
  if (a.axes.length === 0 || b.axes.length === 0) throw new UserError(mistake.productOfScalar(left, right));
  const ka = a.axes.length - 1;
  const kb = Math.max(0, b.axes.length - 2);
  const k = a.axes[ka]!;
  const l = b.axes[kb]!;
  if (!fits(k.size, l.size) || (k.uid !== undefined && l.uid !== undefined && k.uid !== l.uid))
    throw new UserError(mistake.productSizes(left, right, k, l));

  // Batch axes are all but the last two of either side.
  const leadA = a.axes.slice(0, Math.max(0, a.axes.length - 2));
  const leadB = b.axes.slice(0, Math.max(0, b.axes.length - 2));
  const pairing = pairAxes(leadA, leadB, true);
  if ("why" in pairing) throw new UserError(mistake.cannotBroadcast("@", left, right, pairing));

  const batch: [number, number][] = [];
  pairing.a.forEach((place, i) => {
    const j = pairing.b.indexOf(place);
    if (j >= 0) batch.push([i, j]);
  });
  const node = contraction(a, b, { batch, contract: [[ka, kb]] }, at);

  // What `dot` gives: batch, free axes of a, free axes of b; `want` holds the place of each in the result.
  const want: number[] = [];
  const axes: Axis[] = [];
  const put = (axis: Axis, place: number): void => {
    axes.push(axis);
    want.push(place);
  };
  const lead = pairing.axes.length;
  for (const [i] of batch) put(pairing.axes[pairing.a[i]!]!, pairing.a[i]!);
  a.axes.forEach((axis, i) => {
    if (i === ka || batch.some(([x]) => x === i)) return;
    put(axis, i < leadA.length ? pairing.a[i]! : lead);
  });
  b.axes.forEach((axis, i) => {
    if (i === kb || batch.some(([, y]) => y === i)) return;
    put(axis, i < leadB.length ? pairing.b[i]! : lead + 1);
  });
  const perm = want.map((_, i) => i).sort((x, y) => want[x]! - want[y]!);
  return reorder(tensor(node, axes, "float"), perm, at);
}
