/** What a panel says of many numbers at a glance. NaN and the infinities are counted out. */
export interface Stats {
  readonly count: number;
  /** Numbers that are neither NaN nor infinite; the rest of the statistics is of these, NaN where there are none. */
  readonly finite: number;
  readonly mean: number;
  /** Of all numbers, not of a sample. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** How many are in each of `BINS` parts of equal width from `min` to `max`; the last holds `max` too. */
  readonly bins: readonly number[];
}

export const BINS = 32;

export function statsOf(values: ArrayLike<number>): Stats {
  let [finite, sum, min, max] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    finite++;
    sum += x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  const count = values.length;
  const bins = new Array<number>(BINS).fill(0);
  if (finite === 0) return { count, finite, mean: NaN, std: NaN, min: NaN, max: NaN, bins };
  const mean = sum / finite;
  let squares = 0;
  const perBin = max > min ? BINS / (max - min) : 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    squares += (x - mean) ** 2;
    bins[Math.min(BINS - 1, Math.floor((x - min) * perBin))]!++;
  }
  return { count, finite, mean, std: Math.sqrt(squares / finite), min, max, bins };
}
