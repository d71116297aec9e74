/** Numbers inside graphs: filling shapes, and seeing that a node is one number everywhere. */
import { UserError } from "../diagnostic.ts";
import { wrongFirstValue } from "../errors/names.ts";
import { make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import { shape, typeText } from "./axes.ts";
import type { Axis, Tensor } from "./values.ts";

/** Gives a scalar the axes of a param or state; a value of that shape passes. */
export function spread(value: Tensor, axes: readonly Axis[], span: Span): Tensor {
  if (value.axes.length === axes.length) {
    const bad = axes.some((axis, i) => axis.size !== value.axes[i]!.size && axis.size >= 0 && value.axes[i]!.size >= 0);
    if (!bad) return { ...value, axes };
  }
  if (value.axes.length === 0) {
    return { ...value, axes, node: make("expand", [value.node], { shape: shape(axes), axes: [] }, span) };
  }
  throw new UserError(wrongFirstValue(typeText(value), `[${axes.map((a) => a.name ?? a.size).join(", ")}]`, span));
}

/** The number that fills every element of a node, if that can be seen: constants, their expansion, and `0 * x`. */
export function fillNumber(node: Node): number | undefined {
  switch (node.op) {
    case "const":
      return typeof node.attrs.value === "number" ? node.attrs.value : undefined;
    case "expand":
    case "reshape":
    case "permute":
    case "stop":
      return fillNumber(node.inputs[0]!);
    case "cast": {
      const value = fillNumber(node.inputs[0]!);
      if (value === undefined) return undefined;
      return node.type.dtype === "f32" ? value : Math.trunc(value);
    }
    case "neg": {
      const value = fillNumber(node.inputs[0]!);
      return value === undefined ? undefined : -value;
    }
    case "mul": {
      const a = fillNumber(node.inputs[0]!);
      const b = fillNumber(node.inputs[1]!);
      if (a === 0 || b === 0) return 0;
      return a !== undefined && b !== undefined ? a * b : undefined;
    }
    default:
      return undefined;
  }
}
