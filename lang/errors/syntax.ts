/**
 * The messages of the 01 family: what the reader of a script could not read. One function per mistake. They take
 * plain words and places; which token stood where is the parser's business.
 */
import type { Diagnostic, Fix, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { change, fix, fixed, insertAfter, insertBefore, optional, put, remove } from "./edits.ts";

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
  readonly fix?: readonly Fix[] | undefined;
}

export function unexpected({ span, expected, after, found, help, fix: fixes }: Unexpected): Diagnostic {
  const title = after === undefined ? `expected ${expected}` : `expected ${expected} after ${after}`;
  return fixed(error("DLX0101", title, [{ span, text: found }], help), fixes);
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
  return fixed(
    error(
      "DLX0102",
      `\`${bracket}\` without its \`${closer}\``,
      labels,
      `write \`${closer}\` where the part that \`${bracket}\` begins ends`,
    ),
    fix(`insert \`${closer}\``, put(missed, closer === "}" ? "\n}" : closer)),
  );
}

export function wrongCloser(open: Span, bracket: string, closer: string, at: Span, found: string): Diagnostic {
  const labels = [
    { span: at, text: `closes it with \`${found}\`` },
    { span: open, text: `\`${bracket}\` opens` },
  ];
  return fixed(
    error("DLX0102", `\`${bracket}\` is closed by \`${found}\``, labels, `write \`${closer}\` instead of \`${found}\``),
    change(at, closer),
  );
}

export function strayBracket(span: Span, closer: string, bracket: string): Diagnostic {
  const labels = [{ span, text: `no \`${bracket}\` is open here` }];
  return fixed(
    error(
      "DLX0102",
      `\`${closer}\` without its \`${bracket}\``,
      labels,
      `remove it, or write the \`${bracket}\` that it closes`,
    ),
    remove(span, `\`${closer}\``),
  );
}

export function unclosedString(span: Span): Diagnostic {
  return fixed(
    error(
      "DLX0103",
      'text without its closing `"`',
      [{ span, text: "begins here and runs to the end of the line" }],
      'write `"` where the text ends',
    ),
    insertAfter(span, '"'),
  );
}

export function unclosedHole(brace: Span, end: number): Diagnostic {
  const notes = ['`{` in a text begins a value: `"loss {loss:.4f}"`; a brace itself is `{{`'];
  return fixed(
    error(
      "DLX0103",
      "`{` in a text without its `}`",
      [{ span: brace, text: "this `{` is not closed before the text ends" }],
      'write `}` after the value; a value in a text cannot hold `"`: name it with `let` first',
      notes,
    ),
    fix("insert `}`", put({ ...brace, start: end, end }, "}")),
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
  return fixed(
    error(
      "DLX0104",
      `dlx has no sign \`${character}\``,
      [{ span, text: "unknown here" }],
      "remove it; inside a text or a comment any character may stand",
    ),
    remove(span, `\`${character}\``),
  );
}

type Fixes = readonly Fix[] | undefined;

export function foreignSign(span: Span, sign: string, help: string, fixes?: Fixes): Diagnostic {
  return {
    ...error("DLX0104", `dlx has no sign \`${sign}\``, [{ span, text: "unknown here" }], help),
    ...optional(fixes),
  };
}

/** A sign of dlx that means something else in another language. */
export function otherSign(span: Span, title: string, text: string, help: string, fixes?: Fixes): Diagnostic {
  return { ...error("DLX0116", title, [{ span, text }], help), ...optional(fixes) };
}

/** A head that ends in `:`, and its indented lines. */
export function blockByIndent(colon: Span, fixes: Fixes): Diagnostic {
  return {
    ...error(
      "DLX0116",
      "a block stands in `{ }`",
      [{ span: colon, text: "no block begins with `:`" }],
      "write `{` here, and `}` on a line of its own behind the block",
    ),
    ...optional(fixes),
  };
}

export function foreignImport(line: Span, title: string): Diagnostic {
  return {
    ...error(
      "DLX0108",
      title,
      [{ span: line, text: "a package of another language" }],
      "leave the line out: all layers, losses and optimizers are in scope",
      ['an `import` takes names from a script: `import Block from "./blocks.dlx"`'],
    ),
    ...optional(remove(line, "the line")),
  };
}

export function arrowInExpression(span: Span, rewritten: string): Diagnostic {
  const notes = ["`name <- value` on its own line changes a state"];
  return fixed(
    error(
      "DLX0105",
      "`<-` inside an expression",
      [{ span, text: "reads as a change of state" }],
      `write \`${rewritten}\``,
      notes,
    ),
    change(span, "< -"),
  );
}

export function comparisonChain(first: Span, second: Span, rewritten: string, whole?: Span): Diagnostic {
  const labels = [
    { span: second, text: "a second comparison" },
    { span: first, text: "the first" },
  ];
  return fixed(
    error("DLX0106", "comparisons cannot be chained", labels, `write \`${rewritten}\``),
    whole && change(whole, rewritten),
  );
}

/** `word`: the second begins with the word of a statement, so no operator is missing. */
export function twoStatements(span: Span, before: string, second: string, word: boolean): Diagnostic {
  const help = `start a new line before ${second}${word ? "" : ", or write the operator that is missing"}`;
  return fixed(
    error("DLX0107", "two statements on one line", [{ span, text: `a second statement after ${before}` }], help),
    word ? fix("start a new line", put({ ...span, end: span.start }, "\n")) : undefined,
  );
}

export function misspelledWord(span: Span, written: string, meant: string): Diagnostic {
  return fixed(
    error(
      "DLX0108",
      `no statement begins with \`${written}\``,
      [{ span, text: `did you mean \`${meant}\`?` }],
      `write \`${meant}\``,
    ),
    change(span, meant),
  );
}

export function foreignWord(span: Span, written: string, help: string, fixes?: Fixes): Diagnostic {
  return {
    ...error("DLX0108", `dlx has no \`${written}\``, [{ span, text: "a word of another language" }], help),
    ...optional(fixes),
  };
}

export function wrongFormat(span: Span, format: string): Diagnostic {
  const notes = ["a format is perhaps `+`, perhaps digits, perhaps `.` and digits, then one of `d f e g %`"];
  const near = /^\+?\d*\.\d+$/.test(format) ? `${format}f` : /(?:\.\d+)?[dfeg%]$/.exec(format)?.[0];
  return fixed(
    error(
      "DLX0109",
      `\`${format}\` is not a number format`,
      [{ span, text: "cannot be read as a format" }],
      "write `{x:.4f}`, `{x:+.2e}`, `{x:.1%}` or `{n:d}`",
      notes,
    ),
    near ? change(span, near) : undefined,
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

export function missingLet(span: Span, name: string, value: string, start?: Span): Diagnostic {
  const notes = [`a state is changed with \`${name} <- …\``];
  return fixed(
    error(
      "DLX0111",
      "a name is defined with `let`",
      [{ span, text: "defines nothing" }],
      `write \`let ${name} = ${value}\``,
      notes,
    ),
    start && insertBefore(start, "let "),
  );
}

/** `v[0] = 5`, `m.w = x`; `place` is the tensor, the place and the value as written. */
export function partAssigned(span: Span, stmt: Span, part: string, place: readonly string[] | undefined): Diagnostic {
  const [of, at, value] = place ?? [];
  const anew = place && `let ${/^\w+$/.test(of ?? "") ? of : "v"}2 = put(${of}, ${value}, at: ${at}, over: 0)`;
  return fixed(
    error(
      "DLX0111",
      "a part of a value cannot be changed",
      [{ span, text: "changes nothing" }],
      anew === undefined ? "a value never changes: make a new one with `let`" : `make a new tensor: \`${anew}\``,
      [`\`${part}\` belongs to a value, which never changes`],
    ),
    anew === undefined ? undefined : change(stmt, anew),
  );
}

export function changedState(span: Span, name: string, value: string, what: string): Diagnostic {
  return fixed(
    error(
      "DLX0111",
      `\`${name}\` is changed with \`<-\``,
      [{ span, text: `does not change ${what}` }],
      `write \`${name} <- ${value}\``,
    ),
    change(span, "<-"),
  );
}

export function bareFields(span: Span, word: string, fields: string): Diagnostic {
  return fixed(
    error(
      "DLX0112",
      "the fields of a row stand in parentheses",
      [{ span, text: "" }],
      `write \`${word} (${fields}) in …\``,
    ),
    change(span, `(${fields})`),
  );
}

export function oneList(span: Span, kind: string, name: string, list: string): Diagnostic {
  const notes = [`a ${kind} has two lists: what it is, then what it acts on`];
  return fixed(
    error(
      "DLX0113",
      `\`${name}\` has only one list of arguments`,
      [{ span, text: "" }],
      `write \`${kind} ${name}()${list}\``,
      notes,
    ),
    insertBefore(span, "()"),
  );
}

export function tooDeep(span: Span, most?: string): Diagnostic {
  const labels = [{ span, text: most === undefined ? "" : `more than ${most}` }];
  return error("DLX0115", "this script is nested too deeply to be read", labels, "name inner parts with `let`");
}

/** Each value made from the one before it, thousands of times. */
export function tooLong(span: Span): Diagnostic {
  return error(
    "DLX0115",
    "a chain of values here is too long to be followed",
    [{ span, text: "" }],
    "for many equal steps use `iterate n with v = v0 { … }` or `scan`",
  );
}

export function wrongUnit(span: Span, unit: string): Diagnostic {
  return error(
    "DLX0114",
    `\`every\` cannot count ${unit}`,
    [{ span, text: "" }],
    "count epochs, steps, seconds or minutes",
  );
}
