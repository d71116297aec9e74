/** Mistakes with rows that are arranged and with text as rows: codes DLX054x and DLX056x. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";

function error(code: string, title: string, span: Span, text: string, help: string, notes: string[] = []): Diagnostic {
  return { code, severity: "error", title, labels: [{ span, text }], notes, help };
}

// ---------------------------------------------------------------- 0540–0549: rows that are put together

export function unlikeRows(span: Span, first: string, other: string): Diagnostic {
  return error(
    "DLX0540",
    "`concat` puts rows of one kind behind another, and these are of two kinds",
    span,
    `these have ${other}`,
    "bring both to the same fields; `zip(a, b)` puts rows side by side",
    [`the first have ${first}`],
  );
}

export function unequalCounts(span: Span, first: number, other: number): Diagnostic {
  return error(
    "DLX0541",
    "`zip` pairs row by row, and these are not as many",
    span,
    `${other} rows, and the first has ${first}`,
    `cut the longer one: \`take(…, ${Math.min(first, other)})\``,
  );
}

export function fieldTwice(span: Span, field: string): Diagnostic {
  return error(
    "DLX0542",
    `\`zip\` would give two fields the name \`${field}\``,
    span,
    `has \`${field}\` too`,
    "name the parts: `zip(en: english, de: german)` calls their fields `en` and `de`",
  );
}

export function windowTooLong(span: Span, size: number, rows: number, pairs: boolean): Diagnostic {
  return error(
    "DLX0543",
    `a window of ${size} is longer than the data`,
    span,
    pairs ? `needs ${size + 1} tokens, as y is one further, and there are ${rows}` : `there are ${rows} rows`,
    `use a window of ${Math.max(1, rows - (pairs ? 1 : 0))} or less`,
  );
}

export function tooManyFolds(span: Span, k: number, rows: number): Diagnostic {
  return error(
    "DLX0544",
    k < 2 ? "`kfold` cuts into 2 folds or more" : `${rows} rows cannot be cut into ${k} folds`,
    span,
    k < 2 ? "one part stays to test on and the others train" : "each fold needs a row",
    rows < 0 ? "5 and 10 are usual" : `use from 2 to ${rows} folds`,
  );
}

export function notInOrder(span: Span, what: string, by: string): Diagnostic {
  return error(
    "DLX0545",
    `${what} needs rows that follow one another, and \`${by}\` has mixed these`,
    span,
    `mixed by \`${by}\``,
    by === "split"
      ? "keep the order: `split(val: 0.1, in_order: true)`"
      : `leave \`${by}\` out, or mix what comes out: \`${by}(windows(…))\``,
  );
}

export function mappedBefore(span: Span, what: string): Diagnostic {
  return error(
    "DLX0546",
    `\`${what}\` comes before \`map\``,
    span,
    "its rows are changed by `map`",
    `write \`${what}(…) |> map(row => …)\`: a row function is compiled into the step, behind all else`,
  );
}

export function noRowsLeft(span: Span, rows: number): Diagnostic {
  return error(
    "DLX0547",
    "`filter` keeps no row",
    span,
    `true for none of ${rows} rows`,
    "look at the values of the fields that it compares, as in `print rows.label`",
  );
}

export function filterNotKnown(span: Span, what: string): Diagnostic {
  return error(
    "DLX0548",
    `\`filter\` cannot depend on ${what}`,
    span,
    "must be known before the run",
    "use the fields of the row and constants; for what is known only later, weigh rows: `mean(x, weight: w)`",
    ["how many rows there are is a size, and sizes are known before anything runs"],
  );
}

export function tooManyToFilter(span: Span, rows: number, most: number): Diagnostic {
  return error(
    "DLX0505",
    `\`filter\` counts what it keeps before the run, and ${rows} rows are too many`,
    span,
    `at most ${most}`,
    "read fewer rows: `filter(take(rows, n), …)`",
  );
}

export function filterAfterSplit(span: Span, by: string): Diagnostic {
  return error(
    "DLX0549",
    `\`filter\` comes before \`${by}\``,
    span,
    `which rows these are depends on the seed, by \`${by}\``,
    by === "split" ? "write `data |> filter(…) |> split(val: 0.1)`" : `filter first: \`${by}(filter(…), …)\``,
    ["so how many rows are left does not depend on the seed"],
  );
}

// ---------------------------------------------------------------- 0560–0569: text

export function notUtf8(span: Span, file: string, line: number): Diagnostic {
  return error(
    "DLX0560",
    `\`${file}\`, line ${line}: this is not UTF-8`,
    span,
    "read here",
    "save the file as UTF-8: `iconv -f LATIN1 -t UTF-8 old.txt > new.txt`",
  );
}

export function emptyText(span: Span, file: string): Diagnostic {
  return error("DLX0561", `\`${file}\` holds no text`, span, "read here", "name a file with text in it");
}

export function notTokens(span: Span, what: string): Diagnostic {
  return error(
    "DLX0562",
    `${what} needs numbers, and this is text`,
    span,
    "a text",
    "cut it into tokens: `|> chars`, `|> words` or `|> bpe(500)`",
  );
}

export function notText(span: Span, what: string, got: string): Diagnostic {
  return error(
    "DLX0563",
    `\`${what}\` needs a text, not ${got}`,
    span,
    `this is ${got}`,
    `write \`text("file.txt") |> ${what}\` or \`lines("file.txt") |> ${what}\``,
  );
}

export function noVocabulary(span: Span, what: string, help: string): Diagnostic {
  return error("DLX0564", `${what} needs the rows of a tokenizer`, span, "these have no vocabulary of their own", help);
}

export function lineWithoutLabel(span: Span, file: string, line: number): Diagnostic {
  return error(
    "DLX0565",
    `\`${file}\`, line ${line}: there is no label`,
    span,
    "read here, with `label: true`",
    "write the text, a tab and the class on each line",
  );
}
