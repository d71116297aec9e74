/** Where a person stands in the tour: kept in the browser, so that it goes on after a reload. */
import { tongues, type Tongue } from "./lessons.ts";

/** Of the web's `Storage`. */
export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

interface Kept {
  readonly open: boolean;
  readonly at: string;
  readonly done: readonly string[];
  readonly tongue: Tongue;
}

const KEY = "dlx.tour";

export class Tour {
  open = $state(false);
  /** Of lessons, by their ids, which outlive a new order. */
  at = $state("01");
  done = $state.raw<readonly string[]>([]);
  tongue = $state<Tongue>("en");
  /** Opened by the person, not found open: its lesson's script is to be opened too. */
  asked = false;
  private readonly store: Store;

  constructor(store: Store, language: string) {
    this.store = store;
    const kept = read(store);
    this.open = kept.open === true;
    this.at = kept.at ?? this.at;
    this.done = kept.done ?? this.done;
    this.tongue = kept.tongue ?? tongues.find((tongue) => language.toLowerCase().startsWith(tongue)) ?? "en";
  }

  /** Changes some of it and keeps all of it. A full storage loses the place, nothing else. */
  set(change: Partial<Kept>): void {
    Object.assign(this, change);
    const { open, at, done, tongue } = this;
    try {
      this.store.setItem(KEY, JSON.stringify({ open, at, done, tongue } satisfies Kept));
    } catch (error) {
      console.warn(`the tour's progress is not kept: ${String(error)}`);
    }
  }

  toggle(): void {
    this.asked = !this.open;
    this.set({ open: !this.open });
  }

  reach(id: string): void {
    if (!this.done.includes(id)) this.set({ done: [...this.done, id] });
  }
}

/** What was kept, as far as it can be read. */
function read(store: Store): Partial<Kept> {
  try {
    const kept = JSON.parse(store.getItem(KEY) ?? "{}") as Partial<Kept> | null;
    const done = Array.isArray(kept?.done) ? kept.done.filter((id) => typeof id === "string") : undefined;
    const at = typeof kept?.at === "string" ? kept.at : undefined;
    const tongue = tongues.find((each) => each === kept?.tongue);
    return { open: kept?.open, at, done, tongue };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
