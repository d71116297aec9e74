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

/** The loss saw params as they were at the line of a top-level `let`, and they are asked for as they are here. */
export function snapshot(span: Span, inBlock: boolean): Diagnostic {
  return {
    code: "DLX0411",
    severity: "error",
    title: inBlock ? "this was computed above the block, once" : "this was computed above a block, once",
    labels: [{ span, text: "a snapshot: it does not follow the params" }],
    notes: ["a `let` has the value of its moment"],
    help: inBlock ? "move it into the body of the block, where each step computes it anew" : "compute it again here",
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

export function minimizeAtTop(span: Span, betweenTicks = false): Diagnostic {
  if (betweenTicks)
    return {
      code: "DLX0413",
      severity: "error",
      title: "`minimize` belongs to a step",
      labels: [{ span, text: "between two steps" }],
      notes: ["what is done at the end of an epoch, or when something holds, sees the step that is over"],
      help: "put it into the body itself: `minimize … if c` leaves steps out, `every 5 steps { … }` and `repeat 5 { … }` may hold it",
    };
  return {
    code: "DLX0413",
    severity: "error",
    title: "`minimize` needs a clock",
    labels: [{ span, text: "outside of a `train` block" }],
    notes: ["a value at top level is a snapshot: it is computed once"],
    help: "move the loss and `minimize` into the body of `train … { }`",
  };
}
