/**
 * The check of a `finite` output, as a graph that a device computes beside the segment. Its nodes are made after the
 * program, so their ids are negative and meet no other.
 */
import type { DType, Node } from "../lang/graph/node.ts";

let internal = -1_000_000_000;
const node = (
  op: string,
  inputs: readonly Node[],
  dtype: DType,
  shape: readonly number[],
  attrs: Node["attrs"],
): Node => ({
  id: internal--,
  op,
  inputs,
  attrs,
  type: { dtype, shape },
});

/** How many elements of a tensor are infinite or NaN: those with x - x ≠ 0. */
export function countOfInfinite(x: Node): Node {
  const { shape } = x.type;
  const zero = node("const", [], "f32", [], { value: 0, dtype: "f32" });
  const zeros = node("expand", [zero], "f32", shape, { shape, axes: [] });
  const bad = node("ne", [node("sub", [x, x], "f32", shape, {}), zeros], "bool", shape, {});
  const axes = shape.map((_, i) => i);
  return node("sum", [node("cast", [bad], "i32", shape, { dtype: "i32" })], "i32", [], { axes });
}
