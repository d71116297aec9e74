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

interface Points {
  readonly steps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** At most so many points: of each bin its lowest and its highest, at its ends, so that curves of the same steps stay so. */
export function thinned(steps: ArrayLike<number>, values: ArrayLike<number>, most: number): Points {
  const { length } = steps;
  if (length <= most) return { steps, values };
  const bins = Math.floor(most / 2);
  const thin = { steps: new Float64Array(2 * bins), values: new Float64Array(2 * bins) };
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * length) / bins);
    const end = Math.floor(((bin + 1) * length) / bins);
    let [low, high] = [from, from];
    for (let i = from; i < end; i++) {
      // a number is lower, and higher, than what is none
      if (!(values[i]! >= values[low]!) && !Number.isNaN(values[i]!)) low = i;
      if (!(values[i]! <= values[high]!) && !Number.isNaN(values[i]!)) high = i;
    }
    thin.steps.set([steps[from]!, steps[end - 1]!], 2 * bin);
    thin.values.set([values[Math.min(low, high)]!, values[Math.max(low, high)]!], 2 * bin);
  }
  return thin;
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
