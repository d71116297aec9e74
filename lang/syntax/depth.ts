/**
 * How deep a script may be. The parser and all that walks the tree descend once per level, so what only a made script
 * reaches is refused here, at its place, before the call stack ends.
 */
import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../diagnostic.ts";
import { tooDeep } from "../errors/syntax.ts";
import type { Source } from "../source.ts";
import type * as ast from "./ast.ts";
import type { Place } from "./layout.ts";
import { spanOf } from "./scan.ts";
import { RCurly, RParen, RSquare } from "./tokens.ts";

/** Brackets within brackets: half of what the parser has room for, of blocks in lists nearly all. */
const BRACKETS = 80;
/** Operators, calls and members on what other ones give: half of what the checker has room for. */
const LEVELS = 800;
/** The message about it. */
export const TOO_DEEP = "DLX0115";
const CLOSERS: ReadonlySet<TokenType> = new Set([RParen, RSquare, RCurly]);

/** The tokens without what stands in too many brackets; they still match, as the innermost ones stay. */
export function cutDeep(source: Source, tokens: IToken[], report: (d: Diagnostic) => void): IToken[] {
  const isDeep = (token: IToken): boolean => {
    const { depth } = token.payload as Place;
    return depth > BRACKETS + 1 || (depth > BRACKETS && !CLOSERS.has(token.tokenType));
  };
  const first = tokens.find(isDeep);
  if (!first) return tokens;
  report(tooDeep(spanOf(source, first), `${BRACKETS} brackets`));
  return tokens.filter((token) => !isDeep(token));
}

/** Statements that are too deep for those that walk them, or of which a part was cut, stand as mistakes. */
export function refuseDeep(body: readonly ast.Stmt[], found: Diagnostic[]): ast.Stmt[] {
  const cuts = found.flatMap(({ code, labels }) => (code === TOO_DEEP ? labels.map(({ span }) => span.start) : []));
  return body.map((statement) => {
    const { span } = statement;
    const isCut = cuts.some((at) => span.start <= at && at < span.end);
    if (!isCut && !isDeep(statement)) return statement;
    if (!isCut) found.push(tooDeep(span, `${LEVELS} levels`));
    return { kind: "error", span };
  });
}

export function isDeep(root: ast.Stmt | ast.Expr): boolean {
  let level: object[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > LEVELS) return true;
    const next: object[] = [];
    // A list is no level: a block of many statements is not deep.
    const gather = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(gather);
      else if (value !== null && typeof value === "object" && "span" in value) next.push(value);
    };
    for (const node of level) Object.values(node).forEach(gather);
    level = next;
  }
  return false;
}
