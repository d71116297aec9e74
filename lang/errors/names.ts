/** Mistakes with names, definitions, states, clocks and modules: codes DLX03xx. One function per mistake. */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { change, fix, fixed, insertAfter, optional, put, putAfter, putBefore, remove } from "./edits.ts";
import { ADVICE, MADE, MEMBERS, NAMES, SETTINGS } from "./foreign.ts";

function error(
  code: string,
  title: string,
  span: Span,
  text: string,
  help?: string,
  notes: string[] = [],
  fixes?: readonly Fix[],
): Diagnostic {
  return { code, severity: "error", title, labels: [{ span, text }], notes, help, ...optional(fixes) };
}

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

export function wrongArgument(
  callee: string,
  name: string,
  span: Span,
  names: readonly string[],
  guess: string | undefined,
): Diagnostic {
  const instead = (Object.hasOwn(SETTINGS, name) ? SETTINGS[name]!.find((n) => names.includes(n)) : undefined) ?? guess;
  return fixed(
    error(
      "DLX0307",
      `\`${callee}\` has no argument \`${name}\``,
      span,
      "unknown argument",
      instead ? `did you mean \`${instead}:\`?` : undefined,
      [names.length > 0 ? `its arguments are ${names.map((n) => `\`${n}\``).join(", ")}` : "it takes no arguments"],
    ),
    instead === undefined ? undefined : change(span, instead),
  );
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

export function missingArgument(callee: string, name: string, span: Span, empty = false): Diagnostic {
  if (empty && /^\p{Ll}/u.test(callee))
    return fixed(
      error(
        "DLX0309",
        `\`${callee}\` needs \`${name}\``,
        span,
        "called with nothing",
        `among layers and after \`|>\` a function stands without a list: write \`${callee}\``,
      ),
      // The span may be that of the name alone.
      remove({ ...span, start: Math.min(span.end, span.start + callee.length) }, "`()`"),
    );
  return error(
    "DLX0309",
    `\`${callee}\` needs \`${name}\``,
    span,
    "an argument is missing",
    `write \`${callee}(${name}: …)\``,
  );
}

/** `before` is the argument in front of it, `first` the first one. */
export function tooManyArguments(
  callee: string,
  count: number,
  span: Span,
  names: readonly string[],
  before?: Span,
  first?: Span,
  last?: Span,
): Diagnostic {
  const made = count === 0;
  const shape = names[0] === "shape" && first && last;
  if (made)
    return fixed(
      error(
        "DLX0310",
        `\`${callee}\` is made before it is applied`,
        span,
        "its settings stand in the first list, and it has none",
        `write \`${callee}()(x)\``,
      ),
      first && fix("insert `()`", put({ ...first, start: first.start - 1, end: first.start - 1 }, "()")),
    );
  if (shape)
    return fixed(
      error("DLX0310", `the shape of \`${callee}\` is one list`, span, "one too many", `write \`${callee}([3, 4])\``),
      fix("write a list", putBefore(first, "["), putAfter(last, "]")),
    );
  return fixed(
    error(
      "DLX0310",
      `\`${callee}\` takes ${count === 0 ? "no arguments" : count === 1 ? "one argument" : `${count} arguments`}`,
      span,
      "one too many",
      undefined,
      names.length > 0 ? [`its arguments are ${names.map((n) => `\`${n}\``).join(", ")}`] : [],
    ),
    before && remove({ ...before, start: before.end, end: span.end }, "it"),
  );
}

export function instanceInFunction(model: string, span: Span): Diagnostic {
  return error(
    "DLX0311",
    `\`${model}\` has params, so it cannot be made inside a function`,
    span,
    "each call would need params of its own",
    "make the function a `model`, or make the layer outside and pass it in",
  );
}

export function notCallable(what: string, span: Span): Diagnostic {
  return error(
    "DLX0312",
    `${what} cannot be called`,
    span,
    "called here",
    "only functions, models and lists of them are called; a product is written with `*`",
  );
}

export function wrongValue(what: string, wanted: string, got: string, span: Span, help: string): Diagnostic {
  return error("DLX0326", `${what} takes ${wanted}`, span, `this is ${got}`, help);
}

export function batchSizeMissing(span: Span): Diagnostic {
  return fixed(
    error("DLX0309", "`batches` needs the number of rows in a batch", span, "how many?", "write `batches(rows, 64)`"),
    fix("insert `64`", put({ ...span, start: span.end - 1, end: span.end - 1 }, ", 64")),
  );
}

export function givenTwice(callee: string, name: string, span: Span, first: Span): Diagnostic {
  return {
    code: "DLX0307",
    severity: "error",
    title: `\`${name}\` of \`${callee}\` is given twice`,
    labels: [
      { span, text: "by its name" },
      { span: first, text: "by its place" },
    ],
    notes: [],
    help: "leave one of the two out",
    ...optional(first.end <= span.start ? remove({ ...first, end: span.start }, "the first") : undefined),
  };
}

export function inputSizeGiven(layer: string, span: Span, output: Span): Diagnostic {
  return fixed(
    error(
      "DLX0326",
      `\`${layer}\` takes the size of its output, not that of its input`,
      span,
      "follows from what it is applied to",
      `leave it out: \`${layer}(8)\``,
    ),
    remove({ ...span, end: output.start }, "the input size"),
  );
}

export function sizeNotWhole(what: string, got: string, span: Span, text: string | undefined): Diagnostic {
  const [, a, b] = /^([\w.]+) *\/ *([\w.]+)$/.exec(text ?? "") ?? [];
  const whole = a === undefined ? undefined : `${a} // ${b}`;
  return fixed(
    error(
      "DLX0318",
      `${what} must be a whole number, and this is ${got}`,
      span,
      `this is ${got}`,
      whole ? `divide without a rest: \`${whole}\`` : "write a whole number",
    ),
    whole === undefined ? undefined : change(span, whole),
  );
}

export function outsideOfList(count: number, n: number, span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0313",
      `a list of ${count} has no place ${n}`,
      span,
      `0 to ${count - 1}, or -1 to -${count} from the end`,
      "the first is 0, and the last is -1",
    ),
    n > 0 ? change(span, "-1") : undefined,
  );
}

export function notWalkable(got: string, span: Span, count: number | undefined, data: boolean): Diagnostic {
  return fixed(
    error(
      "DLX0318",
      data
        ? "`for` does not walk over data: training is a block of its own"
        : "`for` walks over a range or a list known before the run",
      span,
      `this is ${got}`,
      data
        ? "write `train (x, y) in batches(data, 64) for 5 epochs { … }`"
        : "a range holds both of its ends: `for i in 0..2 { … }`",
    ),
    count === undefined ? undefined : change(span, `0..${count - 1}`),
  );
}

export function optimizerOfParams(optimizer: string, span: Span, next: Span | undefined): Diagnostic {
  return fixed(
    error(
      "DLX0326",
      `\`${optimizer}\` is not given the params`,
      span,
      "params",
      `leave them out: \`minimize loss over net with ${optimizer}(1e-3)\` names them`,
    ),
    remove(next ? { ...span, end: next.start } : span, "the params"),
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

export function notApplied(name: string, span: Span): Diagnostic {
  return error(
    "DLX0316",
    `the params of \`${name}\` do not exist yet`,
    span,
    "read before the model was applied",
    `sizes of params are known once the model is applied to data: use \`${name}(x)\` first`,
  );
}

export function carryChanges(name: string, before: string, after: string, span: Span): Diagnostic {
  return error(
    "DLX0317",
    `\`${name}\` changes its type from ${before} to ${after}`,
    span,
    `becomes ${after}`,
    `a loop keeps the type of what it carries: begin with a value of that shape, as in \`with ${name} = zeros([..])\``,
  );
}

export function needsConstant(what: string, got: string, span: Span): Diagnostic {
  const [, name, limit] = /^(.*) \((.*)\)$/.exec(what) ?? [];
  if (name !== undefined && /^-?\d/.test(got))
    return fixed(
      error(
        "DLX0318",
        `${name} must be ${limit === "1 or more" ? "a whole number, 1 or more" : limit}, and this is ${got}`,
        span,
        `this is ${got}`,
        limit === "1 or more" ? "write a whole number" : `write ${limit}`,
      ),
      limit === "1 or more" && span.end - span.start === got.length
        ? change(span, String(Math.max(1, Math.round(Number(got)))))
        : undefined,
    );
  return error(
    "DLX0318",
    `${what} must be known before the run`,
    span,
    `this is ${got}`,
    "use a number, a `dim` or a size",
  );
}

export function wrongInput(name: string, value: string, span: Span, allowed: string, given = true): Diagnostic {
  const help = given ? `use --set ${name}=… with ${allowed}` : "begin with a value that the input allows";
  return error("DLX0319", `\`${value}\` is not a value for the input \`${name}\``, span, allowed, help);
}

export function modelWithoutCall(model: string, span: Span, what = "a model"): Diagnostic {
  return fixed(
    error(
      "DLX0321",
      `\`${model}\` is ${what} and needs its first list`,
      span,
      "not made yet",
      `write \`${model}()\` here`,
    ),
    insertAfter(span, "()"),
  );
}

export function otherParts(count: number, got: string, parts: number | undefined, span: Span): Diagnostic {
  return error(
    "DLX0324",
    `${count} names on the left, but the value is ${got}`,
    span,
    parts === undefined ? "cannot be taken apart" : `the value has ${parts === 1 ? "one part" : `${parts} parts`}`,
    parts === undefined ? "give it one name: `let name = …`" : "write as many names as the value has parts",
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

export function wrongFirstValue(got: string, declared: string, span: Span): Diagnostic {
  return error(
    "DLX0217",
    "the value has another shape than what it fills",
    span,
    `this is ${got}, and ${declared} is wanted`,
    "write a number, which fills the shape, or a value of that shape",
  );
}

export function unknownPrecision(mode: { text: string; span: Span }): Diagnostic {
  return error(
    "DLX0322",
    `\`${mode.text}\` is not a precision`,
    mode.span,
    "`f32` or `mixed`",
    "write `precision mixed`: products in half precision, everything else in f32",
  );
}

export function infiniteRecursion(name: string, span: Span): Diagnostic {
  return error(
    "DLX0323",
    `\`${name}\` calls itself without an end`,
    span,
    "called again here",
    "stop on a constant: `if n == 0 { … } else { … }`",
  );
}
