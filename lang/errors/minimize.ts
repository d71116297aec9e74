/** Mistakes of `minimize`: codes DLX041x. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

export function staleLoss(span: Span, moved: Span | undefined): Diagnostic {
  return {
    code: "DLX0411",
    severity: "error",
    title: "this loss was computed before its params moved",
    labels: [
      { span, text: "uses the params as they were" },
      ...(moved ? [{ span: moved, text: "they moved here" }] : []),
    ],
    notes: ["a `let` has the value of its moment"],
    help: "compute the loss again below the line that moved the params",
  };
}

export function nothingToMove(span: Span, what: string): Diagnostic {
  return {
    code: "DLX0412",
    severity: "error",
    title: "there are no params to move here",
    labels: [{ span, text: what }],
    notes: [],
    help: "name a model that the loss depends on, as in `minimize loss over net with Adam(1e-3)`",
  };
}

export function minimizeAtTop(span: Span): Diagnostic {
  return {
    code: "DLX0413",
    severity: "error",
    title: "`minimize` needs a clock",
    labels: [{ span, text: "outside of a `train` block" }],
    notes: ["a value at top level is a snapshot: it is computed once"],
    help: "move the loss and `minimize` into the body of `train … { }`",
  };
}
