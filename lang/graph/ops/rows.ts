/**
 * Rows by number: `gather` reads them, `scatter` adds them up. Numbers outside are held in range (clamped) in both,
 * so the two stay each other's adjoint.
 */
import * as b from "../build.ts";
import type { Op } from "./row.ts";
import { axisAttr, expect, expectCount, expectDtype, numberAttr, sameShape, sizeOf, typeText } from "./row.ts";

/** Sizes before the axis and after what replaces it; the ids lie in between. */
function around(shape: readonly number[], axis: number, ids: number): { outer: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), inner: sizeOf(shape.slice(axis + ids)) };
}
const clamp = (id: number, size: number) => Math.min(Math.max(id, 0), size - 1);

export const rows: Record<string, Op> = {
  gather: {
    name: "gather",
    family: "rows",
    signature: "(a, ids i32) {axis} -> a with ids' axes in place of the axis",
    doc: "a's entries at the given numbers along an axis; numbers outside are clamped.",
    shape: (inputs, attrs) => {
      expectCount("gather", inputs, 2);
      const [x, ids] = [inputs[0]!, inputs[1]!];
      expectDtype("gather", ids, ["i32"]);
      const axis = axisAttr("gather", attrs, x.shape.length);
      return { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...ids.shape, ...x.shape.slice(axis + 1)] };
    },
    gradient: ({ node, inputs: [x, ids], g }) => {
      const axis = node.attrs["axis"] as number;
      return [b.make("scatter", [g, ids!], { axis, size: x!.type.shape[axis]! }), undefined];
    },
    meaning: ([x, ids], attrs, type) => {
      const axis = attrs["axis"] as number;
      const size = x!.shape[axis]!;
      const { outer, inner } = around(x!.shape, axis, 1);
      const out = new Float64Array(sizeOf(type.shape));
      let at = 0;
      for (let o = 0; o < outer; o++)
        for (const id of ids!.data) {
          const from = (o * size + clamp(id, size)) * inner;
          out.set(x!.data.subarray(from, from + inner), at);
          at += inner;
        }
      return out;
    },
    flops: () => 0,
  },
  scatter: {
    name: "scatter",
    family: "rows",
    signature: "(v f32|i32, ids i32) {axis, size} -> v with one axis of `size` in place of ids' axes",
    doc: "The adjoint of gather: adds each entry at its number; numbers outside are clamped.",
    shape: (inputs, attrs) => {
      expectCount("scatter", inputs, 2);
      const [v, ids] = [inputs[0]!, inputs[1]!];
      expectDtype("scatter", v, ["f32", "i32"]);
      expectDtype("scatter", ids, ["i32"]);
      const axis = numberAttr("scatter", attrs, "axis");
      const rank = ids.shape.length;
      const middle = v.shape.slice(axis, axis + rank);
      const fits = axis >= 0 && axis + rank <= v.shape.length && sameShape(middle, ids.shape);
      expect(fits, "scatter", `${typeText(ids)}'s axes at ${axis}`, typeText(v));
      return {
        dtype: v.dtype,
        shape: [...v.shape.slice(0, axis), numberAttr("scatter", attrs, "size"), ...v.shape.slice(axis + rank)],
      };
    },
    gradient: ({ node, inputs: [, ids], g }) => [b.make("gather", [g, ids!], { axis: node.attrs["axis"]! }), undefined],
    meaning: ([v, ids], attrs, type) => {
      const axis = attrs["axis"] as number;
      const size = attrs["size"] as number;
      const { outer, inner } = around(v!.shape, axis, ids!.shape.length);
      const out = new Float64Array(sizeOf(type.shape));
      let at = 0;
      for (let o = 0; o < outer; o++)
        for (const id of ids!.data) {
          const to = (o * size + clamp(id, size)) * inner;
          for (let i = 0; i < inner; i++) out[to + i]! += v!.data[at++]!;
        }
      if (type.dtype === "i32") for (let i = 0; i < out.length; i++) out[i] = out[i]! | 0;
      return out;
    },
    flops: (inputs) => sizeOf(inputs[0]!.shape),
  },
};
