/**
 * What outlives a version of a script: facts of its data, imported files, its parts as they were checked. Values
 * belong to the checks of the newest text and, for each statement, of the last one that was right.
 */
import { factKey } from "../check/data.ts";
import type { Parsed } from "../check/program.ts";
import { openFacts } from "../check/sources.ts";
import type { Value } from "../check/values.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Facts } from "../program.ts";
import type { Pieces } from "../syntax/again.ts";
import { parse } from "../syntax/index.ts";
import type { ServiceHost } from "./host.ts";
import type { Statement } from "./slices.ts";

/** One value that a place had, and when it is computed. */
export interface Fact {
  readonly value: Value;
  readonly clock?: string;
}
/** With where it was seen, so that places in it can be found in the text of today. */
export interface KnownFact extends Fact {
  readonly slice: CheckedSlice;
}

/** A part as it was checked; places are those of the text then. */
export interface CheckedSlice {
  readonly key: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly late: readonly Diagnostic[];
  readonly facts: ReadonlyMap<number, readonly Fact[]>;
  /** Places of its statements then, by key. */
  readonly statements: readonly Statement[];
  readonly starts: ReadonlyMap<string, number>;
  /** All names of the script or its whole text, where a message depends on them. */
  readonly neighbours?: string;
}

export interface Remembered {
  readonly text: string;
  readonly start: number;
  readonly slice: CheckedSlice;
}

export class Memory {
  /** The newest text that could be cut, as it was read. */
  pieces: Pieces | undefined;
  slices = new Map<string, CheckedSlice>();
  /** By statement, its parts as the newest check left them. */
  latest: ReadonlyMap<string, readonly CheckedSlice[]> = new Map();
  /** Statements by title: as the newest check knew them, and as they were when all was well. */
  readonly recent = new Map<string, Remembered>();
  readonly good = new Map<string, Remembered>();
  readonly modules = new Map<string, Parsed>();
  readonly missing = new Set<string>();
  private readonly known = new Map<string, Facts | Diagnostic>();
  private readonly broken = new Map<string, readonly Diagnostic[]>();
  private version = 0;

  readonly facts = (ref: Parameters<typeof factKey>[0]): Facts | Diagnostic | undefined => this.known.get(factKey(ref));

  async learn(
    host: ServiceHost,
    script: string,
    facts: readonly Parameters<typeof factKey>[0][],
    files: readonly { readonly path: string }[],
  ): Promise<void> {
    for (const { path } of files) {
      if (this.modules.has(path) || this.missing.has(path)) continue;
      const source = await host.readModule(path);
      if (!source) {
        this.missing.add(path);
        continue;
      }
      const { file, diagnostics } = parse({ file: path, text: source.text });
      this.modules.set(path, { source: { file: path, text: source.text }, file });
      this.broken.set(path, diagnostics);
    }
    for (const ref of facts) this.known.set(factKey(ref), (await host.facts(ref, script)) ?? openFacts(ref));
  }

  moduleDiagnostics(wanted: boolean): Diagnostic[] {
    return wanted ? [...this.broken.values()].flat() : [];
  }

  modulesKey(): string {
    return String(this.version);
  }

  /** To try a change: what is known now, and nothing of the trial comes back. */
  copy(): Memory {
    const other = new Memory();
    other.pieces = this.pieces;
    other.slices = new Map(this.slices);
    other.latest = this.latest;
    for (const [path, module] of this.modules) other.modules.set(path, module);
    for (const path of this.missing) other.missing.add(path);
    for (const [key, facts] of this.known) other.known.set(key, facts);
    for (const [path, list] of this.broken) other.broken.set(path, list);
    other.version = this.version;
    return other;
  }

  /** Another file changed: imports are read again. */
  forgetFiles(): void {
    this.version++;
    this.modules.clear();
    this.missing.clear();
    this.broken.clear();
  }

  /** Data may have changed: nothing that rests on it is trusted. */
  forgetData(): void {
    this.known.clear();
    this.slices.clear();
  }
}
