/**
 * Files that the person gave the page: scripts read them by name, in the lab and in the language service; they are kept
 * in the browser and listed with what they are. One that cannot be kept can be used all the same.
 */
import type { AboutFile } from "../../runtime/index.ts";
import type { Language } from "../language/client.ts";
import type { ByteStore } from "./bytes.ts";
import type { Run } from "./run.svelte.ts";

export interface GivenFile {
  readonly name: string;
  readonly size: number;
  /** Undefined until it has been looked at. */
  readonly about?: AboutFile;
}

export class Files {
  list = $state.raw<readonly GivenFile[]>([]);
  /** Why they are not kept. */
  unkept = $state<string>();
  /** Those of the last time are there. */
  readonly ready: Promise<void>;
  private readonly language: Language;
  private readonly run: Run;
  private readonly store: ByteStore;

  constructor(language: Language, run: Run, store: ByteStore) {
    this.language = language;
    this.run = run;
    this.store = store;
    this.ready = this.restore();
  }

  async add(files: readonly File[]): Promise<void> {
    const given = await Promise.all(
      files.map(async (file) => [nameOf(file.name), new Uint8Array(await file.arrayBuffer())] as const),
    );
    for (const [name, bytes] of given) this.give(name, bytes);
    await this.look();
    this.unkept = undefined;
    for (const [name, bytes] of given)
      await this.keeping(() => this.store.put(name, bytes), `${name} can be used, but will not be here after a reload`);
  }

  async remove(name: string): Promise<void> {
    this.list = this.list.filter((file) => file.name !== name);
    this.language.give({ name });
    this.run.give(name, undefined);
    await this.look();
    await this.keeping(() => this.store.remove(name), `${name} will be here again after a reload`);
  }

  private async restore(): Promise<void> {
    try {
      for (const [name, bytes] of await this.store.all()) this.give(name, bytes);
    } catch (error) {
      this.unkept = `this browser keeps no files (${reasonOf(error)}); what you drop is here until the page is closed`;
    }
    void this.look();
  }

  private give(name: string, bytes: Uint8Array): void {
    this.language.give({ name, bytes });
    this.run.give(name, bytes);
    const others = this.list.filter((file) => file.name !== name);
    this.list = [...others, { name, size: bytes.length }].sort((a, b) => a.name.localeCompare(b.name, "en"));
  }

  /** At all of them: what one is may depend on what lies beside it. */
  private async look(): Promise<void> {
    for (const { name } of this.list) {
      const about = await this.language.about(name);
      this.list = this.list.map((file) => (file.name === name ? { ...file, about } : file));
    }
  }

  private async keeping(act: () => Promise<void>, otherwise: string): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.unkept = `${otherwise}: ${reasonOf(error)}`;
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "QuotaExceededError") return "this browser's storage is full";
  return error instanceof Error ? error.message : String(error);
}

/** Letters of other kinds would have to be escaped in a script. */
const nameOf = (name: string): string => name.replace(/[^\p{L}\p{N} ._()-]/gu, "_");

export function sizeText(bytes: number): string {
  const [unit, by] = bytes < 1e3 ? ["bytes", 1] : bytes < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  return `${(bytes / by).toLocaleString("en", { maximumFractionDigits: by === 1 ? 0 : 1 })} ${unit}`;
}
