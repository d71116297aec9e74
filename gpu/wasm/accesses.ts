/**
 * Memory of a `rows` kernel: addresses that grow loop by loop, loads and stores of numbers and of lanes.
 * Neighbours load as one vector, equal lanes as one number, anything else lane by lane. Reads outside of a buffer that a
 * mask throws away stay near it, or are clamped into it where they might reach too far.
 */
import type { Access, RowsKernel, Value } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
import type { Copies } from "./copies.ts";
import type { Operations } from "./operations.ts";
import { strideAlong, turnable } from "./schedule.ts";
import type { Place, Schedule } from "./schedule.ts";

/** Elements that may be read before the first and behind the last buffer. */
const GUARD = 16000;

interface AddressStep {
  readonly local: number;
  readonly parent: number;
  readonly axis: number;
  readonly coef: number;
}

export class Accesses {
  /** Lanes in use: 4, or fewer while the tail is written. */
  active = 4;
  private readonly f: Fn;
  private readonly kernel: RowsKernel;
  private readonly plan: Schedule;
  private readonly ops: Operations;
  private readonly copies: Copies;
  private readonly axisLocal: readonly number[];
  private readonly steps = new Map<string, AddressStep[]>();
  private readonly addressOf = new Map<string, { readonly local: number; readonly offset: number }>();
  private readonly index: number;

  constructor(
    f: Fn,
    kernel: RowsKernel,
    plan: Schedule,
    ops: Operations,
    copies: Copies,
    axisLocal: readonly number[],
  ) {
    this.f = f;
    this.kernel = kernel;
    this.plan = plan;
    this.ops = ops;
    this.copies = copies;
    this.axisLocal = axisLocal;
    this.index = f.local("i32");
  }

  private extent(axis: number): number {
    return this.kernel.axes[axis] ?? 1;
  }

  /** Writes the address steps that belong to a place of the nest. */
  enter(key: string): void {
    const { f } = this;
    for (const step of this.steps.get(key) ?? []) {
      f.get(step.parent);
      if (step.axis < 0) f.i32(4 * step.coef);
      else {
        this.pushTerm(step.axis, step.coef, 4);
      }
      f.op("i32.add").set(step.local);
    }
  }

  /** Pushes unit · coef · axis; a half or a quarter of it rounded down (neighbours that share a number). */
  private pushTerm(axis: number, coef: number, unit: number): void {
    const { f } = this;
    f.get(this.axisLocal[axis] ?? 0);
    if (coef % 1 === 0) f.i32(unit * coef);
    else f.i32(-Math.log2(coef)).op("i32.shr_u").i32(unit);
    f.op("i32.mul");
  }

  /** The innermost axis of the vector at a place, if values there are vectors. */
  vectorAt(place: Place): number | undefined {
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
  planFor(access: Access, place: Place): void {
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

  /** Elements from the access of the first copy to that of the present one. */
  private shift(access: Access): number {
    const { copies, plan } = this;
    const along = (axis: number | undefined) => access.terms.find(([a]) => a === axis)?.[1] ?? 0;
    return 4 * copies.vector * along(plan.vector) + Math.floor(copies.point * along(copies.axis));
  }

  /** Pushes the element index of lane 0 as i32. */
  private pushIndex(access: Access): void {
    this.f.i32(access.base + this.shift(access));
    for (const [axis, coef] of access.terms) {
      this.pushTerm(axis, coef, 1);
      this.f.op("i32.add");
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
      f.i32(2)
        .op("i32.shl")
        .get(2 + access.param)
        .op("i32.add");
      return 0;
    }
    const address = this.addressOf.get(this.accessKey(access));
    if (!address) throw new Error(`expected an address for ${this.accessKey(access)}`);
    f.get(address.local);
    for (const [v, coef] of access.dynamic) {
      this.ops.push(v, false);
      f.i32(4 * coef).op("i32.mul", "i32.add");
    }
    const offset = address.offset + 4 * this.shift(access);
    if (offset >= 0) return offset;
    f.i32(offset).op("i32.add");
    return 0;
  }

  // ---------------------------------------------------------------- loads and stores

  load(access: Access, v: number, place: Place): void {
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
      f.i32(12 - offset)
        .op("i32.sub")
        .mem("v128.load", 0)
        .tee(lanes)
        .get(lanes)
        .shuffle(3, 2, 1, 0);
    } else if (stride === 1 / 4 && !this.clamped(access)) f.mem("v128.load32_splat", this.pushAddress(access, [0, 0]));
    else if (stride === 1 / 2 && !this.clamped(access)) {
      const lanes = this.ops.scratch();
      f.mem("v128.load64_zero", this.pushAddress(access, [0, 0]))
        .tee(lanes)
        .get(lanes)
        .shuffle(0, 0, 1, 1);
    } else if (stride !== undefined && !this.clamped(access)) this.loadStrided(access, stride);
    else this.loadLanes(access, axis);
    if (value.dtype === "bool") f.i32x4(0).op("i32x4.ne");
  }

  private loadStrided(access: Access, stride: number): void {
    const { f, index } = this;
    const offset = this.pushAddress(access, [0, 0]);
    if (stride === 2 && this.active === 4) {
      // every second one of two neighbouring vectors
      f.tee(index).mem("v128.load", offset);
      f.get(index)
        .mem("v128.load", offset + 16)
        .shuffle(0, 2, 4, 6);
      return;
    }
    f.tee(index).mem("v128.load32_zero", offset);
    const lane = this.ops.scratch();
    f.set(lane);
    for (let i = 1; i < this.active; i++) {
      const step = 4 * i * stride;
      f.get(index);
      if (step < 0) f.i32(step).op("i32.add");
      f.get(lane)
        .mem("v128.load32_lane", offset + Math.max(0, step), i)
        .set(lane);
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
    if (own !== 0) f.i32x4(0, Math.floor(own), Math.floor(2 * own), Math.floor(3 * own)).op("i32x4.add");
    for (const [v, coef] of access.dynamic) {
      if (!this.plan.varies[v]) continue;
      this.ops.push(v, true);
      if (coef !== 1) f.i32x4(coef).op("i32x4.mul");
      f.op("i32x4.add");
    }
    const size = this.kernel.params[access.param]?.size ?? 0;
    if (access.lo < 0 || access.hi >= size || this.active < 4) {
      f.i32x4(0)
        .op("i32x4.max_s")
        .i32x4(size - 1)
        .op("i32x4.min_s");
    }
    f.i32(2)
      .op("i32x4.shl")
      .get(2 + access.param)
      .op("i32x4.splat", "i32x4.add")
      .set(places);
    f.get(places).lane("i32x4.extract_lane", 0).mem("v128.load32_zero").set(lane);
    for (let i = 1; i < this.active; i++) {
      f.get(places).lane("i32x4.extract_lane", i).get(lane).mem("v128.load32_lane", 0, i).set(lane);
    }
    f.get(lane);
  }

  /** Whether four trips of the innermost loop read or write whole vectors along it, which turn into lanes. */
  turns(access: Access, place: Place): boolean {
    return turnable(access, this.plan, place) && !this.clamped(access);
  }

  /** Four vectors along the innermost loop become the values of its four trips. */
  loadTurned(access: Access, v: number): void {
    const { f, copies } = this;
    const dtype = this.kernel.values[v]?.dtype;
    const stride = access.terms.find(([a]) => a === this.plan.vector)?.[1] ?? 0;
    copies.point = 0;
    const rows = [0, 1, 2, 3].map((lane) => {
      const row = this.ops.scratch();
      const offset = this.pushAddress(access, [0, 0]) + 4 * lane * stride;
      if (offset < 0) f.i32(offset).op("i32.add");
      f.mem("v128.load", Math.max(0, offset)).set(row);
      return row;
    });
    this.turn(rows, (point) => {
      if (dtype === "bool") f.i32x4(0).op("i32x4.ne");
      copies.point = point;
      this.ops.define(v);
    });
    copies.point = 0;
  }

  storeTurned(access: Access, v: number): void {
    const { f, copies } = this;
    const dtype = this.kernel.values[v]?.dtype;
    const stride = access.terms.find(([a]) => a === this.plan.vector)?.[1] ?? 0;
    const points = [0, 1, 2, 3].map((point) => {
      copies.point = point;
      const row = this.ops.scratch();
      this.ops.push(v, true);
      if (dtype === "bool") f.i32x4(1).op("v128.and");
      f.set(row);
      return row;
    });
    copies.point = 0;
    const turned = this.ops.scratch();
    this.turn(points, (lane) => {
      f.set(turned);
      const offset = this.pushAddress(access, [0, 0]) + 4 * lane * stride;
      if (offset < 0) f.i32(offset).op("i32.add");
      f.get(turned).mem("v128.store", Math.max(0, offset));
    });
  }

  /** Pushes the four columns of a 4 × 4 matrix whose rows are locals, one after another. */
  private turn(rows: readonly number[], column: (i: number) => void): void {
    const { f } = this;
    const [a = 0, b = 0, c = 0, d = 0] = rows;
    const pair = (x: number, y: number, high: boolean) => {
      const local = this.ops.scratch();
      f.get(x).get(y);
      if (high) f.shuffle(2, 6, 3, 7);
      else f.shuffle(0, 4, 1, 5);
      f.set(local);
      return local;
    };
    [false, true].forEach((high, half) => {
      const ab = pair(a, b, high);
      const cd = pair(c, d, high);
      f.get(ab).get(cd).shuffle(0, 1, 4, 5);
      column(2 * half);
      f.get(ab).get(cd).shuffle(2, 3, 6, 7);
      column(2 * half + 1);
    });
  }

  store(access: Access, v: number, place: Place): void {
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
}
