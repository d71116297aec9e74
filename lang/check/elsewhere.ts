/**
 * An unknown name that the script does define, but elsewhere: further down, from itself, or in a block that has ended.
 * Messages about such names are told better once the walk is done.
 */
import type { Diagnostic } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { patternNames } from "./statements.ts";

interface Definition {
  readonly name: ast.Name;
  readonly stmt: ast.Stmt;
  /** The part of the script in which it is known, and the block statement whose body that is. */
  readonly inside: Span;
  readonly owner: ast.Stmt | undefined;
}

const holds = (outer: Span, inner: Span): boolean => outer.start <= inner.start && inner.end <= outer.end;

export function tellWhereElse(diagnostics: Diagnostic[], file: ast.File): void {
  let all: readonly Definition[] | undefined;
  diagnostics.forEach((d, i) => {
    const at = d.labels[0]?.span;
    if (d.code !== "DLX0301" || !at || at.file !== file.span.file) return;
    all ??= definitionsIn(file);
    const name = names.unknownNameOf(d);
    const better = elsewhere(
      all.filter((each) => each.name.text === name),
      at,
      all,
    );
    if (better) diagnostics[i] = better;
  });
}

function elsewhere(own: readonly Definition[], at: Span, all: readonly Definition[]): Diagnostic | undefined {
  const reach = own.filter(({ inside }) => holds(inside, at));
  const [later] = reach;
  if (later) {
    const { name, stmt } = later;
    if (holds(stmt.span, at)) {
      const value = stmt.kind === "let" ? stmt.value.span : undefined;
      return stmt.kind === "let" ? names.fromItself(name.text, at, name.span, stmt.span, value) : undefined;
    }
    if (name.span.start < at.start) return undefined;
    const user = all.find((each) => holds(each.inside, at) && holds(each.stmt.span, at) && each.stmt.kind === "let");
    if (user && needs(stmt, user.name.text, all)) return names.inACircle(name.text, at, user.name.text, name.span);
    return names.definedBelow(name.text, at, name.span);
  }
  const ended = own.find(({ inside }) => inside.end <= at.start || !holds(inside, at));
  if (!ended?.owner) return undefined;
  const { owner, stmt } = ended;
  const block = owner.kind === "train" || owner.kind === "eval" ? owner : undefined;
  if (stmt.kind === "metric" && block?.name && block.span.end <= at.start)
    return names.metricOfBlock(stmt.name.text, block.name.text, at, ended.name.span);
  return names.insideItsBlock(ended.name.text, owner.kind, at, ended.name.span, stmt.kind);
}

/** Is this name wanted by a definition, or by what that one wants? */
function needs(stmt: ast.Stmt, name: string, all: readonly Definition[], seen = new Set<ast.Stmt>()): boolean {
  if (seen.has(stmt)) return false;
  seen.add(stmt);
  const used = stmt.kind === "let" ? usedIn(stmt.value) : new Set<string>();
  return (
    used.has(name) ||
    all.some((each) => each.stmt.kind === "let" && used.has(each.name.text) && needs(each.stmt, name, all, seen))
  );
}

function usedIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) usedIn(item, found);
  else if (value !== null && typeof value === "object") {
    const node = value as ast.Expr;
    if (node.kind === "name") found.add(node.text);
    for (const [key, part] of Object.entries(value)) if (key !== "span") usedIn(part, found);
  }
  return found;
}

function definitionsIn(file: ast.File): Definition[] {
  const found: Definition[] = [];
  const body = (stmts: readonly ast.Stmt[], inside: Span, owner: ast.Stmt | undefined): void => {
    for (const stmt of stmts) {
      for (const name of namesOf(stmt)) found.push({ name, stmt, inside, owner });
      below(stmt, stmt);
    }
  };
  const below = (value: unknown, owner: ast.Stmt): void => {
    if (Array.isArray(value)) for (const item of value) below(item, owner);
    else if (value !== null && typeof value === "object") {
      const node = value as ast.Expr | ast.Stmt;
      if (node.kind === "block") return body(node.body, node.span, owner);
      for (const [key, part] of Object.entries(value)) if (key !== "span") below(part, owner);
    }
  };
  body(file.body, file.span, undefined);
  return found;
}

function namesOf(stmt: ast.Stmt): readonly ast.Name[] {
  switch (stmt.kind) {
    case "let":
      return patternNames(stmt.pattern);
    case "dim":
    case "input":
    case "param":
    case "state":
    case "metric":
      return [stmt.name];
    case "train":
    case "eval":
      return stmt.name ? [stmt.name] : [];
    default:
      return [];
  }
}
