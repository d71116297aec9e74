/**
 * Broadcasting by axis. Equal rank: axis by axis. Otherwise each axis of the smaller side is found in the larger, in
 * order and in exactly one way: a name by its name, a number by an equal number. A size of 1 never stretches.
 */
import { UserError } from "../diagnostic.ts";
import * as mistake from "../errors/shapes.ts";
import type { Misfit } from "../errors/shapes.ts";
import type { Node } from "../graph/node.ts";
import { fits, mergeAxes, open, sameAxis, shape } from "./axes.ts";
import type { At } from "./ctx.ts";
import { op } from "./tensors.ts";
import type { Axis, Tensor } from "./values.ts";

export interface Pairing {
  readonly axes: readonly Axis[];
  /** The places of the axes of either side in `axes`. */
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** More ways than this are simply several. */
const MANY = 64;

/** All ways to find the small axes in the large ones, in order. */
function embeddings(small: readonly Axis[], large: readonly Axis[]): number[][] {
  const found: number[][] = [];
  const walk = (i: number, from: number, taken: number[]): void => {
    if (found.length >= MANY) return;
    if (i === small.length) {
      found.push(taken);
      return;
    }
    for (let j = from; j <= large.length - (small.length - i); j++)
      if (sameAxis(small[i]!, large[j]!)) walk(i + 1, j + 1, [...taken, j]);
  };
  walk(0, 0, []);
  return found;
}

/** Where two ways put an axis of size 1 at different places they mean the same; open sizes are not judged. */
function oneMeaning(small: readonly Axis[], ways: readonly number[][]): Misfit | undefined {
  const last = ways.at(-1)!;
  for (const way of ways) {
    const i = way.findIndex(
      (p, k) => p !== last[k] && (small[k]!.uid !== undefined || (small[k]!.size !== 1 && !open(small[k]!.size))),
    );
    if (i >= 0) return { why: "several", axis: small[i]! };
  }
  return undefined;
}

function whyMissing(small: readonly Axis[], large: readonly Axis[]): Misfit {
  const lost = small.find((s) => !large.some((l) => sameAxis(s, l)));
  if (!lost) return { why: "missing", axis: small[0]!, order: true };
  const place = large.findIndex((l) => l.size === lost.size && (l.uid === undefined) !== (lost.uid === undefined));
  if (place < 0) return { why: "missing", axis: lost, order: false };
  return { why: "missing", axis: lost, order: false, alike: large[place]!, place: place - large.length };
}

/** `[N, 1]` against `[N]`: a column of scores beside a vector of targets, the usual slip. */
function isColumn(small: readonly Axis[], large: readonly Axis[]): boolean {
  const extra = large.at(-1);
  const last = small.at(-1);
  if (!extra || !last || large.length !== small.length + 1) return false;
  const one = (a: Axis): boolean => a.uid === undefined && a.size === 1;
  return one(extra) && !one(last) && small.every((s, i) => sameAxis(s, large[i]!));
}

/** `scales`: the operator only scales (`*`, `/`), so a column beside a vector is no slip. */
export function pairAxes(a: readonly Axis[], b: readonly Axis[], scales = false): Pairing | Misfit {
  if (a.length === b.length) {
    for (let place = 0; place < a.length; place++) {
      const [left, right] = [a[place]!, b[place]!];
      if (left.uid !== undefined && right.uid !== undefined && left.uid !== right.uid)
        return { why: "names", place, left, right };
      if (!fits(left.size, right.size)) return { why: "sizes", place, left, right };
    }
    const whole = range(a.length);
    return { axes: a.map((left, i) => mergeAxes(left, b[i]!)), a: whole, b: whole };
  }
  const [small, large] = a.length < b.length ? [a, b] : [b, a];
  if (!scales && isColumn(small, large)) return { why: "column" };
  const ways = embeddings(small, large);
  if (ways.length === 0) return whyMissing(small, large);
  const several = oneMeaning(small, ways);
  if (several) return several;
  const way = ways.at(-1)!;
  const axes = large.map((l, j) => (way.includes(j) ? mergeAxes(l, small[way.indexOf(j)]!) : l));
  const whole = range(large.length);
  return a.length < b.length ? { axes, a: way, b: whole } : { axes, a: whole, b: way };
}

/** t with its axes at the given places of a larger shape. */
export function spreadTo(t: Tensor, axes: readonly Axis[], places: readonly number[], at: At): Node {
  return places.length === axes.length ? t.node : op("expand", [t.node], { shape: shape(axes), axes: places }, at);
}

export function broadcast(a: Tensor, b: Tensor, at: At, what: string): { axes: readonly Axis[]; a: Node; b: Node } {
  const pairing = pairAxes(a.axes, b.axes, what === "*" || what === "/");
  if ("why" in pairing)
    throw new UserError(
      mistake.cannotBroadcast(
        what,
        { value: a, span: at.left ?? at.span },
        { value: b, span: at.right ?? at.span },
        pairing,
      ),
    );
  return {
    axes: pairing.axes,
    a: spreadTo(a, pairing.axes, pairing.a, at),
    b: spreadTo(b, pairing.axes, pairing.b, at),
  };
}

/** `expand(x, [B, K, J])`: t with more axes, its own found among them by the same rule. */
export function broadcastTo(t: Tensor, axes: readonly Axis[], at: At): Tensor {
  const fail = (misfit: Misfit): never => {
    throw new UserError(
      mistake.cannotExpand(
        { value: t, span: at.argSpans?.["x"] ?? at.span },
        axes,
        misfit,
        at.argSpans?.["shape"] ?? at.span,
      ),
    );
  };
  if (t.axes.length > axes.length)
    return fail({
      why: "missing",
      axis: t.axes.find((x) => !axes.some((y) => sameAxis(x, y))) ?? t.axes[0]!,
      order: false,
    });
  const pairing = pairAxes(t.axes, axes, true);
  if ("why" in pairing) return fail(pairing);
  return { ...t, node: spreadTo(t, pairing.axes, pairing.a, at), axes: pairing.axes };
}
