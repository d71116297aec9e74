/**
 * What was made once from the same things is not made again: values kept by a text that says all of what they were made
 * from, for as long as the store likes. One on a disk outlives the process.
 */
export interface Store {
  /** A copy of its own of what was put under this text; undefined when there is none. */
  get(key: string): unknown;
  /** Plain data, which nobody changes afterwards. */
  put(key: string, value: unknown): void;
}
