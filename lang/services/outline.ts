/** The outline of a script, and what can be folded. */
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import type { Analysis } from "./analysis.ts";
import { namesDefined } from "../syntax/defined.ts";
import { stages, visit } from "./tree.ts";

export type OutlineKind =
  "model" | "fn" | "optimizer" | "block" | "variable" | "param" | "input" | "axis" | "metric" | "import" | "test";

export interface Outline {
  readonly name: string;
  readonly kind: OutlineKind;
  readonly detail: string;
  readonly span: Span;
  /** Of the name; inside of `span`. */
  readonly selection: Span;
  readonly children: readonly Outline[];
}

const KINDS: Readonly<Partial<Record<ast.Stmt["kind"], OutlineKind>>> = {
  model: "model", fn: "fn", optimizer: "optimizer", train: "block", eval: "block", repeat: "block", let: "variable",
  state: "param", param: "param", input: "input", dim: "axis", metric: "metric", import: "import", test: "test",
}; // prettier-ignore

export const outlineOf = (analysis: Analysis): Outline[] => rows(analysis, analysis.file.body);

function rows(analysis: Analysis, body: readonly ast.Stmt[]): Outline[] {
  return body.flatMap((stmt): Outline[] => {
    const inner = "body" in stmt && stmt.body.kind === "block" ? stmt.body.body : [];
    const kind = KINDS[stmt.kind];
    const children = rows(analysis, inner);
    if (!kind) return children;
    const names = namesDefined(stmt);
    if (names.length === 0) {
      const end = Math.min(analysis.lines.endOf(analysis.lines.lineOf(stmt.span.start)), stmt.span.end);
      const head = analysis.source.text.slice(stmt.span.start, end).replace(/\s*\{\s*$/, "");
      return [{ name: head, kind, detail: "", span: stmt.span, selection: { ...stmt.span, end }, children }];
    }
    const shown = stmt.kind === "let" || stmt.kind === "import" ? names : names.slice(0, 1);
    return shown.map((n) => ({
      name: n.text === "" ? "…" : n.text,
      kind,
      detail: stmt.kind,
      span: stmt.span,
      selection: n.span,
      children,
    }));
  });
}

export interface Fold {
  /** Lines from 0. */
  readonly from: number;
  readonly to: number;
  readonly kind?: "comment" | "imports";
}

export function foldsOf(analysis: Analysis): Fold[] {
  const { lines, file } = analysis;
  const found = new Map<number, Fold>();
  const put = (from: number, to: number, kind?: Fold["kind"]): void => {
    const known = found.get(from);
    if (to > from && (!known || known.to < to)) found.set(from, { from, to, kind });
  };
  visit(file, (node, parents) => {
    const [from, to] = [lines.lineOf(node.span.start), lines.lineOf(node.span.end)];
    // The line of a closing brace stays.
    if (node.kind === "block") {
      const outer = parents.at(-1);
      put(outer && lines.lineOf(outer.span.start) < from ? lines.lineOf(outer.span.start) : from, to - 1);
    } else if (node.kind === "list" || node.kind === "record") put(from, to - 1);
    else if (node.kind === "pipe" && parents.at(-1)?.kind !== "pipe")
      put(lines.lineOf(stages(node as ast.Expr & { kind: "pipe" }).first.span.start), to);
  });
  const runs = (spans: readonly Span[], kind: Fold["kind"]): void => {
    let start: number | undefined;
    let last = -2;
    for (const span of spans) {
      const line = lines.lineOf(span.start);
      if (line !== last + 1) start = line;
      if (start !== undefined) put(start, line, kind);
      last = line;
    }
  };
  runs(
    file.trivia.filter((t) => t.kind !== "blank" && isAlone(analysis, t.span)).map((t) => t.span),
    "comment",
  );
  runs(
    file.body.filter((s) => s.kind === "import").map((s) => s.span),
    "imports",
  );
  return [...found.values()].sort((a, b) => a.from - b.from);
}

function isAlone(analysis: Analysis, span: Span): boolean {
  const { lines, source } = analysis;
  return source.text.slice(lines.startOf(lines.lineOf(span.start)), span.start).trim() === "";
}
