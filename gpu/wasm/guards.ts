/**
 * Conditions under which trips of a stage's loops change nothing: where all that the stage does is to sum
 * `select(condition, x, 0)`, a part of the condition that all lanes share skips what lies inside its loop.
 */
import type { RowsKernel } from "../kernel.ts";
import type { Place, Schedule } from "./schedule.ts";

export interface Guard {
  readonly place: Place;
  /** A uniform bool: false where there is nothing to add. */
  readonly value: number;
}

/** The parts of a conjunction; what is `whole` is one, whatever it is made of. */
export function conjuncts(kernel: RowsKernel, v: number, whole: (v: number) => boolean): number[] {
  const value = kernel.values[v];
  return value?.op === "and" && !whole(v) ? value.args.flatMap((arg) => conjuncts(kernel, arg, whole)) : [v];
}

export function guardsOf(kernel: RowsKernel, plan: Schedule): Guard[] {
  return kernel.stages.flatMap((stage, s) => {
    const uniform = (v: number) => !plan.varies[v];
    if (stage.accs.length === 0 || stage.stores.length > 0 || plan.turns[s]) return [];
    const conditions = stage.accs.map((acc) => {
      const value = kernel.values[acc.value];
      const [condition, , none] = value?.args ?? [];
      const zero = none === undefined ? undefined : kernel.values[none];
      const sums = acc.op === "sum" && value?.op === "select" && zero?.op === "const" && zero.value === 0;
      return sums && condition !== undefined ? conjuncts(kernel, condition, uniform).filter(uniform) : [];
    });
    return (conditions[0] ?? []).flatMap((value): Guard[] => {
      const place = plan.places[value];
      const own = place?.at === "inner" && place.stage === s;
      return own && conditions.every((list) => list.includes(value)) ? [{ place, value }] : [];
    });
  });
}
