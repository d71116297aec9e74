/**
 * The messages of the 01 family: what the reader of a script could not read. One function per mistake. They take
 * plain words and places; which token stood where is the parser's business.
 */
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";

const error = (
  code: string,
  title: string,
  labels: readonly Label[],
  help?: string,
  notes: readonly string[] = [],
): Diagnostic =>
  help === undefined
    ? { code, severity: "error", title, labels, notes }
    : { code, severity: "error", title, labels, notes, help };

/** `after` and `found` are words such as "`+`" or "the line ends". */
export interface Unexpected {
  readonly span: Span;
  readonly expected: string;
  readonly after?: string;
  readonly found: string;
  readonly help?: string;
}

export function unexpected({ span, expected, after, found, help }: Unexpected): Diagnostic {
  const title = after === undefined ? `expected ${expected}` : `expected ${expected} after ${after}`;
  return error("DLX0101", title, [{ span, text: found }], help);
}

export function cannotBegin(span: Span, what: string): Diagnostic {
  const help =
    what === "`else`" ? "`else` follows the `}` of an `if`" : "if it belongs to the line above, write it on that line";
  return error("DLX0101", `a statement cannot begin with ${what}`, [{ span, text: "" }], help);
}

export function unclosedBracket(open: Span, bracket: string, closer: string, missed: Span): Diagnostic {
  const labels = [
    { span: open, text: `this \`${bracket}\` is never closed` },
    { span: missed, text: `expected \`${closer}\` here at the latest` },
  ];
  return error(
    "DLX0102",
    `\`${bracket}\` without its \`${closer}\``,
    labels,
    `write \`${closer}\` where the part that \`${bracket}\` begins ends`,
  );
}

export function wrongCloser(open: Span, bracket: string, closer: string, at: Span, found: string): Diagnostic {
  const labels = [
    { span: at, text: `closes it with \`${found}\`` },
    { span: open, text: `\`${bracket}\` opens` },
  ];
  return error(
    "DLX0102",
    `\`${bracket}\` is closed by \`${found}\``,
    labels,
    `write \`${closer}\` instead of \`${found}\``,
  );
}

export function strayBracket(span: Span, closer: string, bracket: string): Diagnostic {
  const labels = [{ span, text: `no \`${bracket}\` is open here` }];
  return error(
    "DLX0102",
    `\`${closer}\` without its \`${bracket}\``,
    labels,
    `remove it, or write the \`${bracket}\` that it closes`,
  );
}

export function unclosedString(span: Span): Diagnostic {
  return error(
    "DLX0103",
    'text without its closing `"`',
    [{ span, text: "begins here and runs to the end of the line" }],
    'write `"` where the text ends',
  );
}

export function unclosedHole(brace: Span): Diagnostic {
  const notes = ['`{` in a text begins a value: `"loss {loss:.4f}"`; a brace itself is `{{`'];
  return error(
    "DLX0103",
    "`{` in a text without its `}`",
    [{ span: brace, text: "this `{` is not closed before the text ends" }],
    'write `}` after the value; a value in a text cannot hold `"`: name it with `let` first',
    notes,
  );
}

export function emptyHole(span: Span): Diagnostic {
  return error(
    "DLX0101",
    "expected a value between `{` and `}`",
    [{ span, text: "nothing to show" }],
    "write `{loss}`, or `{{` for a brace",
  );
}

export function unknownCharacter(span: Span, character: string): Diagnostic {
  return error(
    "DLX0104",
    `dlx has no sign \`${character}\``,
    [{ span, text: "unknown here" }],
    "remove it; inside a text or a comment any character may stand",
  );
}

export function foreignSign(span: Span, sign: string, help: string): Diagnostic {
  return error("DLX0104", `dlx has no sign \`${sign}\``, [{ span, text: "unknown here" }], help);
}

export function arrowInExpression(span: Span, rewritten: string): Diagnostic {
  const notes = ["`name <- value` on its own line changes a state"];
  return error(
    "DLX0105",
    "`<-` inside an expression",
    [{ span, text: "reads as a change of state" }],
    `write \`${rewritten}\``,
    notes,
  );
}

export function comparisonChain(first: Span, second: Span, rewritten: string): Diagnostic {
  const labels = [
    { span: second, text: "a second comparison" },
    { span: first, text: "the first" },
  ];
  return error("DLX0106", "comparisons cannot be chained", labels, `write \`${rewritten}\``);
}

/** `word`: the second begins with the word of a statement, so no operator is missing. */
export function twoStatements(span: Span, before: string, second: string, word: boolean): Diagnostic {
  const help = `start a new line before ${second}${word ? "" : ", or write the operator that is missing"}`;
  return error("DLX0107", "two statements on one line", [{ span, text: `a second statement after ${before}` }], help);
}

export function misspelledWord(span: Span, written: string, meant: string): Diagnostic {
  return error(
    "DLX0108",
    `no statement begins with \`${written}\``,
    [{ span, text: `did you mean \`${meant}\`?` }],
    `write \`${meant}\``,
  );
}

export function foreignWord(span: Span, written: string, help: string): Diagnostic {
  return error("DLX0108", `dlx has no \`${written}\``, [{ span, text: "a word of another language" }], help);
}

export function wrongFormat(span: Span, format: string): Diagnostic {
  const notes = ["a format is perhaps `+`, perhaps digits, perhaps `.` and digits, then one of `d f e g %`"];
  return error(
    "DLX0109",
    `\`${format}\` is not a number format`,
    [{ span, text: "cannot be read as a format" }],
    "write `{x:.4f}`, `{x:+.2e}`, `{x:.1%}` or `{n:d}`",
    notes,
  );
}

export function choiceInHole(span: Span, choice: string): Diagnostic {
  return error(
    "DLX0109",
    "a `? :` in a text needs parentheses",
    [{ span, text: "`:` begins the format here" }],
    `write \`{(${choice})}\``,
  );
}

export function reservedName(span: Span, word: string): Diagnostic {
  return error(
    "DLX0110",
    `\`${word}\` cannot be a name`,
    [{ span, text: "a word of the language" }],
    `take another name, for example \`my_${word}\``,
  );
}

export function missingLet(span: Span, name: string, value: string): Diagnostic {
  const notes = [`a state is changed with \`${name} <- …\``];
  return error(
    "DLX0111",
    "a name is defined with `let`",
    [{ span, text: "defines nothing" }],
    `write \`let ${name} = ${value}\``,
    notes,
  );
}

export function bareFields(span: Span, word: string, fields: string): Diagnostic {
  return error(
    "DLX0112",
    "the fields of a row stand in parentheses",
    [{ span, text: "" }],
    `write \`${word} (${fields}) in …\``,
  );
}

export function oneList(span: Span, kind: string, name: string, list: string): Diagnostic {
  const notes = [`a ${kind} has two lists: what it is, then what it acts on`];
  return error(
    "DLX0113",
    `\`${name}\` has only one list of arguments`,
    [{ span, text: "" }],
    `write \`${kind} ${name}()${list}\``,
    notes,
  );
}

export function tooDeep(span: Span): Diagnostic {
  const labels = [{ span, text: "" }];
  return error("DLX0115", "this script is nested too deeply to be read", labels, "name inner parts with `let`");
}

export function wrongUnit(span: Span, unit: string): Diagnostic {
  return error(
    "DLX0114",
    `\`every\` cannot count ${unit}`,
    [{ span, text: "" }],
    "count epochs, steps, seconds or minutes",
  );
}
