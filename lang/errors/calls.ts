/** Mistakes with calls: arguments, what can be called, calls without an end. One function per mistake. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { error } from "./at-place.ts";
import { change, fix, fixed, insertAfter, optional, put, putAfter, putBefore, remove } from "./edits.ts";
import { SETTINGS } from "./foreign.ts";

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
      "leave it out: the size of the output is enough",
    ),
    remove({ ...span, end: output.start }, "the input size"),
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

export function notApplied(name: string, span: Span): Diagnostic {
  return error(
    "DLX0316",
    `the params of \`${name}\` do not exist yet`,
    span,
    "read before the model was applied",
    `sizes of params are known once the model is applied to data: use \`${name}(x)\` first`,
  );
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

export function infiniteRecursion(name: string, span: Span): Diagnostic {
  return error(
    "DLX0323",
    `\`${name}\` calls itself without an end`,
    span,
    "called again here",
    "stop on a constant: `if n == 0 { … } else { … }`",
  );
}

export function callsTooDeep(name: string, deep: number, span: Span): Diagnostic {
  return error(
    "DLX0115",
    "functions call one another too deeply to be followed",
    span,
    `\`${name}\` is called inside of ${deep} other calls`,
    "call some of them one after another: `let a = f(x)`, then `g(a)`",
  );
}

export function tooManyCalls(name: string, most: number, span: Span): Diagnostic {
  return error(
    "DLX0344",
    `every call is written out, and more than ${most} are too many`,
    span,
    `this call of \`${name}\` is one too many`,
    "for equal steps use `scan i in 1..n with h = h0 { … }` or `iterate n with h = h0 { … }`",
  );
}
