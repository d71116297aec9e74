/**
 * The index space of a root: a node that gets its own place in memory and is computed by a `rows` kernel.
 * Its logical axes are those of its result, then those it reduces. `elementOf` is the value of one point of the space.
 */
import { pairs } from "../lang/graph/attrs.ts";
import { sizeOf } from "../lang/graph/ops/row.ts";
import type { Node } from "../lang/graph/node.ts";
import { foldIsView } from "./emit.ts";
import type { Emitter } from "./emit.ts";
import { constantIndex } from "./index-expr.ts";
import type { Index } from "./index-expr.ts";
import type { Acc } from "./kernel.ts";

export { sizeOf };

/** Axes of the input that a reduction drops. */
function reducedAxes(node: Node): readonly number[] {
  return node.op === "argmax" ? [node.attrs["axis"] as number] : (node.attrs["axes"] as readonly number[]);
}

/** Free axes of an operand of `dot`: side 0 is the left one. */
export function freeAxes(node: Node, side: 0 | 1): number[] {
  const bound = new Set([...pairs(node, "batch"), ...pairs(node, "contract")].map((pair) => pair[side]));
  return (node.inputs[side]?.type.shape ?? []).map((_, i) => i).filter((i) => !bound.has(i));
}

export interface DotSizes {
  readonly g: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export function dotSizes(node: Node): DotSizes {
  const [batch, contract] = [pairs(node, "batch"), pairs(node, "contract")];
  const sizes = { g: 1, m: 1, n: 1, k: 1 };
  node.inputs.forEach(({ type }, side) =>
    type.shape.forEach((size, axis) => {
      const is = (pair: readonly [number, number]) => pair[side] === axis;
      if (batch.some(is)) sizes.g *= side === 0 ? size : 1;
      else if (contract.some(is)) sizes.k *= side === 0 ? size : 1;
      else sizes[side === 0 ? "m" : "n"] *= size;
    }),
  );
  return sizes;
}

const rowsDots = new WeakMap<Node, boolean>();

/** A product so small or thin that tiles do not pay: it is a sum of products like any reduction. */
export function dotIsRows(node: Node): boolean {
  let rows = rowsDots.get(node);
  if (rows === undefined) {
    const { g, m, n, k } = dotSizes(node);
    rows = Math.min(m, n) === 1 || k === 1 || g * m * n * k <= 2048;
    rowsDots.set(node, rows);
  }
  return rows;
}

export function isReduction(node: Node): boolean {
  if (node.op === "sum" || node.op === "amax" || node.op === "argmax") return true;
  if (node.op === "fold") return !foldIsView(node);
  return node.op === "dot" && dotIsRows(node);
}

/** Extents of the axes a root reduces; none for a map. */
export function innerExtents(node: Node): readonly number[] {
  if (!isReduction(node)) return [];
  if (node.op === "fold") return node.attrs["size"] as readonly number[];
  const shape = node.inputs[0]?.type.shape ?? [];
  if (node.op === "dot") return pairs(node, "contract").map(([i]) => shape[i] ?? 1);
  return reducedAxes(node).map((i) => shape[i] ?? 1);
}

/** Where element (index, inner) of a reduction's space lies in its input. */
function inputIndex(node: Node, index: readonly Index[], inner: readonly Index[]): Index[] {
  const dropped = reducedAxes(node);
  let next = 0;
  return (node.inputs[0]?.type.shape ?? []).map((_, i) => {
    const at = dropped.indexOf(i);
    return (at >= 0 ? inner[at] : index[next++]) ?? constantIndex(0);
  });
}

function operandIndex(node: Node, side: 0 | 1, index: readonly Index[], inner: readonly Index[]): Index[] {
  const batch = pairs(node, "batch");
  const contract = pairs(node, "contract");
  const free = freeAxes(node, side);
  const first = batch.length + (side === 0 ? 0 : freeAxes(node, 0).length);
  const out: Index[] = [];
  batch.forEach((pair, i) => (out[pair[side]] = index[i] ?? constantIndex(0)));
  contract.forEach((pair, i) => (out[pair[side]] = inner[i] ?? constantIndex(0)));
  free.forEach((axis, i) => (out[axis] = index[first + i] ?? constantIndex(0)));
  return out;
}

/** The value to store (a map) or to accumulate (a reduction) at one point. */
export function elementOf(
  emitter: Emitter,
  node: Node,
  index: readonly Index[],
  inner: readonly Index[],
): number | Acc {
  if (!isReduction(node)) return emitter.inline(node, index);
  const [a, b] = node.inputs;
  if (!a) throw new Error(`expected ${node.op} to have an input, got none`);
  if (node.op === "fold") return { op: "sum", value: emitter.foldTerm(node, index, inner) };
  if (node.op === "dot") {
    if (!b) throw new Error("expected dot to have two inputs, got one");
    const left = emitter.emit(a, operandIndex(node, 0, index, inner));
    const right = emitter.emit(b, operandIndex(node, 1, index, inner));
    return { op: "sum", value: emitter.values.binary("mul", left, right) };
  }
  const value = emitter.emit(a, inputIndex(node, index, inner));
  if (node.op === "sum") return { op: "sum", value };
  if (node.op === "amax") return { op: "max", value };
  return { op: "argmax", value, at: emitter.value(inner[0] ?? constantIndex(0)) };
}
