/** Whether a lesson's goal is reached, from what the page knows anyway: the text, the curves, the inputs. */
import type { Curve } from "../state/curve.ts";
import type { Check, Lesson } from "./lessons.ts";

export interface Facts {
  readonly text: string;
  /** Mistakes in the newest text. */
  readonly errors: number;
  readonly step: number;
  readonly curves: ReadonlyMap<string, Curve>;
  /** Inputs that the person has set. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Part {
  readonly check: Check;
  readonly holds: boolean;
  /** What the curve is at, where one is asked for. */
  readonly now?: number;
}
export interface Reached {
  readonly done: boolean;
  readonly parts: readonly Part[];
}

/** A single lucky batch reaches no goal: the mean of so many values does. */
const LAST = 10;

export function goalOf({ checks }: Lesson, facts: Facts): Reached {
  const parts = checks.map((check) => ({ check, ...partOf(check, facts) }));
  return { done: facts.errors === 0 && parts.every(({ holds }) => holds), parts };
}

function partOf(check: Check, facts: Facts): { holds: boolean; now?: number } {
  if ("source" in check) return { holds: check.source.test(facts.text) };
  if ("without" in check) return { holds: !check.without.test(facts.text) };
  if ("moved" in check) return { holds: facts.values[check.moved] !== undefined };
  if ("checks" in check) return { holds: facts.errors === 0 };
  const points = facts.curves.get(check.curve);
  if (!points || points.values.length < LAST) return { holds: false };
  const reaches = (mean: number) => mean < (check.below ?? Infinity) && mean > (check.above ?? -Infinity);
  const now = meanBefore(points.values, points.values.length);
  if (check.within === undefined) return { holds: facts.step >= (check.from ?? 0) && reaches(now), now };
  const late = points.steps.findIndex((step) => step > check.within!);
  const count = late < 0 ? points.steps.length : late;
  for (let end = LAST; end <= count; end++) if (reaches(meanBefore(points.values, end))) return { holds: true, now };
  return { holds: false, now };
}

/** The mean of the values that end before a place. */
function meanBefore(values: ArrayLike<number>, end: number): number {
  let sum = 0;
  for (let i = end - LAST; i < end; i++) sum += values[i]!;
  return sum / LAST;
}
