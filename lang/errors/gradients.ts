/** Mistakes of `grad`, `jvp`, `hessian` and their like: codes DLX0401 to 0409. */
import { axesText, typeText } from "../check/shape-text.ts";
import type { Tensor, Value } from "../check/values.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { fixed, optional, wrap } from "./edits.ts";
import type { Operand } from "./shapes.ts";

const error = (code: string, title: string, got: Operand, help: string): Diagnostic => ({
  code,
  severity: "error",
  title,
  labels: [{ span: got.span, text: typeText(got.value) }],
  notes: [],
  help,
});

/** A loss with axes, for `minimize`. */
export function gradientNeedsScalar(type: string, span: Span): Diagnostic {
  return {
    code: "DLX0401",
    severity: "error",
    title: `a loss is a single number, and this is ${type}`,
    labels: [{ span, text: type }],
    notes: ["a gradient goes down one number; several have no common direction"],
    help: "reduce it first: `mean(loss)`, or `sum(loss)`",
    ...optional(wrap(span, "mean(", ")")),
  };
}

export function lossNotFloat(type: string, span: Span): Diagnostic {
  return {
    code: "DLX0401",
    severity: "error",
    title: `a loss is a float, and this is ${type}`,
    labels: [{ span, text: type }],
    notes: [],
    help: "only floats change by little steps: integers and bools have no gradient",
  };
}

export function needsScalar(what: string, y: Operand): Diagnostic {
  const axes = y.value.kind === "tensor" ? y.value.axes : [];
  const reduced = axes.length > 0 ? wrap(y.span, "sum(", ")") : undefined;
  const per =
    axes.length === 1 && axes[0]!.name
      ? `; for one gradient per row of independent rows, \`per: ${axes[0]!.name}\``
      : "";
  return fixed(
    error(
      "DLX0401",
      axes.length > 0
        ? `\`${what}\` needs a single number to go down, and this has the axes ${axesText(axes)}`
        : `\`${what}\` needs a float that depends on x, and this is ${typeText(y.value)}`,
      y,
      axes.length > 0
        ? `reduce it first, for instance \`mean(y)\` or \`sum(y)\`${per}`
        : "a gradient exists for floats that are computed from x",
    ),
    reduced,
  );
}

export function notOneRowEach(y: Operand, axis: string): Diagnostic {
  return error(
    "DLX0401",
    `\`per: ${axis}\` needs one number per place of ${axis}, and this is ${typeText(y.value)}`,
    y,
    `reduce the other axes first: \`sum(y, over: not ${axis})\``,
  );
}

const wholeNumbers = (v: Value): boolean =>
  (v.kind === "num" && !v.float) || (v.kind === "list" && v.items.length > 0 && v.items.every(wholeNumbers));

export function notVariable(what: string, x: Operand): Diagnostic {
  const { value } = x;
  const whole = value.kind === "tensor" ? value.dtype !== "float" : wholeNumbers(value);
  const written = value.kind === "num" || value.kind === "list";
  return error(
    "DLX0402",
    `\`${what}\` cannot go by ${typeText(x.value)}`,
    x,
    whole
      ? "only floats change by little steps: integers and bools have no gradient"
      : written
        ? "what is written here stands for itself: name it, as in `let x = 2.0`, and compute y from that name"
        : "take the gradient by a float tensor, a model or its params, or a tuple of those",
  );
}

/** What is asked for did not exist yet when y was computed. */
export function madeAfter(what: string, y: Span, x: Span): Diagnostic {
  return {
    code: "DLX0402",
    severity: "error",
    title: `\`${what}\` goes by something that y was not computed from`,
    labels: [
      { span: x, text: "made after y" },
      { span: y, text: "y" },
    ],
    notes: ["y cannot change with what came later, so all of it would be 0"],
    help: "name it with `let` first, compute y from that name, and go by the name",
  };
}

export function otherDirection(what: string, x: Operand, v: Operand): Diagnostic {
  return {
    code: "DLX0403",
    severity: "error",
    title: `the direction of \`${what}\` must have the shape of ${typeText(x.value)}, and this is ${typeText(v.value)}`,
    labels: [
      { span: v.span, text: typeText(v.value) },
      { span: x.span, text: typeText(x.value) },
    ],
    notes: [],
    help: "for params take `normal_like(params(net))` or another gradient; for a tensor one of the same axes",
  };
}

export function tooManyRows(what: string, count: number, most: number, y: Tensor, span: Span): Diagnostic {
  return error(
    "DLX0404",
    `\`${what}\` would take ${count < 0 ? "an unknown number of" : count} gradients, one per row; at most ${most} are written out`,
    { value: y, span },
    "products with it are cheap at any size: `hvp(y, x, v)`, `jvp(y, x, v)`, `vjp(y, x, v)`",
  );
}
