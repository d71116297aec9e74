/**
 * Raw tokens to the tokens that the grammar reads: newlines that do not end a statement are dropped, brackets that do
 * not match are reported and mended. Afterwards every bracket has its partner, every token knows its depth, and a
 * newline token always ends a statement.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { strayBracket, unclosedBracket, wrongCloser } from "../errors/syntax.ts";
import type { Source } from "../source.ts";
import { spanOf } from "./scan.ts";
import {
  AddOp,
  At,
  beginsStatement,
  Caret,
  Colon,
  Comma,
  CompareOp,
  DotDot,
  endOf,
  Equals,
  FatArrow,
  Identifier,
  isA,
  K,
  LCurly,
  LeftArrow,
  LParen,
  LSquare,
  Minus,
  MulOp,
  Newline,
  Pipe,
  Question,
  RCurly,
  RParen,
  RSquare,
  S,
  retype,
  synthetic,
  ThinArrow,
  Tilde,
} from "./tokens.ts";

/** The payload of a laid-out token. A bracket has the depth of what is around it if it opens, of what is inside if it closes. */
export interface Place {
  readonly depth: number;
  /** On a `(` whose partner is followed by `=>`. */
  readonly lambda: boolean;
}

const partners = new Map<TokenType, TokenType>([
  [LParen, RParen],
  [LSquare, RSquare],
  [LCurly, RCurly],
]);
const closing = new Set(partners.values());
/** A line goes on after one of these, and before one of those. */
const unfinished = [
  CompareOp,
  AddOp,
  MulOp,
  At,
  Caret,
  Tilde,
  Question,
  Colon,
  Comma,
  Pipe,
  LeftArrow,
  FatArrow,
  ThinArrow,
  Equals,
  DotDot,
  K.and,
  K.or,
  K.not,
];
const continuing = [
  CompareOp,
  AddOp,
  MulOp,
  At,
  Caret,
  Question,
  Colon,
  Pipe,
  ThinArrow,
  DotDot,
  K.and,
  K.or,
  K.else,
  S.over,
  S.with,
  S.except,
];

interface Open {
  readonly token: IToken;
  readonly record: boolean;
  /** Column of the first token of its line. */
  readonly indent: number;
}

export function layout(source: Source, raw: readonly IToken[], report: (d: Diagnostic) => void): IToken[] {
  const plain = sweep(source, raw, 0);
  // Where a block is never closed, indentation tells better than the end of the file which one it was.
  const { tokens, mistakes } = plain.openBlocks > 0 ? sweep(source, raw, plain.openBlocks) : plain;
  mistakes.forEach(report);
  place(tokens);
  return tokens;
}

/** `byIndent`: how many blocks may be closed because a line stands as far left as the line that opened them. */
function sweep(source: Source, raw: readonly IToken[], byIndent: number) {
  const tokens: IToken[] = [];
  const mistakes: Diagnostic[] = [];
  const stack: Open[] = [];
  let budget = byIndent;
  let openBlocks = 0;
  let indent = 1;
  for (const [i, token] of raw.entries()) {
    const before = raw[i - 1];
    if (!before || before.tokenType === Newline) indent = token.startColumn ?? 1;
    if (token.tokenType === Newline) newline(i, token);
    else if (closing.has(token.tokenType)) close(token);
    else {
      if (partners.has(token.tokenType)) stack.push({ token, record: opensRecord(raw, i), indent });
      tokens.push(token);
    }
  }
  while (stack.length > 0) mend();
  return { tokens, mistakes, openBlocks };

  function newline(i: number, token: IToken): void {
    const next = raw[i + 1];
    if (!next || next.tokenType === Newline) return;
    const last = tokens.at(-1);
    const fresh = beginsStatement(next) && raw[i + 2]?.tokenType !== Colon;
    const goesOn = !fresh && ((last && unfinished.some((t) => isA(last, t))) || continues(next));
    if (fresh) while (stack.length > 0 && stack.at(-1)?.token.tokenType !== LCurly) mend(next);
    if (!goesOn && !closing.has(next.tokenType)) {
      while (budget > 0 && (next.startColumn ?? 1) <= (stack.at(-1)?.indent ?? 0)) {
        mend(next);
        budget--;
      }
    }
    const open = stack.at(-1);
    if (goesOn || (open && open.token.tokenType !== LCurly)) return;
    if (!last || last.tokenType === LCurly || next.tokenType === RCurly) return;
    tokens.push(token);
  }

  function continues(next: IToken): boolean {
    if (next.tokenType === Minus) return /\s/.test(source.text[endOf(next)] ?? " ");
    if (next.tokenType === DotDot) return stack.at(-1)?.record !== true;
    return continuing.some((t) => isA(next, t));
  }

  function close(token: IToken): void {
    const partner = (o: Open): boolean => partners.get(o.token.tokenType) === token.tokenType;
    const top = stack.at(-1);
    const closer = top && top.token.tokenType !== LCurly ? partners.get(top.token.tokenType) : undefined;
    if (!stack.some(partner) && top && closer && token.tokenType !== RCurly) {
      const image = signOf(closer);
      mistakes.push(wrongCloser(spanOf(source, top.token), top.token.image, image, spanOf(source, token), token.image));
      stack.pop();
      retype(token, closer);
      tokens.push(token);
      return;
    }
    if (!stack.some(partner)) {
      mistakes.push(strayBracket(spanOf(source, token), token.image, opener(token.tokenType)));
      return;
    }
    for (let open = stack.at(-1); open && !partner(open); open = stack.at(-1)) mend(token);
    stack.pop();
    tokens.push(token);
  }

  /** Closes the innermost bracket where it was missed: before `next`, or at the end of the file. */
  function mend(next?: IToken): void {
    const open = stack.pop();
    const closer = open && partners.get(open.token.tokenType);
    if (!open || !closer) throw new Error("mending brackets: expected an open bracket, got none");
    if (!next && closer === RCurly) openBlocks++;
    const last = tokens.at(-1) ?? open.token;
    const image = signOf(closer);
    const end = endOf(last);
    const missed = next && closing.has(next.tokenType) ? spanOf(source, next) : { file: source.file, start: end, end };
    mistakes.push(unclosedBracket(spanOf(source, open.token), open.token.image, image, missed));
    if (last.tokenType === Newline) tokens.pop();
    tokens.push(synthetic(closer, end));
  }
}

/** The newline before a statement of the outermost level. */
export function ending(newline: IToken): IToken {
  newline.payload = { depth: 0, lambda: false } satisfies Place;
  return newline;
}

const signOf = (closer: TokenType): string => (closer === RParen ? ")" : closer === RSquare ? "]" : "}");
const opener = (closer: TokenType): string => (closer === RParen ? "(" : closer === RSquare ? "[" : "{");

/** Record if `name :`, `..` or `}` follows. */
function opensRecord(raw: readonly IToken[], at: number): boolean {
  if (raw[at]?.tokenType !== LCurly) return false;
  let i = at + 1;
  while (raw[i]?.tokenType === Newline) i++;
  const first = raw[i];
  if (!first) return false;
  return (
    first.tokenType === DotDot ||
    first.tokenType === RCurly ||
    (isA(first, Identifier) && raw[i + 1]?.tokenType === Colon)
  );
}

function place(tokens: readonly IToken[]): void {
  const opened: { token: IToken; depth: number }[] = [];
  for (const [i, token] of tokens.entries()) {
    const depth = opened.length;
    token.payload = { depth, lambda: false } satisfies Place;
    if (partners.has(token.tokenType)) opened.push({ token, depth });
    else if (closing.has(token.tokenType)) {
      const open = opened.pop();
      const lambda = tokens[i + 1]?.tokenType === FatArrow;
      if (open) open.token.payload = { depth: open.depth, lambda } satisfies Place;
    }
  }
}
