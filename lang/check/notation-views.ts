/**
 * `x[2 * i + a, j]` as views of x with the axes i, a, j: slices for one index, windows for sums of several, diagonals for
 * an index that stands twice. Sizes are known and places proved to be inside when this runs.
 */
import { build as b } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import { open, shape } from "./axes.ts";
import type { At } from "./ctx.ts";
import { atIndices } from "./index.ts";
import { dtypeOf, reorder, tensor } from "./tensors.ts";
import type { Axis, Tensor } from "./values.ts";

/** An index of a `let`, with an axis of its own. */
export interface Index {
  readonly name: string;
  readonly span: Span;
  /** The axis that stands for it while the right side is computed; its size once it is known. */
  axis: Axis & { readonly uid: number };
  /** The axis of a tensor that it runs along alone: the name that the result keeps. */
  along?: Axis;
}

/** A place: `base` plus indices times whole numbers, or integers of a tensor. */
export type Place =
  | { readonly kind: "sum"; readonly base: number; readonly terms: ReadonlyMap<Index, number>; readonly span: Span }
  | { readonly kind: "tensor"; readonly ids: Tensor; readonly span: Span };

const along = (x: Node, axis: number, at: number, others: (size: number) => number): number[] =>
  x.type.shape.map((size, i) => (i === axis ? at : others(size)));

function sliced(x: Node, axis: number, from: number, to: number, step = 1): Node {
  return b.slice(
    x,
    along(x, axis, from, () => 0),
    along(x, axis, to, (size) => size),
    along(x, axis, step, () => 1),
  );
}

const flipped = (x: Node, axis: number): Node => b.make("flip", [x], { axes: [axis] });

/** One axis becomes the axes of its indices: the first stays in place, the others come behind all axes. */
function walked(x: Node, axis: number, place: Place & { kind: "sum" }): { node: Node; first?: Axis; more: Axis[] } {
  const terms = [...place.terms].map(([{ axis: own }, factor]) => ({ own, step: Math.abs(factor), back: factor < 0 }));
  const reach = ({ own, step }: (typeof terms)[number]): number => step * (own.size - 1);
  // A term that falls begins at its last place and is turned round.
  const begin = terms.reduce((at, t) => (t.back ? at - reach(t) : at), place.base);
  const extent = terms.reduce((n, t) => n + reach(t), 1);
  const [first, ...more] = terms;
  if (!first) return { node: sliced(x, axis, begin, begin + 1), more: [] };
  let node = sliced(x, axis, begin, begin + extent, more.length === 0 ? first.step : 1);
  if (more.length > 0) {
    more.toReversed().forEach(({ own, step }, i) => {
      const last = i === more.length - 1;
      const attrs = { axes: [axis], size: [own.size], stride: [last ? first.step : 1], dilation: [step] };
      node = b.make("windows", [node], attrs);
    });
  }
  const rank = x.type.shape.length;
  const behind = more.toReversed();
  if (first.back) node = flipped(node, axis);
  behind.forEach((t, i) => {
    if (t.back) node = flipped(node, rank + i);
  });
  return { node, first: first.own, more: behind.map((t) => t.own) };
}

/** An axis that stands twice: of both only equal places are kept. */
function withoutTwins(t: Tensor, at: At): Tensor {
  for (const [i, axis] of t.axes.entries()) {
    const j = axis.uid === undefined ? -1 : t.axes.findIndex((other, k) => k > i && other.uid === axis.uid);
    if (j < 0) continue;
    const others = t.axes.map((_, k) => k).filter((k) => k !== i && k !== j);
    const front = reorder(t, [...others, i, j], at);
    const lead = shape(front.axes).slice(0, -2);
    const n = axis.size;
    const flat = b.reshape(front.node, [...lead, n * n]);
    const node = sliced(flat, lead.length, 0, n * n, n + 1);
    return withoutTwins(tensor(node, front.axes.slice(0, -1), t.dtype), at);
  }
  return t;
}

/** The elements of t at all places that its indices go through. */
export function viewed(t: Tensor, places: readonly Place[], at: At): Tensor {
  const all = places.flatMap((p) => (p.kind === "sum" ? [...p.terms.keys()].map((i) => i.axis) : [...p.ids.axes]));
  if ([...t.axes, ...all].some((axis) => open(axis.size))) {
    const axes = all.filter((axis, i) => all.findIndex((other) => other.uid === axis.uid) === i);
    return tensor(b.fill(0, { dtype: dtypeOf[t.dtype], shape: shape(axes) }), axes, t.dtype);
  }
  let node = t.node;
  const dropped: number[] = [];
  const axes: Axis[] = [];
  const behind: Axis[] = [];
  places.forEach((place, i) => {
    if (place.kind === "tensor") {
      axes[i] = { size: t.axes[i]!.size };
      return;
    }
    const found = walked(node, i, place);
    node = found.node;
    behind.push(...found.more);
    axes[i] = found.first ?? { size: 1 };
    if (!found.first) dropped.push(i);
  });
  const kept = [...axes.filter((_, i) => !dropped.includes(i)), ...behind];
  const whole = tensor(b.reshape(node, shape(kept)), kept, t.dtype);
  let result = withoutTwins(whole, at);
  for (const [i, place] of [...places.entries()].reverse()) {
    if (place.kind !== "tensor") continue;
    const where = result.axes.indexOf(axes[i]!);
    result = atIndices(result, where, place.ids, place.span, at);
  }
  return tensor(result.node, result.axes, t.dtype);
}
