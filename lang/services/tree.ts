/** Walks over a syntax tree by place, whatever the kind of its nodes: everything with a span is a node. */
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";

export interface Part {
  readonly span: Span;
  readonly kind?: string;
}

function* partsOf(node: object): Generator<Part> {
  for (const [key, value] of Object.entries(node)) {
    if (/span$/i.test(key) || value === null || typeof value !== "object") continue;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) if (isPart(item)) yield item;
    } else if (isPart(value)) yield value;
  }
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && "span" in value;
}

export function visit(
  node: Part,
  see: (node: Part, parents: readonly Part[]) => void,
  parents: readonly Part[] = [],
): void {
  see(node, parents);
  const inner = [...parents, node];
  for (const part of partsOf(node)) visit(part, see, inner);
}

/** From the outermost statement to the innermost node at a place; an end belongs to a node. */
export function pathTo(file: ast.File, offset: number): Part[] {
  const path: Part[] = [];
  const descend = (node: object): void => {
    let best: Part | undefined;
    for (const part of partsOf(node)) {
      if (part.span.start > offset || offset > part.span.end) continue;
      // Where two meet, the one that begins here: the cursor stands before its first letter.
      if (
        !best ||
        part.span.start >= best.span.end ||
        part.span.end - part.span.start < best.span.end - best.span.start
      )
        best = part;
    }
    if (!best) return;
    path.push(best);
    descend(best);
  };
  descend({ body: file.body });
  return path;
}

const EXPRESSIONS = new Set<string>([
  "number", "string", "bool", "none", "name", "call", "index", "member", "unary", "binary", "ternary", "pipe", "lambda",
  "tuple", "list", "comprehension", "record", "range", "block", "for", "scan", "iterate", "if", "missing",
] satisfies ast.Expr["kind"][]); // prettier-ignore

/** `for`, `record` and others are also kinds of statements, which have other fields; places tell them apart. */
export const isExpression = (node: Part): node is ast.Expr =>
  node.kind !== undefined && EXPRESSIONS.has(node.kind) && !("args" in node && node.kind === "record");

/** `a |> b |> c` as its stages: the first value, then what it goes through. */
export function stages(pipe: ast.Expr & { kind: "pipe" }): {
  readonly first: ast.Expr;
  readonly steps: readonly (ast.Expr & { kind: "pipe" })[];
} {
  const steps: (ast.Expr & { kind: "pipe" })[] = [];
  let e: ast.Expr = pipe;
  while (e.kind === "pipe") {
    steps.unshift(e);
    e = e.left;
  }
  return { first: e, steps };
}
