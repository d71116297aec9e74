/** What stands at a place: a name of the script, one of the library, a member of a value, the name of an argument. */
import type { Instance, Value } from "../check/values.ts";
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import type { Analysis } from "./analysis.ts";
import type { KnownFact } from "./memory.ts";
import type { Entry, Library } from "./library.ts";
import { entryOf } from "./library.ts";
import type { Definition, NamedArgument } from "./names.ts";
import { namesAt } from "./names.ts";
import { pathTo } from "./tree.ts";

export type MemberExpr = ast.Expr & { kind: "member" };

export type SymbolAt =
  | { readonly kind: "local"; readonly span: Span; readonly definition: Definition }
  | { readonly kind: "library"; readonly span: Span; readonly entry: Entry }
  | { readonly kind: "member"; readonly span: Span; readonly expr: MemberExpr }
  | { readonly kind: "argument"; readonly span: Span; readonly argument: NamedArgument };

const holds = (span: Span, offset: number): boolean =>
  span.start <= offset && offset <= span.end && span.end > span.start;

export function symbolAt(analysis: Analysis, library: Library, offset: number): SymbolAt | undefined {
  const { names } = analysis;
  const definition = names.definitions.find((d) => holds(d.span, offset));
  if (definition) return { kind: "local", span: definition.span, definition };
  const reference = names.references.find((r) => holds(r.span, offset));
  if (reference?.definition) return { kind: "local", span: reference.span, definition: reference.definition };
  if (reference) {
    const entry = library.entries.get(reference.name);
    if (entry) return { kind: "library", span: reference.span, entry };
  }
  const expr = names.members.find((m) => holds(m.name.span, offset));
  if (expr) return { kind: "member", span: expr.name.span, expr };
  const argument = names.namedArguments.find((a) => holds(a.name.span, offset));
  return argument ? { kind: "argument", span: argument.name.span, argument } : unreadAt(analysis, library, offset);
}

/** In what could not be read of a statement: the word is what its name means there. */
function unreadAt(analysis: Analysis, library: Library, offset: number): SymbolAt | undefined {
  const { text, file } = analysis.source;
  const home = analysis.statementAt(offset)?.stmt.span;
  const isBroken = analysis.syntax.some((d) =>
    d.labels.some((l) => home && l.span.start >= home.start && l.span.end <= home.end),
  );
  const isText =
    pathTo(analysis.file, offset).at(-1)?.kind === "string" ||
    analysis.file.trivia.some((t) => t.kind !== "blank" && holds(t.span, offset));
  if (!isBroken || isText) return undefined;
  const before = /[\p{L}\p{M}\p{N}_]*$/u.exec(text.slice(0, offset))![0];
  const after = /^[\p{L}\p{M}\p{N}_]*/u.exec(text.slice(offset))![0];
  const span = { file, start: offset - before.length, end: offset + after.length };
  const definition = namesAt(analysis.names, offset).find((d) => d.name === before + after);
  if (definition) return { kind: "local", span, definition };
  const entry = library.entries.get(before + after);
  return entry && { kind: "library", span, entry };
}

// ---------------------------------------------------------------- what is called

export interface Callee {
  readonly entry: Entry;
  /** A model that is there already is applied: its second list. */
  readonly applied: boolean;
  /** Of the declaration, in the text of today; absent for what the compiler gives. */
  readonly place?: Span;
}

/** What an expression calls, by its name, else by its value. */
export function calleeOf(analysis: Analysis, library: Library, e: ast.Expr): Callee | undefined {
  if (e.kind === "name") {
    const reference = analysis.names.references.find((r) => r.span.start === e.span.start && r.span.end === e.span.end);
    const stmt = reference?.definition?.stmt;
    if (stmt?.kind === "fn" || stmt?.kind === "model" || stmt?.kind === "optimizer")
      return { entry: entryOf(stmt, analysis.source.text), applied: false, place: stmt.name.span };
    const entry = reference?.definition ? undefined : library.entries.get(e.text);
    if (entry) return { entry, applied: false, place: entry.place };
  }
  if (e.kind === "member" && e.target.kind === "name") {
    const entry = library.entries.get(`${e.target.text}.${e.name.text}`);
    if (entry) return { entry, applied: false };
  }
  for (const fact of analysis.factsOf(e.span)) {
    const found = calleeOfValue(analysis, library, fact);
    if (found) return found;
  }
  return undefined;
}

function calleeOfValue(analysis: Analysis, library: Library, fact: KnownFact): Callee | undefined {
  const { value } = fact;
  switch (value.kind) {
    case "builtin": {
      const entry = library.entries.get(value.name);
      return entry && { entry, applied: false };
    }
    case "model":
    case "optimizer":
      return declared(analysis, library, value.decl, fact, false);
    case "instance":
      return declared(analysis, library, value.decl.decl, fact, true);
    case "func": {
      const place = analysis.placeOf(value.body.span, fact);
      const fn = analysis.names.definitions.find(
        (d) => d.stmt?.kind === "fn" && d.stmt.body.span.start === place?.start,
      )?.stmt;
      if (fn?.kind === "fn") return { entry: entryOf(fn, analysis.source.text), applied: false, place: fn.name.span };
      const parameters = value.params.map((p) => ({
        name: p.name.text,
        text: p.name.text,
        optional: p.default !== undefined,
      }));
      const signature = `${value.name === "a lambda" ? "" : value.name}(${parameters.map((p) => p.text).join(", ")})`;
      return { entry: { name: value.name, kind: "fn", signature, parameters, inputs: [], doc: "" }, applied: false };
    }
    default:
      return undefined;
  }
}

function declared(
  analysis: Analysis,
  library: Library,
  decl: ast.Model | ast.Optimizer,
  fact: KnownFact,
  applied: boolean,
): Callee | undefined {
  const text = library.text(decl.span.file);
  if (text !== undefined) return { entry: entryOf(decl, text), applied, place: decl.name.span };
  if (decl.span.file !== analysis.source.file) return undefined;
  const place = analysis.placeOf(decl.name.span, fact);
  const now = analysis.names.definitions.find((d) => d.span.start === place?.start)?.stmt;
  if (now?.kind !== "model" && now?.kind !== "optimizer") return undefined;
  return { entry: entryOf(now, analysis.source.text), applied, place: now.name.span };
}

// ---------------------------------------------------------------- members

/** Where a member is defined: a `let`, `param` or `state` of a model, a metric of a block, a carry of a loop. */
export function memberPlace(analysis: Analysis, e: MemberExpr): Span | undefined {
  const name = e.name.text;
  for (const fact of analysis.factsOf(e.target.span)) {
    const place = placeIn(fact.value, name);
    const found = place && analysis.placeOf(place, fact);
    if (found) return found;
    if (fact.value.kind === "block" && e.target.kind === "name") {
      const block = referenced(analysis, e.target)?.stmt;
      const metric = analysis.names.definitions.find(
        (d) => d.kind === "metric" && d.name === name && d.owner === block,
      );
      if (metric) return metric.span;
    }
  }
  // `s.h`: the last carry of a loop.
  const loop = e.target.kind === "name" ? referenced(analysis, e.target)?.value : undefined;
  if (loop && (loop.kind === "scan" || loop.kind === "for" || loop.kind === "iterate"))
    return loop.carries.find((c) => c.name.text === name)?.name.span;
  return undefined;
}

export function referenced(analysis: Analysis, e: ast.Expr & { kind: "name" }): Definition | undefined {
  return analysis.names.references.find((r) => r.span.start === e.span.start && r.span.end === e.span.end)?.definition;
}

function placeIn(value: Value, name: string): Span | undefined {
  return value.kind === "instance" ? placeInModel(value, name) : undefined;
}

function placeInModel(instance: Instance, name: string): Span | undefined {
  const { decl } = instance.decl;
  for (const stmt of decl.body.body) {
    if ((stmt.kind === "param" || stmt.kind === "state") && stmt.name.text === name) return stmt.name.span;
    if (stmt.kind === "let" && "text" in stmt.pattern && stmt.pattern.text === name) return stmt.pattern.span;
  }
  const setting = decl.settings.find((p) => p.name.text === name);
  return setting?.name.span ?? instance.children.get(name)?.span;
}

/** Names that can follow `.` on a value, with what they are. */
export function membersOf(
  value: Value,
): readonly { readonly name: string; readonly value?: Value; readonly note: string }[] {
  switch (value.kind) {
    case "tensor":
      return value.axes.length >= 2 ? [{ name: "T", note: "the last two axes change places" }] : [];
    case "record":
      return [...value.fields].map(([name, v]) => ({ name, value: v, note: "field" }));
    case "namespace":
      return [...value.members].map(([name, v]) => ({ name, value: v, note: "data source" }));
    case "instance":
      return [
        ...[...value.params.keys()].map((name) => ({ name, note: "param" })),
        ...[...value.states.keys()].map((name) => ({ name, note: "state" })),
        ...[...value.children].map(([name, v]) => ({ name, value: v as Value, note: "part" })),
        ...[...value.args].map(([name, v]) => ({ name, value: v, note: "setting" })),
        { name: "with", note: "the same model with other params: `net.with(p)(x)`" },
      ];
    case "dataset":
      return [
        ...[...(value.parts ?? [])].map(([name, v]) => ({
          name,
          value: v as Value,
          note: `${v.rows < 0 ? "?" : v.rows} rows`,
        })),
        ...(value.parts ? [] : [...value.fields.keys()].map((name) => ({ name, note: "field of all rows" }))),
        { name: "rows", note: "the number of rows" },
      ];
    case "block":
      return [...value.metrics].map((name) => ({ name, note: "metric" }));
    case "bundle":
      return [...value.leaves].map(([name, v]) => ({ name: name.split(".").at(-1)!, value: v, note: name }));
    default:
      return [];
  }
}
