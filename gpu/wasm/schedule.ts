/**
 * How a `rows` kernel is laid over four lanes: the order of its loops and the axis that vectors run along, either one
 * grid axis for the whole kernel or, stage by stage, the innermost of the inner axes. The cheapest estimate wins.
 * Also tells where in the loop nest each value belongs.
 */
import type { Access, RowsKernel } from "../kernel.ts";

export interface Schedule {
  /** Loop order; the vector axis, if it is one of the grid, is last. */
  readonly grid: readonly number[];
  /** Loop order of each stage's inner axes. */
  readonly inner: readonly (readonly number[])[];
  /** The grid axis that vectors run along. */
  readonly vector: number | undefined;
  /** Vectors side by side along it: they share what lies between two trips of the loops inside, cache lines above all. */
  readonly vectors: number;
  /** By stage: its innermost loop takes four trips at once, whose vectors along it turn into lanes. */
  readonly turns: readonly boolean[];
  readonly places: readonly Place[];
  /** Axes each value depends on. */
  readonly depends: readonly ReadonlySet<number>[];
  /** By value: differs between lanes. */
  readonly varies: readonly boolean[];
}

export type Place =
  /** Inside the first `depth` grid loops. */
  | { readonly at: "grid"; readonly depth: number }
  /** At a grid point, after `phase` stages. */
  | { readonly at: "row"; readonly phase: number }
  /** Inside the first `depth` loops of a stage. */
  | { readonly at: "inner"; readonly stage: number; readonly depth: number };

const COSTS: Readonly<Record<string, number>> = {
  exp: 12,
  log: 14,
  log1p: 18,
  half: 12,
  tanh: 18,
  erf: 20,
  sin: 30,
  cos: 30,
  pow: 90,
  div: 3,
};

const axesOfValues = new WeakMap<RowsKernel, readonly ReadonlySet<number>[]>();

/** Axes every value depends on; a running value keeps what its summands depend on beside the stage's axes. */
export function dependencies(kernel: RowsKernel): readonly ReadonlySet<number>[] {
  let found = axesOfValues.get(kernel);
  if (!found) axesOfValues.set(kernel, (found = dependenciesOf(kernel)));
  return found;
}

function dependenciesOf(kernel: RowsKernel): readonly ReadonlySet<number>[] {
  const out: ReadonlySet<number>[] = [];
  for (const value of kernel.values) {
    const own = new Set<number>();
    for (const arg of value.args) for (const axis of out[arg] ?? []) own.add(axis);
    if (value.op === "axis") own.add(value.axis);
    if (value.op === "load") {
      for (const [axis] of value.access.terms) own.add(axis);
      for (const [v] of value.access.dynamic) for (const axis of out[v] ?? []) own.add(axis);
    }
    if (value.op === "acc") {
      const stage = kernel.stages[value.stage];
      const acc = stage?.accs[value.acc];
      if (!stage || !acc) throw new Error(`expected stage ${value.stage} to have accumulator ${value.acc}`);
      for (const v of [acc.value, acc.at]) {
        if (v !== undefined) for (const axis of out[v] ?? []) if (!stage.axes.includes(axis)) own.add(axis);
      }
    }
    out.push(own);
  }
  return out;
}

/** The last stage whose accumulators a value needs, directly or not; -1 for none. */
function lastStages(kernel: RowsKernel): number[] {
  const out: number[] = [];
  for (const value of kernel.values) {
    let last = value.op === "acc" ? value.stage : -1;
    for (const arg of value.args) last = Math.max(last, out[arg] ?? -1);
    if (value.op === "load") for (const [v] of value.access.dynamic) last = Math.max(last, out[v] ?? -1);
    out.push(last);
  }
  return out;
}

export function placesOf(
  kernel: RowsKernel,
  depends: readonly ReadonlySet<number>[],
  grid: readonly number[],
  inner: readonly (readonly number[])[],
): Place[] {
  const last = lastStages(kernel);
  return kernel.values.map((_, v): Place => {
    const axes = depends[v] ?? new Set<number>();
    for (let stage = 0; stage < inner.length; stage++) {
      const order = inner[stage] ?? [];
      const depth = order.reduce((deep, axis, i) => (axes.has(axis) ? i + 1 : deep), 0);
      if (depth > 0) return { at: "inner", stage, depth };
    }
    if ((last[v] ?? -1) >= 0) return { at: "row", phase: (last[v] ?? 0) + 1 };
    const depth = grid.reduce((deep, axis, i) => (axes.has(axis) ? i + 1 : deep), 0);
    return depth === grid.length ? { at: "row", phase: 0 } : { at: "grid", depth };
  });
}

/** Step of an access along an axis in elements; undefined when a computed index varies along it. */
export function strideAlong(access: Access, axis: number, depends: readonly ReadonlySet<number>[]): number | undefined {
  if (access.dynamic.some(([v]) => depends[v]?.has(axis))) return undefined;
  return access.terms.find(([a]) => a === axis)?.[1] ?? 0;
}

const coefOf = (access: Access, axis: number | undefined) => access.terms.find(([a]) => a === axis)?.[1] ?? 0;

function accessCost(access: Access, axis: number, depends: readonly ReadonlySet<number>[]): number {
  const stride = strideAlong(access, axis, depends);
  if (stride === undefined) return 12;
  if (stride === 0 || stride === 1) return 1;
  return stride === -1 || stride % 1 !== 0 ? 2 : 6;
}

/** Two vectors give every second number of one. */
const loadCost = (access: Access, axis: number, depends: readonly ReadonlySet<number>[]): number =>
  strideAlong(access, axis, depends) === 2 ? 3 : accessCost(access, axis, depends);

/** The same where four trips of the innermost loop may share whole vectors. */
const TURNED = 3;

/** Shorter innermost loops do not take four trips at once. */
const TRIPS = 16;

/** An access along the innermost axis of a stage, while the lanes are grid points that lie apart. */
const turnsAlong = (access: Access, vector: number, inner: number | undefined): boolean =>
  access.dynamic.length === 0 && Math.abs(coefOf(access, vector)) > 1 && coefOf(access, inner) === 1;

/** Whether an access of the innermost loop at a place may be turned. */
export function turnable(access: Access, plan: Schedule, place: Place): boolean {
  if (plan.vector === undefined || place.at !== "inner") return false;
  const order = plan.inner[place.stage] ?? [];
  return place.depth === order.length && turnsAlong(access, plan.vector, order.at(-1));
}

/** Most values of a kernel whose loops hold several copies of them. */
const MOST_VALUES = 160;

/** Vectors side by side: as many as a cache line holds where trips of an inner loop jump over lines. */
function vectorsOf(kernel: RowsKernel, plan: Omit<Schedule, "vectors" | "turns">): number {
  const { vector, grid, inner, places } = plan;
  if (vector === undefined || kernel.values.length > MOST_VALUES) return 1;
  const extent = kernel.axes[vector] ?? 1;
  const jumps = kernel.values.some((value, v) => {
    const place = places[v];
    if (value.op !== "load" || place?.at !== "inner" || value.access.dynamic.length > 0) return false;
    const order = inner[place.stage] ?? [];
    if (place.depth < order.length || order.reduce((n, axis) => n * (kernel.axes[axis] ?? 1), 1) < TRIPS) return false;
    return coefOf(value.access, vector) === 1 && Math.abs(coefOf(value.access, order.at(-1))) >= 8;
  });
  if (!jumps) return 1;
  // the outermost loop is what threads share
  const parts = grid.length === 1 ? 2 : 1;
  return [4, 2].find((n) => extent % (4 * n) === 0 && extent / (4 * n) >= parts) ?? 1;
}

function turnsOf(kernel: RowsKernel, plan: Omit<Schedule, "vectors" | "turns">): boolean[] {
  const { vector, inner, places } = plan;
  return kernel.stages.map((stage, s) => {
    const axis = inner[s]?.at(-1);
    if (vector === undefined || axis === undefined || kernel.values.length > MOST_VALUES) return false;
    if ((kernel.axes[axis] ?? 1) < TRIPS || (kernel.axes[vector] ?? 1) < 4) return false;
    const turned = (access: Access) => turnsAlong(access, vector, axis);
    return (
      stage.stores.some((store) => turned(store.access)) ||
      kernel.values.some((value, v) => {
        const place = places[v];
        return value.op === "load" && place?.at === "inner" && place.stage === s && turned(value.access);
      })
    );
  });
}

/** The axis moved to the end. */
const withLast = (axes: readonly number[], last: number) => [...axes.filter((a) => a !== last), last];

const known = new WeakMap<RowsKernel, Schedule>();

export function schedule(kernel: RowsKernel): Schedule {
  const before = known.get(kernel);
  if (before) return before;
  const made = cheapest(kernel);
  known.set(kernel, made);
  return made;
}

function cheapest(kernel: RowsKernel): Schedule {
  const depends = dependencies(kernel);
  const gridAxes = kernel.axes.map((_, i) => i).slice(0, kernel.grid);
  const extent = (axis: number) => kernel.axes[axis] ?? 1;

  const estimate = (grid: readonly number[], inner: readonly (readonly number[])[], vector: number | undefined) => {
    const places = placesOf(kernel, depends, grid, inner);
    const vectorOf = (place: Place): number | undefined => {
      if (vector !== undefined) return vector;
      return place.at === "inner" ? inner[place.stage]?.at(-1) : undefined;
    };
    const trips = (place: Place): number => {
      const vec = vectorOf(place);
      const loops = place.at === "grid" ? grid.slice(0, place.depth) : [...grid];
      if (place.at === "inner") loops.push(...(inner[place.stage] ?? []).slice(0, place.depth));
      return loops.reduce((n, axis) => n * (axis === vec ? Math.ceil(extent(axis) / 4) : extent(axis)), 1);
    };
    /** Of an access that differs between lanes. */
    const wideCost = (access: Access, place: Place, vec: number, costOf = accessCost): number => {
      const order = place.at === "inner" ? (inner[place.stage] ?? []) : [];
      const last = order.at(-1);
      const turned = vector !== undefined && last !== undefined && extent(last) >= TRIPS && extent(vector) >= 4;
      if (turned && turnsAlong(access, vector, last)) return TURNED;
      return costOf(access, vec, depends);
    };
    let cost = 0;
    kernel.values.forEach((value, v) => {
      const place = places[v];
      if (!place || value.op === "const") return;
      const vec = vectorOf(place);
      const varies = vec !== undefined && depends[v]?.has(vec);
      const unit =
        value.op === "load"
          ? varies
            ? wideCost(value.access, place, vec, loadCost)
            : 1
          : (COSTS[value.op] ?? 1) *
            (varies && value.dtype !== "f32" && (value.op === "div" || value.op === "mod") ? 8 : 1);
      cost += unit * trips(place);
    });
    kernel.stages.forEach((stage, i) => {
      const place: Place = { at: "inner", stage: i, depth: stage.axes.length };
      const vec = vectorOf(place);
      for (const store of stage.stores)
        cost += (vec === undefined ? 1 : wideCost(store.access, place, vec)) * trips(place);
      cost += stage.accs.length * trips(place);
      // putting lanes together at the end of a row
      if (vector === undefined && stage.accs.length > 0) cost += 6 * grid.reduce((n, axis) => n * extent(axis), 1);
    });
    return cost;
  };

  const innermost = kernel.stages.map((stage) => {
    let best = [...stage.axes];
    let least = Infinity;
    for (const axis of stage.axes) {
      let cost = axis === stage.axes.at(-1) ? 0 : 0.5;
      kernel.values.forEach((value, v) => {
        if (value.op === "load" && depends[v]?.has(axis)) cost += loadCost(value.access, axis, depends);
      });
      for (const store of stage.stores) cost += accessCost(store.access, axis, depends);
      cost *= (Math.ceil(extent(axis) / 4) * 4) / extent(axis);
      if (cost < least) [least, best] = [cost, withLast(stage.axes, axis)];
    }
    return best;
  });

  let grid: readonly number[] = gridAxes;
  let inner: readonly (readonly number[])[] = innermost;
  let vector: number | undefined;
  let least =
    kernel.stages.some((s) => s.axes.length > 0) || kernel.grid === 0 ? estimate(grid, inner, undefined) : Infinity;
  for (const axis of gridAxes) {
    const order = withLast(gridAxes, axis);
    const loops = kernel.stages.map((s) => s.axes);
    const cost = estimate(order, loops, axis);
    if (cost < least) {
      least = cost;
      grid = order;
      inner = loops;
      vector = axis;
    }
  }
  const places = placesOf(kernel, depends, grid, inner);
  const varies = kernel.values.map((_, v) => {
    if (vector !== undefined) return depends[v]?.has(vector) ?? false;
    const place = places[v];
    const vec = place?.at === "inner" ? inner[place.stage]?.at(-1) : undefined;
    return vec !== undefined && (depends[v]?.has(vec) ?? false);
  });
  const plan = { grid, inner, vector, places, depends, varies };
  return { ...plan, vectors: vectorsOf(kernel, plan), turns: turnsOf(kernel, plan) };
}
