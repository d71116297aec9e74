/**
 * Constants of lanes in memory below every buffer, where one load spreads them: engines make a vector constant anew from
 * integer registers wherever a function without a loop uses it, which takes longer than the arithmetic between them.
 * A constant has its place for good, so all modules over one memory agree about it.
 */
import { Fn } from "./assembler.ts";
import type { WasmType } from "./assembler.ts";

/** Address of the first. */
export const CONSTANTS = 1024;

const places = new Map<number, number>();

function placeOf(bits: number): number {
  const known = places.get(bits);
  if (known !== undefined) return known;
  const place = CONSTANTS + 4 * places.size;
  places.set(bits, place);
  return place;
}

/** All that have a place so far, as they lie in memory. */
export const constantBytes = (): Uint8Array => new Uint8Array(Int32Array.from(places.keys()).buffer);

/** A function whose vector constants come from memory; `madd`: it may round a product and a sum at once. */
export class LanesFn extends Fn {
  private readonly madd: boolean;

  constructor(params: readonly WasmType[], results: readonly WasmType[], madd: boolean, within?: Fn) {
    super(params, results, within);
    this.madd = madd;
  }
  /** a · b + c, with a and b on the stack. */
  plus(c: () => void): this {
    if (!this.madd) this.op("f32x4.mul");
    c();
    return this.op(this.madd ? "f32x4.relaxed_madd" : "f32x4.add");
  }
  /** Pushes the local c less local a · b. */
  minus(c: number, a: number, b: number): this {
    if (this.madd) return this.get(a).f32x4(b).get(c).op("f32x4.relaxed_nmadd");
    return this.get(c).get(a).f32x4(b).op("f32x4.mul", "f32x4.sub");
  }
  override i32x4(a: number, b = a, c = a, d = a): this {
    // no bits or all bits set are made by one instruction
    if (a !== b || a !== c || a !== d || a === 0 || a === -1) return super.i32x4(a, b, c, d);
    return this.i32(0).mem("v128.load32_splat", placeOf(a | 0));
  }
  override f32x4(a: number, b = a, c = a, d = a): this {
    if (!Object.is(a, b) || !Object.is(a, c) || !Object.is(a, d)) return super.f32x4(a, b, c, d);
    return this.i32x4(new Int32Array(Float32Array.of(a).buffer)[0] ?? 0);
  }
}
