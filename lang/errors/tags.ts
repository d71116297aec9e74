/** Mistakes with what numbers mean (logits, probabilities, classes) and with what rows share: codes DLX06xx. */
import { typeText } from "../check/shape-text.ts";
import type { Diagnostic, Fix, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { fix, from, optional, put, wrap } from "./edits.ts";
import type { Operand } from "./shapes.ts";

/** A call of `softmax` or `sigmoid` that gave a value. */
export interface Origin {
  readonly name: string;
  readonly span: Span;
  readonly arg: Span;
}

/** Takes the call of `softmax` away and leaves what it was applied to. */
function without({ span, arg, name }: Origin): readonly Fix[] | undefined {
  const title = `leave \`${name}\` out`;
  if (arg.file !== span.file) return undefined;
  // `softmax(z)`, and `z |> softmax`, the first stage of a list included.
  if (span.start < arg.start && arg.end < span.end)
    return fix(
      title,
      put({ file: span.file, start: span.start, end: arg.start }, ""),
      put({ file: span.file, start: arg.end, end: span.end }, ""),
    );
  return arg.end <= span.start ? fix(title, put({ file: span.file, start: arg.end, end: span.end }, "")) : undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  prob: "probabilities",
  logprob: "log probabilities",
  logits: "logits, which are any numbers",
};

/** DLX0601: a second softmax or sigmoid, also the one inside of a loss. */
export function alreadyProbabilities(callee: string, x: Operand, origin: Origin | undefined): Diagnostic {
  const inside = callee === "softmax" || callee === "log_softmax" || callee === "sigmoid";
  const labels: Label[] = [{ span: x.span, text: typeText(x.value) }];
  if (origin && (origin.span.start !== x.span.start || origin.span.end !== x.span.end))
    labels.push({ span: origin.span, text: `\`${origin.name}\` was taken here` });
  const by = origin?.name ?? "softmax";
  return {
    code: "DLX0601",
    severity: "error",
    title: `\`${callee}\` of probabilities: ${inside ? "a second one" : `\`${callee}\` takes the ${callee === "binary_cross_entropy" ? "sigmoid" : "softmax"} itself`}`,
    labels,
    notes: ["twice, it flattens the differences between the classes, and a net learns slowly and never becomes sure"],
    help: inside ? `leave one of the two out` : `give it the logits: leave \`${by}\` out`,
    ...optional(origin && without(origin)),
  };
}

/** DLX0602: numbers of another meaning than the function is for. */
export function otherMeaning(callee: string, wanted: string, x: Operand, tag: string): Diagnostic {
  const other = tag === "logprob" && wanted === "prob" ? "exp" : wanted === "logprob" ? "log" : "softmax";
  const log = callee === "log";
  const made = log ? "log_softmax" : other;
  if (wanted === "logits") return takesLogits(`\`${callee}\` takes logits, and these are ${KINDS[tag]}`, x);
  return {
    code: "DLX0602",
    severity: "error",
    title: log
      ? "`log` of logits, which may be below 0"
      : `\`${callee}\` takes ${KINDS[wanted]}, and these are ${KINDS[tag]}`,
    labels: [{ span: x.span, text: typeText(x.value) }],
    notes: [],
    help: log ? "write `log_softmax(z)`: the logarithm of their probabilities" : `write \`${made}(…)\` around it`,
  };
}
const takesLogits = (title: string, x: Operand, more: readonly Label[] = []): Diagnostic => ({
  code: "DLX0602",
  severity: "error",
  title,
  labels: [{ span: x.span, text: typeText(x.value) }, ...more],
  notes: [],
  help: "logits are what stands before the `softmax`: leave it out",
});

/** A body that gives numbers of another meaning than its signature says. */
export function returnsOtherMeaning(callee: string, wanted: string, x: Operand, declared: Span): Diagnostic {
  const tag = (x.value.kind === "tensor" && x.value.tag) || "prob";
  const title = `\`${callee}\` declares ${wanted === "logits" ? "logits" : KINDS[wanted]}, and gives ${KINDS[tag]}`;
  const there: readonly Label[] = [{ span: declared, text: "declared here" }];
  if (wanted === "logits") return takesLogits(title, x, there);
  const meant = otherMeaning(callee, wanted, x, tag);
  return { ...meant, title, labels: [...meant.labels, ...there], help: `${meant.help}, or declare \`${tag}[..]\`` };
}

export const logOfLogits = (d: Diagnostic, call: Span, x: Span): Diagnostic => {
  const name: Span =
    call.start < x.start && x.end <= call.end ? { file: call.file, start: call.start, end: call.start + 3 } : call;
  return { ...d, ...optional(fix("change to `log_softmax`", put(name, "log_softmax"))) };
};
export const asProbabilities = (d: Diagnostic, tag: string, x: Span): Diagnostic => ({
  ...d,
  ...optional(wrap(x, tag === "logprob" ? "exp(" : "softmax(", ")")),
});

/** DLX0603. */
export function swappedLabels(callee: string, z: Operand, y: Operand): Diagnostic {
  return {
    code: "DLX0603",
    severity: "error",
    title: `\`${callee}\` takes the outputs first, then the labels`,
    labels: [
      { span: z.span, text: `${typeText(z.value)}: labels` },
      { span: y.span, text: `${typeText(y.value)}: outputs` },
    ],
    notes: [],
    help: "write the two the other way round",
  };
}

/** DLX0604: `x` has an axis of the classes that `y` numbers, and the two are compared as quantities. */
export function classesAsQuantity(what: string, x: Operand, y: Operand, classes: number): Diagnostic {
  const compares = what === "==" || what === "!=";
  const accuracy = compares
    ? fix(
        "compare the greatest output",
        put({ file: x.span.file, start: x.span.start, end: x.span.start }, "argmax("),
        put({ file: x.span.file, start: x.span.end, end: x.span.end }, ", over: -1)"),
      )
    : wrap(y.span, "one_hot(", `, ${classes})`);
  return {
    code: "DLX0604",
    severity: "error",
    title: compares
      ? `\`${what}\` between an output for each of ${classes} classes and the number of a class`
      : `\`${what}\` takes the number of a class for a quantity`,
    labels: [
      { span: x.span, text: typeText(x.value) },
      { span: y.span, text: typeText(y.value) },
    ],
    notes: [`class ${classes - 1} is not more than class 0, so a distance to its number says nothing`],
    help: compares
      ? "compare the place of the greatest output: `argmax(z, over: -1)`; `accuracy(z, y)` does it all"
      : `for classes write \`cross_entropy(z, y)\`; to compare outputs with \`${what}\`, give each class a place: \`one_hot(y, ${classes})\``,
    ...optional(accuracy),
  };
}

/** DLX0605: outputs without an axis of classes. */
export function greatestAlready(callee: string, z: Operand, y: Operand, inner: string | undefined): Diagnostic {
  return {
    code: "DLX0605",
    severity: "error",
    title: `\`${callee}\` takes the outputs, and finds the greatest itself`,
    labels: [
      { span: z.span, text: `${typeText(z.value)}: classes already` },
      { span: y.span, text: typeText(y.value) },
    ],
    notes: [],
    help: "leave the `argmax` out",
    ...optional(inner === undefined ? undefined : fix("leave `argmax` out", put(z.span, inner))),
  };
}

export function noClassAxis(callee: string, z: Operand, y: Operand, place?: Span): Diagnostic {
  const other = callee === "accuracy" ? "binary_accuracy" : "binary_cross_entropy";
  return {
    code: "DLX0605",
    severity: "error",
    title: `\`${callee}\` needs one output for each class, and these have no axis of classes`,
    labels: [
      { span: z.span, text: typeText(z.value) },
      { span: y.span, text: typeText(y.value) },
    ],
    notes: ["the classes are the last axis of the outputs: [B, 10] for labels [B]"],
    help: `for one output and two classes write \`${other}(z, y)\``,
    ...optional(place && fix(`change to \`${other}\``, put(place, other))),
  };
}

/** DLX0606. */
export function mixesRows(model: string, span: Span, per: string, use: Span | undefined): Diagnostic {
  return {
    code: "DLX0606",
    severity: "error",
    title: `\`per: ${per}\` needs rows that do not meet, and \`${model}\` mixes them`,
    labels: [
      { span, text: "one gradient per row" },
      ...(use ? [{ span: use, text: `\`${model}\` uses the whole batch here` }] : []),
    ],
    notes: ["with the mean of a batch in between, what one row gives depends on the others"],
    help: "use a norm that looks at one row only, such as `LayerNorm()` or `GroupNorm(…)`",
    ...optional(use && model === "BatchNorm" ? fix("change to `LayerNorm()`", put(use, "LayerNorm()")) : undefined),
  };
}

/** The two arguments of a call changed for each other. */
export function swap(d: Diagnostic, a: Span, b: Span, text: (span: Span) => string | undefined): Diagnostic {
  const [x, y] = [text(a), text(b)];
  if (x === undefined || y === undefined || from(a, b).end < a.end) return d;
  return { ...d, ...optional(fix("write them the other way round", put(a, y), put(b, x))) };
}
