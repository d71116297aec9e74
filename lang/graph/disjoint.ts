/**
 * Sums of tensors that are zero but for ranges that do not meet, as the gradients of slices are: `pad(a) + pad(b)` with
 * the ranges side by side is `concat(a, b)`.
 */
import { fill } from "./build.ts";
import { ByNode } from "./by-node.ts";
import { make } from "./make.ts";
import type { Node } from "./node.ts";
import { after, hasOp, remake, topological } from "./walk.ts";

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly stop: number;
  readonly piece: Node;
}

/** The only range of the node that may differ from 0. */
function rangeOf(node: Node): Range | undefined {
  if (node.op !== "pad" || node.attrs["value"] !== 0) return undefined;
  const [lo, hi] = [node.attrs["lo"] as readonly number[], node.attrs["hi"] as readonly number[]];
  const axes = lo.flatMap((n, i) => (n > 0 || hi[i]! > 0 ? [i] : []));
  if (axes.length !== 1) return undefined;
  const axis = axes[0]!;
  return { axis, start: lo[axis]!, stop: node.type.shape[axis]! - hi[axis]!, piece: node.inputs[0]! };
}

/** The terms of a sum that nobody else reads the parts of; `readers` are known of sums. */
function termsOf(node: Node, readers: ReadonlyMap<Node, number>): Node[] {
  const out: Node[] = [];
  const stack = [...node.inputs].reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (top.op === "add" && readers.get(top) === 1) stack.push(...[...top.inputs].reverse());
    else out.push(top);
  }
  return out;
}

/** What the terms tile, with zeros in the gaps, and the terms that are left over; undefined where fewer than two fit. */
function joined(terms: readonly Node[]): Node[] | undefined {
  const ranges = terms.flatMap((term, place) => {
    const range = rangeOf(term);
    return range ? [{ ...range, type: term.type, place }] : [];
  });
  const axis = ranges[0]?.axis;
  if (axis === undefined) return undefined;
  const own = ranges.filter((r) => r.axis === axis).sort((a, b) => a.start - b.start);
  const apart = own.filter((r, i) => own.slice(0, i).every((before) => before.stop <= r.start));
  if (apart.length < 2) return undefined;
  const { type } = apart[0]!;
  const gap = (from: number, to: number): Node[] =>
    to > from ? [fill(0, { dtype: type.dtype, shape: type.shape.map((n, i) => (i === axis ? to - from : n)) })] : [];
  let at = 0;
  const pieces = apart.flatMap(({ start, stop, piece }) => {
    const before = gap(at, start);
    at = stop;
    return [...before, piece];
  });
  const whole = make("concat", [...pieces, ...gap(at, type.shape[axis]!)], { axis });
  const used = new Set(apart.map(({ place }) => place));
  return [whole, ...terms.filter((_, place) => !used.has(place))];
}

export function disjoint(outputs: readonly Node[]): readonly Node[] {
  if (!hasOp(outputs, "pad")) return outputs;
  const order = topological(outputs);
  const ranges = new ByNode<true>(order);
  const isSumOfRanges = (node: Node) => node.op === "add" && node.inputs.some((input) => ranges.get(input));
  for (const node of order) if (rangeOf(node) || isSumOfRanges(node)) ranges.set(node, true);
  const readers = new Map<Node, number>();
  const count = (node: Node) => node.op === "add" && void readers.set(node, (readers.get(node) ?? 0) + 1);
  for (const { inputs } of order) inputs.forEach(count);
  outputs.forEach(count);
  const mapped = new ByNode<Node>(order);
  for (const node of order) {
    const isSum = isSumOfRanges(node) && node.type.dtype === "f32";
    const terms = isSum ? joined(after(termsOf(node, readers), mapped)) : undefined;
    const now = terms
      ? terms.reduce((a, b) => make("add", [a, b], {}, node.span, node.origin))
      : remake(node, after(node.inputs, mapped));
    if (now !== node) mapped.set(node, now);
  }
  return after(outputs, mapped);
}
