/**
 * The door of the services: what an editor, the command line and the LSP server ask about scripts that are being
 * written. One answer for all of them. Places are spans; files are named as the host names them.
 */
import type { Diagnostic } from "../diagnostic.ts";
import { format } from "../format/index.ts";
import type { Span } from "../source.ts";
import { Analysis } from "./analysis.ts";
import { Memory } from "./memory.ts";
import { completionsAt, type Completion } from "./completion.ts";
import { originOf } from "./definition.ts";
import { fixOf, type Fix } from "./fixes.ts";
import { hintsIn, type Hint } from "./hints.ts";
import type { ServiceHost } from "./host.ts";
import { hoverAt, type Hover } from "./hover.ts";
import { Library } from "./library.ts";
import { foldsOf, outlineOf, type Fold, type Outline } from "./outline.ts";
import { refactorings } from "./refactor.ts";
import { applyEdits, definitionAt, placesOf, refusal, renameTo, type Renamed, type TextEdit } from "./rename.ts";
import { signatureAt, type Signature } from "./signature.ts";
import { symbolAt } from "./symbols.ts";
import { tokensOf, type SemanticToken } from "./tokens.ts";

export interface Action extends Fix {
  readonly kind: "quickfix" | "refactor";
  /** The message that it answers. */
  readonly diagnostic?: Diagnostic;
}

interface Document {
  analysis: Analysis;
  readonly memory: Memory;
  /** Of the newest text: settled when it is checked, or a newer one took its place. */
  checking: Promise<boolean>;
}

type Range = { readonly start: number; readonly end: number };

export class LanguageService {
  readonly library: Library;
  private readonly host: ServiceHost;
  private readonly documents = new Map<string, Document>();

  constructor(host: ServiceHost) {
    this.library = new Library(host.prelude);
    this.host = {
      prelude: host.prelude,
      facts: (ref, script) => host.facts(ref, script),
      pause: () => host.pause(),
      // An open script comes before the file on disk.
      readModule: async (path) => this.documents.get(path)?.analysis.source ?? host.readModule(path),
    };
  }

  // ------------------------------------------------------------ scripts

  /** Opens a script, or gives it a newer text. True once it is checked, false when a still newer text came first. */
  update(file: string, text: string): Promise<boolean> {
    const memory = this.documents.get(file)?.memory ?? new Memory();
    const analysis = new Analysis({ file, text }, this.library, memory);
    const document: Document = { analysis, memory, checking: Promise.resolve(true) };
    this.documents.set(file, document);
    if (!this.library.text(file)) document.checking = this.check(document);
    return document.checking;
  }

  private check(document: Document): Promise<boolean> {
    const { analysis } = document;
    return analysis.check(this.host, () => this.documents.get(analysis.source.file)?.analysis === analysis);
  }

  close(file: string): void {
    this.documents.delete(file);
  }

  has(file: string): boolean {
    return this.documents.has(file);
  }

  /** Open scripts that import a file (directly or not) are checked again; gives their names. */
  async changed(file: string): Promise<string[]> {
    const again: string[] = [];
    for (const [name, document] of this.documents) {
      if (name === file || !(document.memory.modules.has(file) || document.memory.missing.has(file))) continue;
      document.memory.forgetFiles();
      document.checking = this.check(document);
      if (await document.checking) again.push(name);
    }
    return again;
  }

  /** Data files may have changed: facts are asked for again. */
  async dataChanged(): Promise<string[]> {
    const again: string[] = [];
    for (const [name, document] of this.documents) {
      if (this.library.text(name)) continue;
      document.memory.forgetData();
      document.checking = this.check(document);
      if (await document.checking) again.push(name);
    }
    return again;
  }

  /** The newest text, checked; undefined for a script that is not open. */
  private async settled(file: string): Promise<Analysis | undefined> {
    for (;;) {
      const document = this.documents.get(file);
      if (!document) return undefined;
      // A check that failed for a mistake of our own was told to the caller of `update`; the tree is there all the same.
      const done = await document.checking.catch(() => true);
      if (done || this.documents.get(file) === document) return document.analysis;
    }
  }

  /** The text of an open script, of the standard library, or of a module that a script imports. */
  textOf(file: string): string | undefined {
    const open = this.documents.get(file)?.analysis.source.text ?? this.library.text(file);
    if (open !== undefined) return open;
    for (const { memory } of this.documents.values()) {
      const module = memory.modules.get(file);
      if (module) return module.source.text;
    }
    return undefined;
  }

  // ------------------------------------------------------------ questions

  async diagnostics(file: string): Promise<readonly Diagnostic[]> {
    return (await this.settled(file))?.diagnostics ?? [];
  }

  async hover(file: string, offset: number): Promise<Hover | undefined> {
    const analysis = await this.settled(file);
    return analysis && hoverAt(analysis, this.library, offset);
  }

  async completions(file: string, offset: number): Promise<Completion[]> {
    const analysis = await this.settled(file);
    return analysis ? completionsAt(analysis, this.library, offset) : [];
  }

  async signature(file: string, offset: number): Promise<Signature | undefined> {
    const analysis = await this.settled(file);
    return analysis && signatureAt(analysis, this.library, offset);
  }

  async definition(file: string, offset: number): Promise<Span | undefined> {
    const analysis = await this.settled(file);
    return analysis && originOf(analysis, this.library, offset);
  }

  async references(file: string, offset: number): Promise<Span[]> {
    const analysis = await this.settled(file);
    if (!analysis) return [];
    const found = definitionAt(analysis, this.library, offset);
    if (found) return [...placesOf(analysis, this.library, found.definition).spans];
    const symbol = symbolAt(analysis, this.library, offset);
    if (symbol?.kind !== "library") return [];
    const uses = analysis.names.references
      .filter((r) => !r.definition && r.name === symbol.entry.name)
      .map((r) => r.span);
    return symbol.entry.place ? [symbol.entry.place, ...uses] : uses;
  }

  /** The name that a rename would change, or why it cannot. */
  async renameable(
    file: string,
    offset: number,
  ): Promise<{ readonly span: Span; readonly name: string } | { readonly refused: string }> {
    const analysis = await this.settled(file);
    const found = analysis && definitionAt(analysis, this.library, offset);
    if (!analysis || !found) return { refused: "there is no name of this script here" };
    const refused = refusal(analysis, this.library, found.definition, this.others(file));
    return refused === undefined ? { span: found.span, name: found.definition.name } : { refused };
  }

  /** A rename after which the script has a new mistake is refused. */
  async rename(file: string, offset: number, name: string): Promise<Renamed> {
    const analysis = await this.settled(file);
    const found = analysis && definitionAt(analysis, this.library, offset);
    if (!analysis || !found) return { refused: "there is no name of this script here" };
    const renamed = renameTo(analysis, this.library, found.definition, name, this.others(file));
    if ("refused" in renamed) return renamed;
    const own = renamed.edits.filter((e) => e.span.file === file);
    const worse = await this.newMistake(analysis, own);
    return worse ? { refused: `after that, ${worse.title}` } : renamed;
  }

  private others(file: string): Analysis[] {
    return [...this.documents].filter(([name]) => name !== file).map(([, d]) => d.analysis);
  }

  async hints(file: string, range: Range): Promise<Hint[]> {
    const analysis = await this.settled(file);
    return analysis ? hintsIn(analysis, range) : [];
  }

  async tokens(file: string): Promise<SemanticToken[]> {
    const analysis = await this.settled(file);
    return analysis ? tokensOf(analysis, this.library) : [];
  }

  outline(file: string): Outline[] {
    const document = this.documents.get(file);
    return document ? outlineOf(document.analysis) : [];
  }

  folds(file: string): Fold[] {
    const document = this.documents.get(file);
    return document ? foldsOf(document.analysis) : [];
  }

  /** Nothing for a script that cannot be read. */
  format(file: string): TextEdit[] {
    const source = this.documents.get(file)?.analysis.source;
    const formatted = source && format(source);
    if (!source || !formatted || !("text" in formatted) || formatted.text === source.text) return [];
    return [{ span: { file, start: 0, end: source.text.length }, text: formatted.text }];
  }

  // ------------------------------------------------------------ changes

  /** Each was tried: a fix takes its message away, and none brings a new one. */
  async actions(file: string, range: Range): Promise<Action[]> {
    const analysis = await this.settled(file);
    if (!analysis) return [];
    const found: Action[] = [];
    for (const diagnostic of analysis.diagnostics) {
      const at = diagnostic.labels.filter((l) => l.span.file === file);
      if (!at.some(({ span }) => span.start <= range.end && range.start <= span.end)) continue;
      const fix = await this.fixFor(analysis, diagnostic);
      if (fix) found.push({ ...fix, kind: "quickfix", diagnostic });
    }
    for (const change of refactorings(analysis, this.library, range)) {
      if (!(await this.newMistake(analysis, change.edits))) found.push({ ...change, kind: "refactor" });
    }
    return found;
  }

  /** The fix of a message, if there is an exact one. */
  async fix(file: string, diagnostic: Diagnostic): Promise<Fix | undefined> {
    const analysis = await this.settled(file);
    return analysis && this.fixFor(analysis, diagnostic);
  }

  private async fixFor(analysis: Analysis, diagnostic: Diagnostic): Promise<Fix | undefined> {
    const fix = fixOf(diagnostic, analysis);
    if (!fix) return undefined;
    const after = await this.trial(analysis, fix.edits);
    const same = (list: readonly Diagnostic[]): number =>
      list.filter((d) => d.code === diagnostic.code && d.title === diagnostic.title).length;
    // Behind a mistake in the syntax another one may show; but none of the syntax is new.
    const unread = (list: readonly Diagnostic[]): number => list.filter((d) => d.code.startsWith("DLX01")).length;
    const before = analysis.diagnostics;
    return same(after) < same(before) && unread(after) <= unread(before) ? fix : undefined;
  }

  private async newMistake(analysis: Analysis, edits: readonly TextEdit[]): Promise<Diagnostic | undefined> {
    const after = await this.trial(analysis, edits);
    return after.length > analysis.diagnostics.length
      ? (after.find((d) => !analysis.diagnostics.some((k) => k.title === d.title)) ?? after[0])
      : undefined;
  }

  private async trial(analysis: Analysis, edits: readonly TextEdit[]): Promise<readonly Diagnostic[]> {
    const { file, text } = analysis.source;
    const changed = new Analysis({ file, text: applyEdits(text, edits) }, this.library, analysis.memory.copy());
    await changed.check(this.host, () => true);
    return changed.diagnostics;
  }
}

export type { Completion, CompletionKind } from "./completion.ts";
export type { Fix } from "./fixes.ts";
export type { Hint } from "./hints.ts";
export type { ServiceHost } from "./host.ts";
export type { Hover } from "./hover.ts";
export { applyChanges, Lines } from "./lines.ts";
export type { Change, Place, PlaceRange } from "./lines.ts";
export { follow } from "./follow.ts";
export type { Fold, Outline, OutlineKind } from "./outline.ts";
export { applyEdits } from "./rename.ts";
export type { Renamed, TextEdit } from "./rename.ts";
export type { Signature } from "./signature.ts";
export { TOKEN_MODIFIERS, TOKEN_TYPES } from "./tokens.ts";
export type { SemanticToken } from "./tokens.ts";
