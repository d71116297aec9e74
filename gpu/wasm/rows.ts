/**
 * A `rows` kernel as one WebAssembly function `(begin, end, pointers…)`; begin and end cut the outermost grid loop.
 * Loops follow the schedule, every value is computed once at its place in the nest, addresses grow loop by loop.
 * The lanes behind the end of an axis run the same vector code and are only kept from stores and accumulators,
 * so an element's bits do not depend on where it lies.
 */
import type { Access, Acc, RowsKernel, Value } from "../kernel.ts";
import { Accumulator } from "./accumulate.ts";
import { Fn } from "./assembler.ts";
import { Operations } from "./operations.ts";
import type { HelperCalls } from "./operations.ts";
import { schedule, strideAlong } from "./schedule.ts";
import type { Place, Schedule } from "./schedule.ts";

/** Elements that may be read before the first and behind the last buffer. */
export const GUARD = 16000;

/** Begin and end of the outermost loop must be multiples of this (or the extent). */
export function outerSteps(kernel: RowsKernel): { readonly count: number; readonly unit: number } {
  const s = schedule(kernel);
  const outer = s.grid[0];
  if (outer === undefined) return { count: 1, unit: 1 };
  return { count: kernel.axes[outer] ?? 1, unit: outer === s.vector ? 4 : 1 };
}

const placeKey = (p: Place): string =>
  p.at === "grid" ? `g${p.depth}` : p.at === "row" ? `r${p.phase}` : `s${p.stage}.${p.depth}`;

interface AddressStep {
  readonly local: number;
  readonly parent: number;
  readonly axis: number;
  readonly coef: number;
}

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
  private readonly steps = new Map<string, AddressStep[]>();
  private readonly addressOf = new Map<string, { readonly local: number; readonly offset: number }>();
  private readonly accumulators: Accumulator[][] = [];
  private readonly index: number;
  /** Lanes in use: 4, or fewer while the tail is written. */
  private active = 4;

  constructor(kernel: RowsKernel, helpers: HelperCalls) {
    this.kernel = kernel;
    this.plan = schedule(kernel);
    this.f = new Fn(["i32", "i32", ...kernel.params.map(() => "i32" as const)]);
    this.axisLocal = kernel.axes.map(() => this.f.local("i32"));
    this.index = this.f.local("i32");
    this.ops = new Operations(this.f, kernel.values, this.plan.varies, helpers, this.plan.vector === undefined);
    this.plan.places.forEach((place, v) => {
      const key = placeKey(place);
      const list = this.byPlace.get(key);
      if (list) list.push(v);
      else this.byPlace.set(key, [v]);
    });
    kernel.values.forEach((value, v) => {
      if (value.op === "load") this.planAddress(value.access, this.plan.places[v] as Place);
    });
    kernel.stages.forEach((stage, i) => {
      const at: Place = stage.axes.length > 0 ? { at: "inner", stage: i, depth: stage.axes.length } : { at: "row", phase: i };
      for (const store of stage.stores) this.planAddress(store.access, at);
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

  // ---------------------------------------------------------------- addresses

  /** The innermost axis of the vector at a place, if values there are vectors. */
  private vectorAt(place: Place): number | undefined {
    if (this.plan.vector !== undefined) return place.at === "grid" ? undefined : this.plan.vector;
    return place.at === "inner" ? this.plan.inner[place.stage]?.at(-1) : undefined;
  }

  private loopsAt(place: Place): readonly { readonly axis: number; readonly key: string }[] {
    const { grid } = this.plan;
    const gridLoops = grid.map((axis, i) => ({ axis, key: i + 1 === grid.length ? "r0" : `g${i + 1}` }));
    if (place.at !== "inner") return gridLoops;
    const inner = (this.plan.inner[place.stage] ?? []).map((axis, i) => ({ axis, key: `s${place.stage}.${i + 1}` }));
    return [...gridLoops, ...inner];
  }

  private clamped(access: Access): boolean {
    const size = this.kernel.params[access.param]?.size ?? 0;
    return access.lo < -GUARD || access.hi >= size + GUARD;
  }

  private accessKey(access: Access): string {
    return `${access.param}|${access.base}|${access.terms.map(([a, c]) => `${a}*${c}`).join()}`;
  }

  /** Plans locals for pointer + 4·(terms), one per loop that changes it; the constant goes to the instruction if it may. */
  private planAddress(access: Access, place: Place): void {
    const key = this.accessKey(access);
    if (this.addressOf.has(key) || this.clamped(access) || this.gathers(access, place)) return;
    let local = 2 + access.param;
    let path = `p${access.param}`;
    const coefs = new Map(access.terms);
    // a constant below zero (or one that other terms may undercut) must be part of the address
    const low = access.terms.reduce((n, [axis, c]) => n + Math.min(0, c * (this.extent(axis) + 3)), 0);
    const inline = access.base >= 0 && low === 0 && access.dynamic.length === 0;
    if (!inline) {
      path += `+${access.base}`;
      local = this.step(path, "g0", local, -1, access.base);
    }
    for (const { axis, key: at } of this.loopsAt(place)) {
      const coef = coefs.get(axis);
      if (coef === undefined) continue;
      path += `+${axis}*${coef}`;
      local = this.step(path, at, local, axis, coef);
    }
    this.addressOf.set(key, { local, offset: inline ? 4 * access.base : 0 });
  }

  private readonly stepLocal = new Map<string, number>();
  private step(path: string, place: string, parent: number, axis: number, coef: number): number {
    const known = this.stepLocal.get(path);
    if (known !== undefined) return known;
    const local = this.f.local("i32");
    this.stepLocal.set(path, local);
    const list = this.steps.get(place);
    const step = { local, parent, axis, coef };
    if (list) list.push(step);
    else this.steps.set(place, [step]);
    return local;
  }

  /** A computed index that differs between lanes: each lane has its own address. */
  private gathers(access: Access, place: Place): boolean {
    const vec = this.vectorAt(place);
    return vec !== undefined && strideAlong(access, vec, this.plan.depends) === undefined;
  }

  /** Pushes the element index of lane 0 as i32. */
  private pushIndex(access: Access): void {
    this.f.i32(access.base);
    for (const [axis, coef] of access.terms) {
      this.f.get(this.axisLocal[axis] ?? 0).i32(coef).op("i32.mul", "i32.add");
    }
    for (const [v, coef] of access.dynamic) {
      this.ops.push(v, false);
      this.f.i32(coef).op("i32.mul", "i32.add");
    }
  }

  /** Pushes min(max(index, lo), hi) of the i32 on the stack. */
  private pushClamped(lo: number, hi: number): void {
    const { f, index } = this;
    f.set(index);
    f.get(index).i32(lo).get(index).i32(lo).op("i32.gt_s", "select").tee(index);
    f.i32(hi).get(index).i32(hi).op("i32.lt_s", "select");
  }

  /** Pushes the byte address of lane 0 and returns the instruction's offset. `reach` lanes may lie outside. */
  private pushAddress(access: Access, reach: readonly [number, number]): number {
    const { f } = this;
    if (this.clamped(access)) {
      this.pushIndex(access);
      const size = this.kernel.params[access.param]?.size ?? 0;
      this.pushClamped(reach[0], size - 1 + reach[1]);
      f.i32(2).op("i32.shl").get(2 + access.param).op("i32.add");
      return 0;
    }
    const address = this.addressOf.get(this.accessKey(access));
    if (!address) throw new Error(`expected an address for ${this.accessKey(access)}`);
    f.get(address.local);
    for (const [v, coef] of access.dynamic) {
      this.ops.push(v, false);
      f.i32(4 * coef).op("i32.mul", "i32.add");
    }
    return address.offset;
  }

  // ---------------------------------------------------------------- loads and stores

  private load(access: Access, v: number, place: Place): void {
    const { f } = this;
    const value = this.kernel.values[v] as Value;
    if (!this.plan.varies[v]) {
      const offset = this.pushAddress(access, [0, 0]);
      f.mem(value.dtype === "f32" ? "f32.load" : "i32.load", offset);
      if (value.dtype === "bool") f.i32(0).op("i32.ne");
      return;
    }
    const axis = this.vectorAt(place);
    const stride = axis === undefined ? undefined : strideAlong(access, axis, this.plan.depends);
    if (stride === 1) f.mem("v128.load", this.pushAddress(access, [-3, 0]));
    else if (stride === -1 && !this.clamped(access)) {
      const offset = this.pushAddress(access, [0, 3]);
      const lanes = this.ops.scratch();
      f.i32(12 - offset).op("i32.sub").mem("v128.load", 0).tee(lanes).get(lanes).shuffle(3, 2, 1, 0);
    } else if (stride !== undefined && !this.clamped(access)) this.loadStrided(access, stride);
    else this.loadLanes(access, axis);
    if (value.dtype === "bool") f.i32x4(0).op("i32x4.ne");
  }

  private loadStrided(access: Access, stride: number): void {
    const { f, index } = this;
    const offset = this.pushAddress(access, [0, 0]);
    f.tee(index).mem("v128.load32_zero", offset);
    const lane = this.ops.scratch();
    f.set(lane);
    for (let i = 1; i < this.active; i++) {
      const step = 4 * i * stride;
      f.get(index);
      if (step < 0) f.i32(step).op("i32.add");
      f.get(lane).mem("v128.load32_lane", offset + Math.max(0, step), i).set(lane);
    }
    f.get(lane);
  }

  /** Each lane its own index, clamped into the buffer. */
  private loadLanes(access: Access, axis: number | undefined): void {
    const { f } = this;
    const places = this.ops.scratch();
    const lane = this.ops.scratch();
    const own = access.terms.find(([a]) => a === axis)?.[1] ?? 0;
    const uniform = { ...access, dynamic: access.dynamic.filter(([v]) => !this.plan.varies[v]) };
    this.pushIndex(uniform);
    f.op("i32x4.splat");
    if (own !== 0) f.i32x4(0, own, 2 * own, 3 * own).op("i32x4.add");
    for (const [v, coef] of access.dynamic) {
      if (!this.plan.varies[v]) continue;
      this.ops.push(v, true);
      if (coef !== 1) f.i32x4(coef).op("i32x4.mul");
      f.op("i32x4.add");
    }
    const size = this.kernel.params[access.param]?.size ?? 0;
    if (access.lo < 0 || access.hi >= size || this.active < 4) {
      f.i32x4(0).op("i32x4.max_s").i32x4(size - 1).op("i32x4.min_s");
    }
    f.i32(2).op("i32x4.shl").get(2 + access.param).op("i32x4.splat", "i32x4.add").set(places);
    f.get(places).lane("i32x4.extract_lane", 0).mem("v128.load32_zero").set(lane);
    for (let i = 1; i < this.active; i++) {
      f.get(places).lane("i32x4.extract_lane", i).get(lane).mem("v128.load32_lane", 0, i).set(lane);
    }
    f.get(lane);
  }

  private store(access: Access, v: number, place: Place): void {
    const { f } = this;
    const value = this.kernel.values[v] as Value;
    const axis = this.vectorAt(place);
    const stride = axis === undefined ? 0 : (strideAlong(access, axis, this.plan.depends) ?? 0);
    if (stride === 0) {
      const offset = this.pushAddress(access, [0, 0]);
      this.ops.push(v, false);
      f.mem(value.dtype === "f32" ? "f32.store" : "i32.store", offset);
      return;
    }
    const stored = this.ops.scratch();
    this.ops.push(v, true);
    if (value.dtype === "bool") f.i32x4(1).op("v128.and");
    f.set(stored);
    const offset = this.pushAddress(access, [0, 0]);
    if (stride === 1 && this.active === 4) f.get(stored).mem("v128.store", offset);
    else if (stride === 1 && this.active === 2) f.get(stored).mem("v128.store64_lane", offset, 0);
    else {
      f.set(this.index);
      for (let i = 0; i < this.active; i++) {
        const step = 4 * i * stride;
        f.get(this.index);
        if (step < 0) f.i32(step).op("i32.add");
        f.get(stored).mem("v128.store32_lane", offset + Math.max(0, step), i);
      }
    }
  }

  // ---------------------------------------------------------------- the nest

  write(): Fn {
    this.ops.constants();
    this.enter({ at: "grid", depth: 0 }, "g0");
    if (this.plan.grid.length === 0) {
      this.f.get(0).get(1).op("i32.lt_s").if(() => this.row());
    } else this.gridLoop(0);
    return this.f;
  }

  /** Address steps and values of a place. */
  private enter(place: Place, key: string): void {
    const { f } = this;
    for (const step of this.steps.get(key) ?? []) {
      f.get(step.parent);
      if (step.axis < 0) f.i32(4 * step.coef);
      else f.get(this.axisLocal[step.axis] ?? 0).i32(4 * step.coef).op("i32.mul");
      f.op("i32.add").set(step.local);
    }
    for (const v of this.byPlace.get(key) ?? []) {
      const value = this.kernel.values[v] as Value;
      if (value.op === "const" || value.op === "acc") continue;
      if (value.op === "load") this.load(value.access, v, place);
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
        f.get(i).get(1).op("i32.lt_s").if(() => this.loop(axis, { local: 1 }, 1, inside));
      } else {
        f.i32(0).set(i);
        this.loop(axis, n, 1, inside);
      }
      return;
    }
    const full = n - (n % 4);
    const tail = () => {
      this.active = n % 4;
      inside();
      this.active = 4;
    };
    if (depth === 0) {
      // `end` is rounded down to whole vectors; the part that ends at n also writes the tail
      f.get(0).set(i);
      if (full > 0) {
        const stop = f.local("i32");
        f.get(1).i32(full).get(1).i32(full).op("i32.lt_s", "select").set(stop);
        f.get(i).get(stop).op("i32.lt_s").if(() => this.loop(axis, { local: stop }, 4, inside));
      }
      if (n % 4 > 0) f.get(1).i32(n).op("i32.eq").get(0).get(1).op("i32.lt_s", "i32.and").if(() => {
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
    for (const store of stage?.stores ?? []) this.store(store.access, store.value, place);
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
      if (last) this.point(s, place, vector ? this.active : -1);
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
        f.get(i).i32(block * step).op("i32.add").set(end);
        f.get(end).i32(full).get(end).i32(full).op("i32.lt_s", "select").set(end);
        this.loop(axis, { local: end }, step, inside);
        for (const a of this.accumulators[s] ?? []) a.flushStrip();
        f.get(i).i32(full).op("i32.lt_s").brIf(0);
      });
    } else if (full > 0) this.loop(axis, full, step, inside);
    if (full < n) {
      f.i32(full).set(i);
      const lanes = this.active;
      this.active = n - full;
      inside();
      this.active = lanes;
    }
  }
}
