/** `--watch`: saves of the script and of the files that it imports, one after the other. */
import type { Source } from "../../lang/source.ts";
import type { Io } from "./io.ts";

/** Editors write a file in several steps; milliseconds. */
const SETTLE = 60;

export class Saves {
  private readonly io: Io;
  private unwatch = () => {};
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pending = false;
  private stopped = false;
  private waiting: { readonly promise: Promise<boolean>; readonly resolve: (saved: boolean) => void } | undefined;

  constructor(io: Io) {
    this.io = io;
  }

  /** Watches these files from now on; what was saved before stays to be told. */
  watch(sources: readonly Source[]): void {
    this.unwatch();
    const files = sources.map(({ file }) => file).filter((file) => !file.startsWith("stdlib/"));
    this.unwatch = this.io.watch(files, () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tell(), SETTLE);
    });
  }

  /** True at the next save, also one that nobody has waited for; false when stopped. */
  next(): Promise<boolean> {
    if (this.stopped) return Promise.resolve(false);
    if (this.pending) {
      this.pending = false;
      return Promise.resolve(true);
    }
    if (!this.waiting) {
      let resolve: (saved: boolean) => void = () => {};
      const promise = new Promise<boolean>((done) => (resolve = done));
      this.waiting = { promise, resolve };
    }
    return this.waiting.promise;
  }

  private tell(): void {
    if (this.waiting) this.waiting.resolve(true);
    else this.pending = true;
    this.waiting = undefined;
  }

  stop(): void {
    this.stopped = true;
    this.unwatch();
    clearTimeout(this.timer);
    this.waiting?.resolve(false);
    this.waiting = undefined;
  }
}
