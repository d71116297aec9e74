/**
 * A `rows` kernel as one WebAssembly function `(begin, end, pointers…)`; begin and end cut the outermost grid loop.
 * Loops follow the schedule, every value is computed once at its place in the nest, addresses grow loop by loop.
 * The lanes behind the end of an axis run the same vector code and are only kept from stores and accumulators,
 * so an element's bits do not depend on where it lies.
 */
import { shared } from "../coalesce.ts";
import type { Acc, RowsKernel, Value } from "../kernel.ts";
import { Accesses } from "./accesses.ts";
import { Accumulator } from "./accumulate.ts";
import { Fn } from "./assembler.ts";
import { Copies } from "./copies.ts";
import { guardsOf } from "./guards.ts";
import { Known, writtenOut } from "./known.ts";
import { Operations } from "./operations.ts";
import type { Helpers } from "./operations.ts";
import { schedule } from "./schedule.ts";
import type { Place, Schedule } from "./schedule.ts";
import { rangesOf } from "./unit.ts";
import type { Range } from "./unit.ts";

/** Begin and end of the outermost loop must be multiples of this (or the extent). */
export function outerSteps(kernel: RowsKernel): {
  readonly count: number;
  readonly unit: number;
  /** The grid axis that is the outermost loop. */
  readonly axis: number | undefined;
} {
  const s = schedule(shared(kernel));
  const outer = s.grid[0];
  if (outer === undefined) return { count: 1, unit: 1, axis: outer };
  return { count: kernel.axes[outer] ?? 1, unit: outer === s.vector ? 4 * s.vectors : 1, axis: outer };
}

const placeKey = (p: Place): string =>
  p.at === "grid" ? `g${p.depth}` : p.at === "row" ? `r${p.phase}` : `s${p.stage}.${p.depth}`;

/** Trips of an innermost loop that are done for one vector before the next, so that what they touch stays in the cache. */
const STRIP = 128;

/** Most trips of loops that are written out, and most values that this makes. */
const SHORT = 4;
const MOST_WRITTEN = 200;

/** With `units`, `begin` is the number of one of so many, and `end` is not looked at. */
export function rowsFunction(kernel: RowsKernel, helpers: Helpers, units?: number): Fn {
  return new RowsWriter(shared(kernel), helpers, units).write();
}

class RowsWriter {
  private readonly kernel: RowsKernel;
  private readonly plan: Schedule;
  private readonly f: Fn;
  private readonly ops: Operations;
  private readonly copies: Copies;
  private readonly axisLocal: readonly number[];
  private readonly byPlace = new Map<string, number[]>();
  private readonly memory: Accesses;
  private readonly known: Known;
  /** Axes whose trips are written out one by one. */
  private readonly written: ReadonlySet<number>;
  /** By place: uniform conditions without which its loops go on to the next trip. */
  private readonly guards = new Map<string, number[]>();
  /** By stage, accumulator and vector; one for all vectors where these agree. */
  private readonly accumulators: Accumulator[][][] = [];
  private readonly units: number | undefined;
  /** By axis of the grid that does not run whole. */
  private readonly ranges = new Map<number, Range>();

  constructor(kernel: RowsKernel, helpers: Helpers, units: number | undefined) {
    this.kernel = kernel;
    this.units = units;
    // borders of units are no multiples of several vectors
    this.plan = units === undefined ? schedule(kernel) : { ...schedule(kernel), vectors: 1 };
    this.f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    this.axisLocal = kernel.axes.map(() => this.f.local("i32"));
    const { varies, vector, vectors } = this.plan;
    this.copies = new Copies(vectors);
    this.ops = new Operations(this.f, kernel.values, varies, helpers, vector === undefined, this.copies);
    this.memory = new Accesses(this.f, kernel, this.plan, this.ops, this.copies, this.axisLocal);
    this.plan.places.forEach((place, v) => {
      const key = placeKey(place);
      const list = this.byPlace.get(key);
      if (list) list.push(v);
      else this.byPlace.set(key, [v]);
    });
    for (const { place, value } of guardsOf(kernel, this.plan)) {
      const key = placeKey(place);
      this.guards.set(key, [...(this.guards.get(key) ?? []), value]);
      this.ops.given.add(value);
    }
    this.known = new Known(kernel, this.plan, this.ops.given);
    this.ops.known = this.known.lanes;
    this.written = writtenOut(kernel, this.plan, this.ops.given);
    kernel.values.forEach((value, v) => {
      if (value.op === "load") this.memory.planFor(value.access, this.plan.places[v] as Place);
    });
    kernel.stages.forEach((stage, i) => {
      const at: Place =
        stage.axes.length > 0 ? { at: "inner", stage: i, depth: stage.axes.length } : { at: "row", phase: i };
      for (const store of stage.stores) this.memory.planFor(store.access, at);
      this.accumulators.push(
        stage.accs.map((acc) => (this.varying(acc) ? this.copies.all : [0]).map(() => this.accumulator(i, acc))),
      );
    });
  }

  private extent(axis: number): number {
    return this.kernel.axes[axis] ?? 1;
  }

  private varying(acc: Acc): boolean {
    const { varies } = this.plan;
    return (varies[acc.value] ?? false) || (acc.at !== undefined && (varies[acc.at] ?? false));
  }

  private accumulator(stage: number, acc: Acc): Accumulator {
    const order = this.plan.inner[stage] ?? [];
    const vector = this.plan.vector ?? order.at(-1);
    const wide = this.plan.vector === undefined ? order.length > 0 : this.varying(acc);
    const trips = order.map((axis) => (axis === vector ? Math.ceil(this.extent(axis) / 4) : this.extent(axis)));
    const dtype = this.kernel.values[acc.value]?.dtype ?? "f32";
    return new Accumulator(this.f, this.ops, acc, dtype, wide, trips);
  }

  // ---------------------------------------------------------------- the nest

  write(): Fn {
    const { kernel, units, ranges, plan } = this;
    if (units === undefined) ranges.set(plan.grid[0] ?? -1, { from: 0, to: 1 });
    else rangesOf(this.f, kernel.axes.slice(0, kernel.grid), units).forEach((range, axis) => range && ranges.set(axis, range)); // prettier-ignore
    this.ops.constants();
    this.enter({ at: "grid", depth: 0 }, "g0");
    if (plan.grid.length > 0) this.gridLoop(0);
    else this.f.get(0).get(1).op("i32.lt_s").if(() => this.row()); // prettier-ignore
    return this.f;
  }

  /** Address steps and values of a place: first what all lanes share, then vector by vector. */
  private enter(place: Place, key: string): void {
    this.memory.enter(key);
    this.uniform(place, key);
    this.eachVector(() => this.lanes(place, key));
  }

  private lanes(place: Place, key: string): void {
    for (const v of this.valuesAt(key)) if (this.plan.varies[v]) this.define(v, place);
  }

  private uniform(place: Place, key: string): void {
    for (const v of this.valuesAt(key)) if (!this.plan.varies[v]) this.define(v, place);
  }

  private valuesAt(key: string): readonly number[] {
    return (this.byPlace.get(key) ?? []).filter((v) => {
      const { op } = this.kernel.values[v] as Value;
      return op !== "const" && op !== "acc";
    });
  }

  private define(v: number, place: Place): void {
    if (this.known.settles(v)) return;
    const value = this.kernel.values[v] as Value;
    if (value.op === "load") this.memory.load(value.access, v, place);
    else if (value.op === "axis") this.pushAxis(value.axis, this.plan.varies[v] ?? false);
    else this.ops.compute(v);
    this.ops.define(v);
  }

  private pushAxis(axis: number, varies: boolean): void {
    const { f, copies } = this;
    f.get(this.axisLocal[axis] ?? 0);
    const shift = axis === this.plan.vector ? 4 * copies.vector : axis === copies.axis ? copies.point : 0;
    if (shift > 0) f.i32(shift).op("i32.add");
    if (varies) f.op("i32x4.splat").i32x4(0, 1, 2, 3).op("i32x4.add");
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

  /** The same from where the axis is on; perhaps not at all. */
  private upTo(axis: number, local: number, step: number, body: () => void): void {
    const { f } = this;
    f.get(this.axisLocal[axis] ?? 0).get(local).op("i32.lt_s").if(() => this.loop(axis, { local }, step, body)); // prettier-ignore
  }

  /** One trip of a loop that is written out. */
  private trip(axis: number, at: number, body: () => void): void {
    this.f.i32(at).set(this.axisLocal[axis] ?? 0);
    this.known.during(axis, at, body);
  }

  private gridLoop(depth: number): void {
    const { f } = this;
    const axis = this.plan.grid[depth] as number;
    const i = this.axisLocal[axis] ?? 0;
    const n = this.extent(axis);
    const range = this.ranges.get(axis);
    const inside = () => {
      if (depth + 1 === this.plan.grid.length) this.row();
      else {
        this.enter({ at: "grid", depth: depth + 1 }, `g${depth + 1}`);
        this.gridLoop(depth + 1);
      }
    };
    if (axis !== this.plan.vector) {
      if (range) {
        f.get(range.from).set(i);
        this.upTo(axis, range.to, 1, inside);
      } else {
        f.i32(0).set(i);
        this.loop(axis, n, 1, inside);
      }
      return;
    }
    if (range && this.units !== undefined) return this.vectorsOfUnit(axis, range, inside);
    if (this.written.has(axis)) {
      for (let at = 0; at < n; at += 4) {
        this.memory.active = Math.min(4, n - at);
        this.trip(axis, at, inside);
      }
      this.memory.active = 4;
      return;
    }
    const step = 4 * this.plan.vectors;
    const full = n - (n % 4);
    const tail = () => {
      this.memory.active = n % 4;
      inside();
      this.memory.active = 4;
    };
    if (range) {
      // `end` is rounded down to whole vectors; the part that ends at n also writes the tail
      f.get(0).set(i);
      if (full > 0) {
        const stop = f.local("i32");
        f.get(1).i32(full).get(1).i32(full).op("i32.lt_s", "select").set(stop);
        this.upTo(axis, stop, step, inside);
      }
      if (n % 4 === 0) return;
      f.get(1).i32(n).op("i32.eq").get(0).get(1).op("i32.lt_s", "i32.and").if(() => {
        f.i32(full).set(i);
        tail();
      }); // prettier-ignore
      return;
    }
    f.i32(0).set(i);
    if (full > 0) this.loop(axis, full, step, inside);
    if (n % 4 > 0) {
      f.i32(full).set(i);
      tail();
    }
  }

  /** Whole vectors, and what is left one by one. */
  private vectorsOfUnit(axis: number, { from, to }: Range, inside: () => void): void {
    const { f, memory } = this;
    const i = this.axisLocal[axis] ?? 0;
    const stop = f.local("i32");
    f.get(from).set(i);
    f.get(to).get(from).op("i32.sub").i32(-4).op("i32.and").get(from).op("i32.add").set(stop);
    this.upTo(axis, stop, 4, inside);
    memory.active = 1;
    this.upTo(axis, to, 1, inside);
    memory.active = 4;
  }

  private accumulatorsOf(s: number): readonly Accumulator[] {
    return (this.accumulators[s] ?? []).flat();
  }

  private row(): void {
    const { copies } = this;
    this.enter({ at: "row", phase: 0 }, "r0");
    this.kernel.stages.forEach((stage, s) => {
      for (const a of this.accumulatorsOf(s)) a.begin();
      const order = this.plan.inner[s] ?? [];
      if (order.length === 0) this.eachVector((vector) => this.point(s, { at: "row", phase: s }, -1, vector));
      else this.innerLoop(s, 0);
      for (const a of this.accumulatorsOf(s)) a.finish();
      this.kernel.values.forEach((value, v) => {
        if (value.op !== "acc" || value.stage !== s) return;
        this.accumulators[s]?.[value.acc]?.forEach((each, vector) => {
          copies.vector = vector;
          each.push();
          this.ops.define(v);
        });
        copies.vector = 0;
      });
      this.enter({ at: "row", phase: s + 1 }, `r${s + 1}`);
    });
  }

  private eachVector(body: (vector: number) => void): void {
    for (const vector of this.copies.all) {
      this.copies.vector = vector;
      body(vector);
    }
    this.copies.vector = 0;
  }

  /** The accumulators and stores of one point of a stage; turned stores wait for four points. */
  private point(s: number, place: Place, lanes: number, vector: number, turned = false): void {
    const stage = this.kernel.stages[s];
    for (const each of this.accumulators[s] ?? []) each[vector]?.add(lanes);
    for (const { access, value } of stage?.stores ?? []) {
      const own = vector === 0 || access.terms.some(([axis]) => axis === this.plan.vector);
      if (own && !(turned && this.memory.turns(access, place))) this.memory.store(access, value, place);
    }
  }

  /** Four trips of the innermost loop for one vector. */
  private fourPoints(s: number, place: Place, key: string, vector: number): void {
    const { copies, memory, plan } = this;
    const values = this.valuesAt(key);
    const each = (body: () => void) => {
      for (let point = 0; point < 4; point++) {
        copies.point = point;
        body();
      }
      copies.point = 0;
    };
    memory.enter(key);
    copies.axis = plan.inner[s]?.at(-1);
    copies.fresh = new Set(values);
    each(() => this.uniform(place, key));
    copies.vector = vector;
    const turned = new Set<number>();
    for (const v of values) {
      const value = this.kernel.values[v] as Value;
      if (value.op !== "load" || !plan.varies[v] || !memory.turns(value.access, place)) continue;
      memory.loadTurned(value.access, v);
      turned.add(v);
    }
    each(() => {
      for (const v of values) if (plan.varies[v] && !turned.has(v)) this.define(v, place);
      this.point(s, place, -1, vector, true);
    });
    for (const { access, value } of this.kernel.stages[s]?.stores ?? []) {
      if (memory.turns(access, place)) memory.storeTurned(access, value);
    }
    copies.vector = 0;
    copies.axis = undefined;
    copies.fresh = new Set();
  }

  /** The innermost loop of a stage in strips: each for one vector after another, four trips at once. */
  private turnedLoop(s: number, place: Place, axis: number): void {
    const { f } = this;
    const n = this.extent(axis);
    const i = this.axisLocal[axis] ?? 0;
    const key = placeKey(place);
    const block = Math.max(0, ...this.accumulatorsOf(s).map((a) => a.block));
    const strip = block > 0 ? block : STRIP;
    const [start, end, fours] = [f.local("i32"), f.local("i32"), f.local("i32")];
    f.i32(0).set(start);
    f.loop(() => {
      f.get(start).i32(strip).op("i32.add").tee(end).i32(n).get(end).i32(n).op("i32.lt_s", "select").set(end);
      f.get(end).get(start).op("i32.sub").i32(-4).op("i32.and").get(start).op("i32.add").set(fours);
      for (const vector of this.copies.all) {
        f.get(start).set(i);
        this.upTo(axis, fours, 4, () => this.fourPoints(s, place, key, vector));
        if (n % 4 === 0 && strip % 4 === 0) continue;
        this.upTo(axis, end, 1, () => {
          this.memory.enter(key);
          this.uniform(place, key);
          this.copies.vector = vector;
          this.lanes(place, key);
          this.point(s, place, -1, vector);
          this.copies.vector = 0;
        });
      }
      if (n > block) for (const a of this.accumulatorsOf(s)) a.flushStrip();
      f.get(end).tee(start).i32(n).op("i32.lt_s").brIf(0);
    });
  }

  /** Whether the trips of a loop, with those of the loops inside it, are written out one by one. */
  private isShort(s: number, depth: number): boolean {
    const inside = (this.plan.inner[s] ?? []).slice(depth);
    const trips = inside.reduce((n, axis) => n * this.extent(axis), 1);
    return trips <= SHORT && trips * this.kernel.values.length <= MOST_WRITTEN;
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
    if (last && this.plan.turns[s] && this.memory.active === 4) {
      this.turnedLoop(s, place, axis);
      return;
    }
    const key = placeKey(place);
    const rest = () => {
      this.eachVector(() => this.lanes(place, key));
      if (last) this.eachVector((at) => this.point(s, place, vector ? this.memory.active : -1, at));
      else this.innerLoop(s, depth + 1);
    };
    const inside = () => {
      this.memory.enter(key);
      this.uniform(place, key);
      const guards = this.guards.get(key) ?? [];
      guards.forEach((guard, at) => {
        this.ops.push(guard, false);
        if (at > 0) f.op("i32.and");
      });
      if (guards.length > 0) f.if(rest);
      else rest();
      for (const a of this.accumulatorsOf(s)) a.flushAfter(depth);
    };
    const step = vector ? 4 : 1;
    const full = vector ? n - (n % 4) : n;
    f.i32(0).set(i);
    const block = last ? Math.max(0, ...this.accumulatorsOf(s).map((a) => a.block)) : 0;
    if (full > 0 && block > 0 && full > block * step) {
      // strips: partial sums of one strip go to the total before the next begins
      const end = f.local("i32");
      f.loop(() => {
        f.get(i).i32(block * step).op("i32.add").set(end); // prettier-ignore
        f.get(end).i32(full).get(end).i32(full).op("i32.lt_s", "select").set(end);
        this.loop(axis, { local: end }, step, inside);
        for (const a of this.accumulatorsOf(s)) a.flushStrip();
        f.get(i).i32(full).op("i32.lt_s").brIf(0);
      });
    } else if (this.isShort(s, depth) || this.written.has(axis)) {
      for (let at = 0; at < full; at += step) this.trip(axis, at, inside);
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
