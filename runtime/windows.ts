/**
 * Windows: what a metric has seen since its reader last looked. One window holds every fold of a block for one
 * reader; sums are kept in float64. Tensors fold element by element.
 */
import type { Numbers } from "../gpu/device.ts";
import type { Fold } from "../lang/program.ts";

/** What one segment of a tick read back, with the rows it came from (the weight of an `avg`). */
export interface Reading {
  readonly fetched: Readonly<Record<string, Numbers>>;
  readonly rows: number;
}

export type Values = ArrayLike<number>;

interface Cell {
  /** Weighted for `avg`. */
  readonly values: Float64Array;
  /** One weight for all elements, or one each. */
  readonly weight: Float64Array;
}

export class Window {
  private readonly folds: ReadonlyMap<string, Fold>;
  private readonly cells = new Map<string, Cell>();

  constructor(folds: readonly Fold[]) {
    this.folds = new Map(folds.map((fold) => [fold.name, fold]));
  }

  copy(): Window {
    const window = new Window([...this.folds.values()]);
    for (const [name, { values, weight }] of this.cells)
      window.cells.set(name, { values: values.slice(), weight: weight.slice() });
    return window;
  }

  reset(): void {
    this.cells.clear();
  }

  add(readings: readonly Reading[]): void {
    for (const fold of this.folds.values()) {
      for (const reading of readings) {
        const values = reading.fetched[fold.fetch];
        if (values === undefined) continue;
        const weight = fold.weight === undefined ? [reading.rows] : (reading.fetched[fold.weight] ?? [reading.rows]);
        this.gather(fold, values, weight);
      }
    }
  }

  /** Forgets what this tick measures anew: the window of the latest values. */
  replace(readings: readonly Reading[]): void {
    for (const fold of this.folds.values())
      if (readings.some((reading) => reading.fetched[fold.fetch] !== undefined)) this.cells.delete(fold.name);
    this.add(readings);
  }

  /** Undefined before a first value. */
  value(name: string): Values | undefined {
    const cell = this.cells.get(name);
    if (!cell) return undefined;
    if (this.folds.get(name)?.how !== "avg") return cell.values;
    return cell.values.map((sum, i) => sum / at(cell.weight, i));
  }

  has(name: string): boolean {
    return this.folds.has(name);
  }

  /** One batch after the other. */
  private collect(name: string, values: Values): void {
    const before = this.cells.get(name)?.values ?? new Float64Array(0);
    const all = new Float64Array(before.length + values.length);
    all.set(before);
    all.set(values, before.length);
    this.cells.set(name, { values: all, weight: new Float64Array(0) });
  }

  private gather(fold: Fold, values: Values, weight: Values): void {
    if (fold.how === "collect") return this.collect(fold.name, values);
    let cell = this.cells.get(fold.name);
    const first = cell === undefined;
    // `last` may change its length with the short batch; the other folds may not.
    if (cell === undefined || (fold.how === "last" && cell.values.length !== values.length)) {
      cell = { values: new Float64Array(values.length), weight: new Float64Array(weight.length) };
      this.cells.set(fold.name, cell);
    }
    if (cell.values.length !== values.length)
      throw new Error(`fold ${fold.name}: expected ${cell.values.length} values, got ${values.length}`);
    const out = cell.values;
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number;
      const old = out[i] as number;
      if (fold.how === "avg") out[i] = old + x * at(weight, i);
      else if (fold.how === "total") out[i] = old + x;
      else if (fold.how === "last" || first) out[i] = x;
      else out[i] = fold.how === "lowest" ? Math.min(old, x) : Math.max(old, x);
    }
    for (let i = 0; i < cell.weight.length; i++) cell.weight[i] = (cell.weight[i] as number) + at(weight, i);
  }
}

function at(values: Values, i: number): number {
  return values[values.length === 1 ? 0 : i] as number;
}
