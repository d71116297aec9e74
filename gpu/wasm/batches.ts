/**
 * An epilogue whose first axis takes several batches of its product, as a sequence has several heads: [b, n, …] becomes
 * [batches to a place, n / them, …], and the first axis steps of the pointers. So it runs on one batch at a time.
 */
import type { Access, DotKernel, RowsKernel, Value } from "../kernel.ts";
import { outerSteps } from "./rows.ts";

export interface Batches {
  readonly rows: RowsKernel;
  /** Places of its outermost loop, which are batches. */
  readonly count: number;
  /** By parameter: elements from one place of the axis that it lacks to the next. */
  readonly steps: readonly number[];
}

const stepOf = ({ terms }: Access, axis = 0) => terms.find(([own]) => own === axis)?.[1] ?? 0;

/** `rows` is the epilogue as it runs on all batches. */
export function byBatch({ g, m, n, out, epilogue }: DotKernel, rows: RowsKernel): Batches | undefined {
  const [first = 1, second = 1, ...others] = rows.axes;
  const count = g / first;
  const left = second / count;
  if (rows.grid < 2 || !Number.isInteger(left)) return undefined;
  if (rows.values.some((value) => value.op === "axis" && value.axis < 2)) return undefined;
  const accesses = [
    ...rows.values.flatMap((value) => (value.op === "load" ? [value.access] : [])),
    ...rows.stages.flatMap(({ stores }) => stores.map(({ access }) => access)),
  ];
  const steps = rows.params.map((_, i) => accesses.filter(({ param }) => param === i).map(stepOf)[0] ?? 0);
  const apart = (access: Access) => {
    const { param, lo, hi, dynamic } = access;
    // what lies outside of the tensor is clamped to it, from where the pointer is
    if (lo < 0 || hi >= (rows.params[param]?.size ?? 0) || dynamic.length > 0) return false;
    if (stepOf(access) !== steps[param]) return false;
    return epilogue?.params[param] !== out || (stepOf(access) === count * m * n && stepOf(access, 1) * left === m * n);
  };
  if (!accesses.every(apart)) return undefined;
  const own = (access: Access): Access => ({
    ...access,
    terms: access.terms.flatMap(([axis, by]) => {
      if (axis > 1) return [[axis, by] as const];
      return axis === 0 ? [] : [[0, by * left] as const, [1, by] as const];
    }),
  });
  const split: RowsKernel = {
    ...rows,
    axes: [count, left, ...others],
    values: rows.values.map((value): Value => (value.op === "load" ? { ...value, access: own(value.access) } : value)),
    stages: rows.stages.map((stage) => ({
      ...stage,
      stores: stage.stores.map((store) => ({ ...store, access: own(store.access) })),
    })),
  };
  const outer = outerSteps(split);
  return outer.axis === 0 && outer.unit === 1 ? { rows: split, count, steps } : undefined;
}
