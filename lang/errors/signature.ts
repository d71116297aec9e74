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
): Diagnostic {
  return {
    code: "DLX0212",
    severity: "error",
    title: `\`${callee}\` does not fit what it is given`,
    labels: [{ span, text: got }, { span: writtenSpan, text: `\`${param}\` must be ${written}` }, ...why],
    notes: [],
    help: `\`${callee}\` takes ${written} as \`${param}\``,
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
