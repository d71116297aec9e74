/**
 * The toy sets, drawn from their arguments: row i depends on the seed and i alone. Fields are `x` and, for a line, `y`,
 * else `label`. Waves and sequences stand in sequences.ts.
 */
import { numberArg, numbersArg } from "../../lang/check/sources.ts";
import type { SourceRef } from "../../lang/program.ts";
import { Draws, keyOf } from "./random.ts";
import { sequenceTable } from "./sequences.ts";
import type { Table } from "./table.ts";

type Point = readonly [x0: number, x1: number, label: number];

/** Labels go round: row i has class i mod the classes. */
const planes: Readonly<Record<string, (ref: SourceRef, draws: Draws, row: number) => Point>> = {
  "toy.moons": (ref, draws, row) => {
    const label = row % 2;
    const angle = Math.PI * draws.uniform();
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    return withNoise(ref, draws, label === 0 ? [x, y, label] : [1 - x, 0.5 - y, label]);
  },
  "toy.spirals": (ref, draws, row) => {
    const classes = numberArg(ref, "classes");
    const label = row % classes;
    // The root spreads the points evenly along the arm; one and a half turns.
    const radius = Math.sqrt(draws.uniform(0.01, 1));
    const angle = 3 * Math.PI * radius + (2 * Math.PI * label) / classes;
    // Noise is as wide as on the other sets, whose extent is about twice that of a unit disc.
    return withNoise(ref, draws, [2 * radius * Math.cos(angle), 2 * radius * Math.sin(angle), label]);
  },
  "toy.rings": (ref, draws, row) => {
    const label = row % numberArg(ref, "classes");
    const angle = draws.uniform(0, 2 * Math.PI);
    const radius = label + 1;
    return withNoise(ref, draws, [radius * Math.cos(angle), radius * Math.sin(angle), label]);
  },
  "toy.gaussians": (ref, draws, row) => {
    const classes = numberArg(ref, "classes");
    const label = row % classes;
    const angle = (2 * Math.PI * label) / classes;
    return withNoise(ref, draws, [2 * Math.cos(angle), 2 * Math.sin(angle), label]);
  },
  "toy.xor": (ref, draws) => {
    const [x, y] = [draws.uniform(-1, 1), draws.uniform(-1, 1)];
    return withNoise(ref, draws, [x, y, x > 0 === y > 0 ? 0 : 1]);
  },
};

/** Undefined for a source that is not a toy. */
export function toyTable(ref: SourceRef): Table | undefined {
  if (ref.name === "toy.linear") return linear(ref);
  const plane = planes[ref.name];
  if (!plane) return sequenceTable(ref);
  const rows = numberArg(ref, "n");
  const x = new Float32Array(rows * 2);
  const label = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [x0, x1, c] = plane(ref, new Draws(keyOf(0x7031, numberArg(ref, "seed"), row)), row);
    x[2 * row] = x0;
    x[2 * row + 1] = x1;
    label[row] = c;
  }
  return { rows, columns: { x: { data: x, shape: [2] }, label: { data: label, shape: [] } } };
}

function linear(ref: SourceRef): Table {
  const rows = numberArg(ref, "n");
  const w = numbersArg(ref, "w");
  const b = numberArg(ref, "b");
  const noise = numberArg(ref, "noise");
  const x = new Float32Array(rows * w.length);
  const y = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const draws = new Draws(keyOf(0x7032, numberArg(ref, "seed"), row));
    let sum = b;
    w.forEach((weight, k) => {
      const value = Math.fround(10 * draws.normal());
      x[row * w.length + k] = value;
      sum += weight * value;
    });
    y[row] = sum + noise * draws.normal();
  }
  return { rows, columns: { x: { data: x, shape: [w.length] }, y: { data: y, shape: [] } } };
}

function withNoise(ref: SourceRef, draws: Draws, [x, y, label]: Point): Point {
  const noise = numberArg(ref, "noise");
  return [x + noise * draws.normal(), y + noise * draws.normal(), label];
}
