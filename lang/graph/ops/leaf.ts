/**
 * Leaves: numbers written in the script, positions along an axis, and values from outside the graph.
 */
import type { Attrs, Type } from "../node.ts";
import type { Op } from "./row.ts";
import {
  axisAttr,
  dtypeAttr,
  wrong,
  expectCount,
  numberAttr,
  numbersAttr,
  sizeOf,
  stridesOf,
  textAttr,
} from "./row.ts";

const SOURCES: readonly string[] = ["state", "batch", "column", "scalar", "loop", "fold", "metric", "watch"];

function constShape(attrs: Attrs): Type {
  const dtype = dtypeAttr("const", attrs);
  if (attrs["values"] === undefined) {
    numberAttr("const", attrs, "value");
    return { dtype, shape: [] };
  }
  const shape = numbersAttr("const", attrs, "shape");
  numbersAttr("const", attrs, "values", sizeOf(shape));
  return { dtype, shape };
}

export const leaf: Record<string, Op> = {
  const: {
    name: "const",
    family: "leaf",
    signature: "() {value | values, shape; dtype; let?} -> dtype",
    doc: "A number, or a table of numbers; `let` tells equal variables of a script apart and means nothing.",
    shape: (inputs, attrs) => {
      expectCount("const", inputs, 0);
      return constShape(attrs);
    },
    gradient: { none: "it has no inputs" },
    meaning: (_, attrs) =>
      Float64Array.from(
        attrs["values"] === undefined ? [attrs["value"] as number] : (attrs["values"] as readonly number[]),
      ),
    flops: () => 0,
  },
  iota: {
    name: "iota",
    family: "leaf",
    signature: "() {shape, axis} -> i32",
    doc: "The index along one axis.",
    shape: (inputs, attrs) => {
      expectCount("iota", inputs, 0);
      const shape = numbersAttr("iota", attrs, "shape");
      axisAttr("iota", attrs, shape.length);
      return { dtype: "i32", shape };
    },
    gradient: { none: "it has no inputs" },
    meaning: (_, attrs, type) => {
      const axis = attrs["axis"] as number;
      const step = stridesOf(type.shape)[axis]!;
      const extent = type.shape[axis]!;
      return Float64Array.from({ length: sizeOf(type.shape) }, (_, i) => Math.floor(i / step) % extent);
    },
    flops: () => 0,
  },
  input: {
    name: "input",
    family: "leaf",
    signature: "() {source, name, dtype, shape} -> dtype",
    doc: "A value from outside the graph: state, batch, column, uploaded scalar, or a parameter of a loop body.",
    shape: (inputs, attrs) => {
      expectCount("input", inputs, 0);
      const source = textAttr("input", attrs, "source");
      if (!SOURCES.includes(source)) throw wrong("input", `a source (${SOURCES.join(", ")})`, source);
      textAttr("input", attrs, "name");
      return { dtype: dtypeAttr("input", attrs), shape: numbersAttr("input", attrs, "shape") };
    },
    gradient: { none: "it has no inputs" },
    meaning: (_, __, ___, env, node) => env.input(node).data,
    flops: () => 0,
  },
};
