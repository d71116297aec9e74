/**
 * Integers that are known while code is written: where the trips of short loops are written out one by one, a condition
 * on their axes is a constant, and what it chooses for four lanes is chosen by a mask or not at all.
 */
import type { RowsKernel, Value } from "../kernel.ts";
import { conjuncts } from "./guards.ts";
import type { Schedule } from "./schedule.ts";

type Lanes = readonly number[];

/** Most trips that are written out for the sake of conditions, and most values that this makes. */
const TRIPS = 40;
const VALUES = 800;

const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  and: (a, b) => a & b,
};

const isWhole = ({ dtype }: Value): boolean => dtype === "i32" || dtype === "bool";

/** By value: whether it is made of axes and constants alone. */
function ofAxes({ values }: RowsKernel): boolean[] {
  const out: boolean[] = [];
  for (const value of values) {
    const inner = operations[value.op] !== undefined && value.args.every((arg) => out[arg]);
    out.push(isWhole(value) && (value.op === "axis" || value.op === "const" || inner));
  }
  return out;
}

/**
 * Axes of the conditions that are known once their trips are written out, if that is little code; else none. `given`:
 * conditions that hold wherever lanes are computed from them.
 */
export function writtenOut(kernel: RowsKernel, plan: Schedule, given: ReadonlySet<number>): ReadonlySet<number> {
  const { vector, grid, vectors, turns, depends, varies, inner } = plan;
  const none = new Set<number>();
  if (vector === undefined || grid[0] === vector || vectors > 1 || turns.includes(true)) return none;
  const isGiven = (v: number) => given.has(v);
  const plain = ofAxes(kernel);
  const own = new Set([vector, ...inner.flat()]);
  const axes = new Set<number>();
  for (const { op, args } of kernel.values) {
    if (op !== "select") continue;
    const left = conjuncts(kernel, args[0] ?? -1, isGiven).filter((v) => !isGiven(v));
    const axesOf = left.flatMap((v) => (plain[v] && varies[v] ? [...(depends[v] ?? [])] : [-1]));
    if (axesOf.every((axis) => own.has(axis))) axesOf.forEach((axis) => axes.add(axis));
  }
  if (!axes.has(vector)) return none;
  const extent = (axis: number) => kernel.axes[axis] ?? 1;
  const stages = inner.map((order) => order.reduce((n, axis) => (axes.has(axis) ? n * extent(axis) : n), 1));
  const trips = Math.ceil(extent(vector) / 4) * stages.reduce((a, b) => a + b, 0);
  return trips <= TRIPS && trips * kernel.values.length <= VALUES ? axes : none;
}

export class Known {
  /** By value: what four lanes have; conditions are 0 or 1. */
  readonly lanes = new Map<number, Lanes>();
  private readonly axes = new Map<number, number>();
  private readonly kernel: RowsKernel;
  private readonly plan: Schedule;
  private readonly given: ReadonlySet<number>;

  /** `given`: conditions that hold wherever lanes are computed from them. */
  constructor(kernel: RowsKernel, plan: Schedule, given: ReadonlySet<number>) {
    [this.kernel, this.plan, this.given] = [kernel, plan, given];
  }

  /** Code for one trip of an axis. */
  during(axis: number, at: number, body: () => void): void {
    this.axes.set(axis, at);
    body();
    this.axes.delete(axis);
  }

  /** Whether a value is known here; if so, nothing has to be computed. */
  settles(v: number): boolean {
    const lanes = this.find(v);
    if (lanes) this.lanes.set(v, lanes);
    else this.lanes.delete(v);
    return lanes !== undefined;
  }

  private find(v: number): Lanes | undefined {
    const value = this.kernel.values[v];
    if (!value || !isWhole(value)) return undefined;
    if (value.op === "axis") {
      const at = this.axes.get(value.axis);
      return at === undefined ? undefined : [0, 1, 2, 3].map((lane) => (this.plan.varies[v] ? at + lane : at));
    }
    const operation = operations[value.op];
    const [a, b] = value.args;
    if (!operation || a === undefined || b === undefined) return undefined;
    if (value.op === "and" && (this.given.has(a) || this.given.has(b))) return this.of(this.given.has(a) ? b : a);
    const [x, y] = [this.of(a), this.of(b)];
    return x && y ? x.map((n, lane) => operation(n, y[lane]!)) : undefined;
  }

  private of(v: number): Lanes | undefined {
    const value = this.kernel.values[v];
    if (value?.op === "const" && isWhole(value)) return [0, 1, 2, 3].map(() => value.value);
    return this.lanes.get(v);
  }
}
