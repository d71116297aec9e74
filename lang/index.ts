/**
 * The door of `lang`: text → checked program, in phases that read in order.
 * Pure but for the host's answers: facts of data sources and texts of imported files come through `Host`.
 */
import type { Checked, Parsed } from "./check/program.ts";
import { checkProgram } from "./check/program.ts";
import { factKey } from "./check/data.ts";
import { openFacts } from "./check/sources.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { ProbeAnswer, ProbeAsk } from "./probe.ts";
import { probesOf } from "./probes/index.ts";
import type { Facts, Program, SourceRef } from "./program.ts";
import type { Source } from "./source.ts";
import type * as ast from "./syntax/ast.ts";
import { parse } from "./syntax/index.ts";

export interface Host {
  /** What is known of a data source; undefined when the host cannot tell (an open fact). */
  facts(ref: SourceRef): Promise<Facts | Diagnostic | undefined>;
  /** The text of an imported file, by its resolved path; undefined when there is none. */
  readModule(path: string): Promise<Source | undefined>;
  /** Texts of the standard library. */
  readonly prelude: readonly LibrarySource[];
}

export interface LibrarySource extends Source {
  /** Its syntax tree as JSON, where it was read before. */
  readonly tree?: string;
}

export interface CompileOptions {
  /** Values for inputs, as text or as what they are. */
  readonly inputs?: Readonly<Record<string, number | boolean | string>>;
  readonly seed?: number;
  /** A program for each test too. */
  readonly tests?: boolean;
}

export interface Compiled {
  /** Absent when there are errors, or facts of data that the host could not tell. */
  readonly program?: Program;
  readonly diagnostics: readonly Diagnostic[];
  readonly file: ast.File;
  /** Every text that took part, for rendering messages. */
  readonly sources: readonly Source[];
  /** What it takes to see values of places in the script beside a run of the program, one answer for each. */
  readonly probes: (asks: readonly ProbeAsk[]) => readonly ProbeAnswer[];
}

export async function compile(script: Source, host: Host, options: CompileOptions = {}): Promise<Compiled> {
  const { file, diagnostics: syntax } = parse(script);
  const prelude = parsePrelude(host.prelude);
  const modules = new Map<string, Parsed>();
  const missing = new Set<string>();
  const facts = new Map<string, Facts | Diagnostic>();
  const moduleErrors: Diagnostic[] = [];
  let checked: Checked;
  const known = { facts: (ref: SourceRef) => facts.get(factKey(ref)), modules, missing };
  const settings = { inputs: options.inputs ?? {}, seed: options.seed };
  // Something is not known: what can be checked is checked, but there is no program.
  let open = false;
  for (;;) {
    checked = checkProgram({ source: script, file }, prelude, known, { ...settings, tests: options.tests });
    if (checked.pendingFacts.length === 0 && checked.pendingFiles.length === 0) break;
    for (const { path } of checked.pendingFiles) {
      if (modules.has(path) || missing.has(path)) continue;
      const source = await host.readModule(path);
      if (!source) {
        missing.add(path);
        continue;
      }
      const parsed = parse({ file: path, text: source.text });
      moduleErrors.push(...parsed.diagnostics);
      modules.set(path, { source: { file: path, text: source.text }, file: parsed.file });
    }
    for (const ref of checked.pendingFacts) {
      const told = await host.facts(ref);
      if (!told) open = true;
      facts.set(factKey(ref), told ?? openFacts(ref));
    }
  }
  const found = [...syntax, ...moduleErrors, ...checked.diagnostics.filter((d) => !followsFrom(syntax, d))];
  const diagnostics = asTold(found, script.file);
  const failed = diagnostics.some((d) => d.severity === "error");
  const program = failed || open ? undefined : checked.program;
  return {
    program,
    diagnostics,
    file,
    probes: (asks) =>
      program
        ? probesOf({ source: script, file }, prelude, known, settings, asks)
        : asks.map(() => ({ refused: "the script does not run as it stands" })),
    sources: [script, ...[...modules.values()].map((m) => m.source), ...host.prelude],
  };
}

/**
 * By place; those of the script before those of its imports. What is only worth knowing waits until nothing is wrong.
 */
export function asTold(found: readonly Diagnostic[], script: string): Diagnostic[] {
  const failed = found.some((d) => d.severity === "error");
  const diagnostics = failed ? found.filter((d) => d.severity !== "note") : found;
  const files = [script, ...new Set(diagnostics.flatMap((d) => d.labels[0]?.span.file ?? []))];
  const fileOf = (d: Diagnostic): number => files.indexOf(d.labels[0]?.span.file ?? script);
  const startOf = (d: Diagnostic): number => d.labels[0]?.span.start ?? 0;
  return [...diagnostics].sort((a, b) => fileOf(a) - fileOf(b) || startOf(a) - startOf(b));
}

/** Below a line that could not be read, names are missing that it would have given. */
const FOLLOW_UPS = new Set(["DLX0301", "DLX0305", "DLX0306", "DLX0313", "DLX0316", "DLX0345"]);

export function followsFrom(syntax: readonly Diagnostic[], d: Diagnostic): boolean {
  const at = d.labels[0]?.span;
  // A name that is nearly another one is a mistake of its own.
  if (at && d.code === "DLX0302") return syntax.some((s) => s.code === "DLX0111" && near(at.end, s));
  if (at && d.code === "DLX0331")
    return syntax.some((s) => s.labels[0] && at.start <= s.labels[0].span.start && s.labels[0].span.end <= at.end);
  // What holds a part that could not be read is not known.
  const holds = (s: Diagnostic): boolean => {
    const part = s.labels[0]?.span;
    return (
      part !== undefined && at !== undefined && part.file === at.file && at.start < part.start && part.end < at.end
    );
  };
  // What stands before a place that could not be read is not all of the condition.
  if (at && d.code === "DLX0338" && syntax.some((s) => s.code === "DLX0101" && near(at.end, s))) return true;
  if (UNREAD_PARTS.has(d.code) && syntax.some((s) => s.code === "DLX0101" && holds(s))) return true;
  if (!at || !FOLLOW_UPS.has(d.code) || d.help?.startsWith("did you mean")) return false;
  return syntax.some((s) => s.labels[0] && s.labels[0].span.file === at.file && s.labels[0].span.start <= at.end);
}

/** Arguments and constants, of which a part is missing. */
const UNREAD_PARTS = new Set(["DLX0309", "DLX0310", "DLX0318"]);

/** Told on the sign behind a name. */
const near = (end: number, s: Diagnostic): boolean =>
  s.labels[0] !== undefined && s.labels[0].span.start >= end && s.labels[0].span.start - end < 4;

const parsedPrelude = new WeakMap<readonly LibrarySource[], Parsed[]>();

export function parsePrelude(sources: readonly LibrarySource[]): Parsed[] {
  const known = parsedPrelude.get(sources);
  if (known) return known;
  const parsed = sources.map((source) => {
    if (source.tree !== undefined) return { source, file: JSON.parse(source.tree) as ast.File };
    const { file, diagnostics } = parse(source);
    const first = diagnostics[0];
    if (first)
      throw new Error(`expected a standard library that parses, got ${first.code} in ${source.file}: ${first.title}`);
    return { source, file };
  });
  parsedPrelude.set(sources, parsed);
  return parsed;
}

export { matchSlots } from "./match.ts";
export { partText, programText } from "./program-text.ts";
export { parse } from "./syntax/index.ts";
export { renderDiagnostic } from "./render.ts";
export { didYouMean } from "./suggest.ts";
export { UserError } from "./diagnostic.ts";
export type { Diagnostic, Label, Severity } from "./diagnostic.ts";
export type * from "./probe.ts";
export type * from "./program.ts";
export type { Position, Source, Span } from "./source.ts";
