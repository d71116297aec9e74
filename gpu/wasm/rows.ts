/**
 * A `rows` kernel as one WebAssembly function `(begin, end, pointers…)`; begin and end cut the outermost grid loop.
 * Loops follow the schedule, every value is computed once at its place in the nest, addresses grow loop by loop.
 * The lanes behind the end of an axis run the same vector code and are only kept from stores and accumulators,
 * so an element's bits do not depend on where it lies.
 */
import type { Acc, RowsKernel, Value } from "../kernel.ts";
import { Accesses } from "./accesses.ts";
import { Accumulator } from "./accumulate.ts";
import { Fn } from "./assembler.ts";
import { Operations } from "./operations.ts";
import type { HelperCalls } from "./operations.ts";
import { schedule } from "./schedule.ts";
import type { Place, Schedule } from "./schedule.ts";

/** Begin and end of the outermost loop must be multiples of this (or the extent). */
export function outerSteps(kernel: RowsKernel): {
  readonly count: number;
  readonly unit: number;
  /** The grid axis that is the outermost loop. */
  readonly axis: number | undefined;
} {
  const s = schedule(kernel);
  const outer = s.grid[0];
  if (outer === undefined) return { count: 1, unit: 1, axis: outer };
  return { count: kernel.axes[outer] ?? 1, unit: outer === s.vector ? 4 : 1, axis: outer };
}

const placeKey = (p: Place): string =>
  p.at === "grid" ? `g${p.depth}` : p.at === "row" ? `r${p.phase}` : `s${p.stage}.${p.depth}`;

export function rowsFunction(kernel: RowsKernel, helpers: HelperCalls): Fn {
  return new RowsWriter(kernel, helpers).write();
}

class RowsWriter {
  private readonly kernel: RowsKernel;
  private readonly plan: Schedule;
  private readonly f: Fn;
  private readonly ops: Operations;
  private readonly axisLocal: readonly number[];
  private readonly byPlace = new Map<string, number[]>();
  private readonly memory: Accesses;
  private readonly accumulators: Accumulator[][] = [];

  constructor(kernel: RowsKernel, helpers: HelperCalls) {
    this.kernel = kernel;
    this.plan = schedule(kernel);
    this.f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    this.axisLocal = kernel.axes.map(() => this.f.local("i32"));
    this.ops = new Operations(this.f, kernel.values, this.plan.varies, helpers, this.plan.vector === undefined);
    this.memory = new Accesses(this.f, kernel, this.plan, this.ops, this.axisLocal);
    this.plan.places.forEach((place, v) => {
      const key = placeKey(place);
      const list = this.byPlace.get(key);
      if (list) list.push(v);
      else this.byPlace.set(key, [v]);
    });
    kernel.values.forEach((value, v) => {
      if (value.op === "load") this.memory.planFor(value.access, this.plan.places[v] as Place);
    });
    kernel.stages.forEach((stage, i) => {
      const at: Place =
        stage.axes.length > 0 ? { at: "inner", stage: i, depth: stage.axes.length } : { at: "row", phase: i };
      for (const store of stage.stores) this.memory.planFor(store.access, at);
      this.accumulators.push(stage.accs.map((acc) => this.accumulator(i, acc)));
    });
  }

  private extent(axis: number): number {
    return this.kernel.axes[axis] ?? 1;
  }

  private accumulator(stage: number, acc: Acc): Accumulator {
    const order = this.plan.inner[stage] ?? [];
    const vector = this.plan.vector ?? order.at(-1);
    const wide =
      this.plan.vector === undefined
        ? order.length > 0
        : (this.plan.varies[acc.value] ?? false) || (acc.at !== undefined && (this.plan.varies[acc.at] ?? false));
    const trips = order.map((axis) => (axis === vector ? Math.ceil(this.extent(axis) / 4) : this.extent(axis)));
    const dtype = this.kernel.values[acc.value]?.dtype ?? "f32";
    return new Accumulator(this.f, this.ops, acc, dtype, wide, trips);
  }

  // ---------------------------------------------------------------- the nest

  write(): Fn {
    this.ops.constants();
    this.enter({ at: "grid", depth: 0 }, "g0");
    if (this.plan.grid.length === 0) {
      this.f
        .get(0)
        .get(1)
        .op("i32.lt_s")
        .if(() => this.row());
    } else this.gridLoop(0);
    return this.f;
  }

  /** Address steps and values of a place. */
  private enter(place: Place, key: string): void {
    this.memory.enter(key);
    for (const v of this.byPlace.get(key) ?? []) {
      const value = this.kernel.values[v] as Value;
      if (value.op === "const" || value.op === "acc") continue;
      if (value.op === "load") this.memory.load(value.access, v, place);
      else if (value.op === "axis") this.pushAxis(value.axis, this.plan.varies[v] ?? false);
      else this.ops.compute(v);
      this.ops.define(v);
    }
  }

  private pushAxis(axis: number, varies: boolean): void {
    this.f.get(this.axisLocal[axis] ?? 0);
    if (varies) this.f.op("i32x4.splat").i32x4(0, 1, 2, 3).op("i32x4.add");
  }

  /** A loop of an axis from `from` to `to` (locals or numbers). */
  private loop(axis: number, to: { local: number } | number, step: number, body: () => void): void {
    const { f } = this;
    const i = this.axisLocal[axis] ?? 0;
    f.loop(() => {
      body();
      f.get(i).i32(step).op("i32.add").tee(i);
      if (typeof to === "number") f.i32(to);
      else f.get(to.local);
      f.op("i32.lt_s").brIf(0);
    });
  }

  private gridLoop(depth: number): void {
    const { f } = this;
    const axis = this.plan.grid[depth] as number;
    const i = this.axisLocal[axis] ?? 0;
    const n = this.extent(axis);
    const inside = () => {
      if (depth + 1 === this.plan.grid.length) this.row();
      else {
        this.enter({ at: "grid", depth: depth + 1 }, `g${depth + 1}`);
        this.gridLoop(depth + 1);
      }
    };
    if (axis !== this.plan.vector) {
      if (depth === 0) {
        f.get(0).set(i);
        f.get(i)
          .get(1)
          .op("i32.lt_s")
          .if(() => this.loop(axis, { local: 1 }, 1, inside));
      } else {
        f.i32(0).set(i);
        this.loop(axis, n, 1, inside);
      }
      return;
    }
    const full = n - (n % 4);
    const tail = () => {
      this.memory.active = n % 4;
      inside();
      this.memory.active = 4;
    };
    if (depth === 0) {
      // `end` is rounded down to whole vectors; the part that ends at n also writes the tail
      f.get(0).set(i);
      if (full > 0) {
        const stop = f.local("i32");
        f.get(1).i32(full).get(1).i32(full).op("i32.lt_s", "select").set(stop);
        f.get(i)
          .get(stop)
          .op("i32.lt_s")
          .if(() => this.loop(axis, { local: stop }, 4, inside));
      }
      if (n % 4 > 0)
        f.get(1)
          .i32(n)
          .op("i32.eq")
          .get(0)
          .get(1)
          .op("i32.lt_s", "i32.and")
          .if(() => {
            f.i32(full).set(i);
            tail();
          });
      return;
    }
    f.i32(0).set(i);
    if (full > 0) this.loop(axis, full, 4, inside);
    if (n % 4 > 0) {
      f.i32(full).set(i);
      tail();
    }
  }

  private row(): void {
    this.enter({ at: "row", phase: 0 }, "r0");
    this.kernel.stages.forEach((stage, s) => {
      const accumulators = this.accumulators[s] ?? [];
      for (const a of accumulators) a.begin();
      const order = this.plan.inner[s] ?? [];
      if (order.length === 0) this.point(s, { at: "row", phase: s }, -1);
      else this.innerLoop(s, 0);
      for (const a of accumulators) a.finish();
      this.kernel.values.forEach((value, v) => {
        if (value.op !== "acc" || value.stage !== s) return;
        accumulators[value.acc]?.push();
        this.ops.define(v);
      });
      this.enter({ at: "row", phase: s + 1 }, `r${s + 1}`);
    });
  }

  /** The accumulators and stores of one point of a stage. */
  private point(s: number, place: Place, lanes: number): void {
    const stage = this.kernel.stages[s];
    for (const a of this.accumulators[s] ?? []) a.add(lanes);
    for (const store of stage?.stores ?? []) this.memory.store(store.access, store.value, place);
  }

  private innerLoop(s: number, depth: number): void {
    const { f } = this;
    const order = this.plan.inner[s] ?? [];
    const axis = order[depth] as number;
    const i = this.axisLocal[axis] ?? 0;
    const n = this.extent(axis);
    const last = depth + 1 === order.length;
    const vector = this.plan.vector === undefined && last;
    const place: Place = { at: "inner", stage: s, depth: depth + 1 };
    const inside = () => {
      this.enter(place, `s${s}.${depth + 1}`);
      if (last) this.point(s, place, vector ? this.memory.active : -1);
      else this.innerLoop(s, depth + 1);
      for (const a of this.accumulators[s] ?? []) a.flushAfter(depth);
    };
    const step = vector ? 4 : 1;
    const full = vector ? n - (n % 4) : n;
    f.i32(0).set(i);
    const block = last ? Math.max(0, ...(this.accumulators[s] ?? []).map((a) => a.block)) : 0;
    if (full > 0 && block > 0 && full > block * step) {
      // strips: partial sums of one strip go to the total before the next begins
      const end = f.local("i32");
      f.loop(() => {
        f.get(i)
          .i32(block * step)
          .op("i32.add")
          .set(end);
        f.get(end).i32(full).get(end).i32(full).op("i32.lt_s", "select").set(end);
        this.loop(axis, { local: end }, step, inside);
        for (const a of this.accumulators[s] ?? []) a.flushStrip();
        f.get(i).i32(full).op("i32.lt_s").brIf(0);
      });
    } else if (full > 0) this.loop(axis, full, step, inside);
    if (full < n) {
      f.i32(full).set(i);
      const lanes = this.memory.active;
      this.memory.active = n - full;
      inside();
      this.memory.active = lanes;
    }
  }
}
