/** Mistakes where a value meets a written type: codes DLX0204, 0207, 0212, 0215, 0216. */
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export function signatureMismatch(
  callee: string,
  param: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
  missing = 0,
): Diagnostic {
  return {
    code: "DLX0212",
    severity: "error",
    title: `\`${callee}\` does not fit what it is given`,
    labels: [{ span, text: got }, { span: writtenSpan, text: `\`${param}\` must be ${written}` }, ...why],
    notes: [],
    help:
      missing === 1
        ? `an axis is missing: \`unsqueeze(1)\` adds one of size 1 (the channels of a grey image)`
        : `\`${callee}\` takes ${written} as \`${param}\``,
  };
}

export function forgottenFlatten(
  callee: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
): Diagnostic {
  return {
    code: "DLX0204",
    severity: "error",
    title: `\`${callee}\` has more axes than it should: a \`flatten\` is missing`,
    labels: [{ span, text: `this is ${got}` }, { span: writtenSpan, text: `declared ${written}` }, ...why],
    notes: ["a `Linear` works on the last axis only and leaves the others as they are"],
    help: "join the other axes into one before the first `Linear`: `|> flatten |> Linear(…)`",
  };
}

export function returnsOther(
  callee: string,
  written: string,
  got: string,
  span: Span,
  writtenSpan: Span,
  why: readonly Label[],
): Diagnostic {
  return {
    code: "DLX0207",
    severity: "error",
    title: `\`${callee}\` does not return what it declares`,
    labels: [{ span, text: `this is ${got}` }, { span: writtenSpan, text: `declared ${written}` }, ...why],
    notes: [],
    help: "change the last line of its body, or the type after `->`",
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
  return {
    code: "DLX0208",
    severity: "error",
    title: `the labels have ${classes} classes, but there are ${outputs} outputs`,
    labels: [{ span, text: `the labels are ${labels}` }, ...why],
    notes: ["each class needs one output"],
    help: `let the last layer have ${classes} outputs: \`Linear(${classes})\``,
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
