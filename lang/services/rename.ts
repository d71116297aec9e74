/**
 * All places of a name: uses, the parts of a path that it gives (`over net.inner`), named arguments. A rename is
 * offered only where every such place is known and the script means the same afterwards; otherwise it says why not.
 */
import { resolvePath } from "../check/modules.ts";
import type { Source, Span } from "../source.ts";
import { parse } from "../syntax/index.ts";
import type { Analysis } from "./analysis.ts";
import type { Library } from "./library.ts";
import type { Definition, Names } from "./names.ts";
import { namesOf } from "./names.ts";
import { calleeOf, memberPlace, symbolAt } from "./symbols.ts";

export interface TextEdit {
  readonly span: Span;
  readonly text: string;
}
export type Renamed = { readonly edits: readonly TextEdit[] } | { readonly refused: string };

interface Places {
  readonly spans: readonly Span[];
  /** Places that may mean it or not. */
  readonly unsure: readonly Span[];
}

/** The definition that a place of a script stands for, also by a path or a named argument. */
export function definitionAt(
  analysis: Analysis,
  library: Library,
  offset: number,
): { readonly span: Span; readonly definition: Definition } | undefined {
  const symbol = symbolAt(analysis, library, offset);
  if (symbol?.kind === "local") return symbol;
  if (symbol?.kind === "member") {
    const place = memberPlace(analysis, symbol.expr);
    const definition = place && definitionFrom(analysis, place);
    return definition && { span: symbol.span, definition };
  }
  if (symbol?.kind === "argument") {
    const place = calleeOf(analysis, library, symbol.argument.call.callee)?.place;
    const definition =
      place && analysis.names.definitions.find((d) => isParameterOf(d, place) && d.name === symbol.argument.name.text);
    return definition && { span: symbol.span, definition };
  }
  return undefined;
}

function definitionFrom(analysis: Analysis, place: Span): Definition | undefined {
  if (place.file !== analysis.source.file) return undefined;
  return analysis.names.definitions.find((d) => d.span.start === place.start && d.span.end === place.end);
}

const isParameterOf = (d: Definition, owner: Span): boolean =>
  (d.kind === "setting" || d.kind === "argument") &&
  d.owner !== undefined &&
  "params" in d.owner &&
  d.owner.name.span.start === owner.start;

export function placesOf(analysis: Analysis, library: Library, definition: Definition): Places {
  const { names } = analysis;
  const spans: Span[] = definition.span.end > definition.span.start ? [definition.span] : [];
  const unsure: Span[] = [];
  for (const r of names.references) if (r.definition === definition) spans.push(r.span);
  for (const m of names.members) {
    if (m.name.text !== definition.name) continue;
    const place = memberPlace(analysis, m);
    if (place?.file === definition.span.file && place.start === definition.span.start) spans.push(m.name.span);
    else if (!place && analysis.factsOf(m.target.span).length === 0) unsure.push(m.name.span);
  }
  if (definition.kind === "setting" || definition.kind === "argument") {
    const owner = definition.owner && "params" in definition.owner ? definition.owner.name.span : undefined;
    for (const { name, call } of names.namedArguments) {
      if (name.text !== definition.name) continue;
      const callee = calleeOf(analysis, library, call.callee);
      if (callee?.place && owner && callee.place.file === owner.file && callee.place.start === owner.start)
        spans.push(name.span);
      else if (!callee || (!owner && !callee.place && callee.entry.kind === "fn")) unsure.push(name.span);
    }
  }
  return { spans: spans.sort((a, b) => a.start - b.start), unsure };
}

/** Other open scripts that import from this one. */
function importers(analysis: Analysis, others: readonly Analysis[]) {
  return others.flatMap((other) =>
    other.names.definitions.flatMap((d) => {
      if (d.kind !== "import" || d.stmt?.kind !== "import") return [];
      const written = d.stmt.file.parts.filter((p) => typeof p === "string").join("");
      return resolvePath(written, other.source.file) === analysis.source.file ? [{ other, definition: d }] : [];
    }),
  );
}

const FAN_AXES = new Set(["In", "Out"]);

/** Why a name cannot be renamed, whatever the new one. */
export function refusal(
  analysis: Analysis,
  library: Library,
  definition: Definition,
  others: readonly Analysis[],
): string | undefined {
  const { name, kind } = definition;
  if (kind === "field") return `\`${name}\` is a field of the data, which is bound by its name`;
  if (kind === "import") return `\`${name}\` is defined in another file: rename it there`;
  if (definition.span.end === definition.span.start)
    return `\`${name}\` is the axis of the batch, which has this name in every block`;
  if (FAN_AXES.has(name) && (kind === "setting" || kind === "axis"))
    return `first values are drawn by the axes \`In\` and \`Out\`, so this name counts`;
  const inModel = definition.owner?.kind === "model" && (kind === "param" || kind === "state" || kind === "let");
  if (inModel && analysis.names.references.some((r) => r.name === "load" && !r.definition))
    return `params are loaded by their paths, and \`${name}\` may be part of one in the file`;
  const imports = importers(analysis, others);
  if (imports.length > 0 && !analysis.names.top.definitions.includes(definition))
    return `${imports[0]!.other.source.file} imports from this file and may name it`;
  const [unsure] = placesOf(analysis, library, definition).unsure;
  if (unsure)
    return `line ${analysis.lines.lineOf(unsure.start) + 1} names a \`${name}\` that may be this one or another: it is not known what it belongs to`;
  return undefined;
}

export function renameTo(
  analysis: Analysis,
  library: Library,
  definition: Definition,
  name: string,
  others: readonly Analysis[],
): Renamed {
  const refused = refusal(analysis, library, definition, others);
  if (refused !== undefined) return { refused };
  if (!/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(name)) return { refused: `\`${name}\` cannot be a name` };
  if (FAN_AXES.has(name) && ["setting", "axis", "dim"].includes(definition.kind))
    return { refused: `first values are drawn by the axes \`In\` and \`Out\`, so this name counts` };
  const edits = placesOf(analysis, library, definition).spans.map((span) => ({ span, text: name }));
  const { source } = analysis;
  const changed = { file: source.file, text: applyEdits(source.text, edits) };
  const why = changesMeaning(analysis, changed, definition.name, name);
  if (why !== undefined) return { refused: why };
  for (const { other, definition: imported } of importers(analysis, others)) {
    if (imported.name !== definition.name) continue;
    const there = placesOf(other, library, imported).spans.map((span) => ({ span, text: name }));
    const text = applyEdits(other.source.text, there);
    const reason = changesMeaning(other, { file: other.source.file, text }, definition.name, name);
    if (reason !== undefined) return { refused: `${other.source.file}: ${reason}` };
    edits.push(...there);
  }
  return { edits };
}

/** Every use must mean what it meant: the same definition by number, or none. */
function changesMeaning(analysis: Analysis, changed: Source, from: string, to: string): string | undefined {
  const { file, diagnostics } = parse(changed);
  if (diagnostics.length > analysis.syntax.length) return `\`${to}\` cannot be a name here`;
  const [before, after] = [meaning(analysis.names), meaning(namesOf(file))];
  const at = before.findIndex((d, i) => d !== after[i]);
  if (at < 0 && before.length === after.length) return undefined;
  const use = analysis.names.references[at];
  const line = use ? analysis.lines.lineOf(use.span.start) + 1 : 0;
  return `\`${from}\` cannot become \`${to}\`: on line ${line} \`${use?.name ?? to}\` would mean something else`;
}

function meaning(names: Names): number[] {
  const numbers = new Map(names.definitions.map((d, i) => [d, i]));
  return names.references.map((r) => (r.definition ? numbers.get(r.definition)! : -1));
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = text;
  for (const { span, text: insert } of [...edits].sort(
    (a, b) => b.span.start - a.span.start || b.span.end - a.span.end,
  ))
    result = result.slice(0, span.start) + insert + result.slice(span.end);
  return result;
}
