/**
 * The last few results of slow work by key, so that a set is read or drawn once however many plans use it. A failure
 * is not kept: the file may be there next time.
 */
export class Recent<T> {
  private readonly most: number;
  /** Oldest first. */
  private readonly kept = new Map<string, Promise<T>>();

  constructor(most: number) {
    this.most = most;
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const value = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, value);
    value.catch(() => {
      if (this.kept.get(key) === value) this.kept.delete(key);
    });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      this.kept.delete(oldest);
    }
    return value;
  }
}
