/** Mistakes of index notation, `let y[i, j] = ..`: codes DLX0231 to 0236. */
import { axisWithSize, typeText } from "../check/shape-text.ts";
import type { Axis, Tensor } from "../check/values.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { error, ordinal } from "./shapes.ts";

const one = (span: Span, text: string, ...notes: string[]) => ({ labels: [{ span, text }], notes });

/** Where an index stands alone, and how long that axis is. */
export interface Alone {
  readonly span: Span;
  readonly axis: Axis;
}

/** 0231. */
export function twoSizes(index: string, first: Alone, second: Alone): Diagnostic {
  return error(
    "DLX0231",
    `the index ${index} stands for ${first.axis.size} places and for ${second.axis.size}`,
    {
      labels: [
        { span: second.span, text: `${axisWithSize(second.axis)} places` },
        { span: first.span, text: `${axisWithSize(first.axis)} places` },
      ],
      notes: ["an index that stands alone runs along the whole axis, so all such axes are equally long"],
    },
    "cut the longer one first, for instance `x[..-2]`, or use another index",
  );
}

/** 0232: `text` is the index as written, `reach` the place outside. */
export function outside(t: Tensor, place: number, text: string, reach: number, ranges: string, span: Span): Diagnostic {
  const axis = t.axes[place]!;
  return error(
    "DLX0232",
    `${text} reaches place ${reach}, and the ${ordinal(place)} axis of ${typeText(t)} has the places 0 to ${axis.size - 1}`,
    one(span, `${axisWithSize(axis)} places`, ranges),
    reach < 0
      ? "begin further right by `pad`, or count from another place"
      : "make room by `pad`, or cut what gives the index its range, for instance `x[..-2]`",
  );
}

/** 0232: not even one place of the index is inside. */
export function noRoom(t: Tensor, place: number, text: string, index: string, span: Span): Diagnostic {
  const axis = t.axes[place]!;
  return error(
    "DLX0232",
    `${text} leaves no place for ${index} on the ${ordinal(place)} axis of ${typeText(t)}`,
    one(span, `${axisWithSize(axis)} places`),
    "make room by `pad`, or use something shorter",
  );
}

/** 0233. */
export function notAffine(span: Span): Diagnostic {
  return error(
    "DLX0233",
    "a place is a sum of indices times whole numbers, and this is something else",
    one(span, "not of the form `2 * i + a - 1`"),
    "for other places make a tensor of integers and index with it: `x[places[i]]`",
  );
}

/** 0234: on the left or in `over:`, and no place of the right side tells how far it runs. */
export function unusedIndex(index: string, where: "left" | "over", span: Span): Diagnostic {
  return error(
    "DLX0234",
    `the index ${index} indexes nothing, so how far it runs is not known`,
    one(span, where === "left" ? "an axis of the result" : "reduced here"),
    `let it stand in brackets on the right: \`x[${index}]\`; a plain range of n places is \`ones([n])[${index}]\``,
  );
}

/** 0234: only sums of several indices of unknown range. */
export function unknownRange(index: string, text: string, span: Span): Diagnostic {
  return error(
    "DLX0234",
    `how far the index ${index} runs does not follow from ${text}`,
    one(span, "two indices of unknown range in one place"),
    "one of them must stand alone somewhere, as a in `k[a] * x[i + a]`",
  );
}

/** 0234: a name in brackets that is neither an index nor a value. */
export function unboundIndex(index: string, left: readonly string[], span: Span): Diagnostic {
  return error(
    "DLX0234",
    `${index} is neither an index on the left nor one that is reduced here`,
    one(span, "not known"),
    `keep it as an axis, \`let y[${[...left, index].join(", ")}] = ..\`, or reduce it, \`sum(.., over: ${index})\``,
  );
}

/** 0235. */
export function wrongCount(t: Tensor, given: number, span: Span): Diagnostic {
  const axes = `${t.axes.length} ${t.axes.length === 1 ? "axis" : "axes"}`;
  return error(
    "DLX0235",
    given === 0
      ? `in index notation a tensor stands with its indices, and this ${typeText(t)} has none`
      : `${typeText(t)} has ${axes}, and here ${given === 1 ? "stands 1 index" : `stand ${given} indices`}`,
    one(span, typeText(t)),
    "write one index, number or sum of indices for each axis; other functions go into a `let` of their own",
  );
}

/** 0236: what an index may not stand in. */
export function notHere(what: string, span: Span, help: string): Diagnostic {
  return error("DLX0236", `${what} has no meaning in index notation`, one(span, "here"), help);
}

/** 0236. */
export function indexTwice(index: string, span: Span): Diagnostic {
  return error(
    "DLX0236",
    `the index ${index} is bound twice`,
    one(span, "already an index"),
    "an index is either an axis of the result or reduced once; give the second one another name",
  );
}
