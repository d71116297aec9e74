/**
 * Accumulators of a stage: scalars, or four lanes that are put together after the loops.
 * Long f32 sums go through a partial sum of at most BLOCK terms per lane that is added to the total with Kahan's
 * compensation, so that a sum of millions keeps its digits. The engine's maximum of floats is a chain of a dozen
 * instructions, as it must keep NaN: four lanes take the processor's own, and NaN is noted beside it.
 */
import type { DType } from "../../lang/graph/node.ts";
import type { Acc } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
import type { Operations } from "./operations.ts";

/** Terms per lane in a partial sum. */
const BLOCK = 256;

export class Accumulator {
  /** Trips of the innermost loop between flushes; 0 when it need not be cut into strips. */
  readonly block: number;
  private readonly f: Fn;
  private readonly ops: Operations;
  private readonly acc: Acc;
  private readonly dtype: DType;
  private readonly wide: boolean;
  private readonly value: number;
  /** Of a compensated sum: the total and what was lost; of argmax: the place; of a noted maximum: where NaN was met. */
  private readonly total: number;
  private readonly lost: number;
  private readonly result: number;
  /** The loop after each of whose trips the partial sum goes to the total. */
  private readonly flushDepth: number;

  constructor(f: Fn, ops: Operations, acc: Acc, dtype: DType, wide: boolean, trips: readonly number[]) {
    this.f = f;
    this.ops = ops;
    this.acc = acc;
    this.dtype = dtype;
    this.wide = wide;
    const type = wide ? "v128" : dtype === "f32" ? "f32" : "i32";
    this.value = f.local(type);
    this.total = f.local(acc.op === "argmax" ? (wide ? "v128" : "i32") : type);
    this.lost = f.local(type);
    this.result = f.local(acc.op === "argmax" || dtype !== "f32" ? (wide ? "v128" : "i32") : type);
    const all = trips.reduce((a, b) => a * b, 1);
    let depth = -1;
    let block = 0;
    if (acc.op === "sum" && dtype === "f32" && all > BLOCK) {
      const last = trips.length - 1;
      if ((trips[last] ?? 1) > BLOCK) {
        block = BLOCK;
        depth = last - 1;
      } else {
        let below = trips[last] ?? 1;
        depth = last - 1;
        while (depth > 0 && below * (trips[depth] ?? 1) <= BLOCK) below *= trips[depth--] ?? 1;
      }
    }
    this.block = block;
    this.flushDepth = depth;
    this.compensated = block > 0 || depth >= 0;
    this.noted = acc.op === "max" && dtype === "f32" && wide;
  }
  private readonly compensated: boolean;
  private readonly noted: boolean;

  private zero(local: number, bits: "sum" | "least"): void {
    const { f } = this;
    const least = bits === "least";
    if (this.dtype === "f32") {
      const x = least ? -Infinity : 0;
      if (this.wide) f.f32x4(x);
      else f.f32(x);
    } else {
      const x = least ? (this.dtype === "u32" || this.dtype === "bool" ? 0 : -0x80000000) : 0;
      if (this.wide) f.i32x4(x);
      else f.i32(x);
    }
    f.set(local);
  }

  begin(): void {
    this.zero(this.value, this.acc.op === "sum" ? "sum" : "least");
    if (this.acc.op === "argmax") {
      if (this.wide) this.f.i32x4(0);
      else this.f.i32(0);
      this.f.set(this.total);
    } else if (this.compensated || this.noted) {
      this.zero(this.total, "sum");
      this.zero(this.lost, "sum");
    }
  }

  /** Takes the values of one point; of four lanes only the first `lanes` count (-1: all are of use). */
  add(lanes: number): void {
    const { f, ops, acc, wide } = this;
    if (acc.op === "sum" && ops.isNothing(acc.value)) return;
    const partial = wide && lanes >= 0 && lanes < 4;
    const mask = () => f.i32x4(-1, lanes > 1 ? -1 : 0, lanes > 2 ? -1 : 0, 0);
    const float = this.dtype === "f32";
    if (acc.op === "sum") {
      f.get(this.value);
      ops.push(acc.value, wide);
      if (partial) mask().op("v128.and");
      f.op(float ? (wide ? "f32x4.add" : "f32.add") : wide ? "i32x4.add" : "i32.add").set(this.value);
      return;
    }
    if (acc.op === "max") {
      ops.push(acc.value, wide);
      if (partial) {
        f.get(this.value);
        mask().op("v128.bitselect");
      }
      f.set(this.lost);
      if (this.noted) f.get(this.total).get(this.lost).get(this.lost).op("f32x4.ne", "v128.or").set(this.total);
      this.larger(this.value, this.lost);
      f.set(this.value);
      return;
    }
    this.better(partial ? mask : undefined);
  }

  /** Pushes the larger of two locals. */
  private larger(a: number, b: number): void {
    const { f, wide } = this;
    f.get(a).get(b);
    if (this.dtype === "f32") f.op(wide ? "f32x4.pmax" : "f32.max");
    else if (wide) f.op(this.dtype === "i32" ? "i32x4.max_s" : "i32x4.max_u");
    else
      f.get(a)
        .get(b)
        .op(this.dtype === "i32" ? "i32.gt_s" : "i32.gt_u", "select");
  }

  /** argmax: takes the new value where it is larger, or equal and earlier. */
  private better(mask: (() => Fn) | undefined): void {
    const { f, ops, acc, wide, value, total, lost } = this;
    const at = acc.at ?? 0;
    const float = this.dtype === "f32";
    const names = wide
      ? ({ gt: float ? "f32x4.gt" : "i32x4.gt_s", eq: float ? "f32x4.eq" : "i32x4.eq", lt: "i32x4.lt_s" } as const)
      : ({ gt: float ? "f32.gt" : "i32.gt_s", eq: float ? "f32.eq" : "i32.eq", lt: "i32.lt_s" } as const);
    ops.push(acc.value, wide);
    f.set(lost);
    f.get(lost).get(value).op(names.gt);
    f.get(lost).get(value).op(names.eq);
    ops.push(at, wide);
    f.get(total).op(names.lt, wide ? "v128.and" : "i32.and", wide ? "v128.or" : "i32.or");
    if (mask) mask().op("v128.and");
    const better = wide ? ops.scratch() : this.result;
    f.set(better);
    const choose = () => f.get(better).op(wide ? "v128.bitselect" : "select");
    f.get(lost).get(value);
    choose().set(value);
    ops.push(at, wide);
    f.get(total);
    choose().set(total);
  }

  private flush(): void {
    const { f, wide, value, total, lost } = this;
    const sub = wide ? "f32x4.sub" : "f32.sub";
    const sum = wide ? this.ops.scratch() : this.result;
    f.get(value).get(lost).op(sub).set(value);
    f.get(total)
      .get(value)
      .op(wide ? "f32x4.add" : "f32.add")
      .set(sum);
    f.get(sum).get(total).op(sub).get(value).op(sub).set(lost);
    f.get(sum).set(total);
    this.zero(value, "sum");
  }

  flushStrip(): void {
    if (this.block > 0) this.flush();
  }

  /** Called at the end of each trip of the loop at `depth`. */
  flushAfter(depth: number): void {
    if (this.compensated && depth === this.flushDepth) this.flush();
  }

  /** Ends the loops; lanes of an inner axis are put together. */
  finish(): void {
    const { f, value } = this;
    if (this.compensated) {
      this.flush();
      f.get(this.total).set(value);
    }
    // all ones are a NaN
    if (this.noted) f.get(value).get(this.total).op("v128.or").set(value);
    if (!this.wide || !this.ops.reduceLanes) return;
    const sum = this.ops.scratch();
    f.get(value).set(sum);
    if (this.acc.op === "argmax") {
      this.finishArgmax();
      return;
    }
    const add = this.dtype === "f32" ? "f32x4.add" : "i32x4.add";
    const max = this.dtype === "f32" ? "f32x4.max" : this.dtype === "i32" ? "i32x4.max_s" : "i32x4.max_u";
    const op = this.acc.op === "sum" ? add : max;
    f.get(sum).get(sum).get(sum).shuffle(2, 3, 0, 1).op(op).tee(sum);
    f.get(sum).get(sum).shuffle(1, 0, 3, 2).op(op).set(value);
  }

  private finishArgmax(): void {
    const { f, ops, value, total } = this;
    const float = this.dtype === "f32";
    const otherValue = ops.scratch();
    const otherPlace = ops.scratch();
    const better = ops.scratch();
    const halves = [
      [2, 3, 0, 1],
      [1, 0, 3, 2],
    ] as const;
    for (const [p, q, r, s] of halves) {
      f.get(value).get(value).shuffle(p, q, r, s).set(otherValue);
      f.get(total).get(total).shuffle(p, q, r, s).set(otherPlace);
      f.get(otherValue)
        .get(value)
        .op(float ? "f32x4.gt" : "i32x4.gt_s");
      f.get(otherValue)
        .get(value)
        .op(float ? "f32x4.eq" : "i32x4.eq");
      f.get(otherPlace).get(total).op("i32x4.lt_s", "v128.and", "v128.or").set(better);
      f.get(otherValue).get(value).get(better).op("v128.bitselect").set(value);
      f.get(otherPlace).get(total).get(better).op("v128.bitselect").set(total);
    }
  }

  /** Pushes the result: a scalar, or lanes when lanes are different grid points. */
  push(): void {
    const { f } = this;
    const place = this.acc.op === "argmax";
    f.get(place ? this.total : this.value);
    if (this.wide && this.ops.reduceLanes)
      f.lane(place || this.dtype !== "f32" ? "i32x4.extract_lane" : "f32x4.extract_lane", 0);
  }
}
