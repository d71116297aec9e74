/** Semantic tokens: words and signs from the lexer that the parser uses, names by what they mean. */
import type { Span } from "../source.ts";
import { lexer, NumberLit, reservedType, softType, StringLit, Identifier, endOf } from "../syntax/tokens.ts";
import type { Analysis } from "./analysis.ts";
import type { Entry, Library } from "./library.ts";
import type { Definition, DefinitionKind } from "./names.ts";
import { visit } from "./tree.ts";
import type * as ast from "../syntax/ast.ts";

export const TOKEN_TYPES = [
  "keyword",
  "number",
  "string",
  "comment",
  "function",
  "class",
  "variable",
  "parameter",
  "property",
  "typeParameter",
  "namespace",
  "type",
] as const;
export const TOKEN_MODIFIERS = ["declaration", "defaultLibrary", "modification"] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];
export type TokenModifier = (typeof TOKEN_MODIFIERS)[number];

export interface SemanticToken {
  readonly span: Span;
  readonly type: TokenType;
  readonly modifiers: readonly TokenModifier[];
}

const KINDS: Readonly<Record<DefinitionKind, TokenType>> = {
  let: "variable", dim: "typeParameter", input: "variable", fn: "function", model: "class", optimizer: "class",
  param: "property", state: "property", metric: "variable", train: "namespace", eval: "namespace", import: "variable",
  setting: "parameter", argument: "parameter", axis: "typeParameter", field: "variable", carry: "variable", item: "variable",
}; // prettier-ignore

export function tokensOf(analysis: Analysis, library: Library): SemanticToken[] {
  const { names, source, file } = analysis;
  const found: SemanticToken[] = [];
  const put = (span: Span, type: TokenType, ...modifiers: TokenModifier[]): void => {
    if (span.end > span.start) found.push({ span, type, modifiers });
  };
  for (const d of names.definitions) put(d.span, typeOf(d), "declaration");
  for (const r of names.references) {
    const entry = r.definition ? undefined : library.entries.get(r.name);
    if (r.definition) put(r.span, typeOf(r.definition), ...(r.role === "write" ? (["modification"] as const) : []));
    else if (entry) put(r.span, ofEntry(entry), "defaultLibrary");
    else put(r.span, r.name === "toy" ? "namespace" : r.role === "axis" ? "typeParameter" : "variable");
  }
  for (const m of names.members) put(m.name.span, "property");
  for (const a of names.namedArguments) put(a.name.span, "parameter");
  const strings: ast.StringExpr[] = [];
  visit(file, (node) => {
    if (node.kind === "string") strings.push(node as ast.StringExpr);
    if ("axes" in node && "head" in node && node.kind === undefined) {
      const { head } = node as ast.TypeExpr;
      if (head) put(head.span, "type");
    }
  });
  for (const s of strings) between(s, (span) => put(span, "string"));
  for (const t of file.trivia) if (t.kind !== "blank") put(t.span, "comment");
  const taken = new Set(found.map((t) => t.span.start));
  const inString = strings.map((s) => s.span);
  for (const token of lexer.tokenize(source.text).tokens) {
    const span = { file: source.file, start: token.startOffset, end: endOf(token) };
    if (taken.has(span.start)) continue;
    if (token.tokenType === NumberLit) put(span, "number");
    else if (token.tokenType === StringLit && !inString.some((s) => s.start <= span.start && span.end <= s.end))
      put(span, "string");
    else if (token.tokenType === Identifier && (reservedType(token.image) ?? softType(token.image)))
      put(span, "keyword");
  }
  return withoutOverlap(found);
}

const typeOf = (d: Definition): TokenType =>
  d.stmt?.kind === "let" && d.value?.kind === "lambda" ? "function" : KINDS[d.kind];

function ofEntry(entry: Entry): TokenType {
  if (entry.kind === "model" || entry.kind === "optimizer") return "class";
  return entry.kind === "constant" ? "variable" : "function";
}

/** The pieces of a text around its values. */
function between(s: ast.StringExpr, put: (span: Span) => void): void {
  let start = s.span.start;
  for (const part of s.parts) {
    if (typeof part === "string") continue;
    put({ ...s.span, start, end: part.value.span.start });
    start = part.value.span.end;
  }
  put({ ...s.span, start });
}

function withoutOverlap(tokens: SemanticToken[]): SemanticToken[] {
  let end = -1;
  return tokens
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end)
    .filter(({ span }) => {
      if (span.start < end) return false;
      end = span.end;
      return true;
    });
}
