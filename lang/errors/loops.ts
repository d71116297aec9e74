/** Mistakes with loops: codes DLX034x. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { insertAfter, optional } from "./edits.ts";

export function scanWithoutOver(span: Span, got: string): Diagnostic {
  return {
    code: "DLX0341",
    severity: "error",
    title: "`scan` needs the axis that it walks along",
    labels: [{ span, text: `this is ${got}` }],
    notes: [],
    help: "name the axis: `scan x in xs over T with h = h0 { … }`, or count its place: `over 0`",
    ...optional(insertAfter(span, " over 0")),
  };
}

export function scanSizes(span: Span, a: number, b: number): Diagnostic {
  return {
    code: "DLX0342",
    severity: "error",
    title: "what `scan` walks along has two lengths",
    labels: [{ span, text: `one has ${a} ticks, another ${b}` }],
    notes: [],
    help: "cut them to one length first: `x[T: ..n]`",
  };
}

export function loopWithoutValue(kind: string, span: Span): Diagnostic {
  return {
    code: "DLX0345",
    severity: "error",
    title: `this \`${kind}\` gives nothing`,
    labels: [{ span, text: "carries nothing and yields nothing" }],
    notes: [],
    help: "write `yield …` in its body, or carry a value: `with h = h0 { h <- … }`",
  };
}

export function tooManyPasses(count: number, most: number, span: Span): Diagnostic {
  return {
    code: "DLX0344",
    severity: "error",
    title: `\`for\` writes out every pass, and ${count} are too many`,
    labels: [{ span, text: `${count} passes; at most ${most}` }],
    notes: [],
    help: "for a loop of equal passes use `scan i in 1..n with h = h0 { … }` or `iterate n with h = h0 { … }`",
  };
}

export function tooManyTicks(kind: string, count: number, most: number, span: Span): Diagnostic {
  return {
    code: "DLX0344",
    severity: "error",
    title: `${count} ticks of one \`${kind}\` are too many`,
    labels: [{ span, text: `at most ${most}` }],
    notes: ["a loop is one computation: nothing of it is shown before its end"],
    help: "let a `train` block count: `train for 1000000 steps { … }` with a `state`",
  };
}

export function commitInLoop(path: string, span: Span): Diagnostic {
  return {
    code: "DLX0343",
    severity: "error",
    title: "a state cannot be written inside `scan` or `iterate`",
    labels: [{ span, text: `\`${path}\` is written in this loop` }],
    notes: ["what changes from tick to tick of a loop is a carry"],
    help: "carry it: `scan … with h = h0 { h <- … }`",
  };
}
