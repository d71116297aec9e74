/** Mistakes where a value meets a written type: codes DLX0204, 0207, 0212, 0215, 0216. */
import { typeText } from "../check/shape-text.ts";
import type { Diagnostic, Fix, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import type { Operand } from "./shapes.ts";
import { change, insertBefore, optional, wrap } from "./edits.ts";

export function signatureMismatch(
  callee: string,
  param: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
  missing = 0,
  /** Where an axis of size 1 would make it fit, or the order of the axes that would. */
  mend: { readonly at?: number; readonly order?: readonly number[] } = {},
): Diagnostic {
  const text = mend.order ? `, [${mend.order.join(", ")}])` : `, ${mend.at})`;
  const help =
    mend.order !== undefined
      ? `its axes are in another order: \`permute(${param}${text}\` brings them into this one`
      : missing === 1
        ? mend.at === 0
          ? "the axis of the rows is missing: `unsqueeze(x, 0)` makes one row of it"
          : mend.at === undefined || mend.at === 1
            ? "an axis is missing: `unsqueeze(x, 1)` adds one of size 1 (the channels of a grey image)"
            : `an axis is missing: \`unsqueeze(x, ${mend.at})\` adds one of size 1 (one number for each place)`
        : `\`${callee}\` takes ${written} as \`${param}\``;
  const fixes =
    mend.order !== undefined
      ? wrap(span, "permute(", text)
      : missing === 1 && mend.at !== undefined
        ? wrap(span, "unsqueeze(", text)
        : undefined;
  return {
    code: "DLX0212",
    severity: "error",
    title: `\`${callee}\` does not fit what it is given`,
    labels: [{ span, text: got }, { span: writtenSpan, text: `\`${param}\` must be ${written}` }, ...why],
    notes: [],
    help,
    ...optional(fixes),
  };
}

export function forgottenFlatten(
  callee: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
  _layer?: { readonly has: number; readonly wants: string },
): Diagnostic {
  return {
    code: "DLX0204",
    severity: "error",
    title: `\`${callee}\` has more axes than it should: a \`flatten\` is missing`,
    labels: [{ span, text: `this is ${got}` }, { span: writtenSpan, text: `declared ${written}` }, ...why],
    notes: ["a `Linear` works on the last axis only and leaves the others as they are"],
    help: "join the other axes into one before the first `Linear`: `|> flatten |> Linear(…)`",
    ...optional(insertBefore(span, "flatten |> ")),
  };
}

export function returnsOther(
  callee: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
  /** The last layer and the size that it should have. */
  layer?: { readonly has: number; readonly wants: string },
): Diagnostic {
  // Only where the layer is written with its size alone.
  const text = layer && `Linear(${layer.wants})`;
  const sure = layer && span.end - span.start === `Linear(${layer.has})`.length;
  return {
    code: "DLX0207",
    severity: "error",
    title: `\`${callee}\` does not return what it declares`,
    labels: [{ span, text: `this is ${got}` }, { span: writtenSpan, text: `declared ${written}` }, ...why],
    notes: [],
    help:
      text && sure
        ? `let the last layer have that size: \`${text}\``
        : "change the last line of its body, or the type after `->`",
    ...optional(text && sure ? change(span, text) : undefined),
  };
}

export function paramChanges(name: string, was: string, now: string, span: Span, first: Span): Diagnostic {
  return {
    code: "DLX0215",
    severity: "error",
    title: `the same model is applied to inputs of two sizes`,
    labels: [
      { span, text: `here its param \`${name}\` would be ${now}` },
      { span: first, text: `declared here; the first use made it ${was}` },
    ],
    notes: ["the sizes of params are set by the first input and stay"],
    help: "make a second instance for the other size",
  };
}

export function sizeUnknownName(name: string, span: Span): Diagnostic {
  return {
    code: "DLX0216",
    severity: "error",
    title: `the size \`${name}\` is not known here`,
    labels: [{ span, text: "no argument or `dim` has this axis" }],
    notes: [],
    help: `declare it with \`dim ${name} = …\`, or name an axis of the input \`${name}\` in the first line of the model`,
  };
}

export function wrongClasses(
  outputs: number,
  classes: number,
  labels: string,
  span: Span,
  why: readonly Label[],
): Diagnostic {
  // The place where the number of outputs comes from, if it is a layer written with its size alone.
  const layer = why.find((l) => l.span.end - l.span.start === `Linear(${outputs})`.length);
  return {
    code: "DLX0208",
    severity: "error",
    title: `the labels have ${classes} classes, but there ${outputs === 1 ? "is one output" : `are ${outputs} outputs`}`,
    labels: [{ span, text: `the labels are ${labels}` }, ...why],
    notes: ["each class needs one output"],
    help: `let the last layer have ${classes} outputs: \`Linear(${classes})\``,
    ...optional(layer && change(layer.span, `Linear(${classes})`)),
  };
}

/** The outputs still have axes between the rows and the classes. */
export function outputsPerPlace(z: Operand, y: Operand, fixes: readonly Fix[] | undefined): Diagnostic {
  return {
    code: "DLX0204",
    severity: "error",
    title: "the outputs have more axes than the labels: a `flatten` is missing",
    labels: [
      { span: z.span, text: `the outputs are ${typeText(z.value)}` },
      { span: y.span, text: `the labels are ${typeText(y.value)}` },
    ],
    notes: ["a `Linear` works on the last axis only and leaves the others as they are"],
    help: "join the other axes into one before the first `Linear`: `[flatten, Linear(…), …]`",
    ...optional(fixes),
  };
}

/** Labels with an axis of size 1, and labels that are floats. */
export function almostLabels(z: Operand, y: Operand, what: "column" | "floats", cast: boolean): Diagnostic {
  const column = what === "column";
  const whole = column || cast;
  return {
    code: "DLX0221",
    severity: "error",
    title: column ? "class labels have no axis of their own" : "class labels are whole numbers, and these are floats",
    labels: [
      { span: y.span, text: `the labels are ${typeText(y.value)}` },
      { span: z.span, text: `the outputs are ${typeText(z.value)}` },
    ],
    notes: ["one label for each row: the axes of the outputs without the last one"],
    help: column
      ? "drop the axis of size 1: `squeeze(y, -1)`"
      : cast
        ? "leave them whole: `i32(y)`"
        : "to predict numbers instead of classes use `mse(squeeze(f(x), -1), y)`; if they are classes, `i32(y)`",
    ...optional(whole ? wrap(y.span, column ? "squeeze(" : "i32(", column ? ", -1)" : ")") : undefined),
  };
}

export function notLabels(got: string, logits: string, span: Span): Diagnostic {
  return {
    code: "DLX0221",
    severity: "error",
    title: "these are no class labels",
    labels: [{ span, text: `this is ${got}, the outputs are ${logits}` }],
    notes: ["labels are whole numbers, one for each row: the outputs without their last axis"],
    help: "for numbers instead of classes use `mse`; for probabilities give them the axes of the outputs",
  };
}

export function notContracted(a: string, b: string, span: Span): Diagnostic {
  return {
    code: "DLX0219",
    severity: "error",
    title: "`contract` needs the same axes on both sides",
    labels: [{ span, text: `${a} with ${b}` }],
    notes: [],
    help: "name axes that both have: `contract(a, b, over: [K])`",
  };
}
