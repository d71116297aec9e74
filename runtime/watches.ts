/** Conditions with memory: `best`, `stale`, `rises`. One memory per site, moved each time its reader runs. */
import { partText } from "../lang/program-text.ts";
import type { Watch } from "../lang/program.ts";

export class Memory {
  watch: Watch;
  private best = -Infinity;
  private seen = false;
  private since = 0;
  private before = false;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  /** The same memory for the same condition in another program. */
  on(watch: Watch): Memory {
    this.watch = watch;
    return this;
  }

  copy(): Memory {
    const memory = new Memory(this.watch);
    memory.best = this.best;
    memory.seen = this.seen;
    memory.since = this.since;
    memory.before = this.before;
    return memory;
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

/** Those of `known` that remember the same go on. */
export function memories(
  watches: readonly Watch[],
  known: ReadonlyMap<string, Memory> = new Map(),
): ReadonlyMap<string, Memory> {
  return new Map(
    watches.map((watch) => {
      const memory = known.get(watch.name);
      return [watch.name, memory && partText(memory.watch) === partText(watch) ? memory.on(watch) : new Memory(watch)];
    }),
  );
}
