/**
 * An unknown name that the script does define, but elsewhere: further down, from itself, or in a block that has ended.
 * Messages about such names are told better once the walk is done.
 */
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { change, fix, fixed, put, putAfter } from "../errors/edits.ts";
import * as names from "../errors/names.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { namesDefined } from "../syntax/defined.ts";

interface Definition {
  readonly name: ast.Name;
  readonly stmt: ast.Stmt;
  /** The part of the script in which it is known, and the block statement whose body that is. */
  readonly inside: Span;
  readonly owner: ast.Stmt | undefined;
  /** The statements of its block. */
  readonly beside: readonly ast.Stmt[];
}

const holds = (outer: Span, inner: Span): boolean => outer.start <= inner.start && inner.end <= outer.end;

export function tellWhereElse(diagnostics: Diagnostic[], file: ast.File, text: string): void {
  let all: readonly Definition[] | undefined;
  diagnostics.forEach((given, i) => {
    const d = withoutForeignEdits(given);
    diagnostics[i] = d;
    const at = d.labels[0]?.span;
    if (!at || at.file !== file.span.file) return;
    if (Object.hasOwn(rewrites, d.code)) diagnostics[i] = rewritten(d, at, file, text);
    if (d.code !== "DLX0301") return;
    all ??= definitionsIn(file);
    const name = names.unknownNameOf(d);
    const better = elsewhere(
      all.filter((each) => each.name.text === name),
      at,
      all,
      text,
    );
    if (better) diagnostics[i] = better;
  });
}

/** The library is not to be edited. */
function withoutForeignEdits(d: Diagnostic): Diagnostic {
  if (!d.fix?.some((f) => f.edits.some((e) => e.span.file.startsWith("stdlib/")))) return d;
  const { fix, ...rest } = d;
  const own = fix.filter((f) => !f.edits.some((e) => e.span.file.startsWith("stdlib/")));
  return own.length > 0 ? { ...rest, fix: own } : rest;
}

/** Uses of a name within a part of the script. */
function usesOf(value: unknown, name: string, within: (span: Span) => boolean, found: Span[] = []): Span[] {
  if (Array.isArray(value)) for (const item of value) usesOf(item, name, within, found);
  else if (value !== null && typeof value === "object") {
    const node = value as ast.Expr;
    if (node.kind === "name" && node.text === name && within(node.span)) found.push(node.span);
    for (const [key, part] of Object.entries(value)) if (key !== "span") usesOf(part, name, within, found);
  }
  return found;
}

/** What a name is defined by, where that is near the place of the message. */
function letOf(file: ast.File, at: Span, name: string): Definition | undefined {
  return definitionsIn(file).find((each) => each.name.text === name && holds(each.inside, at));
}

const rewrites: Readonly<
  Record<string, (d: Diagnostic, at: Span, name: string, file: ast.File, text: string) => readonly Fix[] | undefined>
> = {
  // `for` over data.
  DLX0318(_d, at, _name, file) {
    const loop = forOf(file.body, at);
    const head = loop && { ...at, start: loop.span.start, end: loop.span.start + 3 };
    const data = loop && head && _d.title.includes("walk over data");
    return data ? fix("make it a `train` block", put(head, "train"), putAfter(at, " for 1 epoch")) : undefined;
  },
  DLX0325(_d, at, name, file) {
    const own = letOf(file, at, name)?.stmt;
    return own?.kind === "metric"
      ? fix("make it a `let`", put({ ...own.span, end: own.span.start + 6 }, "let"))
      : undefined;
  },
  DLX0402(_d, at, name, file) {
    const own = letOf(file, at, name)?.stmt;
    const whole = own?.kind === "let" && own.value.kind === "number" && !own.value.float ? own.value : undefined;
    return whole && fix("make it a float", putAfter(whole.span, ".0"));
  },
  DLX0411(_d, at, name, file, text) {
    const own = letOf(file, at, name)?.stmt;
    return own?.kind === "let" ? change(at, text.slice(own.value.span.start, own.value.span.end)) : undefined;
  },
  DLX0551: (_d, at, name) =>
    /\.(test|val)\b/.test(name) ? change(at, name.replace(/\.(test|val)\b/, ".train")) : undefined,
  DLX0305(_d, at, name, file) {
    const own = letOf(file, at, name);
    const stmt = file.body.find((s) => s.kind === "commit" && s.target.span.start === at.start);
    if (own?.stmt.kind !== "let" || stmt?.kind !== "commit") return undefined;
    const later = usesOf(file.body, name, (s) => s.start > stmt.span.end && holds(own.inside, s));
    const head = { ...at, end: stmt.value.span.start };
    return fix(`name it \`${name}2\``, put(head, `let ${name}2 = `), ...later.map((s) => put(s, `${name}2`)));
  },
  DLX0302: () => undefined,
  DLX0337: () => undefined,
  DLX0311: () => undefined,
};

function forOf(value: unknown, at: Span): ast.For | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = forOf(item, at);
      if (found) return found;
    }
  } else if (value !== null && typeof value === "object") {
    const node = value as ast.Expr;
    if (node.kind === "for" && node.source.span.start === at.start) return node;
    for (const [key, part] of Object.entries(value)) {
      const found = key === "span" ? undefined : forOf(part, at);
      if (found) return found;
    }
  }
  return undefined;
}

/** Messages whose suggestion changes further places: a second name, another field, a function that is a model. */
function rewritten(d: Diagnostic, at: Span, file: ast.File, text: string): Diagnostic {
  const name = text.slice(at.start, at.end);
  const row = rewrites[d.code]?.(d, at, name, file, text);
  if (row) return fixed(d, row);
  if (d.code === "DLX0302") {
    const own = definitionsIn(file).find((each) => each.name.span.start === at.start);
    if (own?.stmt.kind !== "let") return d;
    const later = usesOf(file.body, name, (s) => s.start > own.stmt.span.end && holds(own.inside, s));
    const places = [at, ...later].map((span) => put(span, `${name}2`));
    return fixed(
      { ...d, help: `give the second one its own name: \`let ${name}2 = …\`` },
      fix(`call it \`${name}2\` from here on`, ...places),
    );
  }
  if (d.code === "DLX0337") {
    const block = blocksIn(file).find((s) => holds(s.span, at));
    const field = /did you mean `([^`]+)`/.exec(d.help ?? "")?.[1];
    if (!block || field === undefined) return d;
    const places = [at, ...usesOf(block, name, (s) => s.start > at.end)].map((span) => put(span, field));
    return fixed(d, fix(`change to \`${field}\``, ...places));
  }
  if (d.code !== "DLX0311") return d;
  const fn = file.body.find((s) => s.kind === "fn" && holds(s.span, at));
  if (fn?.kind !== "fn") return d;
  const head = { ...fn.span, end: fn.name.span.end };
  const calls = usesOf(file.body, fn.name.text, (s) => text[s.end] === "(").map((span) => putAfter(span, "()"));
  const equals = text.lastIndexOf("=", fn.body.span.start);
  const body =
    fn.body.kind === "block"
      ? []
      : [put({ ...fn.span, start: equals, end: fn.body.span.start }, "{ "), putAfter(fn.body.span, " }")];
  return fixed(d, fix("make it a model", put(head, `model ${fn.name.text}()`), ...body, ...calls));
}

function blocksIn(value: unknown, found: ast.Stmt[] = []): ast.Stmt[] {
  if (Array.isArray(value)) for (const item of value) blocksIn(item, found);
  else if (value !== null && typeof value === "object") {
    const node = value as ast.Stmt;
    if (node.kind === "train" || node.kind === "eval" || node.kind === "repeat") found.unshift(node);
    for (const [key, part] of Object.entries(value)) if (key !== "span") blocksIn(part, found);
  }
  return found;
}

function elsewhere(
  own: readonly Definition[],
  at: Span,
  all: readonly Definition[],
  text: string,
): Diagnostic | undefined {
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
    const before = later.beside.find((s) => holds(s.span, at));
    return names.definedBelow(name.text, at, name.span, before && moved(stmt, before, text));
  }
  const ended = own.find(({ inside }) => inside.end <= at.start || !holds(inside, at));
  if (!ended?.owner) return undefined;
  const { owner, stmt } = ended;
  const block = owner.kind === "train" || owner.kind === "eval" ? owner : undefined;
  if (stmt.kind === "metric" && block?.name && block.span.end <= at.start)
    return names.metricOfBlock(stmt.name.text, block.name.text, at, ended.name.span);
  return names.insideItsBlock(ended.name.text, owner.kind, at, ended.name.span, stmt.kind);
}

/** A statement written above another one of its block. */
function moved(stmt: ast.Stmt, before: ast.Stmt, text: string): readonly Fix[] | undefined {
  const line = text.lastIndexOf("\n", before.span.start - 1) + 1;
  const indent = /^\s*/.exec(text.slice(line, before.span.start))?.[0] ?? "";
  const written = text.slice(stmt.span.start, stmt.span.end);
  return fix(
    "move its definition up",
    put({ ...before.span, end: before.span.start }, `${written}\n${indent}`),
    put(stmt.span, ""),
  );
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
      for (const name of namesDefined(stmt)) found.push({ name, stmt, inside, owner, beside: stmts });
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
