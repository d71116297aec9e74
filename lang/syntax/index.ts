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
import { tellChanges } from "./changes.ts";
import { cutsOf } from "./cuts.ts";
import { cutDeep, isDeep, refuseDeep, TOO_DEEP } from "./depth.ts";
import { theGrammar } from "./grammar.ts";
import { mendHabits } from "./habits/index.ts";
import { mendIndents } from "./indents.ts";
import { ending, layout } from "./layout.ts";
import type { PendingString } from "./recovery.ts";
import { scan } from "./scan.ts";
import { splitString } from "./strings.ts";
import { LCurly, Newline, RCurly } from "./tokens.ts";
import { markWords, mendSlips } from "./words.ts";

export interface Parsed {
  readonly file: ast.File;
  readonly diagnostics: Diagnostic[];
}

/** A stretch of text as it was read; the messages are all that were found. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly body: readonly ast.Stmt[];
  readonly trivia: readonly ast.Trivia[];
  readonly found: readonly Diagnostic[];
  /** Where it can be cut; undefined if what it says may depend on the text around it. */
  readonly cuts?: readonly number[];
}

export function parse(source: Source): Parsed {
  return asFile(source, [readPiece(source, 0, source.text.length, [])]);
}

/** `above`: comments before the piece, where the doc of its first statement may be. */
export function readPiece(source: Source, start: number, end: number, above: readonly ast.Trivia[]): Piece {
  const found: Diagnostic[] = [];
  const { tokens, trivia, cuts } = prepare(source, start, end, (d) => found.push(d));
  const grammar = theGrammar();
  grammar.begin(source, tokens, above.length > 0 ? [...above, ...trivia] : trivia);
  const read = unlessTooDeep(
    () => grammar.file(),
    [],
    () => grammar.here(),
    found,
  );
  const body = refuseDeep(read, found);
  found.push(...onePerLine(tokens, found, grammar.diagnostics));
  for (let strings = grammar.strings; strings.length > 0; strings = grammar.strings) {
    grammar.strings = [];
    for (const string of strings) found.push(...fillHoles(source, string));
  }
  return { start, end, body, trivia, found, cuts };
}

/** Pieces that follow on each other. */
export function asFile(source: Source, pieces: readonly Piece[]): Parsed {
  const span = { file: source.file, start: 0, end: source.text.length };
  const file = { body: pieces.flatMap((p) => p.body), trivia: pieces.flatMap((p) => p.trivia), span };
  const diagnostics = pieces.flatMap((p) => p.found);
  tellChanges(source, file.body, diagnostics);
  return { file, diagnostics: theFirst(source, withoutUses(source, diagnostics)) };
}

/** A name that is a reserved word is told once, where it is defined, with all its places. */
function withoutUses(source: Source, diagnostics: Diagnostic[]): Diagnostic[] {
  const names = new Set(
    diagnostics.flatMap((d) =>
      d.code === "DLX0110" ? [source.text.slice(d.labels[0]!.span.start, d.labels[0]!.span.end)] : [],
    ),
  );
  if (names.size === 0) return diagnostics;
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
  return diagnostics;
}

/** A text that is no script has a mistake in each line: more than these help nobody. */
const MOST = 100;
/** Of one kind in one line. */
const MOST_IN_A_LINE = 3;

function theFirst(source: Source, diagnostics: Diagnostic[]): Diagnostic[] {
  const startOf = (d: Diagnostic): number => d.labels[0]?.span.start ?? 0;
  const inOrder = diagnostics.sort((a, b) => startOf(a) - startOf(b));
  const told = new Map<string, number>();
  let end = -1;
  const some = inOrder.filter((d) => {
    const start = startOf(d);
    if (start > end) {
      const next = source.text.indexOf("\n", start);
      end = next < 0 ? source.text.length : next;
      told.clear();
    }
    const times = (told.get(d.code) ?? 0) + 1;
    told.set(d.code, times);
    return times <= MOST_IN_A_LINE;
  });
  return some.slice(0, MOST);
}

/** The parser descends once per level; what has no brackets and no end is found when the stack ends. */
function unlessTooDeep<T>(read: () => T, instead: T, place: () => Span, diagnostics: Diagnostic[]): T {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    if (!diagnostics.some(({ code }) => code === TOO_DEEP)) diagnostics.push(tooDeep(place()));
    return instead;
  }
}

function prepare(source: Source, start: number, end: number, report: (d: Diagnostic) => void) {
  const { tokens: scanned, trivia } = scan(source, start, end, report);
  const cuts = cutsOf(source, scanned);
  const raw = mendHabits(source, mendIndents(source, scanned, report), report);
  const isWhole = cuts !== undefined && cutsOf(source, raw) !== undefined;
  markWords(raw);
  const laid = layout(source, raw, report);
  // The line that ends here is ended by the word behind it, which is not among these tokens.
  const last = raw.at(-1);
  if (end < source.text.length && last?.tokenType === Newline && laid.length > 0) laid.push(ending(last));
  const tokens = cutDeep(source, mendSlips(source, laid, report), report);
  return { tokens, trivia, cuts: isWhole ? cuts : undefined };
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
    const read =
      tokens.length === 0
        ? missing
        : unlessTooDeep(
            () => grammar.hole(),
            missing,
            () => span,
            diagnostics,
          );
    const value = isDeep(read) ? missing : read;
    if (value !== read) diagnostics.push(tooDeep(span));
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
