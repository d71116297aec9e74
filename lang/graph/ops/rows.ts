/**
 * Rows by number: `gather` reads them, `scatter` adds them up. Numbers outside are held in range (clamped) in both,
 * so the two stay each other's adjoint. The numbers are the same for every line before the axis, or `paired`: then ids
 * begin with those axes too, and each line has numbers of its own.
 */
import * as b from "../build.ts";
import type { Op } from "./row.ts";
import type { Attrs, Type } from "../node.ts";
import { axisAttr, wrong, expectCount, expectDtype, numberAttr, sameShape, sizeOf, typeText } from "./row.ts";

/** Sizes before the axis and after what replaces it; the ids lie in between. */
function around(shape: readonly number[], axis: number, ids: number): { outer: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), inner: sizeOf(shape.slice(axis + ids)) };
}
const isPaired = (attrs: Attrs): boolean => attrs["paired"] === true;
/** The axes of ids that stand in the place of the axis. */
const own = (ids: { readonly shape: readonly number[] }, attrs: Attrs): readonly number[] =>
  isPaired(attrs) ? ids.shape.slice(attrs["axis"] as number) : ids.shape;
/** The ids of one line. */
function idsOf(data: Float64Array, line: number, outer: number, attrs: Attrs): Float64Array {
  const count = data.length / Math.max(1, outer);
  return isPaired(attrs) ? data.subarray(line * count, (line + 1) * count) : data;
}
function expectPaired(op: string, x: Type, ids: Type, attrs: Attrs): void {
  if (!isPaired(attrs)) return;
  const axis = attrs["axis"] as number;
  const fits = sameShape(x.shape.slice(0, axis), ids.shape.slice(0, axis));
  if (!fits) throw wrong(op, `ids that begin like ${typeText(x)}`, typeText(ids));
}
const clamp = (id: number, size: number) => Math.min(Math.max(id, 0), size - 1);

export const rows: Record<string, Op> = {
  gather: {
    name: "gather",
    family: "rows",
    signature: "(a, ids i32) {axis, paired?} -> a with ids' axes in place of the axis",
    doc: "a's entries at the given numbers along an axis; numbers outside are clamped.",
    shape: (inputs, attrs) => {
      expectCount("gather", inputs, 2);
      const [x, ids] = [inputs[0]!, inputs[1]!];
      expectDtype("gather", ids, ["i32"]);
      const axis = axisAttr("gather", attrs, x.shape.length);
      expectPaired("gather", x, ids, attrs);
      return { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...own(ids, attrs), ...x.shape.slice(axis + 1)] };
    },
    gradient: ({ node, inputs: [x, ids], g }) => {
      const axis = node.attrs["axis"] as number;
      return [b.make("scatter", [g, ids!], { ...node.attrs, size: x!.type.shape[axis]! }), undefined];
    },
    meaning: ([x, ids], attrs, type) => {
      const axis = attrs["axis"] as number;
      const size = x!.shape[axis]!;
      const { outer, inner } = around(x!.shape, axis, 1);
      const out = new Float64Array(sizeOf(type.shape));
      let at = 0;
      for (let o = 0; o < outer; o++)
        for (const id of idsOf(ids!.data, o, outer, attrs)) {
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
    signature: "(v f32|i32, ids i32) {axis, size, paired?} -> v with one axis of `size` in place of ids' axes",
    doc: "The adjoint of gather: adds each entry at its number; numbers outside are clamped.",
    shape: (inputs, attrs) => {
      expectCount("scatter", inputs, 2);
      const [v, ids] = [inputs[0]!, inputs[1]!];
      expectDtype("scatter", v, ["f32", "i32"]);
      expectDtype("scatter", ids, ["i32"]);
      const axis = numberAttr("scatter", attrs, "axis");
      expectPaired("scatter", v, ids, attrs);
      const middle = own(ids, attrs);
      const rank = middle.length;
      const fits = axis >= 0 && axis + rank <= v.shape.length && sameShape(v.shape.slice(axis, axis + rank), middle);
      if (!fits) throw wrong("scatter", `${typeText(ids)}'s axes at ${axis}`, typeText(v));
      return {
        dtype: v.dtype,
        shape: [...v.shape.slice(0, axis), numberAttr("scatter", attrs, "size"), ...v.shape.slice(axis + rank)],
      };
    },
    gradient: ({ node, inputs: [, ids], g }) => {
      const { axis, paired } = node.attrs;
      return [b.make("gather", [g, ids!], paired === true ? { axis: axis!, paired } : { axis: axis! }), undefined];
    },
    meaning: ([v, ids], attrs, type) => {
      const axis = attrs["axis"] as number;
      const size = attrs["size"] as number;
      const { outer, inner } = around(v!.shape, axis, own(ids!, attrs).length);
      const out = new Float64Array(sizeOf(type.shape));
      let at = 0;
      for (let o = 0; o < outer; o++)
        for (const id of idsOf(ids!.data, o, outer, attrs)) {
          const to = (o * size + clamp(id, size)) * inner;
          for (let i = 0; i < inner; i++) out[to + i]! += v!.data[at++]!;
        }
      if (type.dtype === "i32") for (let i = 0; i < out.length; i++) out[i] = out[i]! | 0;
      return out;
    },
    flops: (inputs) => sizeOf(inputs[0]!.shape),
  },
};
