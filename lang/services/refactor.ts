/** Changes of a script that is right: stages of a pipe become a model of their own, an axis gets a name. */
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import type { Analysis } from "./analysis.ts";
import type { Fix } from "./fixes.ts";
import type { Library } from "./library.ts";
import { pathTo, stages } from "./tree.ts";

type Range = { readonly start: number; readonly end: number };

export function refactorings(analysis: Analysis, library: Library, range: Range): Fix[] {
  return [...extractModel(analysis, library, range), ...nameAxes(analysis, library, range)];
}

/** A name that nothing has yet: `Part`, `Part2`, … */
function unused(analysis: Analysis, library: Library, base: string): string {
  const taken = new Set([
    ...analysis.names.definitions.map((d) => d.name),
    ...analysis.names.references.map((r) => r.name),
    ...library.entries.keys(),
  ]);
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}${i}`;
  return name;
}

// ---------------------------------------------------------------- a model

/** The selected stages, with the settings that they name as settings of the new model. */
function extractModel(analysis: Analysis, library: Library, range: Range): Fix[] {
  if (range.start === range.end) return [];
  const pipe = pathTo(analysis.file, range.end).find((n): n is ast.Expr & { kind: "pipe" } => n.kind === "pipe");
  const home = analysis.statementAt(range.start)?.stmt;
  if (!pipe || !home || home !== analysis.statementAt(range.end)?.stmt || home.kind === "fn") return [];
  const chosen = stages(pipe).steps.filter((s) => s.right.span.start < range.end && s.right.span.end > range.start);
  const [first, last] = [chosen[0], chosen.at(-1)];
  if (!first || !last) return [];
  const input = analysis.factsOf(first.left.span)[0]?.value;
  if (input && input.kind !== "tensor") return [];
  const span: Span = { file: analysis.source.file, start: first.right.span.start, end: last.right.span.end };
  const settings = settingsIn(analysis, span);
  if (!settings) return [];
  const name = unused(analysis, library, "Part");
  const body = analysis.source.text.slice(span.start, span.end);
  const model = `model ${name}(${settings.map((s) => s.parameter).join(", ")})(x) {\n  x |> ${body}\n}\n\n`;
  const start = aboveDoc(analysis, home.span.start);
  const edits = [
    { span: { ...span, start, end: start }, text: model },
    { span, text: `${name}(${settings.map((s) => s.name).join(", ")})` },
  ];
  return [{ title: `extract a model \`${name}\``, edits }];
}

/** Names of the block around that the stages use; undefined when one of them is not a constant. */
function settingsIn(analysis: Analysis, span: Span): { name: string; parameter: string }[] | undefined {
  const found = new Map<string, { name: string; parameter: string }>();
  for (const r of analysis.names.references) {
    if (r.span.start < span.start || r.span.end > span.end || !r.definition) continue;
    const { definition } = r;
    if (analysis.names.top.definitions.includes(definition)) continue;
    if (definition.span.start >= span.start && definition.span.end <= span.end) continue;
    const value = analysis.factsOf(r.span)[0]?.value;
    if (value?.kind !== "num" && value?.kind !== "bool") return undefined;
    const isDim = value.kind === "num" && value.axis !== undefined;
    found.set(r.name, { name: r.name, parameter: isDim ? `${r.name}: dim` : r.name });
  }
  return [...found.values()];
}

/** The doc of a declaration stays with it. */
function aboveDoc(analysis: Analysis, offset: number): number {
  const { lines, source } = analysis;
  let line = lines.lineOf(offset);
  while (line > 0 && source.text.slice(lines.startOf(line - 1), lines.endOf(line - 1)).startsWith("#")) line--;
  return lines.startOf(line);
}

// ---------------------------------------------------------------- an axis

/** On the name of a `let`: its axes that are numbers. */
function nameAxes(analysis: Analysis, library: Library, range: Range): Fix[] {
  const path = pathTo(analysis.file, range.start);
  const stmt = path.findLast((n): n is ast.Let => n.kind === "let");
  if (!stmt || !("text" in stmt.pattern) || range.end > stmt.pattern.span.end || range.start < stmt.span.start)
    return [];
  const value = analysis.factsOf(stmt.pattern.span)[0]?.value;
  if (value?.kind !== "tensor") return [];
  const name = unused(analysis, library, "Axis");
  const simple = ["name", "call", "pipe", "index", "member", "list"].includes(stmt.value.kind);
  const { start, end } = stmt.value.span;
  return value.axes.flatMap((axis, place): Fix[] => {
    if (axis.uid !== undefined && axis.name !== undefined) return [];
    const call = ` |> rename(${place}, ${name})`;
    const at = (offset: number): Span => ({ file: stmt.span.file, start: offset, end: offset });
    const declared =
      axis.size < 0
        ? []
        : [
            {
              span: at(aboveDoc(analysis, stmt.span.start)),
              text: `${indentOf(analysis, stmt.span.start)}dim ${name} = ${axis.size}\n`,
            },
          ];
    const edits = simple
      ? [...declared, { span: at(end), text: call }]
      : [...declared, { span: at(start), text: "(" }, { span: at(end), text: `)${call}` }];
    return [
      {
        title: `name axis ${place} of \`${stmt.pattern && "text" in stmt.pattern ? stmt.pattern.text : ""}\` (${axis.size < 0 ? "?" : axis.size})`,
        edits,
      },
    ];
  });
}

function indentOf(analysis: Analysis, offset: number): string {
  const { lines, source } = analysis;
  return /^[ \t]*/.exec(source.text.slice(lines.startOf(lines.lineOf(offset))))?.[0] ?? "";
}
