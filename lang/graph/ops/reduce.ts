/**
 * Reductions drop their axes; `cumsum` keeps its axis. Sums run in index order.
 */
import * as b from "../build.ts";
import type { Attrs, DType, Type } from "../node.ts";
import type { Op, Value } from "./row.ts";
import { axesAttr, axisAttr, boolAttr, expectCount, expectDtype, sizeOf, stridesOf } from "./row.ts";
import { permuted } from "./strided.ts";

const NUMBER: readonly DType[] = ["f32", "i32"];

function reduced(op: string, inputs: readonly Type[], attrs: Attrs): Type {
  expectCount(op, inputs, 1);
  expectDtype(op, inputs[0]!, NUMBER);
  const axes = axesAttr(op, attrs, inputs[0]!.shape.length);
  return { dtype: inputs[0]!.dtype, shape: inputs[0]!.shape.filter((_, i) => !axes.includes(i)) };
}

/** The elements with the reduced axes moved to the end: one contiguous run of `length` per result. */
function runs(x: Value, axes: readonly number[]): { data: Float64Array; length: number } {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const last = [...axes].sort((p, q) => p - q);
  return { data: permuted(x, [...kept, ...last]), length: sizeOf(last.map((i) => x.shape[i]!)) };
}

function reduce(
  x: Value,
  axes: readonly number[],
  type: Type,
  rule: (data: Float64Array, from: number, to: number) => number,
) {
  const { data, length } = runs(x, axes);
  const out = new Float64Array(sizeOf(type.shape));
  for (let i = 0; i < out.length; i++) out[i] = rule(data, i * length, (i + 1) * length);
  return out;
}

const rows: readonly Op[] = [
  {
    name: "sum",
    family: "reduce",
    signature: "(a f32|i32) {axes} -> a without the axes",
    doc: "The sum along axes.",
    shape: (inputs, attrs) => reduced("sum", inputs, attrs),
    gradient: ({ node, inputs: [x], g }) => [b.expandOver(g, x!.type.shape, node.attrs["axes"] as readonly number[])],
    meaning: ([x], attrs, type) => {
      const out = reduce(x!, attrs["axes"] as readonly number[], type, (data, from, to) => {
        let total = 0;
        for (let i = from; i < to; i++) total += data[i]!;
        return total;
      });
      if (type.dtype === "i32") for (let i = 0; i < out.length; i++) out[i] = out[i]! | 0;
      return out;
    },
    flops: ([x]) => sizeOf(x!.shape),
  },
  {
    name: "amax",
    family: "reduce",
    signature: "(a f32|i32) {axes} -> a without the axes",
    doc: "The largest along axes; its gradient is shared evenly among ties. -inf of nothing.",
    shape: (inputs, attrs) => reduced("amax", inputs, attrs),
    gradient: ({ node, inputs: [x], g }) => {
      const axes = node.attrs["axes"] as readonly number[];
      const back = (a: typeof g) => b.expandOver(a, x!.type.shape, axes);
      const mask = b.cast(b.binary("eq", x!, back(node)), "f32");
      return [b.mul(back(b.div(g, b.sum(mask, axes))), mask)];
    },
    meaning: ([x], attrs, type) =>
      reduce(x!, attrs["axes"] as readonly number[], type, (data, from, to) => {
        let best = type.dtype === "i32" ? -2147483648 : -Infinity;
        for (let i = from; i < to; i++) best = Math.max(best, data[i]!);
        return best;
      }),
    flops: ([x]) => sizeOf(x!.shape),
  },
  {
    name: "argmax",
    family: "reduce",
    signature: "(a f32|i32) {axis} -> i32 without the axis",
    doc: "The index of the largest along an axis, the first at ties.",
    shape: (inputs, attrs) => {
      expectCount("argmax", inputs, 1);
      expectDtype("argmax", inputs[0]!, NUMBER);
      const axis = axisAttr("argmax", attrs, inputs[0]!.shape.length);
      return { dtype: "i32", shape: inputs[0]!.shape.filter((_, i) => i !== axis) };
    },
    gradient: { none: "its result is not a float" },
    meaning: ([x], attrs, type) =>
      reduce(x!, [attrs["axis"] as number], type, (data, from, to) => {
        let best = from;
        for (let i = from + 1; i < to; i++) if (data[i]! > data[best]!) best = i;
        return best - from;
      }),
    flops: ([x]) => sizeOf(x!.shape),
  },
  {
    name: "cumsum",
    family: "reduce",
    signature: "(a f32|i32) {axis, reverse} -> like a",
    doc: "Running sums along an axis, from the end when reverse.",
    shape: (inputs, attrs) => {
      expectCount("cumsum", inputs, 1);
      expectDtype("cumsum", inputs[0]!, NUMBER);
      axisAttr("cumsum", attrs, inputs[0]!.shape.length);
      boolAttr("cumsum", attrs, "reverse");
      return inputs[0]!;
    },
    gradient: ({ node, g }) => [
      b.make("cumsum", [g], { axis: node.attrs["axis"]!, reverse: node.attrs["reverse"] !== true }),
    ],
    meaning: ([x], attrs, type) => {
      const axis = attrs["axis"] as number;
      const step = stridesOf(type.shape)[axis]!;
      const extent = type.shape[axis]!;
      const out = Float64Array.from(x!.data);
      const place = (i: number) => Math.floor(i / step) % extent;
      if (attrs["reverse"]) {
        for (let i = out.length - 1; i >= 0; i--) if (place(i) < extent - 1) out[i]! += out[i + step]!;
      } else for (let i = 0; i < out.length; i++) if (place(i) > 0) out[i]! += out[i - step]!;
      if (type.dtype === "i32") for (let i = 0; i < out.length; i++) out[i] = out[i]! | 0;
      return out;
    },
  },
];

export const reduces: Record<string, Op> = Object.fromEntries(rows.map((op) => [op.name, op]));
