/** Hover: the type with its sizes, when it is computed, the doc and formula; of a model its params, cost and output. */
import type { Value } from "../check/values.ts";
import type { Span } from "../source.ts";
import { words } from "../doc/words.ts";
import type * as ast from "../syntax/ast.ts";
import { UNITS } from "../syntax/tokens.ts";
import type { Analysis } from "./analysis.ts";
import type { KnownFact } from "./memory.ts";
import { count, flopsOf, instancesOf, paramsOf, sizesOf, typeOf } from "./describe.ts";
import type { Entry, Library } from "./library.ts";
import { entryOf } from "./library.ts";
import type { Definition } from "./names.ts";
import { calleeOf, symbolAt } from "./symbols.ts";
import { isExpression, pathTo, visit } from "./tree.ts";

export interface Hover {
  readonly span: Span;
  /** Markdown. */
  readonly text: string;
}

/** More rows of params than this are counted, not listed. */
const MAX_PARAMS = 12;

export function hoverAt(analysis: Analysis, library: Library, offset: number): Hover | undefined {
  const symbol = symbolAt(analysis, library, offset);
  switch (symbol?.kind) {
    case "local":
      return { span: symbol.span, text: ofDefinition(analysis, symbol.definition, symbol.span) };
    case "library": {
      const made = ofCall(analysis, offset);
      return { span: symbol.span, text: [ofEntry(symbol.entry), made].filter(Boolean).join("\n\n---\n\n") };
    }
    case "member": {
      const facts = analysis.factsOf(symbol.expr.span);
      if (facts.length > 0) return { span: symbol.span, text: ofFacts(analysis, symbol.expr.name.text, facts) };
      const callee = calleeOf(analysis, library, symbol.expr);
      return callee && { span: symbol.span, text: ofEntry(callee.entry) };
    }
    case "argument": {
      const callee = calleeOf(analysis, library, symbol.argument.call.callee);
      const all = callee && [...callee.entry.parameters, ...callee.entry.inputs];
      const parameter = all?.find((p) => p.name === symbol.argument.name.text);
      const value = symbol.argument.call.args.find((a) => a.name === symbol.argument.name)?.value;
      const facts = value ? analysis.factsOf(value.span) : [];
      const text = code(`${parameter?.text ?? symbol.argument.name.text}`);
      const of = callee ? `of \`${callee.entry.signature}\`` : "";
      return {
        span: symbol.span,
        text: [text, of, facts[0] ? `here ${code1(typeOf(facts[0].value))}` : ""].filter(Boolean).join("\n\n"),
      };
    }
    case undefined:
      return ofWord(analysis, offset) ?? ofExpression(analysis, offset);
  }
}

/** A word of the language, where it is no name and in no text. */
function ofWord({ source, file }: Analysis, offset: number): Hover | undefined {
  const letter = /[\p{L}_]/u;
  let [start, end] = [offset, offset];
  while (start > 0 && letter.test(source.text[start - 1]!)) start--;
  while (end < source.text.length && letter.test(source.text[end]!)) end++;
  const written = source.text.slice(start, end);
  const name = Object.hasOwn(UNITS, written) ? "epoch" : written;
  const doc = Object.hasOwn(words, name) ? words[name as keyof typeof words] : undefined;
  const inText = file.trivia.some((t) => t.kind !== "blank" && t.span.start < end && start < t.span.end);
  if (!doc || inText || pathTo(file, offset).at(-1)?.kind === "string") return undefined;
  return { span: { file: source.file, start, end }, text: [code(doc.form), doc.meaning].join("\n\n") };
}

/** A stage of a pipe shows what it gives; any other expression its value. */
function ofExpression(analysis: Analysis, offset: number): Hover | undefined {
  const path = pathTo(analysis.file, offset);
  for (const node of path.toReversed()) {
    if (!isExpression(node) || node.kind === "block" || node.kind === "missing") continue;
    const facts = analysis.factsOf(node.span);
    if (facts.length > 0) return { span: node.span, text: ofFacts(analysis, undefined, facts) };
  }
  return undefined;
}

function ofDefinition(analysis: Analysis, d: Definition, at: Span): string {
  const here = analysis.factsOf(at);
  const facts = here.length > 0 ? here : analysis.factsOf(d.span);
  const parts: string[] = [];
  if (d.stmt && (d.stmt.kind === "fn" || d.stmt.kind === "model" || d.stmt.kind === "optimizer")) {
    parts.push(ofEntry(entryOf(d.stmt, analysis.source.text)));
    const made = d.stmt.kind === "model" ? ofCall(analysis, at.start) : "";
    if (made) parts.push("---", made);
    return parts.join("\n\n");
  }
  const clocks = d.value ? analysis.factsOf(d.value.span).flatMap((f) => f.clock ?? []) : [];
  if (facts.length > 0) parts.push(ofFacts(analysis, `${word(d)} ${d.name}`, facts, clocks));
  else parts.push(code(`${word(d)} ${d.name}`));
  if (d.doc) parts.push(d.doc.replace(/^##\s?/gm, ""));
  return parts.join("\n\n");
}

const word = (d: Definition): string => (d.kind === "let" || d.stmt?.kind === d.kind ? d.kind : `(${d.kind})`);

export function ofEntry(entry: Entry): string {
  return [
    code(
      entry.kind === "builtin" || entry.kind === "source" || entry.kind === "constant"
        ? entry.signature
        : `${entry.kind} ${entry.signature}`,
    ),
    entry.doc,
  ]
    .filter(Boolean)
    .join("\n\n");
}

/** All types that a place had; the sizes of the first. */
function ofFacts(
  analysis: Analysis,
  name: string | undefined,
  facts: readonly KnownFact[],
  also: readonly string[] = [],
): string {
  const types = [...new Set(facts.map((f) => typeOf(f.value)))];
  const first = facts[0]!;
  const own = name?.replace(/^.* /, "");
  // A size says its name itself: `Hidden = 8`.
  const head =
    name === undefined
      ? types[0]!
      : types[0]!.startsWith(`${own} = `)
        ? `${name}${types[0]!.slice(own!.length)}`
        : `${name}: ${types[0]!}`;
  const clocks = [...new Set([...facts.flatMap((f) => f.clock ?? []), ...also])];
  const line = [sizesOf(first.value), clocks.slice(0, 2).join(", ")].filter(Boolean).join(" · ");
  const others = types.length > 1 ? `elsewhere ${types.slice(1).map(code1).join(", ")}` : "";
  return [code(head), line, others, ofModels(analysis, first.value, facts)].filter(Boolean).join("\n\n");
}

function ofModels(analysis: Analysis, value: Value, facts: readonly KnownFact[]): string {
  if (value.kind === "dataset" && value.rows >= 0) return `${count(value.rows)} rows`;
  const models = instancesOf(value);
  if (models.length === 0) return "";
  const applied = models.filter((m) => m.applied);
  if (applied.length === 0) return "not applied yet, so its sizes are not known";
  const rows = models.flatMap((m) =>
    paramsOf(m).rows.map((r) => ({ ...r, path: models.length > 1 ? `${m.path.split(".").at(-1)}.${r.path}` : r.path })),
  );
  const total = rows.reduce((n, r) => n + r.count, 0);
  const listed = rows.slice(0, MAX_PARAMS).map((r) => `| \`${r.path}\` | \`${r.shape}\` | ${count(r.count)} |`);
  if (rows.length > MAX_PARAMS) listed.push(`| … | | ${rows.length - MAX_PARAMS} more |`);
  const table = rows.length === 0 ? "" : ["| param | shape | count |", "|---|---|--:|", ...listed].join("\n");
  const application = applicationOf(analysis, value, facts[0]!);
  return [`${count(total)} parameters`, application, table].filter(Boolean).join("\n\n");
}

/** The first call of this very model: what it gave, and what one such call costs. */
function applicationOf(analysis: Analysis, model: Value, from: KnownFact): string {
  let found = "";
  visit(analysis.file as { span: Span }, (node) => {
    if (found !== "" || !isExpression(node) || (node.kind !== "call" && node.kind !== "pipe")) return;
    const callee = node.kind === "call" ? node.callee : node.right;
    if (!analysis.factsOf(callee.span).some((f) => f.slice === from.slice && f.value === model)) return;
    const inputs = (node.kind === "call" ? node.args.map((a) => a.value) : [node.left]).flatMap(
      (e) => analysis.factsOf(e.span)[0]?.value ?? [],
    );
    const [result] = analysis.factsOf(node.span);
    if (result) found = applied(inputs, result.value);
  });
  return found;
}

function applied(inputs: readonly Value[], result: Value): string {
  const flops = flopsOf(result, inputs);
  const types = `${inputs.map((v) => code1(typeOf(v))).join(", ")} → ${code1(typeOf(result))}`;
  const sizes = sizesOf(result);
  return [types, sizes, flops === undefined ? "" : `${count(flops)} FLOPs`].filter(Boolean).join(" · ");
}

/** A layer where it is called: what it made here, what it gave. */
function ofCall(analysis: Analysis, offset: number): string {
  const path = pathTo(analysis.file, offset);
  const call = path.findLast((n): n is ast.Call => n.kind === "call" && "callee" in n);
  if (!call || offset > call.callee.span.end) {
    const pipe = path.findLast((n): n is ast.Expr & { kind: "pipe" } => n.kind === "pipe");
    return pipe && pipe.right.span.start <= offset ? ofStage(analysis, pipe) : "";
  }
  const pipe = path.find(
    (n): n is ast.Expr & { kind: "pipe" } => n.kind === "pipe" && (n as ast.Expr & { kind: "pipe" }).right === call,
  );
  const made = analysis.factsOf(call.span);
  const instance = made.find((f) => f.value.kind === "instance");
  if (instance?.value.kind === "instance" && pipe) {
    const { total } = paramsOf(instance.value);
    return [ofStage(analysis, pipe), total > 0 ? `${count(total)} parameters` : ""].filter(Boolean).join(" · ");
  }
  if (pipe) return ofStage(analysis, pipe);
  return made.length > 0 ? ofFacts(analysis, undefined, made) : "";
}

function ofStage(analysis: Analysis, pipe: ast.Expr & { kind: "pipe" }): string {
  const [from] = analysis.factsOf(pipe.left.span);
  const [to] = analysis.factsOf(pipe.span);
  return from && to ? applied([from.value], to.value) : "";
}

const code = (text: string): string => `\`\`\`dlx\n${text}\n\`\`\``;
const code1 = (text: string): string => `\`${text}\``;
