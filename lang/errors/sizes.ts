/**
 * Mistakes with kinds of arguments, indices and sizes: codes DLX0209 to 0213 and 0218.
 */
import { axesText, axisWithSize, typeText } from "../check/shape-text.ts";
import type { Axis, Tensor } from "../check/values.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { change, fix, fixed, insertAfter, put } from "./edits.ts";
import { axesOf, error, facts, ordinal, sameSpan } from "./shapes.ts";
import type { Operand } from "./shapes.ts";

// ---------------------------------------------------------------- kinds of values

/** 0210: `what` expects `expected` and got the operand. */
export function wrongKind(what: string, expected: string, got: Operand, help?: string): Diagnostic {
  return fixed(
    error(
      "DLX0210",
      `${what} must be ${expected}, and this is ${typeText(got.value)}`,
      facts([got]),
      help ?? numberHelp(got),
    ),
    what === "a condition" && got.value.kind === "tensor" ? insertAfter(got.span, " != 0") : unquoted(got),
  );
}

const numeric = ({ value }: Operand): boolean =>
  value.kind === "str" &&
  value.parts.length === 1 &&
  typeof value.parts[0] === "string" &&
  /^-?\d[\d.e-]*$/.test(value.parts[0]);
const numberHelp = (x: Operand): string | undefined => (numeric(x) ? "a number is written without quotes" : undefined);
/** A number in quotes. */
function unquoted(x: Operand): readonly Fix[] | undefined {
  if (!numeric(x)) return undefined;
  const { file, start, end } = x.span;
  return fix("take the quotes away", put({ file, start, end: start + 1 }, ""), put({ file, start: end - 1, end }, ""));
}

/** 0210 for operators: no meaning for these two. */
export function wrongOperands(op: string, a: Operand, b: Operand, help?: string): Diagnostic {
  const number = [a, b].find(numeric);
  return fixed(
    error(
      "DLX0210",
      `\`${op}\` has no meaning for ${typeText(a.value)} and ${typeText(b.value)}`,
      facts([a, b]),
      number ? numberHelp(number) : help,
    ),
    number && unquoted(number),
  );
}

export function differentLeaves(op: string, a: Operand, b: Operand, missing: string): Diagnostic {
  return error(
    "DLX0210",
    `\`${op}\` works on bundles leaf by leaf, and only one side has ${missing}`,
    facts([a, b]),
    "both sides must hold the same params, for instance `params(net)` and `grad(loss, net)` of one model",
  );
}

// ---------------------------------------------------------------- indices and sizes

/** 0209: integers below `classes` used as places on an axis that is shorter. */
export function indexRange(ids: Operand, axis: Axis, classes: number, x?: Operand): Diagnostic {
  return error(
    "DLX0209",
    `these indices run from 0 to ${classes - 1}, and the axis they point into has only ${axisWithSize(axis)}`,
    facts(x ? [ids, x] : [ids], [axis]),
    `make the axis ${classes} long, or the indices smaller than ${axis.size}`,
  );
}

/** 0213. */
export function indexOutside(t: Tensor, place: number, index: string, span: Span): Diagnostic {
  const axis = t.axes[place]!;
  const whole = span.end - span.start === index.length;
  const last = whole ? change(span, "-1") : change({ ...span, start: span.end - index.length }, String(axis.size - 1));
  return fixed(
    error(
      "DLX0213",
      `${index} is outside of the ${ordinal(place)} axis of ${typeText(t)}, which has ${axisWithSize(axis)} places`,
      {
        labels: [
          { span, text: `0 to ${axis.size - 1}, or -1 to -${axis.size} from the end` },
          ...(axis.why && axis.why.span.file === span.file ? [{ span: axis.why.span, text: axis.why.text }] : []),
        ],
        notes: [],
      },
      "the first is 0, and the last is -1",
    ),
    last,
  );
}

export function emptyRange(t: Tensor, place: number, range: string, span: Span): Diagnostic {
  return error(
    "DLX0213",
    `the range ${range} holds no place of the ${ordinal(place)} axis of ${typeText(t)}`,
    { labels: [{ span, text: "empty" }], notes: ["both ends of a range are part of it"] },
    "the first end must not lie behind the second",
  );
}

export function tooManyIndices(t: Tensor, count: number, span: Span): Diagnostic {
  return error(
    "DLX0213",
    `${count} indices for ${typeText(t)}, which has ${t.axes.length} ${t.axes.length === 1 ? "axis" : "axes"}`,
    { labels: [{ span, text: typeText(t) }], notes: [] },
    "give one index per axis at most; `..` stands for all axes that are not named",
  );
}

/** `x[.., i, ..]`: which axis i means cannot be told. */
export function restTwice(t: Tensor, span: Span): Diagnostic {
  return error(
    "DLX0213",
    "`..` can stand once in an index",
    { labels: [{ span, text: `${typeText(t)}: which axis is meant?` }], notes: [] },
    "`0..` stands for one whole axis: `x[.., i, 0..]` is a place of the last but one",
  );
}

/** 0211: parts of an axis that do not come out even, told in the words of the function that makes them. */
export function unevenParts(title: string, parts: readonly { span: Span; text: string }[], n: number): Diagnostic {
  const divisors = Array.from({ length: Math.min(n, 4096) }, (_, i) => i + 1).filter((d) => n % d === 0);
  return error(
    "DLX0211",
    title,
    { labels: [...parts], notes: [] },
    divisors.length > 1 && divisors.length <= 12
      ? `${n} comes out even with ${divisors.slice(0, -1).join(", ")} or ${divisors.at(-1)}`
      : "take a number that divides it",
  );
}

/** 0211. */
export function reshapeSizes(x: Operand, target: readonly Axis[], have: number, want: number, span: Span): Diagnostic {
  const axes = x.value.kind === "tensor" ? x.value.axes : [];
  const times = (list: readonly Axis[]): string =>
    list.length === 0 ? "1" : list.map((a) => (a.size < 0 ? "?" : a.size)).join(" * ");
  return error(
    "DLX0211",
    `${typeText(x.value)} has ${times(axes)} = ${have} elements, and ${axesText(target)} asks for ${times(target)} = ${want}`,
    {
      labels: [
        { span: x.span, text: typeText(x.value) },
        ...(sameSpan(x.span, span) ? [] : [{ span, text: `${want} elements` }]),
      ],
      notes: [],
    },
    "a reshape keeps every element; write -1 for the one size that follows from the others",
  );
}

/** 0211: a -1 in a shape that no whole number fills. */
export function reshapeRest(x: Operand, have: number, rest: number, span: Span): Diagnostic {
  return error(
    "DLX0211",
    `${have} elements do not divide into ${rest} equal parts, so no size fits the -1`,
    {
      labels: [
        { span: x.span, text: typeText(x.value) },
        ...(sameSpan(x.span, span) ? [] : [{ span, text: `${rest} without the -1` }]),
      ],
      notes: [],
    },
    `the other sizes must multiply to a divisor of ${have}`,
  );
}

export function cannotSplit(x: Operand, axis: Axis, parts: string): Diagnostic {
  return error(
    "DLX0211",
    `an axis of ${axisWithSize(axis)} does not split into ${parts}`,
    facts([x], [axis]),
    "the parts must add up to the whole axis: a list gives them different sizes, `split(x, [4, 6])`",
  );
}

/** 0218. */
export function windowTooLarge(x: Operand, axis: Axis, reach: number): Diagnostic {
  return error(
    "DLX0218",
    `a window that reaches over ${reach} places does not fit an axis of ${axisWithSize(axis)}`,
    facts([x], [axis]),
    "make the window or its dilation smaller, or pad the axis first: `pad: 1` in a convolution, `pad(x, 1, over: ..)` elsewhere",
  );
}

export function notSquare(a: Operand, what: string): Diagnostic {
  return error(
    "DLX0203",
    `\`${what}\` needs a square matrix, and this is ${typeText(a.value)}`,
    facts([a], axesOf(a.value)),
    what === "solve" ? "for least squares write `solve(X.T @ X, X.T @ y)`" : undefined,
  );
}

/** 0210: a `squeeze` of an axis that is longer than 1. */
export function cannotSqueeze(x: Operand, axis: Axis): Diagnostic {
  return error(
    "DLX0210",
    `\`squeeze\` drops axes of size 1, and this one has ${axisWithSize(axis)}`,
    facts([x], [axis]),
    "to drop it, choose one place, `x[.., 0]`, or reduce it, `mean(x, over: -1)`",
  );
}

/** 0210: more elements than can be counted. */
export function tooManyElements(sizes: readonly number[], span: Span): Diagnostic {
  return {
    code: "DLX0210",
    severity: "error",
    title: `a tensor cannot have ${sizes.join(" x ")} elements`,
    labels: [{ span, text: "more than any memory holds" }],
    notes: [],
    help: "look for a size that grew by mistake",
  };
}
