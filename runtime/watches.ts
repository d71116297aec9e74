/** Conditions with memory: `best`, `stale`, `rises`. One memory per site, moved each time its reader runs. */
import type { Watch } from "../lang/program.ts";

export class Memory {
  readonly watch: Watch;
  private best = -Infinity;
  private seen = false;
  private since = 0;
  private before = false;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  /** Undefined (no value yet) and NaN are neither above nor true. */
  read(value: number | undefined): boolean {
    if (value === undefined) return false;
    switch (this.watch.kind) {
      case "best":
        return this.above(value);
      case "stale":
        this.since = this.above(value) ? 0 : this.since + 1;
        return this.since >= (this.watch.count ?? 1);
      case "rises": {
        const now = value !== 0 && !Number.isNaN(value);
        const rose = now && !this.before;
        this.before = now;
        return rose;
      }
    }
  }

  /** The first number is a best. */
  private above(value: number): boolean {
    if (Number.isNaN(value) || (this.seen && value <= this.best)) return false;
    this.seen = true;
    this.best = value;
    return true;
  }
}

export function memories(watches: readonly Watch[]): ReadonlyMap<string, Memory> {
  return new Map(watches.map((watch) => [watch.name, new Memory(watch)]));
}
