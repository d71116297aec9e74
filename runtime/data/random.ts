/**
 * Random numbers by counting: a value is a hash of a key (two u32 words) and a counter, so any row of any set can be
 * drawn without drawing those before it, and the same key gives the same numbers on every machine.
 * Statistical quality is that of two rounds of a 32-bit finaliser: enough for data, not for secrets.
 */

/** Two words, so that even millions of keys do not meet. */
export interface Key {
  readonly a: number;
  readonly b: number;
}

/** A bijection of the u32 numbers (lowbias32). */
export function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The key of a list of whole numbers (each counts with 64 bits), for example (purpose, seed, row). */
export function keyOf(...words: readonly number[]): Key {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  for (const word of words) {
    const low = word >>> 0;
    const high = Math.floor(word / 2 ** 32) >>> 0;
    a = mix(mix(a ^ low) + high);
    b = mix(mix((b + Math.imul(low, 0x9e3779b9)) >>> 0) ^ (high + a));
  }
  return { a, b };
}

/** The numbers of one key, one after another. */
export class Draws {
  private readonly a: number;
  private readonly b: number;
  private count = 0;

  constructor(key: Key) {
    this.a = key.a;
    this.b = key.b;
  }

  u32(): number {
    return mix(mix((this.a + this.count++) >>> 0) ^ this.b);
  }

  /** In [from, to), 32 bits fine. */
  uniform(from = 0, to = 1): number {
    return from + (this.u32() / 2 ** 32) * (to - from);
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor((this.u32() / 2 ** 32) * n);
  }

  /** Box and Muller; the second value of each pair is not kept, so a draw always costs two counts. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.u32() + 1) / 2 ** 32));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/** A permutation of 0..n-1 (Fisher and Yates). */
export function permutation(n: number, key: Key): Uint32Array {
  const draws = new Draws(key);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const j = draws.below(i + 1);
    order[i] = order[j] as number;
    order[j] = i;
  }
  return order;
}
