/**
 * Nodes from tokens: what the grammar's actions share. Spans of composed nodes reach from their first part to their last.
 */
import type { IToken } from "chevrotain";
import { joinSpans, type Source, type Span } from "../source.ts";
import type * as ast from "./ast.ts";
import { spanOf } from "./scan.ts";

export const nameOf = (source: Source, token: IToken): ast.Name => ({ text: token.image, span: spanOf(source, token) });

export function numberOf(source: Source, token: IToken): ast.Expr {
  const text = token.image;
  const value = Number(text.replaceAll("_", ""));
  return { kind: "number", value, float: /[.eE]/.test(text), text, span: spanOf(source, token) };
}

export function binary(source: Source, op: IToken, left: ast.Expr, right: ast.Expr): ast.Expr {
  const span = joinSpans(left.span, right.span);
  return { kind: "binary", op: op.image as ast.BinaryOp, opSpan: spanOf(source, op), left, right, span };
}

const leaves: readonly ast.Expr["kind"][] = ["name", "number", "string", "bool", "none"];
/** Parentheses leave no node, but the place of what they hold begins and ends with them; a leaf keeps its own. */
export const widened = (value: ast.Expr, span: Span): ast.Expr =>
  leaves.includes(value.kind) ? value : { ...value, span };

export const patternNames = (pattern: ast.Pattern): string =>
  "text" in pattern ? pattern.text : pattern.items.map(patternNames).join(", ");

/** The `##` lines right above the line of `offset`, without their marks; undefined if there are none. */
export function docAbove(source: Source, trivia: readonly ast.Trivia[], offset: number): string | undefined {
  const { text } = source;
  const lines: string[] = [];
  let lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  if (text.slice(lineStart, offset).trim() !== "") return undefined;
  for (let i = lastBefore(trivia, lineStart); i >= 0; i--) {
    const comment = trivia[i];
    if (comment?.kind !== "doc" || text.slice(comment.span.end, lineStart).trim() !== "") break;
    const start = text.lastIndexOf("\n", comment.span.start - 1) + 1;
    const alone = text.slice(start, comment.span.start).trim() === "";
    if (!alone || text.indexOf("\n", comment.span.end) !== lineStart - 1) break;
    lines.unshift(comment.text.replace(/^##+ ?/, "").trimEnd());
    lineStart = start;
  }
  return lines.length > 0 ? lines.join("\n") : undefined;
}

function lastBefore(trivia: readonly ast.Trivia[], offset: number): number {
  let low = 0;
  let high = trivia.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((trivia[middle]?.span.start ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
