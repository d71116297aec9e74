/** Mistakes that `dlx test` finds: codes DLX075x. */
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";

/** A value as text at its place in the script. */
export interface ShownSide {
  readonly text: string;
  readonly span: Span;
}

/** Longer values go below the frame. */
const BESIDE = 48;

export function assertFailed(
  test: string,
  span: Span,
  sides: readonly ShownSide[],
  facts: readonly string[] = [],
): Diagnostic {
  const short = (text: string): boolean => text.length <= BESIDE && !text.includes("\n");
  const label = ({ text, span: at }: ShownSide): Label => ({ span: at, text: short(text) ? `is ${text}` : "" });
  const long = sides.filter(({ text }) => !short(text)).map(({ text }, i, all) => sideNote(text, i, all.length));
  return {
    code: "DLX0751",
    severity: "error",
    title: `the test "${test}" expects something else here`,
    labels: sides.length > 0 ? sides.map(label) : [{ span, text: "does not hold" }],
    notes: [...long, ...facts],
  };
}

function sideNote(text: string, i: number, count: number): string {
  const which = count === 1 ? "the value" : i === 0 ? "the left value" : i === 1 ? "the right value" : "another value";
  return `${which} is ${text.replaceAll(/\s*\n\s*/g, " ")}`;
}
