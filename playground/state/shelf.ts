/** The person's scripts in the browser's storage, by name; the last one open is opened again. A full storage loses nothing that is shown. */
import type { InputValue } from "../../runtime/index.ts";

export interface Kept {
  readonly text: string;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly seed?: number;
  /** Where the cursor is in the text. */
  readonly cursor?: number;
  /** The panel that is open. */
  readonly tab?: string;
}

/** Of the web's `Storage`. */
export interface Store {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const SCRIPT = "dlx.script.";
const OPEN = "dlx.open";

export class Shelf {
  private readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }

  names(): string[] {
    const keys = Array.from({ length: this.store.length }, (_, i) => this.store.key(i) ?? "");
    return keys
      .flatMap((key) => (key.startsWith(SCRIPT) ? [key.slice(SCRIPT.length)] : []))
      .sort((a, b) => a.localeCompare(b, "en"));
  }

  /** Undefined for what was never kept, or cannot be read any more. */
  get(name: string): Kept | undefined {
    const json = this.store.getItem(SCRIPT + name);
    if (json === null) return undefined;
    try {
      const kept = JSON.parse(json) as Kept;
      return typeof kept?.text === "string" ? { ...kept, inputs: kept.inputs ?? {} } : undefined;
    } catch {
      return undefined;
    }
  }

  /** False when the storage is full or forbidden. `open`: it is what the page opens with next time. */
  keep(name: string, kept: Kept, open = true): boolean {
    try {
      this.store.setItem(SCRIPT + name, JSON.stringify(kept));
      if (open) this.store.setItem(OPEN, name);
      return true;
    } catch {
      return false;
    }
  }

  last(): { readonly name: string; readonly kept: Kept } | undefined {
    const name = this.store.getItem(OPEN);
    const kept = name === null ? undefined : this.get(name);
    return name !== null && kept ? { name, kept } : undefined;
  }

  remove(name: string): void {
    this.store.removeItem(SCRIPT + name);
    if (this.store.getItem(OPEN) === name) this.store.removeItem(OPEN);
  }

  /** A name that is not taken: `net.dlx`, `net 2.dlx`, … */
  free(wanted: string): string {
    const taken = new Set(this.names());
    const stem = wanted.replace(/\.dlx$/, "").replace(/ \d+$/, "");
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${stem} ${n}.dlx`;
    return name;
  }
}
