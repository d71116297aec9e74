/**
 * How params and their gradients went: for each, what it measured at each look. Above its room, two neighbours become one
 * that keeps the greater, so that a burst is never thinned away.
 */
import type { Stats } from "../../runtime/index.ts";

export type Measure = "size" | "std" | "mean";

/** The root of the mean of the squares: the norm for each element, so that layers of any size can be compared. */
export const rms = ({ mean, std, finite, count }: Stats): number => (finite < count ? NaN : Math.hypot(mean, std));
export const normOf = (stats: Stats): number => rms(stats) * Math.sqrt(stats.count);

export const measures: Readonly<Record<Measure, (stats: Stats) => number>> = {
  size: rms,
  std: ({ std, finite, count }) => (finite < count ? NaN : std),
  mean: ({ mean, finite, count }) => (finite < count ? NaN : mean),
};

export interface Looked {
  readonly step: number;
  readonly stats: Stats;
}

const ROOM = 240;

export class Track {
  looks: readonly Looked[] = [];

  add(step: number, stats: Stats): void {
    const last = this.looks.at(-1)?.step ?? -1;
    // another run began, or the same step is seen again
    const before = step < last ? [] : step === last ? this.looks.slice(0, -1) : this.looks;
    // a list of its own each time, so that who draws knows
    this.looks = [...before, { step, stats }];
    if (this.looks.length <= ROOM) return;
    const kept: Looked[] = [];
    for (let i = 0; i < this.looks.length; i += 2) {
      const [a, b = a] = this.looks.slice(i, i + 2);
      // what is no number is never less
      kept.push({ step: a!.step, stats: rms(b!.stats) <= rms(a!.stats) ? a!.stats : b!.stats });
    }
    this.looks = kept;
  }

  get last(): Stats | undefined {
    return this.looks.at(-1)?.stats;
  }
}

export type Alarm = "vanishing" | "exploding" | "not finite" | "nothing";

const FLOOR = 1e-7;
const APART = 1e-4;
const CEILING = 1e3;

/** Of a gradient beside the greatest of the layers; sizes are root mean squares. */
export function alarmOf(size: number | undefined, greatest: number): Alarm | undefined {
  if (size === undefined) return undefined;
  if (!Number.isFinite(size)) return "not finite";
  if (size === 0) return "nothing";
  if (size > CEILING) return "exploding";
  return size < FLOOR || size < APART * greatest ? "vanishing" : undefined;
}
