/** Helpers of the syntax tests: expressions as s-expressions, and a walk over every node. */
import { renderDiagnostic } from "../../lang/render.ts";
import type * as ast from "../../lang/syntax/ast.ts";
import { parse } from "../../lang/syntax/index.ts";

export const read = (text: string, file = "t.dlx") => parse({ file, text });

/** The statements of a text that must have no mistakes. */
export function clean(text: string): readonly ast.Stmt[] {
  const { file, diagnostics } = read(text);
  if (diagnostics.length > 0) throw new Error(messages(text));
  return file.body;
}

export function messages(text: string): string {
  const source = { file: "t.dlx", text };
  return parse(source)
    .diagnostics.map((d) => renderDiagnostic(d, [source]))
    .join("\n\n");
}

export const codes = (text: string): string[] => read(text).diagnostics.map((d) => d.code);
export const kinds = (text: string): string =>
  read(text)
    .file.body.map((s) => s.kind)
    .join(" ");

/** The one expression of a text. */
export function expr(text: string): string {
  const [statement, ...more] = clean(text);
  if (statement?.kind !== "expr" || more.length > 0) throw new Error(`expected one expression, got ${kinds(text)}`);
  return sexpr(statement.value);
}

export function sexpr(e: ast.Expr): string {
  const all = (items: readonly ast.Expr[]): string => items.map((i) => ` ${sexpr(i)}`).join("");
  switch (e.kind) {
    case "number":
      return e.text;
    case "name":
      return e.text;
    case "bool":
      return String(e.value);
    case "none":
    case "missing":
      return e.kind;
    case "string":
      return `"${e.parts.map((p) => (typeof p === "string" ? p : `{${sexpr(p.value)}${p.format ? `:${p.format}` : ""}}`)).join("")}"`;
    case "unary":
      return `(${e.op} ${sexpr(e.value)})`;
    case "binary":
      return `(${e.op} ${sexpr(e.left)} ${sexpr(e.right)})`;
    case "ternary":
      return `(? ${sexpr(e.cond)} ${sexpr(e.then)} ${sexpr(e.else)})`;
    case "pipe":
      return `(|> ${sexpr(e.left)} ${sexpr(e.right)})`;
    case "call":
      return `(call ${sexpr(e.callee)}${e.args.map((a) => ` ${a.name ? `${a.name.text}:` : ""}${sexpr(a.value)}`).join("")})`;
    case "index":
      return `(index ${sexpr(e.target)}${e.items.map((i) => ` ${i.kind === "rest" ? ".." : (i.axis ? `${i.axis.text}:` : "") + sexpr(i.value)}`).join("")})`;
    case "member":
      return `(. ${sexpr(e.target)} ${e.name.text})`;
    case "range":
      return `(..${e.from ? ` from:${sexpr(e.from)}` : ""}${e.to ? ` to:${sexpr(e.to)}` : ""})`;
    case "tuple":
    case "list":
      return `(${e.kind}${all(e.items)})`;
    case "comprehension":
      return `(each ${sexpr(e.value)} ${pattern(e.pattern)} ${sexpr(e.source)})`;
    case "record":
      return `(record${e.fields.map((f) => ("spread" in f ? ` ..${sexpr(f.spread)}` : ` ${f.name.text}:${sexpr(f.value)}`)).join("")})`;
    case "lambda":
      return `(=> (${e.params.map((p) => p.name.text).join(" ")}) ${sexpr(e.body)})`;
    case "block":
      return `{${e.body.map(stmt).join("; ")}}`;
    case "for":
      return `(for ${pattern(e.pattern)} ${sexpr(e.source)}${carries(e.carries)} ${sexpr(e.body)})`;
    case "scan":
      return `(scan ${pattern(e.pattern)} ${sexpr(e.source)}${e.over ? ` over:${sexpr(e.over)}` : ""}${carries(e.carries)} ${sexpr(e.body)})`;
    case "iterate":
      return `(iterate ${sexpr(e.count)}${carries(e.carries)} ${sexpr(e.body)})`;
    case "if":
      return `(if ${sexpr(e.cond)} ${sexpr(e.then)}${e.else ? ` ${sexpr(e.else)}` : ""})`;
  }
}

const carries = (all: readonly ast.Carry[]): string => all.map((c) => ` ${c.name.text}=${sexpr(c.value)}`).join("");
export const pattern = (p: ast.Pattern): string => ("text" in p ? p.text : `(${p.items.map(pattern).join(" ")})`);

function stmt(s: ast.Stmt): string {
  if (s.kind === "expr") return sexpr(s.value);
  if (s.kind === "commit") return `${sexpr(s.target)} <- ${sexpr(s.value)}`;
  if (s.kind === "let") return `let ${pattern(s.pattern)} = ${sexpr(s.value)}`;
  return s.kind;
}

/** Every object of a tree that has a span. */
export function* nodes(
  tree: unknown,
): Generator<{ span: { start: number; end: number }; text?: string; kind?: string }> {
  if (Array.isArray(tree)) for (const item of tree) yield* nodes(item);
  else if (typeof tree === "object" && tree !== null) {
    if ("span" in tree) yield tree as { span: { start: number; end: number } };
    for (const [key, value] of Object.entries(tree)) if (key !== "span" && key !== "opSpan") yield* nodes(value);
  }
}
