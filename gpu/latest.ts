import type { Store } from "../lang/store.ts";

/** What was made for the keys that were asked for last; others are forgotten. */
export class Latest<T extends object> {
  private readonly made = new Map<string, T>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  get(key: string, make: () => T): T {
    const value = this.made.get(key) ?? make();
    // a Map keeps the order of insertion
    this.made.delete(key);
    this.made.set(key, value);
    const [oldest] = this.made.keys();
    if (this.made.size > this.most && oldest !== undefined) this.made.delete(oldest);
    return value;
  }
}

/** From the store, or made and kept there. */
export function once<T>(store: Store | undefined, key: string, make: () => T): T {
  const kept = store?.get(key) as T | undefined;
  if (kept !== undefined) return kept;
  const value = make();
  store?.put(key, value);
  return value;
}
