/**
 * What is known of one script while it is edited: its tree and names at once, its values and mistakes part by part
 * (see `slices`). A part that says what it said before is not checked again; places in it move with their statement.
 * Where a value is not known now, the last good check of the same statement answers.
 */
import { checkProgram, type Parsed } from "../check/program.ts";
import type { Frame } from "../check/state.ts";
import { isSameMistake } from "../check/state.ts";
import type { Value } from "../check/values.ts";
import type { Diagnostic, Label } from "../diagnostic.ts";
import { asTold, followsFrom } from "../index.ts";
import type { Source, Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";
import { parseAgain } from "../syntax/again.ts";
import { Lines } from "./lines.ts";
import type { Names } from "./names.ts";
import { namesOf } from "./names.ts";
import type { Library } from "./library.ts";
import type { CheckedSlice, Fact, KnownFact, Memory } from "./memory.ts";
import type { ServiceHost } from "./host.ts";
import type { Slice, Statement } from "./slices.ts";
import { bodyOf, indexAt, slicesOf, statementsOf } from "./slices.ts";

/** More values of one place than this are not told apart. */
const MAX_FACTS = 4;
/** A name that is not there is told of once, whatever is said about it. */
const UNKNOWN_NAMES = new Set(["DLX0301", "DLX0327", "DLX0328", "DLX0329"]);
const keyOf = (span: { readonly start: number; readonly end: number }): number =>
  span.start * 2 ** 24 + (span.end - span.start);

export class Analysis {
  readonly source: Source;
  readonly lines: Lines;
  readonly file: ast.File;
  readonly syntax: readonly Diagnostic[];
  readonly names: Names;
  readonly statements: readonly Statement[];
  /** Mistakes of the whole script, once it is checked. */
  diagnostics: readonly Diagnostic[] = [];
  readonly memory: Memory;
  readonly library: Library;

  constructor(source: Source, library: Library, memory: Memory) {
    const { file, diagnostics, pieces } = parseAgain(source, memory.pieces);
    memory.pieces = pieces;
    this.source = source;
    this.lines = new Lines(source.text);
    this.file = file;
    this.syntax = diagnostics;
    this.names = namesOf(file);
    this.statements = statementsOf(source.text, file);
    this.library = library;
    this.memory = memory;
  }

  /** Checks what changed. False when `isCurrent` said no on the way. */
  async check(host: ServiceHost, isCurrent: () => boolean): Promise<boolean> {
    const { memory, statements } = this;
    const slices = slicesOf(statements, this.names, (name) => this.library.isModel(name));
    const neighbours = this.names.definitions.map((d) => d.name).join();
    const results: CheckedSlice[] = [];
    const kept = new Map<string, CheckedSlice>();
    const latest = new Map<string, CheckedSlice[]>();
    let lastPause = performance.now();
    for (const slice of slices) {
      const key = slice.hasImport ? `${slice.key}\0${memory.modulesKey()}` : slice.key;
      let result = kept.get(key) ?? memory.slices.get(key);
      if (
        !result ||
        (result.neighbours !== undefined && result.neighbours !== neighbours && result.neighbours !== this.source.text)
      ) {
        if (performance.now() - lastPause > 10) {
          await host.pause();
          lastPause = performance.now();
        }
        if (!isCurrent()) return false;
        result = await this.checkSlice(host, slice, key, neighbours);
      }
      results.push(result);
      kept.set(key, result);
      for (const { key } of slice.members) latest.set(key, [...(latest.get(key) ?? []), result]);
    }
    if (!isCurrent()) return false;
    memory.slices = kept;
    memory.latest = latest;
    this.diagnostics = this.collect(slices, results);
    memory.recent.clear();
    slices.forEach((slice, i) => this.remember(slice, results[i]!));
    return true;
  }

  private async checkSlice(host: ServiceHost, slice: Slice, key: string, neighbours: string): Promise<CheckedSlice> {
    const { source, memory, statements } = this;
    const body = bodyOf(slice, statements);
    const script: Parsed = { source, file: { ...this.file, body }, whole: this.file };
    for (;;) {
      const facts = new Map<number, Fact[]>();
      const seen = (span: Span, value: Value, frame?: Frame): void => {
        if (span.file !== source.file) return;
        const at = keyOf(span);
        const known = facts.get(at);
        if (!known) facts.set(at, [{ value, clock: frame && clockOf(frame) }]);
        else if (known.length < MAX_FACTS) known.push({ value, clock: frame && clockOf(frame) });
      };
      const checked = checkProgram(script, this.library.parsed, memory, { inputs: {}, seen });
      if (checked.pendingFacts.length === 0 && checked.pendingFiles.length === 0) {
        const late = new Set(checked.late);
        const diagnostics = [
          ...memory.moduleDiagnostics(slice.hasImport),
          ...checked.diagnostics.filter((d) => !late.has(d)),
        ];
        return {
          key,
          diagnostics,
          late: checked.late,
          facts,
          statements,
          starts: new Map(statements.map((s) => [s.key, s.stmt.span.start])),
          neighbours: this.rest(slice, diagnostics, neighbours),
        };
      }
      await memory.learn(host, source.file, checked.pendingFacts, checked.pendingFiles);
    }
  }

  /** What the messages of a part depend on beside the part: the names around it, or anything that they show. */
  private rest(slice: Slice, diagnostics: readonly Diagnostic[], neighbours: string): string | undefined {
    const outside = ({ span }: Label): boolean => {
      const home = span.file === this.source.file ? this.statementAt(span.start) : undefined;
      return home !== undefined && !slice.members.has(home);
    };
    if (diagnostics.some((d) => d.labels.some(outside))) return this.source.text;
    return diagnostics.some((d) => d.severity === "error" && d.code.startsWith("DLX03")) ? neighbours : undefined;
  }

  /** The messages of all parts as those of one script: each once, and only on statements of its part. */
  private collect(slices: readonly Slice[], results: readonly CheckedSlice[]): Diagnostic[] {
    const gather = (which: "diagnostics" | "late"): Diagnostic[] =>
      slices.flatMap((slice, i) => results[i]![which].flatMap((d) => this.moved(d, slice, results[i]!) ?? []));
    const early = gather("diagnostics");
    const failed = early.some((d) => d.severity === "error");
    const found: Diagnostic[] = [];
    const told = new Set<string>();
    for (const d of [...early, ...(failed ? [] : gather("late"))].sort(byPlace)) {
      const name = UNKNOWN_NAMES.has(d.code) ? this.written(d) : undefined;
      const isTold = found.some((k) => isSameMistake(k, d)) || (name !== undefined && told.has(name));
      if (followsFrom(this.syntax, d) || isTold) continue;
      found.push(d);
      if (name !== undefined) told.add(name);
    }
    return asTold([...this.syntax, ...found], this.source.file);
  }

  private written(d: Diagnostic): string | undefined {
    const span = d.labels[0]?.span;
    return span?.file === this.source.file ? this.source.text.slice(span.start, span.end) : undefined;
  }

  private moved(d: Diagnostic, slice: Slice, result: CheckedSlice): Diagnostic | undefined {
    const first = d.labels[0]?.span;
    const labels = d.labels.flatMap((label) => {
      const span = this.now(label.span, result);
      return span ? [{ ...label, span }] : [];
    });
    const primary = first && this.now(first, result);
    if (first && !primary) return undefined;
    if (primary?.file === this.source.file) {
      const home = this.statements[indexAt(this.statements, primary.start)];
      if (!home || !slice.members.has(home)) return undefined;
    }
    const fix = d.fix?.flatMap((f) => {
      const edits = f.edits.flatMap((e) => {
        const span = this.now(e.span, result);
        return span ? [{ ...e, span }] : [];
      });
      return edits.length === f.edits.length ? [{ ...f, edits }] : [];
    });
    return fix ? { ...d, labels, fix } : { ...d, labels };
  }

  /** A place of the text that was checked, in the text of today. */
  private now(span: Span, result: CheckedSlice): Span | undefined {
    if (span.file !== this.source.file || result.statements === this.statements) return span;
    const then = result.statements[indexAt(result.statements, span.start)];
    const start = then && this.starts.get(then.key);
    if (!then || start === undefined) return undefined;
    const by = start - then.stmt.span.start;
    return { file: span.file, start: span.start + by, end: span.end + by };
  }

  private startsByKey: Map<string, number> | undefined;
  private get starts(): Map<string, number> {
    return (this.startsByKey ??= new Map(this.statements.map((s) => [s.key, s.stmt.span.start])));
  }

  private remember(slice: Slice, result: CheckedSlice): void {
    const { memory, source } = this;
    const members = [...slice.members];
    const isGood =
      !result.diagnostics.some((d) => d.severity === "error") &&
      !members.some(
        ({ stmt }) => stmt.kind === "error" || this.syntax.some((d) => isInside(d.labels[0]?.span, stmt.span)),
      );
    for (const { key, stmt, title } of members) {
      const start = result.starts.get(key);
      if (start === undefined) continue;
      const remembered = { text: source.text.slice(stmt.span.start, stmt.span.end), start, slice: result };
      if (!memory.recent.has(title)) memory.recent.set(title, remembered);
      if (isGood) memory.good.set(title, remembered);
    }
    if (memory.good.size > 4 * this.statements.length + 64) {
      const titles = new Set(this.statements.map((s) => s.title));
      for (const title of memory.good.keys()) if (!titles.has(title)) memory.good.delete(title);
    }
  }

  // ------------------------------------------------------------ questions

  statementAt(offset: number): Statement | undefined {
    return this.statements[indexAt(this.statements, offset)];
  }

  /** What an expression or a bound name was, in the order of its uses. */
  factsOf(span: { readonly start: number; readonly end: number }): readonly KnownFact[] {
    const home = this.statementAt(span.start);
    if (!home) return [];
    const by = span.start - home.stmt.span.start;
    const length = span.end - span.start;
    const found = (this.memory.latest.get(home.key) ?? []).flatMap((slice) => {
      const start = slice.starts.get(home.key);
      return start === undefined ? [] : factsIn(slice, start + by, length);
    });
    return found.length > 0 ? found : this.remembered(home, by, length);
  }

  private remembered(home: Statement, by: number, length: number): readonly KnownFact[] {
    const now = this.source.text.slice(home.stmt.span.start, home.stmt.span.end);
    for (const last of [this.memory.recent.get(home.title), this.memory.good.get(home.title)]) {
      const then = last && placeThen(now, last.text, by, length);
      const found = then === undefined ? [] : factsIn(last!.slice, last!.start + then, length);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** A place that a value carries (the `let` of an instance, a param), where the script has it today. */
  placeOf(span: Span, fact: KnownFact): Span | undefined {
    return this.now(span, fact.slice);
  }
}

function factsIn(slice: CheckedSlice, start: number, length: number): KnownFact[] {
  const facts = slice.facts.get(keyOf({ start, end: start + length })) ?? [];
  return facts.filter((f) => f.value.kind !== "broken").map((f) => ({ ...f, slice }));
}

/** Where a stretch of today's text stood, if it lies before or behind all that changed. */
function placeThen(now: string, then: string, by: number, length: number): number | undefined {
  if (now === then) return by;
  let head = 0;
  while (head < now.length && head < then.length && now[head] === then[head]) head++;
  if (by + length <= head) return by;
  let tail = 0;
  const least = Math.min(now.length, then.length) - head;
  while (tail < least && now[now.length - 1 - tail] === then[then.length - 1 - tail]) tail++;
  return by >= now.length - tail ? by + then.length - now.length : undefined;
}

function clockOf(frame: Frame): string {
  const { block, kind } = frame;
  if (kind === "test") return "in a test";
  if (!block) return "once";
  if (kind === "reaction") return `between the steps of ${block.name}`;
  return block.kind === "train" ? `each step of ${block.name}` : `each batch of ${block.name}`;
}

function isInside(inner: Span | undefined, outer: Span): boolean {
  return inner !== undefined && inner.start >= outer.start && inner.end <= outer.end;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (a.labels[0]?.span.start ?? 0) - (b.labels[0]?.span.start ?? 0);
}
