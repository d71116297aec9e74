/**
 * The transforms of Winograd's products as matrices, and as code. A tile of `size` inputs convolved with `taps` weights
 * gives `size - taps + 1` results from `size` multiplications: by evaluation at as many points, one of them infinity
 * (Toom and Cook). Points come in pairs ±p, so rows of a transform come in pairs that share their even and odd halves.
 *   V = Bᵀ d B   U = G w Gᵀ   y = Aᵀ (V ∘ U) A
 */
import type { Fn } from "./assembler.ts";

export type Matrix = readonly (readonly number[])[];

/**
 * The positive points of a tile, by its size; 0 and infinity are always two. With √½ and √2 an error is half of that with
 * the customary 1 and 2, and within twice that of the direct sum.
 */
const POINTS: Readonly<Record<number, readonly number[]>> = { 4: [1], 6: [Math.SQRT1_2, Math.SQRT2] };

const pointsOf = (size: number): readonly number[] => {
  const points = POINTS[size];
  if (!points) throw new Error(`expected tiles of ${Object.keys(POINTS).join(" or ")}, got ${size}`);
  return [0, ...points.flatMap((p) => [p, -p])];
};

/** Coefficients of the product of (x - root), lowest first, `length` of them. */
function polynomial(roots: readonly number[], length: number): number[] {
  let out = [1];
  for (const root of roots) out = [...out, 0].map((_, i) => (out[i - 1] ?? 0) - root * (out[i] ?? 0));
  return Array.from({ length }, (_, i) => Math.fround(out[i] ?? 0));
}

const without = (points: readonly number[], j: number) => points.filter((_, l) => l !== j);

/** Bᵀ: the inputs of a tile at the points. */
export function inputMatrix(size: number): Matrix {
  const points = pointsOf(size);
  return [...points.map((_, j) => polynomial(without(points, j), size)), polynomial(points, size)];
}

/** G: weights at the points. */
export function weightMatrix(size: number, taps: number): Matrix {
  const points = pointsOf(size);
  const rows = points.map((p, j) => {
    const scale = without(points, j).reduce((n, other) => n * (p - other), 1);
    return Array.from({ length: taps }, (_, i) => Math.fround(p ** i / scale));
  });
  return [...rows, Array.from({ length: taps }, (_, i) => (i === taps - 1 ? 1 : 0))];
}

/** Aᵀ: results from the products at the points. */
export function outputMatrix(size: number, taps: number): Matrix {
  const points = pointsOf(size);
  const last = size - taps;
  return Array.from({ length: last + 1 }, (_, i) => [...points.map((p) => Math.fround(p ** i)), i === last ? 1 : 0]);
}

// ---------------------------------------------------------------- as code

/** Sums of vectors with constant factors. */
class Sums {
  private readonly f: Fn;
  private readonly madd: boolean;
  private readonly factors = new Map<number, number>();

  constructor(f: Fn, matrix: Matrix, madd: boolean) {
    this.f = f;
    this.madd = madd;
    for (const c of matrix.flat()) {
      if (rank(c) < 2 || c === 0 || this.factors.has(c)) continue;
      const local = f.local("v128");
      f.f32x4(c).set(local);
      this.factors.set(c, local);
    }
  }

  /** Pushes Σ factor · vector; false (and nothing pushed) where all factors are 0. */
  push(terms: readonly (readonly [factor: number, local: number])[]): boolean {
    const { f } = this;
    const live = terms.filter(([factor]) => factor !== 0);
    // what needs no factor goes first
    const [first, ...rest] = [...live].sort(([a], [b]) => rank(a) - rank(b));
    if (!first) return false;
    const factor = (c: number): number => this.factors.get(c) ?? 0;
    if (first[0] === 1) f.get(first[1]);
    else if (first[0] === -1) f.get(first[1]).op("f32x4.neg");
    else f.get(factor(first[0])).get(first[1]).op("f32x4.mul");
    for (const [c, local] of rest) {
      if (c === 1) f.get(local).op("f32x4.add");
      else if (c === -1) f.get(local).op("f32x4.sub");
      else if (this.madd) {
        const sum = this.sum();
        f.set(sum).get(factor(c)).get(local).get(sum).op("f32x4.relaxed_madd");
      } else f.get(factor(c)).get(local).op("f32x4.mul", "f32x4.add");
    }
    return true;
  }

  private own: number | undefined;
  private sum(): number {
    return (this.own ??= this.f.local("v128"));
  }
}

const rank = (factor: number): number => (factor === 1 ? 0 : factor === -1 ? 1 : 2);

/** out = matrix · in, all of them locals: as one map of vectors. */
class LinearMap {
  private readonly f: Fn;
  private readonly matrix: Matrix;
  private readonly sums: Sums;
  private readonly halves: readonly [number, number];
  private readonly paired: readonly number[];

  constructor(f: Fn, matrix: Matrix, madd: boolean) {
    this.f = f;
    this.matrix = matrix;
    this.sums = new Sums(f, matrix, madd);
    this.halves = [f.local("v128"), f.local("v128")];
    this.paired = (matrix[0] ?? []).map(() => f.local("v128"));
  }

  /** A matrix with more rows than columns evaluates: rows of ±p are the sum and the difference of two halves. */
  private evaluate(from: readonly number[], to: readonly number[]): void {
    const { f, matrix, sums } = this;
    const [even, odd] = this.halves;
    for (let i = 0; i < matrix.length; i++) {
      const terms = (matrix[i] ?? []).map((c, k) => [c, from[k] ?? 0] as const);
      const single = i === 0 || i === matrix.length - 1;
      if (single) {
        sums.push(terms);
        f.set(to[i] ?? 0);
        continue;
      }
      sums.push(terms.filter((_, k) => k % 2 === 0));
      f.set(even);
      sums.push(terms.filter((_, k) => k % 2 === 1));
      f.set(odd);
      f.get(even).get(odd).op("f32x4.add").set(to[i] ?? 0); // prettier-ignore
      i++;
      f.get(even).get(odd).op("f32x4.sub").set(to[i] ?? 0); // prettier-ignore
    }
  }

  /** One with more columns interpolates: it sees the sum and the difference of what stands at ±p. */
  private interpolate(from: readonly number[], to: readonly number[]): void {
    const { f, matrix, sums, paired } = this;
    const at = (list: readonly number[], i: number): number => list[i] ?? 0;
    const last = from.length - 1;
    for (let k = 1; k < last; k += 2) {
      f.get(at(from, k)).get(at(from, k + 1)).op("f32x4.add").set(at(paired, k)); // prettier-ignore
      f.get(at(from, k)).get(at(from, k + 1)).op("f32x4.sub").set(at(paired, k + 1)); // prettier-ignore
    }
    matrix.forEach((row, i) => {
      const terms = row.flatMap((c, k) => {
        if (k === 0 || k === last) return [[c, at(from, k)] as const];
        if (k % 2 === 0) return [];
        return [[c, at(paired, k + (i % 2))] as const];
      });
      sums.push(terms);
      f.set(at(to, i));
    });
  }

  write(from: readonly number[], to: readonly number[]): void {
    if (this.matrix.length >= (this.matrix[0]?.length ?? 0)) this.evaluate(from, to);
    else this.interpolate(from, to);
  }
}

/**
 * The map of a square, matrix · square · matrixᵀ. `load(l, into)` puts line l of the square into locals; `take(k, from)`
 * gets what comes out across those lines.
 */
export function square(
  f: Fn,
  matrix: Matrix,
  madd: boolean,
  load: (l: number, into: readonly number[]) => void,
  take: (k: number, from: readonly number[]) => void,
): void {
  const [rows, columns] = [matrix.length, matrix[0]?.length ?? 0];
  const map = new LinearMap(f, matrix, madd);
  const locals = (n: number) => Array.from({ length: n }, () => f.local("v128"));
  const [into, out] = [locals(columns), locals(rows)];
  const between = Array.from({ length: columns }, () => locals(rows));
  between.forEach((line, l) => {
    load(l, into);
    map.write(into, line);
  });
  for (let k = 0; k < rows; k++) {
    map.write(
      between.map((line) => line[k] ?? 0),
      out,
    );
    take(k, out);
  }
}
