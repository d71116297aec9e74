/**
 * Toy sets of waves and sequences: sines to fit and to forecast, the adding problem and copying from memory (Hochreiter
 * and Schmidhuber, Long short-term memory, 1997), reversing, and tasks of few points each (Finn et al., Model-agnostic
 * meta-learning, 2017). Row i depends on the seed and i alone.
 */
import { numberArg } from "../../lang/check/sources.ts";
import type { SourceRef } from "../../lang/program.ts";
import { Draws, keyOf } from "./random.ts";
import type { Column, Table } from "./table.ts";

/** Numbers of one row: fills its places in the columns. */
type Fill = (draws: Draws, row: number, out: Readonly<Record<string, Column["data"]>>) => void;
type Shape = readonly ["f32" | "i32", ...number[]];

interface Recipe {
  readonly purpose: number;
  readonly columns: Readonly<Record<string, Shape>>;
  readonly fill: Fill;
}

const recipes: Readonly<Record<string, (ref: SourceRef) => Recipe>> = {
  "toy.sine": (ref) => ({
    purpose: 0x7033,
    columns: { x: ["f32", 1], y: ["f32"] },
    fill: (draws, _row, { x, y }) => {
      const at = Math.fround(draws.uniform(-Math.PI, Math.PI));
      x![0] = at;
      y![0] = Math.sin(at) + numberArg(ref, "noise") * draws.normal();
    },
  }),
  "toy.series": (ref) => ({
    purpose: 0x7034,
    columns: { x: ["f32"] },
    fill: (draws, row, { x }) => {
      x![0] = Math.sin((2 * Math.PI * row) / numberArg(ref, "period")) + numberArg(ref, "noise") * draws.normal();
    },
  }),
  "toy.adding": (ref) => {
    const length = numberArg(ref, "length");
    return {
      purpose: 0x7035,
      columns: { x: ["f32", length, 2], y: ["f32"] },
      fill: (draws, _row, { x, y }) => {
        for (let t = 0; t < length; t++) x![2 * t] = draws.uniform();
        const half = length >> 1;
        const marked = [draws.below(half), half + draws.below(length - half)];
        for (const t of marked) x![2 * t + 1] = 1;
        y![0] = marked.reduce((sum, t) => sum + x![2 * t]!, 0);
      },
    };
  },
  "toy.copy": (ref) => {
    const [length, symbols, delay] = [numberArg(ref, "length"), numberArg(ref, "symbols"), numberArg(ref, "delay")];
    const places = 2 * length + delay;
    return {
      purpose: 0x7036,
      columns: { x: ["i32", places], y: ["i32", places] },
      fill: (draws, _row, { x, y }) => {
        for (let t = 0; t < length; t++) x![t] = y![length + delay + t] = 1 + draws.below(symbols);
        x![length + delay - 1] = symbols + 1;
      },
    };
  },
  "toy.reverse": (ref) => {
    const length = numberArg(ref, "length");
    return {
      purpose: 0x7037,
      columns: { x: ["i32", length], y: ["i32", length] },
      fill: (draws, _row, { x, y }) => {
        for (let t = 0; t < length; t++) x![t] = y![length - 1 - t] = 1 + draws.below(numberArg(ref, "symbols"));
      },
    };
  },
  "toy.tasks": (ref) => {
    const [shots, queries] = [numberArg(ref, "shots"), numberArg(ref, "queries")];
    return {
      purpose: 0x7038,
      columns: { xs: ["f32", shots, 1], ys: ["f32", shots, 1], xq: ["f32", queries, 1], yq: ["f32", queries, 1] },
      fill: (draws, _row, { xs, ys, xq, yq }) => {
        const amplitude = draws.uniform(0.1, 5);
        const phase = draws.uniform(0, Math.PI);
        const points = (x: Column["data"], y: Column["data"]): void => {
          for (let k = 0; k < x.length; k++) {
            x[k] = draws.uniform(-5, 5);
            y[k] = amplitude * Math.sin(x[k]! + phase);
          }
        };
        points(xs!, ys!);
        points(xq!, yq!);
      },
    };
  },
};

/** Undefined for a source that is none of these. */
export function sequenceTable(ref: SourceRef): Table | undefined {
  const recipe = recipes[ref.name]?.(ref);
  if (!recipe) return undefined;
  const rows = numberArg(ref, "n");
  const columns: Record<string, Column> = {};
  const widths: Record<string, number> = {};
  for (const [name, [dtype, ...shape]] of Object.entries(recipe.columns)) {
    const width = shape.reduce((product, size) => product * size, 1);
    widths[name] = width;
    columns[name] = { shape, data: dtype === "i32" ? new Int32Array(rows * width) : new Float32Array(rows * width) };
  }
  for (let row = 0; row < rows; row++) {
    const out = Object.fromEntries(
      Object.entries(columns).map(([name, { data }]) => {
        const width = widths[name]!;
        return [name, data.subarray(row * width, (row + 1) * width)];
      }),
    );
    recipe.fill(new Draws(keyOf(recipe.purpose, numberArg(ref, "seed"), row)), row, out);
  }
  return { rows, columns };
}
