/** Mistakes with `train` and `eval` blocks and their data: codes DLX033x. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { MEMBERS } from "./foreign.ts";
import { fixed, insertAfter, optional, remove, wrap } from "./edits.ts";

function error(code: string, title: string, span: Span, text: string, help: string, notes: string[] = []): Diagnostic {
  return { code, severity: "error", title, labels: [{ span, text }], notes, help };
}

export function noLimit(span: Span): Diagnostic {
  return error("DLX0331", "this `train` block has no end", span, "for how long?", "write `train for 2000 steps { … }`");
}

export function epochsWithoutData(span: Span): Diagnostic {
  return error(
    "DLX0332",
    "an epoch is one pass over data, and this block has none",
    span,
    "counts epochs",
    "write `for 2000 steps`, or give it data: `train (x, y) in batches(data, 64) for 5 epochs`",
  );
}

export function commitByTime(span: Span): Diagnostic {
  return error(
    "DLX0346",
    "the clock on the wall never reaches a state",
    span,
    "written every few seconds",
    "write `every 100 steps { … }`, so that the same seed gives the same run",
  );
}

export function repeatByTime(unit: string, span: Span): Diagnostic {
  return error(
    "DLX0340",
    "`repeat` counts steps or epochs",
    span,
    `counts ${unit}`,
    "write `for 5 steps`: the length of a tick must not depend on the clock on the wall",
  );
}

export function notBatched(span: Span): Diagnostic {
  return fixed(
    error("DLX0333", "these rows are not in batches", span, "a data set", "write `batches(…, 64)` around it"),
    wrap(span, "batches(", ", 64)"),
  );
}

export function notData(got: string, span: Span): Diagnostic {
  return error(
    "DLX0334",
    "a block reads batches of a data set",
    span,
    `this is ${got}`,
    "write `in batches(data, 64)`",
  );
}

export function partsNotChosen(parts: readonly string[], span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0335",
      "this data set has several parts",
      span,
      `it has ${parts.map((p) => `\`${p}\``).join(", ")}`,
      `choose one: \`.${parts[0]}\``,
    ),
    insertAfter(span, `.${parts[0]}`),
  );
}

export function batchTooLarge(size: number, rows: number, span: Span): Diagnostic {
  return error(
    "DLX0336",
    `a batch of ${size} is larger than the data`,
    span,
    `there are ${rows} rows, and \`drop_last\` drops the only batch`,
    `use a batch of ${rows} or less`,
  );
}

export function stateNeedsDropLast(name: string, full: string, short: string, span: Span): Diagnostic {
  return error(
    "DLX0339",
    `the state \`${name}\` has a place for each row of the batch, and the last batch is short`,
    span,
    `${full} in a full batch, ${short} in the last one`,
    "leave the short batch out: `batches(…, n, drop_last: true)`",
  );
}

export function unknownField(
  name: string,
  span: Span,
  fields: readonly string[],
  nearest: string | undefined,
): Diagnostic {
  const alias = Object.hasOwn(MEMBERS, name) ? MEMBERS[name]!.find((n) => fields.includes(n)) : undefined;
  const guess = alias ?? nearest;
  return error(
    "DLX0337",
    `these rows have no field \`${name}\``,
    span,
    "not a field",
    guess ? `did you mean \`${guess}\`?` : `write \`(${fields.join(", ")}) in …\``,
    [`the fields are ${fields.map((f) => `\`${f}\``).join(", ")}`],
  );
}

export function notACondition(got: string, span: Span, what = "when"): Diagnostic {
  const examples: Readonly<Record<string, string>> = {
    when: "`when loss < 0.1 { … }`",
    assert: "`assert all(a == b)`",
  };
  const example = examples[what] ?? "`minimize loss over net with opt if finite(loss)`";
  return error(
    "DLX0338",
    `\`${what}\` needs one true or false`,
    span,
    `this is ${got}`,
    `compare a number: ${example}`,
  );
}

export function notFitting(split: string, what: string, span: Span): Diagnostic {
  return error(
    "DLX0551",
    `${what} on the ${split} rows`,
    span,
    `these are ${split} rows`,
    "use the train rows: what is learned from the others says nothing about new data",
  );
}

export function chosenOnTest(span: Span, choice: { readonly kind: string; readonly span: Span }): Diagnostic {
  const d = error(
    "DLX0552",
    `\`${choice.kind === "commit" ? "<-" : choice.kind}\` is decided by the test rows`,
    span,
    "measured on test rows",
    "measure on the validation rows: `digits() |> split(val: 0.1)`, then `eval val … in batches(data.val, …)`",
    ["what is chosen by the test rows looks better on them than on new data"],
  );
  return { ...d, labels: [...d.labels, { span: choice.span, text: "done or not by that" }] };
}

export function writtenInEval(what: string, span: Span): Diagnostic {
  return {
    ...error(
      "DLX0347",
      `an \`eval\` measures and writes nothing, and here it would write ${what}`,
      span,
      "never done",
      "what changes from step to step belongs into a `train` block; a count over the rows is a metric: `metric n = total(…)`",
    ),
    ...optional(remove(span, "the line")),
  };
}
