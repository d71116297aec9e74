/**
 * The door of syntax: text to tree. Scan, mark words, lay out lines and brackets, mend slips, parse statements, then
 * the values in text holes. Any text gives a tree; a statement that cannot be read costs itself only and one message.
 */
import type { IToken } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { tooDeep } from "../errors/syntax.ts";
import { fix, fixed, put } from "../errors/edits.ts";
import type { Source, Span } from "../source.ts";
import type * as ast from "./ast.ts";
import { theGrammar } from "./grammar.ts";
import { mendHabits } from "./habits.ts";
import { mendIndents } from "./indents.ts";
import { layout } from "./layout.ts";
import type { PendingString } from "./recovery.ts";
import { scan } from "./scan.ts";
import { splitString } from "./strings.ts";
import { LCurly, Newline, RCurly } from "./tokens.ts";
import { markWords, mendSlips } from "./words.ts";

export interface Parsed {
  readonly file: ast.File;
  readonly diagnostics: Diagnostic[];
}

export function parse(source: Source): Parsed {
  const diagnostics: Diagnostic[] = [];
  const { tokens, trivia } = prepare(source, 0, source.text.length, (d) => diagnostics.push(d));
  const grammar = theGrammar();
  grammar.begin(source, tokens, trivia);
  const all = { file: source.file, start: 0, end: 0 };
  const body = unlessTooDeep(() => grammar.file(), [], all, diagnostics);
  diagnostics.push(...onePerLine(tokens, diagnostics, grammar.diagnostics));
  for (let strings = grammar.strings; strings.length > 0; strings = grammar.strings) {
    grammar.strings = [];
    for (const string of strings) diagnostics.push(...fillHoles(source, string));
  }
  const span = { file: source.file, start: 0, end: source.text.length };
  const names = new Set(
    diagnostics.flatMap((d) =>
      d.code === "DLX0110" ? [source.text.slice(d.labels[0]!.span.start, d.labels[0]!.span.end)] : [],
    ),
  );
  const again = (d: Diagnostic): boolean =>
    d.code === "DLX0101" && [...names].some((n) => d.labels[0]?.text === `found \`${n}\``);
  const uses = diagnostics.filter(again);
  for (const [i, d] of diagnostics.entries()) {
    if (d.code !== "DLX0110") continue;
    const word = source.text.slice(d.labels[0]!.span.start, d.labels[0]!.span.end);
    const places = [d, ...uses.filter((u) => u.labels[0]?.text === `found \`${word}\``)].map((u) =>
      put(u.labels[0]!.span, `my_${word}`),
    );
    diagnostics[i] = fixed(d, fix(`call it \`my_${word}\``, ...places));
  }
  for (const d of uses) diagnostics.splice(diagnostics.indexOf(d), 1);
  const inOrder = diagnostics.sort((a, b) => (a.labels[0]?.span.start ?? 0) - (b.labels[0]?.span.start ?? 0));
  return { file: { body, trivia, span }, diagnostics: inOrder };
}

/** The parser descends once per level of nesting; a text of thousands of brackets would exhaust the stack. */
function unlessTooDeep<T>(read: () => T, instead: T, place: Span, diagnostics: Diagnostic[]): T {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    diagnostics.push(tooDeep(place));
    return instead;
  }
}

function prepare(source: Source, start: number, end: number, report: (d: Diagnostic) => void) {
  const { tokens: scanned, trivia } = scan(source, start, end, report);
  const raw = mendHabits(source, mendIndents(source, scanned, report), report);
  markWords(raw);
  return { tokens: mendSlips(source, layout(source, raw, report), report), trivia };
}

/** A hole holds no `"`, so it holds no text with holes of its own. */
function fillHoles(source: Source, { token, parts }: PendingString): Diagnostic[] {
  const grammar = theGrammar();
  const diagnostics: Diagnostic[] = [];
  for (const part of splitString(source, token, (d) => diagnostics.push(d))) {
    if (typeof part === "string") {
      parts.push(part);
      continue;
    }
    const { value: place, span, format } = part;
    const known = diagnostics.length;
    const { tokens } = prepare(source, place.start, place.end, (d) => diagnostics.push(d));
    grammar.begin(source, tokens, []);
    const missing: ast.Expr = { kind: "missing", span: place };
    const value = tokens.length === 0 ? missing : unlessTooDeep(() => grammar.hole(), missing, span, diagnostics);
    if (known === diagnostics.length) diagnostics.push(...grammar.diagnostics.slice(0, 1));
    parts.push(format === undefined ? { value, span } : { value, format, span });
  }
  return diagnostics;
}

/** After the first mistake on a line the rest of the line is guesswork: later messages about it are left out. */
function onePerLine(
  tokens: readonly IToken[],
  known: readonly Diagnostic[],
  found: readonly Diagnostic[],
): Diagnostic[] {
  const ends = tokens.filter((t) => [Newline, LCurly, RCurly].includes(t.tokenType)).map((t) => t.startOffset);
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const taken = new Set(known.flatMap((d) => d.labels.map((l) => lineOf(l.span.start))));
  return found.filter((d) => {
    const line = lineOf(d.labels[0]?.span.start ?? 0);
    if (taken.has(line)) return false;
    taken.add(line);
    return true;
  });
}
