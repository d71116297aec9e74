/**
 * The contraction: every product of two tensors summed over pairs of axes (matrix product, batched product, outer
 * product, inner product). Result axes: batch, free axes of a in order, free axes of b in order.
 */
import * as b from "../build.ts";
import type { Attrs, Dims, Node } from "../node.ts";
import type { Op } from "./row.ts";
import { wrong, expectCount, expectDtype, sameShape, sizeOf } from "./row.ts";
import { permuted } from "./strided.ts";

/** Axes of one operand that are neither batch nor contracted. */
function freeAxes(rank: number, side: 0 | 1, batch: Dims, contract: Dims): number[] {
  const used = new Set([...batch, ...contract].map((pair) => pair[side]));
  return Array.from({ length: rank }, (_, i) => i).filter((i) => !used.has(i));
}

function pairsAttr(attrs: Attrs, key: string): Dims {
  const value = attrs[key] as Dims | undefined;
  const right =
    Array.isArray(value) &&
    value.every((p) => Array.isArray(p) && p.length === 2 && p.every((n) => typeof n === "number"));
  if (!right) throw wrong("dot", `pairs of axes for ${key}`, JSON.stringify(value));
  return value as Dims;
}

export interface DotAxes {
  readonly batch: Dims;
  readonly contract: Dims;
  readonly freeA: readonly number[];
  readonly freeB: readonly number[];
}
export function dotAxes(rankA: number, rankB: number, attrs: Attrs): DotAxes {
  const [batch, contract] = [attrs["batch"] as Dims, attrs["contract"] as Dims];
  return { batch, contract, freeA: freeAxes(rankA, 0, batch, contract), freeB: freeAxes(rankB, 1, batch, contract) };
}
export const axesOfDot = ({ inputs: [a, b], attrs }: Node): DotAxes =>
  dotAxes(a!.type.shape.length, b!.type.shape.length, attrs);

/** Where each axis of a dot's result comes from; none where it has batches. */
export function origins(dot: Node): (readonly [side: 0 | 1, axis: number])[] {
  const { batch, freeA, freeB } = axesOfDot(dot);
  if (batch.length > 0) return [];
  return [...freeA.map((axis) => [0, axis] as const), ...freeB.map((axis) => [1, axis] as const)];
}

/** Pairs as the other operand sees them. */
export const swapped = (pairs: Dims): Dims => pairs.map(([i, j]) => [j, i]);

/**
 * The adjoint of one operand: g times the other operand over the other's free axes. The product of g and the other has
 * the axes batch, own free, contracted; the product the other way round has batch, contracted, own free. The contracted
 * ones stand in the other's order. Whichever needs no permutation is taken.
 */
function adjoint(node: Node, g: Node, side: 0 | 1): Node {
  const [own, other] = [node.inputs[side]!, node.inputs[1 - side]!];
  const { batch, contract, freeA, freeB } = axesOfDot(node);
  const [ownFree, otherFree] = side === 0 ? [freeA, freeB] : [freeB, freeA];
  const otherStart = batch.length + (side === 0 ? freeA.length : 0);
  // Pairs of axes of g and of the other.
  const batchPairs = batch.map((pair, i) => [i, pair[1 - side]!] as const);
  const pairs = otherFree.map((axis, i) => [otherStart + i, axis] as const);

  const batchAxes = batch.map((pair) => pair[side]!);
  const contracted = [...contract].sort((p, q) => p[1 - side]! - q[1 - side]!).map((pair) => pair[side]!);
  const permOf = (axes: readonly number[]) => own.type.shape.map((_, i) => axes.indexOf(i));
  const gFirst = permOf([...batchAxes, ...ownFree, ...contracted]);
  const otherFirst = permOf([...batchAxes, ...contracted, ...ownFree]);
  if (otherFirst.every((p, i) => p === i)) return b.dot(other, g, swapped(batchPairs), swapped(pairs));
  return b.permute(b.dot(g, other, batchPairs, pairs), gFirst);
}

/** out[m, n] += a[m, k] b[k, n] for one batch; the inner loop runs along contiguous rows. */
function multiply(
  a: Float64Array,
  c: Float64Array,
  out: Float64Array,
  m: number,
  k: number,
  n: number,
  batches: number,
): void {
  for (let s = 0; s < batches; s++) {
    for (let i = 0; i < m; i++) {
      const row = out.subarray((s * m + i) * n, (s * m + i + 1) * n);
      for (let j = 0; j < k; j++) {
        const x = a[(s * m + i) * k + j]!;
        const from = (s * k + j) * n;
        for (let l = 0; l < n; l++) row[l]! += x * c[from + l]!;
      }
    }
  }
}

export const dots: Record<string, Op> = {
  dot: {
    name: "dot",
    family: "contraction",
    signature: "(a f32, b f32) {batch, contract} -> batch axes, free axes of a, free axes of b",
    doc: "The sum of products over contracted pairs of axes, for each place of the batch pairs.",
    shape: (inputs, attrs) => {
      expectCount("dot", inputs, 2);
      const [x, y] = [inputs[0]!, inputs[1]!];
      expectDtype("dot", x, ["f32"]);
      expectDtype("dot", y, ["f32"]);
      const [batch, contract] = [pairsAttr(attrs, "batch"), pairsAttr(attrs, "contract")];
      for (const side of [0, 1] as const) {
        const axes = [...batch, ...contract].map((pair) => pair[side]);
        const rank = inputs[side]!.shape.length;
        const right =
          new Set(axes).size === axes.length && axes.every((i) => Number.isInteger(i) && i >= 0 && i < rank);
        if (!right) throw wrong("dot", `different axes below ${rank} of operand ${side}`, `[${axes.join(",")}]`);
      }
      for (const [i, j] of [...batch, ...contract])
        if (!sameShape([x.shape[i]!], [y.shape[j]!]))
          throw wrong("dot", `equal sizes of axes ${i} and ${j}`, `${x.shape[i]} and ${y.shape[j]}`);
      const { freeA, freeB } = dotAxes(x.shape.length, y.shape.length, attrs);
      const batchSizes = batch.map(([i, j]) => (x.shape[i] === -1 ? y.shape[j]! : x.shape[i]!));
      return {
        dtype: "f32",
        shape: [...batchSizes, ...freeA.map((i) => x.shape[i]!), ...freeB.map((i) => y.shape[i]!)],
      };
    },
    gradient: ({ node, g, needs }) => [
      needs[0] ? adjoint(node, g, 0) : undefined,
      needs[1] ? adjoint(node, g, 1) : undefined,
    ],
    meaning: ([x, y], attrs, type) => {
      const { batch, contract, freeA, freeB } = dotAxes(x!.shape.length, y!.shape.length, attrs);
      const sizes = (shape: readonly number[], axes: readonly number[]) => sizeOf(axes.map((i) => shape[i]!));
      const a = permuted(x!, [...batch.map((p) => p[0]), ...freeA, ...contract.map((p) => p[0])]);
      const c = permuted(y!, [...batch.map((p) => p[1]), ...contract.map((p) => p[1]), ...freeB]);
      const out = new Float64Array(sizeOf(type.shape));
      const batches = sizes(
        x!.shape,
        batch.map((p) => p[0]),
      );
      multiply(
        a,
        c,
        out,
        sizes(x!.shape, freeA),
        sizes(
          x!.shape,
          contract.map((p) => p[0]),
        ),
        sizes(y!.shape, freeB),
        batches,
      );
      return out;
    },
    flops: (inputs, type, attrs) =>
      2 * sizeOf(type.shape) * sizeOf((attrs["contract"] as Dims).map((p) => inputs[0]!.shape[p[0]]!)),
  },
};
