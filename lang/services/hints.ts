/** Inlay hints: the type behind every `let` and behind every line of a pipe. */
import type { Value } from "../check/values.ts";
import type { Span } from "../source.ts";
import type { Analysis } from "./analysis.ts";
import { sizesOf, typeOf } from "./describe.ts";
import type { Part } from "./tree.ts";
import { stages, visit } from "./tree.ts";
import type * as ast from "../syntax/ast.ts";

export interface Hint {
  readonly offset: number;
  readonly label: string;
  readonly tooltip: string;
}

export function hintsIn(analysis: Analysis, range: { readonly start: number; readonly end: number }): Hint[] {
  const hints = new Map<number, Hint>();
  const put = (offset: number, value: Value, prefix: string): void => {
    if (offset >= range.start && offset <= range.end && !hints.has(offset))
      hints.set(offset, { offset, label: `${prefix}${typeOf(value)}`, tooltip: sizesOf(value) });
  };
  const inPipe = new Set<Part>();
  for (const { stmt } of analysis.statements) {
    if (stmt.span.end < range.start || stmt.span.start > range.end) continue;
    visit(stmt as { readonly span: Span }, (node) => {
      if (node.kind === "let") ofLet(analysis, node as ast.Let, put);
      if (node.kind !== "pipe" || inPipe.has(node)) return;
      const { steps } = stages(node as ast.Expr & { kind: "pipe" });
      for (const step of steps) inPipe.add(step);
      ofPipe(analysis, steps, put);
    });
  }
  return [...hints.values()].sort((a, b) => a.offset - b.offset);
}

type Put = (offset: number, value: Value, prefix: string) => void;

function ofLet(analysis: Analysis, stmt: ast.Let, put: Put): void {
  const bind = (pattern: ast.Pattern): void => {
    if (!("text" in pattern)) return pattern.items.forEach(bind);
    const [fact] = analysis.factsOf(pattern.span);
    // What is written out beside it needs no hint.
    if (fact && (isTyped(fact.value) || (fact.value.kind === "num" && stmt.value.kind !== "number")))
      put(pattern.span.end, fact.value, ": ");
  };
  bind(stmt.pattern);
}

/** The last stage of each line. */
function ofPipe(analysis: Analysis, steps: readonly ast.Expr[], put: Put): void {
  steps.forEach((step, i) => {
    const line = analysis.lines.lineOf(step.span.end);
    const next = steps[i + 1];
    if (next && analysis.lines.lineOf(next.span.end) === line) return;
    const [fact] = analysis.factsOf(step.span);
    if (fact && isTyped(fact.value)) put(step.span.end, fact.value, " ");
  });
}

function isTyped(value: Value): boolean {
  if (value.kind === "tuple" || value.kind === "list")
    return value.items.length > 0 && value.items.length <= 4 && value.items.every(isTyped);
  return value.kind === "tensor";
}
