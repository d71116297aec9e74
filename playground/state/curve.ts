/**
 * One series of a plot. Above its room, neighbours are joined to bins that keep their lowest and highest value, so that
 * a spike is never thinned away.
 */
import type { SeriesPart } from "../../runtime/index.ts";

const ROOM = 20_000;

export class Curve {
  steps: number[] = [];
  values: number[] = [];

  add(steps: ArrayLike<number>, values: ArrayLike<number>): void {
    for (let i = 0; i < steps.length; i++) {
      this.steps.push(steps[i]!);
      this.values.push(values[i]!);
    }
    if (this.steps.length > ROOM) this.thin();
  }

  /** Without what came behind a step. */
  cut(step: number): void {
    let end = this.steps.length;
    while (end > 0 && this.steps[end - 1]! > step) end--;
    this.steps.length = this.values.length = end;
  }

  /** Of each four points the lowest and the highest stay, in their order. */
  private thin(): void {
    const steps: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < this.steps.length; i += 4) {
      const end = Math.min(i + 4, this.steps.length);
      let low = i;
      let high = i;
      for (let k = i; k < end; k++) {
        // what is no number takes the place of the lowest
        const value = this.values[k]!;
        if (Number.isNaN(value) || value < this.values[low]!) low = k;
        if (!(value <= this.values[high]!) && !Number.isNaN(value)) high = k;
      }
      for (const k of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
        steps.push(this.steps[k]!);
        values.push(this.values[k]!);
      }
    }
    [this.steps, this.values] = [steps, values];
  }

  get last(): number | undefined {
    return this.values.at(-1);
  }
}

/** The exponential mean with its start corrected, as optimizers have it; what is not a number is passed over. */
export function smoothed(values: readonly number[], keep: number): number[] {
  let mean = 0;
  let weight = 0;
  return values.map((value) => {
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
