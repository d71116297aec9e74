/** Mistakes with names, definitions, states, clocks and modules: codes DLX03xx. One function per mistake. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

function error(code: string, title: string, span: Span, text: string, help?: string, notes: string[] = []): Diagnostic {
  return { code, severity: "error", title, labels: [{ span, text }], notes, help };
}

export function unknownName(name: string, span: Span, guess: string | undefined): Diagnostic {
  return error(
    "DLX0301",
    `there is no \`${name}\` here`,
    span,
    "not defined",
    guess ? `did you mean \`${guess}\`?` : `define it above: \`let ${name} = …\``,
  );
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
  return error(
    "DLX0303",
    `the state \`${name}\` has no first value`,
    span,
    "what is it in step 1?",
    `write \`state ${name} = 0\`, or with a shape \`state ${name}: [..] = 0\``,
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
  return error(
    "DLX0307",
    `\`${callee}\` has no argument \`${name}\``,
    span,
    "unknown argument",
    guess ? `did you mean \`${guess}:\`?` : undefined,
    [names.length > 0 ? `its arguments are ${names.map((n) => `\`${n}\``).join(", ")}` : "it takes no arguments"],
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

export function missingArgument(callee: string, name: string, span: Span): Diagnostic {
  return error(
    "DLX0309",
    `\`${callee}\` needs \`${name}\``,
    span,
    "an argument is missing",
    `write \`${callee}(${name}: …)\``,
  );
}

export function tooManyArguments(callee: string, count: number, span: Span, names: readonly string[]): Diagnostic {
  return error(
    "DLX0310",
    `\`${callee}\` takes ${count === 0 ? "no arguments" : count === 1 ? "one argument" : `${count} arguments`}`,
    span,
    "one too many",
    undefined,
    names.length > 0 ? [`its arguments are ${names.map((n) => `\`${n}\``).join(", ")}`] : [],
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

export function noMember(
  of: string,
  name: string,
  span: Span,
  members: readonly string[],
  guess: string | undefined,
): Diagnostic {
  return error(
    "DLX0313",
    `${of} has no \`${name}\``,
    span,
    "not found",
    guess ? `did you mean \`${guess}\`?` : undefined,
    members.length > 0 ? [`it has ${members.map((m) => `\`${m}\``).join(", ")}`] : [],
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
  return error(
    "DLX0315",
    `\`${path}\` defines no \`${name}\``,
    span,
    "not found",
    guess ? `did you mean \`${guess}\`?` : undefined,
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
  return error(
    "DLX0321",
    `\`${model}\` is ${what} and needs its first list`,
    span,
    "not made yet",
    `write \`${model}()\` here`,
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

export function notYet(what: string, span: Span, help?: string): Diagnostic {
  return error("DLX0322", `${what} does not run yet in this version`, span, "not supported", help);
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
