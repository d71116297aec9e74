/**
 * A model's output on the plane of its two features: the grid to ask it on, around the points that it learns from, and
 * its answers read as probabilities of classes or as values.
 */
import type { Feature, Surface } from "../lang/probes/surface.ts";

/** Points of the grid along each side, and points of the data beside it. */
export const SIDE = 60;
const MOST_POINTS = 496;
/** What a model is asked at once. */
export const SURFACE_ROWS = SIDE * SIDE + MOST_POINTS;

export interface Plane {
  /** The lowest and the highest of each feature. */
  readonly low: readonly [number, number];
  readonly high: readonly [number, number];
  /** Two numbers for each point of the data. */
  readonly points: Float32Array;
  /** What each point is, where that is known. */
  readonly targets?: ArrayLike<number>;
}

export const surfaceFields = ({ fields, target }: Surface): string[] => [
  ...fields.map(({ name }) => name),
  ...(target === undefined ? [] : [target]),
];

export const surfaceData = (surface: Surface) => ({
  block: surface.block,
  fields: surfaceFields(surface),
  most: MOST_POINTS,
});

/** Around points with a margin; where they are alike in size, both axes have one scale. */
export function planeOf(features: readonly ArrayLike<number>[], targets?: ArrayLike<number>): Plane {
  const points = interleaved(features);
  const ends = [0, 1].map((k) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = k; i < points.length; i += 2) {
      const value = points[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!(low < high)) [low, high] = Number.isFinite(low) ? [low - 1, low + 1] : [-1, 1];
    return { middle: (low + high) / 2, half: 0.56 * (high - low) };
  });
  const [a, b] = ends as [(typeof ends)[0], (typeof ends)[0]];
  const alike = Math.max(a.half, b.half) < 3 * Math.min(a.half, b.half);
  const half = [a, b].map((end) => (alike ? Math.max(a.half, b.half) : end.half)) as [number, number];
  return {
    low: [a.middle - half[0], b.middle - half[1]],
    high: [a.middle + half[0], b.middle + half[1]],
    points,
    targets,
  };
}

/** One field of two numbers, or two fields of one. */
function interleaved(features: readonly ArrayLike<number>[]): Float32Array {
  const [first = [], second] = features;
  if (!second) return Float32Array.from(first);
  return Float32Array.from({ length: 2 * first.length }, (_, i) => (i % 2 === 0 ? first : second)[i >> 1]!);
}

/** The grid row by row from the highest second feature down, then the points; by the fields that the model reads. */
export function askedRows({ low, high, points }: Plane, fields: readonly Feature[]): Record<string, Float32Array> {
  const all = new Float32Array(2 * SURFACE_ROWS);
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++) {
      const at = 2 * (row * SIDE + column);
      all[at] = low[0] + ((column + 0.5) / SIDE) * (high[0] - low[0]);
      all[at + 1] = high[1] - ((row + 0.5) / SIDE) * (high[1] - low[1]);
    }
  all.set(points, 2 * SIDE * SIDE);
  const [first, second] = fields;
  if (first && !second) return { [first.name]: all };
  return Object.fromEntries(fields.map(({ name }, k) => [name, all.filter((_, i) => i % 2 === k)]));
}

export interface Painted {
  /** `classes`: probabilities, `classes` for each point of the grid. `values`: one number for each. */
  readonly kind: "classes" | "values";
  readonly field: Float32Array;
  readonly classes: number;
  /** What each class stands for, where targets are not numbers from 0. */
  readonly names: readonly number[];
  /** Of values: those of the grid and of the targets. */
  readonly range: readonly [number, number];
  /** The class, or the value, of each point of the data. */
  readonly shown?: Float32Array;
  /** Which points of the data have another class than the model says. */
  readonly wrong?: Uint8Array;
}

const MOST_CLASSES = 10;

/** `values`: what the model answers to `askedRows`. */
export function painted({ outputs, meaning }: Surface, plane: Plane, values: ArrayLike<number>): Painted {
  const { targets } = plane;
  const count = plane.points.length / 2;
  const grid = SIDE * SIDE;
  const different = targets && [...new Set(Array.from(targets))].sort((a, b) => a - b);
  const few = different !== undefined && different.length <= MOST_CLASSES && different.every(Number.isInteger);
  const names = few ? different : [];
  const isClasses = meaning !== "value" || (few && (outputs > 1 || names.length <= 2));
  if (!isClasses) {
    const field = Float32Array.from({ length: grid }, (_, i) => values[i * outputs]!);
    const shown = targets && Float32Array.from(targets);
    return { kind: "values", field, classes: 0, names: [], range: rangeOf(field, shown), shown };
  }
  const classes = outputs > 1 ? outputs : 2;
  const read = outputs > 1 ? shares(meaning) : oneNumber(meaning, names);
  const answer = (row: number): number[] => read(Array.from({ length: outputs }, (_, k) => values[row * outputs + k]!));
  const field = new Float32Array(grid * classes);
  for (let row = 0; row < grid; row++) field.set(answer(row), row * classes);
  // numbers of classes are their places; of a yes or no the two values are
  const placeOf = (target: number): number => (outputs > 1 ? target : names.indexOf(target));
  const shown = few ? Float32Array.from(targets!, placeOf) : undefined;
  const isWrong = (i: number): number => {
    const said = answer(grid + i);
    return said.indexOf(Math.max(...said)) === shown?.[i] ? 0 : 1;
  };
  const wrong = shown && names.length <= classes ? Uint8Array.from({ length: count }, (_, i) => isWrong(i)) : undefined;
  const numbers = Array.from({ length: classes }, (_, k) => k);
  const own = outputs === 1 && names.length === classes ? names : numbers;
  return { kind: "classes", field, classes, names: own, range: [0, 1], shown, wrong };
}

function rangeOf(...all: readonly (Float32Array | undefined)[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const values of all)
    for (const value of values ?? [])
      if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low < high ? [low, high] : Number.isFinite(low) ? [low - 1, low + 1] : [0, 1];
}

type Reading = (outputs: readonly number[]) => number[];

function shares(meaning: Surface["meaning"]): Reading {
  if (meaning === "prob") return (p) => [...p];
  if (meaning === "logprob") return (p) => p.map(Math.exp);
  return (scores) => {
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };
}

/** A yes or no of one number: the boundary of values is half way between the two that they are to be. */
function oneNumber(meaning: Surface["meaning"], [low = 0, high = low + 1]: readonly number[]): Reading {
  const press: Record<Surface["meaning"], (value: number) => number> = {
    scores: (z) => 1 / (1 + Math.exp(-z)),
    prob: (p) => p,
    logprob: Math.exp,
    value: (value) => Math.min(1, Math.max(0, (value - low) / (high - low))),
  };
  return ([value = NaN]) => {
    const p = press[meaning](value);
    return [1 - p, p];
  };
}
