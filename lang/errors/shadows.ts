/** What is no mistake and yet worth knowing: a name that hides another, a value that stays as it was. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

const HELP = "to use both, give this one a name of its own";

export function shadowsLibrary(name: string, span: Span, original: Span): Diagnostic {
  return {
    ...shadows(name, span),
    labels: [
      { span, text: "in this script, this one is meant" },
      { span: original, text: "the one of the standard library" },
    ],
  };
}

/** What has no text to point at. */
export function shadowsGiven(name: string, span: Span, kind: string): Diagnostic {
  return { ...shadows(name, span), notes: [`the other one is ${kind}: \`dlx doc ${name}\` shows it`] };
}

function shadows(name: string, span: Span): Diagnostic {
  return {
    code: "DLX0348",
    severity: "note",
    title: `\`${name}\` is also a name of the standard library`,
    labels: [{ span, text: "in this script, this one is meant" }],
    notes: [],
    help: HELP,
  };
}

export function liveInputOnce(name: string, span: Span, input: Span): Diagnostic {
  return {
    code: "DLX0349",
    severity: "warning",
    title: `this value is computed once, with the \`${name}\` of that moment`,
    labels: [
      { span, text: "before the block that reads it" },
      { span: input, text: "may change at any step" },
    ],
    notes: [],
    help: `to follow \`${name}\`, compute it in the body of the block`,
  };
}
