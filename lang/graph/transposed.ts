/**
 * The gradient of a convolution by its input: `fold(dot(g, w))` writes a column for every place and window and sums them
 * back. With stride 1 the same sum is a convolution of g with the flipped w, one product that writes nothing else:
 *   y[i] = Σ_j Σ_o g[i - d j, o] w[o, j] = Σ_j' Σ_o windows(pad(g))[i, j', o] flip(w)[o, j']
 * A slice of the fold (the padding cut away again) pads less. Used where it does not multiply much more.
 */
import { list } from "./attrs.ts";
import { ByNode } from "./by-node.ts";
import { make } from "./make.ts";
import type { Dims, Node } from "./node.ts";
import { origins, swapped } from "./ops/dot.ts";
import { sizeOf } from "./ops/row.ts";
import { after, hasOp, remake, topological } from "./walk.ts";

/** The product may grow by this factor: the columns and their sum cost more than that. */
const GROWTH = 1.4;

interface Crop {
  readonly start: readonly number[];
  readonly stop: readonly number[];
}

/** A slice that leaves out nothing in between. */
function cropOf(node: Node): Crop | undefined {
  if (node.op !== "slice" || list(node, "step").some((n) => n !== 1)) return undefined;
  return { start: list(node, "start"), stop: list(node, "stop") };
}

function asConvolution(fold: Node, crop: Crop | undefined): Node | undefined {
  let columns = fold.inputs[0]!;
  let perm = columns.type.shape.map((_, i) => i);
  if (columns.op === "permute") {
    perm = [...list(columns, "perm")];
    columns = columns.inputs[0]!;
  }
  if (columns.op !== "dot" || list(fold, "stride").some((n) => n !== 1)) return undefined;
  const from = origins(columns);
  if (from.length === 0) return undefined;
  const [places, size, dilation] = [list(fold, "axes"), list(fold, "size"), list(fold, "dilation")];
  const rank = fold.type.shape.length;
  const shape = fold.type.shape.map((n, i) => (crop ? crop.stop[i]! - crop.start[i]! : n));
  if (sizeOf(shape) * sizeOf(size) > GROWTH * sizeOf(columns.type.shape)) return undefined;
  if (crop && shape.some((n, i) => !places.includes(i) && n !== fold.type.shape[i])) return undefined;

  const placed = places.map((axis) => from[perm[axis]!]!);
  const window = size.map((_, k) => from[perm[rank + k]!]!);
  const side = placed[0]![0];
  if (placed.some(([s]) => s !== side) || window.some(([s]) => s === side)) return undefined;

  const g = columns.inputs[side]!;
  const w = columns.inputs[1 - side]!;
  const widened = padded(g, placed.map(([, axis]) => axis), (k) => {
    const reach = dilation[k]! * (size[k]! - 1);
    const [first, last] = crop ? [crop.start[places[k]!]!, crop.stop[places[k]!]!] : [0, fold.type.shape[places[k]!]!];
    return [reach - first, last - g.type.shape[placed[k]![1]]!];
  }); // prettier-ignore
  const windows = make("windows", [widened], {
    axes: placed.map(([, axis]) => axis),
    size,
    stride: size.map(() => 1),
    dilation,
  });
  const flipped = make("flip", [w], { axes: window.map(([, axis]) => axis) });
  const contract: Dims = [
    ...(columns.attrs["contract"] as Dims),
    ...window.map(([, axis], k) => {
      const own = g.type.shape.length + k;
      return side === 0 ? ([own, axis] as const) : ([axis, own] as const);
    }),
  ];
  const product = make("dot", side === 0 ? [windows, flipped] : [flipped, windows], { batch: [], contract }, fold.span);
  const now = origins(product);
  const order = shape.map((_, axis) => {
    const [s, at] = from[perm[axis]!]!;
    return now.findIndex(([t, other]) => t === s && other === at);
  });
  return make("permute", [product], { perm: order }, fold.span);
}

/** The columns of an overlapping fold with the places innermost: then its sums walk whole rows of neighbours. */
function placesInnermost(fold: Node): Node | undefined {
  const inner = fold.inputs[0]!;
  const columns = inner.op === "permute" ? inner.inputs[0]! : inner;
  const [places, size, stride] = [list(fold, "axes"), list(fold, "size"), list(fold, "stride")];
  if (columns.op !== "dot" || size.every((n, k) => n <= stride[k]!)) return undefined;
  const from = origins(columns);
  if (from.length === 0) return undefined;
  const perm = inner.op === "permute" ? list(inner, "perm") : from.map((_, i) => i);
  const rank = fold.type.shape.length;
  if (places.some((axis) => from[perm[axis]!]![0] !== 0) || size.some((_, k) => from[perm[rank + k]!]![0] !== 1)) {
    return undefined;
  }
  const [g, w] = columns.inputs as [Node, Node];
  const contract = swapped(columns.attrs["contract"] as Dims);
  const product = make("dot", [w, g], { batch: [], contract }, columns.span);
  const now = origins(product);
  const order = perm.map((at) => now.findIndex(([s, axis]) => s === 1 - from[at]![0] && axis === from[at]![1]));
  return remake(fold, [make("permute", [product], { perm: order }, inner.span)]);
}

/** g with zeros put on, or places cut away, at both ends of some axes. */
function padded(g: Node, axes: readonly number[], ends: (k: number) => readonly [number, number]): Node {
  const rows = g.type.shape.map((_, i) => {
    const k = axes.indexOf(i);
    return k < 0 ? ([0, 0] as const) : ends(k);
  });
  const cut = make("slice", [g], {
    start: rows.map(([lo]) => Math.max(0, -lo)),
    stop: rows.map(([, hi], i) => g.type.shape[i]! - Math.max(0, -hi)),
    step: rows.map(() => 1),
  });
  return make("pad", [cut], {
    lo: rows.map(([lo]) => Math.max(0, lo)),
    hi: rows.map(([, hi]) => Math.max(0, hi)),
    value: 0,
  });
}

/** Folds of products become convolutions: cut as their slices cut them, or whole where nothing cuts them. */
export function transposed(outputs: readonly Node[]): readonly Node[] {
  if (!hasOp(outputs, "fold")) return outputs;
  const order = topological(outputs);
  const cut = new Set(order.flatMap((node) => (node.op === "slice" && cropOf(node) ? [node.inputs[0]!] : [])));
  const mapped = new ByNode<Node>(order);
  for (const node of order) {
    const now = remake(node, after(node.inputs, mapped));
    const crop = cropOf(now);
    const fold = crop ? now.inputs[0]! : now;
    const whole = now.op === "fold" && !cut.has(node);
    const convolution = fold.op === "fold" && (crop || whole) ? asConvolution(fold, crop) : undefined;
    mapped.set(node, convolution ?? (now.op === "fold" ? placesInnermost(now) : undefined) ?? now);
  }
  return after(outputs, mapped);
}
