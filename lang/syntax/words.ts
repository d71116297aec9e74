/**
 * Which words are reserved where they stand, and two slips that are mended before parsing because their tokens
 * alone decide them: `a<-1` inside an expression, and a misspelled word at the start of a statement.
 */
import type { IToken } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { arrowInExpression, foreignWord, misspelledWord } from "../errors/syntax.ts";
import { change, remove } from "../errors/edits.ts";
import type { Source } from "../source.ts";
import { didYouMean } from "../suggest.ts";
import { spanOf } from "./scan.ts";
import {
  Colon,
  Comma,
  Dot,
  Identifier,
  isA,
  K,
  LCurly,
  LeftArrow,
  Less,
  LParen,
  LSquare,
  Minus,
  Newline,
  NumberLit,
  Question,
  RCurly,
  reservedType,
  retype,
  RParen,
  RSquare,
  softType,
  STATEMENT_WORDS,
  StringLit,
  synthetic,
} from "./tokens.ts";
import type { Place } from "./layout.ts";

/** After `.`, and before `:` in arguments, indices and records, any word is a name. */
export function markWords(tokens: readonly IToken[]): void {
  let significant: IToken | undefined;
  for (const [i, token] of tokens.entries()) {
    if (token.tokenType === Identifier) {
      const type = reservedType(token.image) ?? softType(token.image);
      if (type && !isName(tokens[i - 1], significant, tokens[i + 1])) retype(token, type);
    }
    if (token.tokenType !== Newline) significant = token;
  }
}

function isName(before: IToken | undefined, significant: IToken | undefined, after: IToken | undefined): boolean {
  if (before?.tokenType === Dot) return true;
  if (after?.tokenType !== Colon) return false;
  const opens = [LParen, LSquare, LCurly, Comma];
  if (significant && opens.includes(significant.tokenType)) return true;
  return before?.tokenType === Newline && significant?.tokenType !== Question;
}

/** Words of other languages at the start of a statement. `as` is the word of dlx that takes its place. */
const foreignWords: Readonly<Record<string, { readonly as?: keyof typeof K; readonly help: string }>> = {
  def: { as: "fn", help: "a function is `fn f(x) = …` or `fn f(x) { … }`" },
  func: { as: "fn", help: "a function is `fn f(x) = …` or `fn f(x) { … }`" },
  function: { as: "fn", help: "a function is `fn f(x) = …` or `fn f(x) { … }`" },
  var: { as: "let", help: "a name is defined with `let x = …`" },
  const: { as: "let", help: "a name is defined with `let x = …`" },
  class: { as: "model", help: "a model is `model Net(settings)(x: [B, In]) { … }`" },
  return: { help: "the last expression of a block is its value: leave `return` out" },
  while: { help: "repeat a known number of times with `for i in 1..n` or `iterate n with v = …`" },
  elif: { help: "write `else if`" },
  try: { help: "leave it out: what can go wrong is told before anything runs" },
  async: { help: "leave it out: nothing waits in a script" },
  from: { help: 'write `import Name from "./file.dlx"`' },
};

/** Takes tokens after layout; `<-` in an expression becomes `<` `-`. */
export function mendSlips(source: Source, tokens: readonly IToken[], report: (d: Diagnostic) => void): IToken[] {
  const mended: IToken[] = [];
  for (const [i, token] of tokens.entries()) {
    if (token.tokenType === Identifier || softType(token.image)) mendWord(i, token);
    if (token.tokenType === LeftArrow && !isCommit(i)) {
      report(arrowInExpression(spanOf(source, token), operandsAround(i)));
      const minus = synthetic(Minus, token.startOffset + 1, "-");
      minus.endOffset = token.startOffset + 1;
      minus.payload = token.payload;
      const less = { ...token, image: "<", endOffset: token.startOffset };
      retype(less, Less);
      mended.push(less, minus);
    } else mended.push(token);
  }
  return mended;

  function atStart(i: number): boolean {
    const before = tokens[i - 1];
    return !before || before.tokenType === Newline || before.tokenType === LCurly || before.tokenType === RCurly;
  }

  /** A commit's target is a name with parts and indices, and begins a statement. */
  function isCommit(arrow: number): boolean {
    let i = arrow - 1;
    for (;;) {
      if (tokens[i]?.tokenType === RSquare) {
        const depth = (tokens[i]?.payload as Place | undefined)?.depth ?? 0;
        do i--;
        while (i >= 0 && ((tokens[i]?.payload as Place | undefined)?.depth ?? 0) >= depth);
        i--;
      } else if (tokens[i] && isA(tokens[i] as IToken, Identifier)) {
        if (tokens[i - 1]?.tokenType !== Dot) return atStart(i);
        i -= 2;
      } else return false;
    }
  }

  function operandsAround(arrow: number): string {
    const text = (t: IToken | undefined, other: string): string =>
      t && (isA(t, Identifier) || t.tokenType === NumberLit) ? t.image : other;
    return `${text(tokens[arrow - 1], "a")} < -${text(tokens[arrow + 1], "1")}`;
  }

  /** No statement begins with two operands side by side, so a name before one is a misspelled word. */
  function mendWord(i: number, token: IToken): void {
    if (!atStart(i) || !standsBeforeOperand(i)) return;
    const foreign = Object.hasOwn(foreignWords, token.image) ? foreignWords[token.image] : undefined;
    if (foreign) {
      const at = spanOf(source, token);
      const word = foreign.as === undefined ? undefined : change(at, foreign.as);
      const next = tokens[i + 1];
      const without =
        token.image === "return" && next ? remove({ ...at, end: next.startOffset }, "`return`") : undefined;
      report(foreignWord(at, token.image, foreign.help, word ?? without));
      if (foreign.as) retype(token, K[foreign.as]);
      return;
    }
    const meant = didYouMean(token.image, [...STATEMENT_WORDS, "for", "scan", "iterate", "if"]);
    const type = meant === undefined ? undefined : reservedType(meant);
    if (meant === undefined || !type) return;
    report(misspelledWord(spanOf(source, token), token.image, meant));
    retype(token, type);
  }

  function standsBeforeOperand(i: number): boolean {
    const next = tokens[i + 1];
    if (!next) return false;
    if (next.tokenType === StringLit) return tokens[i]?.image !== "test";
    if (isA(next, Identifier) || next.tokenType === NumberLit || next.tokenType === LCurly) return true;
    if (next.tokenType === K.for || next.tokenType === K.dim) return true;
    if (next.tokenType !== LParen) return false;
    const depth = (next.payload as Place | undefined)?.depth ?? 0;
    let close = i + 2;
    while (close < tokens.length && !(tokens[close]?.tokenType === RParen && depthOf(close) === depth + 1)) close++;
    const after = tokens[close + 1];
    return after?.tokenType === K.in || after?.tokenType === K.for || after?.tokenType === LCurly;
  }

  function depthOf(i: number): number {
    return (tokens[i]?.payload as Place | undefined)?.depth ?? 0;
  }
}
