/** Choices from a seed and an index, so that one mutant can be made again without those before it. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number below `n`. */
  below(n: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32, begun from both numbers mixed. */
export function random(seed: number, index: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next,
    below,
    pick: (items) => {
      if (items.length === 0) throw new Error("expected items to pick from, got none");
      return items[below(items.length)]!;
    },
  };
}
