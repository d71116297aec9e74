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
