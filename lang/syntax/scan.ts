/**
 * Text to raw tokens, comments and blank lines. Characters that dlx does not have are reported here and replaced by
 * what was probably meant, so the rest of the line can still be read. Newlines are all kept; `layout.ts` sorts them.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { foreignSign, unclosedString, unknownCharacter } from "../errors/syntax.ts";
import { change, fix, put } from "../errors/edits.ts";
import type { Source, Span } from "../source.ts";
import type { Trivia } from "./ast.ts";
import {
  Caret,
  DotDot,
  endOf,
  EqualEqual,
  Equals,
  Foreign,
  GreaterEqual,
  K,
  Identifier,
  LCurly,
  LessEqual,
  lexer,
  Minus,
  Newline,
  NotEqual,
  RCurly,
  retype,
  RParen,
  RSquare,
  Slash,
  Star,
  StringLit,
  synthetic,
  Unknown,
} from "./tokens.ts";

export interface Scan {
  readonly tokens: IToken[];
  readonly trivia: Trivia[];
}

/** What a sign of another language or a typographic sign stands for here; no `as` drops it. */
interface Substitute {
  readonly as?: TokenType;
  readonly help: string;
  /** What to write in its place, where that is sure. */
  readonly by?: string;
}
const substitutes: Readonly<Record<string, Substitute>> = {
  "&&": { by: "and", as: K.and, help: "write `and`" },
  "&": { by: "and", as: K.and, help: "write `and`" },
  "||": { by: "or", as: K.or, help: "write `or`" },
  "|": { by: "|>", as: K.or, help: "write `or`; a pipe is `|>`" },
  "!": { by: "not ", as: K.not, help: "write `not`" },
  "!==": { by: "!=", as: NotEqual, help: "write `!=`" },
  "===": { by: "==", as: EqualEqual, help: "write `==`" },
  ":=": { as: Equals, help: "a new name is `let x = …`, a change of state is `x <- …`" },
  "**": { by: "^", as: Caret, help: "a power is `x^2`" },
  "...": { by: "..", as: DotDot, help: "write `..`" },
  ";": { by: "\n", as: Newline, help: "a new line ends a statement" },
  "‘": { help: 'texts stand in double quotes: `"text"`' },
  "’": { help: 'texts stand in double quotes: `"text"`' },
  "'": { help: 'texts stand in double quotes: `"text"`' },
  "`": { help: 'texts stand in double quotes: `"text"`' },
  "“": { help: 'texts stand in plain double quotes: `"text"`' },
  "”": { help: 'texts stand in plain double quotes: `"text"`' },
  "≤": { by: "<=", as: LessEqual, help: "write `<=`" },
  "≥": { by: ">=", as: GreaterEqual, help: "write `>=`" },
  "≠": { by: "!=", as: NotEqual, help: "write `!=`" },
  "×": { by: "*", as: Star, help: "write `*`" },
  "·": { by: "*", as: Star, help: "write `*`" },
  "÷": { by: "/", as: Slash, help: "write `/`" },
  "−": { by: "-", as: Minus, help: "this is a typographic minus: write `-`" },
  "–": { by: "-", as: Minus, help: "this is a dash: write `-`" },
  "—": { by: "-", as: Minus, help: "this is a dash: write `-`" },
  "…": { by: "..", as: DotDot, help: "write `..`" },
  "←": { help: "write `<-`" },
  "→": { help: "write `->` or `=>`" },
  "∇": { help: "a gradient is `grad(y, x)`" },
};
const quoted = /^['“]/;
const update = /^([-+*/@%])=$/;
const closers: Readonly<Record<string, TokenType>> = { ")": RParen, "]": RSquare, "}": RCurly };

/** Reads the text from `start` to `end`; places are those of the whole text. */
export function scan(source: Source, start: number, end: number, report: (d: Diagnostic) => void): Scan {
  const result = lexer.tokenize(source.text.slice(start, end));
  const comments = result.groups["comments"] ?? [];
  if (start > 0) for (const token of [...result.tokens, ...comments]) shift(token, start);
  const tokens: IToken[] = [];
  // A run of unknown characters is reported once, at its first.
  let unknownUntil = -1;
  for (const token of result.tokens) {
    if (token.tokenType === Unknown || token.tokenType === Foreign) substitute(token);
    else if (token.tokenType === StringLit && !isClosed(token)) unclosed(token);
    else tokens.push(token);
  }
  return { tokens, trivia: findTrivia(source, comments, start, end) };

  function substitute(token: IToken): void {
    const at = spanOf(source, token);
    const updated = update.exec(token.image)?.[1];
    // A name before it makes clear what is meant: `habits/` mends these.
    const line = tokens.at(-1);
    const [last, before] = [line?.tokenType, tokens.at(-2)?.tokenType];
    const named =
      last === Identifier && (before === undefined || before === Newline || before === LCurly || before === RCurly);
    if (named && (token.image === ":=" || (updated !== undefined && "+-*/".includes(updated)))) {
      tokens.push(token);
    } else if (updated !== undefined) {
      report(foreignSign(at, token.image, `a state is changed with \`x <- x ${updated} …\``));
      retype(token, Equals);
      tokens.push(token);
    } else if (quoted.test(token.image) && token.image.length > 1) {
      const text = `"${token.image.slice(1, -1)}"`;
      report(
        foreignSign(
          at,
          token.image[0] ?? "",
          'texts stand in double quotes: `"text"`',
          fix("write double quotes", put(at, text)),
        ),
      );
      token.image = text;
      retype(token, StringLit);
      tokens.push(token);
    } else {
      const known = substitutes[token.image];
      if (known)
        report(foreignSign(at, token.image, known.help, known.by === undefined ? undefined : change(at, known.by)));
      else if (at.start !== unknownUntil) report(unknownCharacter(at, token.image));
      if (!known) unknownUntil = at.end;
      if (known?.as) {
        retype(token, known.as);
        tokens.push(token);
      }
    }
  }

  /** Brackets at the very end of an unclosed text more likely close what is open before it. */
  function unclosed(token: IToken): void {
    const closing = token.image.includes("{") ? /[\s)\]]*$/ : /[\s)\]}]*$/;
    const body = token.image.replace(closing, "");
    report(unclosedString({ file: source.file, start: token.startOffset, end: token.startOffset + body.length }));
    const tail = token.image.slice(body.length);
    const from = token.startOffset + body.length;
    token.image = body;
    token.endOffset = from - 1;
    tokens.push(token);
    for (let i = 0; i < tail.length; i++) {
      const type = closers[tail[i] ?? ""];
      if (!type) continue;
      const closer = synthetic(type, from + i, tail[i]);
      closer.endOffset = from + i;
      tokens.push(closer);
    }
  }
}

function shift(token: IToken, by: number): void {
  token.startOffset += by;
  token.endOffset = endOf(token) - 1 + by;
}

export const isClosed = (string: IToken): boolean => string.image.length > 1 && string.image.endsWith('"');

export const spanOf = (source: Source, token: IToken): Span => ({
  file: source.file,
  start: token.startOffset,
  end: endOf(token),
});

/** Of the text from `start` to `end`. */
function findTrivia({ file, text }: Source, comments: readonly IToken[], start: number, end: number): Trivia[] {
  const trivia = comments.map((c): Trivia => ({
    kind: c.image.startsWith("##") ? "doc" : "comment",
    text: c.image,
    span: { file, start: c.startOffset, end: endOf(c) },
  }));
  // Line by line: a pattern over all blank lines at once would need as much stack as there are lines.
  let from: number | undefined;
  let line = start > 0 && text[start - 1] !== "\n" ? nextLine(start) : start;
  const blank = (to: number): void => {
    if (from !== undefined)
      trivia.push({ kind: "blank", text: text.slice(from, to), span: { file, start: from, end: to } });
    from = undefined;
  };
  while (line < end) {
    const next = nextLine(line);
    const isBlank = next <= end && text[next - 1] === "\n" && /^[ \t\f\v]*\r?\n$/.test(text.slice(line, next));
    if (!isBlank) blank(line);
    else from ??= line;
    line = next;
  }
  blank(line);
  return trivia.sort((a, b) => a.span.start - b.span.start);

  function nextLine(at: number): number {
    const found = text.indexOf("\n", at);
    return found < 0 ? text.length : found + 1;
  }
}
