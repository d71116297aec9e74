/**
 * How a row of the habits looks at tokens: what it is given, what it gives back, and the questions that rows share
 * (is this an operand, where does the line or the bracket end).
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Source } from "../../source.ts";
import {
  Colon, Comma, endOf, Equals, FatArrow, Identifier, LCurly, LeftArrow, LParen, LSquare, Newline, NumberLit, RCurly,
  retype, RParen, RSquare, STATEMENT_WORDS, StringLit, synthetic,
} from "../tokens.ts"; // prettier-ignore

/** What a row gives: the tokens in the place of the next `taken`. */
export interface Mended {
  readonly taken: number;
  readonly tokens: readonly IToken[];
  readonly told: Diagnostic;
}
export interface Look {
  readonly source: Source;
  readonly tokens: readonly IToken[];
  readonly i: number;
  /** A statement begins here. */
  readonly start: boolean;
  /** Brackets that are open, with the places where they opened. */
  readonly open: readonly number[];
}
export interface Row {
  /** Of the token at the place; with `words`, only where it is one of them. */
  readonly begins: TokenType;
  readonly words?: readonly string[];
  readonly mend: (look: Look) => Mended | undefined;
}

/** Words after which a value begins. */
// prettier-ignore
const WORDS = new Set([
  "print", "plot", "in", "if", "and", "or", "not", "else", "when", "return", "yield", "minimize", "assert", "let", "with", "over",
]);
const operands = new Set<TokenType>([Identifier, NumberLit, StringLit, RParen, RSquare]);
export const operand = (t: IToken | undefined): boolean =>
  t !== undefined && operands.has(t.tokenType) && !WORDS.has(t.image);
const openings = new Set<TokenType>([Identifier, NumberLit, StringLit, LParen, LSquare]);
export const operandOrOpen = (t: IToken | undefined): boolean => t !== undefined && openings.has(t.tokenType);

export const is = (t: IToken | undefined, type: TokenType, image?: string): t is IToken =>
  t?.tokenType === type && (image === undefined || t.image === image);
export const near = (a: IToken, b: IToken | undefined): b is IToken => b !== undefined && endOf(a) === b.startOffset;

export function as(token: IToken, type: TokenType, image = token.image): IToken {
  const copy = { ...token, image };
  retype(copy, type);
  return copy;
}
export const word = (at: number, image: string): IToken => synthetic(Identifier, at, image);

// ---------------------------------------------------------------- lines and statements

export function lineEnd(tokens: readonly IToken[], i: number): number {
  let end = i;
  while (end < tokens.length && tokens[end]!.tokenType !== Newline) end++;
  return end;
}

const statementWords = new Set<string>(STATEMENT_WORDS);
/** A word here that can only begin a statement: if a line begins with it, no bracket but `{` goes on to that line. */
export function isStatementWord(tokens: readonly IToken[], i: number): boolean {
  const t = tokens[i];
  return t?.tokenType === Identifier && statementWords.has(t.image) && tokens[i + 1]?.tokenType !== Colon;
}

export function statementStart(tokens: readonly IToken[], i: number): number {
  let k = i;
  while (k > 0 && ![Newline, LCurly, RCurly].includes(tokens[k - 1]!.tokenType)) k--;
  return k;
}

/** Where the value that ends before a place begins: behind the last sign or word that a value follows. */
export function valueStart(tokens: readonly IToken[], i: number): number {
  let depth = 0;
  let k = i - 1;
  for (; k >= 0; k--) {
    const t = tokens[k]!;
    if ([RParen, RSquare].includes(t.tokenType)) depth++;
    else if ([LParen, LSquare].includes(t.tokenType) && --depth < 0) break;
    else if (
      depth === 0 &&
      ([Equals, Comma, LCurly, Newline, Colon, LeftArrow].includes(t.tokenType) || WORDS.has(t.image))
    )
      break;
  }
  return k + 1;
}

// ---------------------------------------------------------------- brackets

export const opens: ReadonlySet<TokenType> = new Set([LParen, LSquare, LCurly]);
export const closes: ReadonlySet<TokenType> = new Set([RParen, RSquare, RCurly]);

/** The partner of the first bracket at or after a place, on whatever line. */
export function closing(tokens: readonly IToken[], i: number): number | undefined {
  const open: TokenType[] = [];
  for (let k = i; k < tokens.length; k++) {
    const type = tokens[k]!.tokenType;
    if (opens.has(type)) open.push(type);
    else if (closes.has(type)) {
      if (open.length === 0) return undefined;
      open.pop();
      if (open.length === 0) return k;
    } else if (open.length === 0 && k > i) return undefined;
    else if (type === Newline && open.at(-1) !== LCurly && isStatementWord(tokens, k + 1)) return undefined;
  }
  return undefined;
}

export function lineEndOrCloser(tokens: readonly IToken[], i: number): number {
  const open: TokenType[] = [];
  for (let k = i; k < tokens.length; k++) {
    const type = tokens[k]!.tokenType;
    if (opens.has(type)) open.push(type);
    else if (closes.has(type)) {
      if (open.length === 0) return k;
      open.pop();
    } else if (open.length === 0 && (type === Newline || type === Comma)) return k;
    else if (type === Newline && open.at(-1) !== LCurly && isStatementWord(tokens, k + 1)) return k;
  }
  return tokens.length;
}

/** Is this list of a definition, where `=` gives a default? */
export function inHead(tokens: readonly IToken[], open: number): boolean {
  const close = closing(tokens, open);
  // A lambda: `(x, y = 2) => …`.
  if (close !== undefined && is(tokens[close + 1], FatArrow)) return true;
  let k = open - 1;
  if (is(tokens[k], RParen)) {
    let depth = 0;
    for (; k >= 0; k--) {
      if (is(tokens[k], RParen)) depth++;
      else if (is(tokens[k], LParen) && --depth === 0) break;
    }
    k--;
  }
  return (
    is(tokens[k], Identifier) &&
    ["fn", "model", "optimizer", "def", "class", "function", "func"].includes(tokens[k - 1]?.image ?? "")
  );
}
