/** One series of a plot: all points, thinned above its room so that no spike is lost. */
import type { SeriesPart } from "../../runtime/index.ts";
// by itself: the door of the runtime brings its compiler along
import { PointList } from "../../runtime/sinks/series.ts";

const ROOM = 20_000;

export class Curve {
  private list = new PointList(ROOM);

  add(steps: ArrayLike<number>, values: ArrayLike<number>): void {
    for (let i = 0; i < steps.length; i++) this.list.add(steps[i]!, values[i]!);
  }

  /** Without what came behind a step. */
  cut(step: number): void {
    const { steps, values } = this;
    const behind = steps.findLastIndex((each) => each <= step) + 1;
    this.list = new PointList(ROOM);
    this.add(steps.subarray(0, behind), values.subarray(0, behind));
  }

  /** Views of what is there; they hold until the next point. */
  get steps(): Float64Array {
    return this.list.points.steps;
  }
  get values(): Float64Array {
    return this.list.points.values;
  }
  get last(): number | undefined {
    return this.values.at(-1);
  }
}

/** The exponential mean with its start corrected, as optimizers have it; what is not a number is passed over. */
export function smoothed(values: ArrayLike<number>, keep: number): number[] {
  let mean = 0;
  let weight = 0;
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return value;
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return mean / weight;
  });
}

/** New points to the curves they belong to, by the name that is shown; whether there were any. `plot` chooses what is drawn of the steps. */
export function addPoints(curves: Map<string, Curve>, series: readonly SeriesPart[]): boolean {
  const drawn = series.filter(({ kind }) => kind === "plot" || kind === "epoch" || kind === "eval");
  for (const { kind, label, block, run, steps, values } of drawn) {
    const name = (kind === "epoch" ? `${block}.` : "") + label + (run === undefined ? "" : ` (${run})`);
    let curve = curves.get(name);
    if (!curve) curves.set(name, (curve = new Curve()));
    curve.add(steps, values);
  }
  return drawn.length > 0;
}
