/** Mistakes with names, definitions, states, clocks and modules: codes DLX03xx. One function per mistake. */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { error } from "./at-place.ts";
import { change, fix, fixed, insertAfter, optional, put } from "./edits.ts";
import { ADVICE, MADE, MEMBERS, NAMES } from "./foreign.ts";
export * from "./calls.ts";
export * from "./constants.ts";

export function unknownName(name: string, span: Span, guess: string | undefined): Diagnostic {
  const other = Object.hasOwn(NAMES, name) ? NAMES[name] : Object.hasOwn(MADE, name) ? MADE[name] : undefined;
  const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
  const word = /^\p{Lu}\p{L}*$/u.test(name) && name.length <= 2 ? "dim" : "let";
  const help =
    other !== undefined
      ? `write \`${other}\``
      : (advice ?? (guess ? `did you mean \`${guess}\`?` : `define it above: \`${word} ${name} = …\``));
  const fixed = other ?? (advice === undefined ? guess : undefined);
  return error(
    "DLX0301",
    `there is no \`${name}\` here`,
    span,
    "not defined",
    help,
    [],
    fixed === undefined ? undefined : change(span, fixed),
  );
}

export const unknownNameOf = (d: Diagnostic): string | undefined => /`([^`]+)`/.exec(d.title)?.[1];

/** DLX0327. */
export function definedBelow(name: string, span: Span, place: Span, fixes?: readonly Fix[]): Diagnostic {
  return {
    code: "DLX0327",
    severity: "error",
    title: `\`${name}\` is used before its definition`,
    labels: [
      { span, text: "not defined yet" },
      { span: place, text: "defined here" },
    ],
    notes: ["a script is read from top to bottom"],
    help: `move the definition of \`${name}\` above this line`,
    ...optional(fixes),
  };
}

/** DLX0328: a cycle without a state. */
export function inACircle(name: string, span: Span, user: string, place: Span): Diagnostic {
  return {
    code: "DLX0328",
    severity: "error",
    title: `\`${user}\` and \`${name}\` need each other`,
    labels: [
      { span, text: `\`${user}\` needs \`${name}\`` },
      { span: place, text: `\`${name}\` needs \`${user}\`` },
    ],
    notes: ["each would have to be there before the other"],
    help: `break the circle with a state, which keeps its value from the step before: \`state ${name} = 0\`, then \`${name} <- …\``,
  };
}

export function fromItself(name: string, span: Span, place: Span, stmt: Span, value: Span | undefined): Diagnostic {
  return {
    code: "DLX0328",
    severity: "error",
    title: `\`${name}\` needs its own value`,
    labels: [
      { span, text: "not there yet" },
      { span: place, text: "is to be defined" },
    ],
    notes: ["a state keeps its value from step to step"],
    help: `write \`state ${name} = 0\`, and below it \`${name} <- …\``,
    ...optional(
      value && fix(`make \`${name}\` a state`, put({ ...stmt, end: value.start }, `state ${name} = 0\n  ${name} <- `)),
    ),
  };
}

/** DLX0329. */
export function metricOfBlock(name: string, block: string, span: Span, place: Span): Diagnostic {
  return {
    code: "DLX0329",
    severity: "error",
    title: `\`${name}\` is a metric of the block \`${block}\``,
    labels: [
      { span, text: "outside of the block" },
      { span: place, text: "measured here" },
    ],
    notes: [],
    help: `read it as \`${block}.${name}\``,
    ...optional(change(span, `${block}.${name}`)),
  };
}

export function insideItsBlock(name: string, kind: string, span: Span, place: Span, what: string): Diagnostic {
  const block = kind === "train" || kind === "eval";
  const help =
    what === "eval"
      ? "it is measured after the steps, so it comes too late for them; read it in the block where it stands"
      : block
        ? `to read it after the block, make it a metric of a block with a name: \`${kind} fit … { metric m = … }\`, then \`fit.m\``
        : "define it above the block, or use it inside";
  return {
    code: "DLX0329",
    severity: "error",
    title: `\`${name}\` is known only inside of its block`,
    labels: [
      { span, text: "outside of the block" },
      { span: place, text: "defined here" },
    ],
    notes: [],
    help,
  };
}

export function twoDefinitions(name: string, span: Span, first: Span): Diagnostic {
  return {
    code: "DLX0302",
    severity: "error",
    title: `\`${name}\` is defined twice`,
    labels: [
      { span, text: "defined again here" },
      { span: first, text: "first defined here" },
    ],
    notes: ["a name has one definition in its block and never changes"],
    help: "give the second one its own name",
  };
}

export function stateWithoutInit(name: string, span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0303",
      `the state \`${name}\` has no first value`,
      span,
      "what is it in step 1?",
      `write \`state ${name} = 0\`, or with a shape \`state ${name}: [..] = 0\``,
    ),
    insertAfter(span, " = 0"),
  );
}

/** `if` on a value of the run around something that is done. */
export function doneByTensor(what: string, cond: Span, span: Span): Diagnostic {
  const commit = what === "commit" || what === "minimize";
  return {
    code: "DLX0306",
    severity: "error",
    title: `\`if\` chooses before the run, and this condition is known in the run only`,
    labels: [
      { span: cond, text: "a value of the run" },
      { span, text: "done or not by it" },
    ],
    notes: [],
    help: commit
      ? "choose the value: `s <- c ? a : b`; a step is dropped by `minimize … if c`"
      : "inside a block write `when c { … }`; for a value, `print c ? a : b`",
  };
}

export function paramWithoutInit(name: string, span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0303",
      `the param \`${name}\` has no first value`,
      span,
      "where does it begin?",
      "draw it, `~ he_uniform` or `~ xavier_uniform`, or begin with a number, `= 0`",
    ),
    insertAfter(span, " ~ he_uniform"),
  );
}

export function fasterClock(what: string, span: Span): Diagnostic {
  return error(
    "DLX0304",
    `${what} changes on every step, but is read on a slower clock`,
    span,
    "a value of one step",
    "make it a metric, which folds over the slower clock: `metric m = …`, then read `m`",
  );
}

export function firstValueTooFast(name: string, span: Span): Diagnostic {
  return error(
    "DLX0304",
    `the first value of \`${name}\` is wanted before the first step, and this one changes on every step`,
    span,
    "computed from the batch",
    "begin with a number, or with a value from above the block",
  );
}

export function notWritable(name: string, span: Span, why: string): Diagnostic {
  return error(
    "DLX0305",
    name === "this" ? "only a name can be written with `<-`" : `\`${name}\` cannot be written with \`<-\``,
    span,
    why,
    "give the new value a name of its own with `let`; what changes from step to step is a `state` of its block",
  );
}

export function outOfPlace(what: string, where: string, span: Span, help: string): Diagnostic {
  return error("DLX0306", `${what} cannot stand ${where}`, span, "here", help);
}

export function importCycle(chain: readonly string[], span: Span): Diagnostic {
  return error(
    "DLX0308",
    "these files import each other in a circle",
    span,
    chain.join(" → "),
    "move what both need into a third file and import it from there",
  );
}

export function noMember(
  of: string,
  name: string,
  span: Span,
  members: readonly string[],
  nearest: string | undefined,
): Diagnostic {
  const alias = Object.hasOwn(MEMBERS, name) ? MEMBERS[name]!.find((n) => members.includes(n)) : undefined;
  const guess = alias ?? nearest ?? (members.length === 1 ? members[0] : undefined);
  return fixed(
    error(
      "DLX0313",
      `${of} has no \`${name}\``,
      span,
      "not found",
      guess ? `did you mean \`${guess}\`?` : undefined,
      members.length > 0 ? [`it has ${members.map((m) => `\`${m}\``).join(", ")}`] : [],
    ),
    guess === undefined ? undefined : change(span, guess),
  );
}

export function missingFile(path: string, span: Span): Diagnostic {
  return error(
    "DLX0314",
    `cannot read \`${path}\``,
    span,
    "no such file",
    "the path is relative to the folder of this script",
  );
}

export function notInFile(name: string, path: string, span: Span, guess: string | undefined): Diagnostic {
  return fixed(
    error(
      "DLX0315",
      `\`${path}\` defines no \`${name}\``,
      span,
      "not found",
      guess ? `did you mean \`${guess}\`?` : undefined,
    ),
    guess === undefined ? undefined : change(span, guess),
  );
}

export function metricFeedsBack(span: Span): Diagnostic {
  return error(
    "DLX0325",
    "a metric cannot flow back into what is computed",
    span,
    "folded over a clock, after the step",
    "use the value itself instead of its metric; a metric is for sinks and `when`",
  );
}
