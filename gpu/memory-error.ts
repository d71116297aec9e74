/** A device has no room for what it was asked to hold: the user's program is too large, not a mistake of ours. */
export class MemoryError extends Error {
  /** Bytes that it would hold in all. */
  readonly need: number;
  /** Bytes that it can hold at most. */
  readonly limit: number;
  constructor(need: number, limit: number) {
    super(`expected a need of at most ${Math.floor(limit / 2 ** 20)} MiB, got ${Math.ceil(need / 2 ** 20)} MiB`);
    this.need = need;
    this.limit = limit;
  }
}
