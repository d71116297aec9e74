/**
 * Functions of four f32 lanes that the kernels call: exp, log, log1p, tanh, erf, sin, cos, pow, half.
 * At most 2 ulp over the whole range, log1p 4, sin and cos up to a million (beyond it they lose digits); infinities, NaN, zeros and denormals behave as IEEE functions do.
 * Scalars use lane 0 of the same code, so a value never depends on where a vector ends.
 * sin, cos and pow compute in two f64 lanes at a time: their range reduction needs the digits.
 */
import type { Fn as Plain } from "./assembler.ts";
import { constantBytes, LanesFn as Fn } from "./constants.ts";

export const mathNames = ["exp", "log", "log1p", "tanh", "erf", "sin", "cos", "pow", "half"] as const;
export type MathName = (typeof mathNames)[number];

/** Finds (and writes once) the function of a name in the module. */
export type Helpers = (name: MathFunction) => number;

/** Pushes the polynomial of the f32x4 local `x`, coefficients from the highest power down. */
function poly(f: Fn, x: number, coefficients: readonly number[]): void {
  const [first = 0, ...others] = coefficients;
  f.f32x4(first);
  for (const c of others) f.get(x).plus(() => f.f32x4(c));
}

/** The same from the lowest power up, in pairs that do not wait for each other; `square` becomes x². */
function powers(f: Fn, x: number, square: number, coefficients: readonly number[]): void {
  const pair = (at: number) => {
    const [low = 0, high] = coefficients.slice(at, at + 2);
    if (high === undefined) return void f.f32x4(low);
    f.get(x).f32x4(high);
    f.plus(() => f.f32x4(low));
  };
  f.get(x).get(x).op("f32x4.mul").set(square);
  const last = 2 * Math.floor((coefficients.length - 1) / 2);
  pair(last);
  for (let at = last - 2; at >= 0; at -= 2) f.get(square).plus(() => pair(at));
}

function poly64(f: Fn, x: number, coefficients: readonly number[]): void {
  coefficients.forEach((c, i) => {
    if (i > 0) f.get(x).op("f64x2.mul");
    f.f64x2(c);
    if (i > 0) f.op("f64x2.add");
  });
}

/** 2^n with n = i32x4 on the stack, |n| <= 126. */
function pow2(f: Fn): void {
  f.i32x4(127).op("i32x4.add").i32(23).op("i32x4.shl");
}

const LN2_HI = 0.693359375;
const LN2_LO = -2.1219444e-4;

/** 1.5 · 2^23: a number below 2^22 added to it is rounded to an integer, which its low bits hold. */
const ROUND = 12582912;
const ROUND_BITS = 0x4b400000;

/** Pushes exp(r) - 1 with x = n ln2 + r for the local x, |x| < 2^15; the local n becomes the integer (any bits for NaN). */
function expm1Core(f: Fn, x: number, n: number): void {
  const r = f.local("v128");
  const whole = f.local("v128");
  f.get(x).f32x4(Math.LOG2E);
  f.plus(() => f.f32x4(ROUND)).tee(n);
  f.f32x4(ROUND).op("f32x4.sub").set(whole);
  f.minus(x, whole, LN2_HI).set(r);
  f.minus(r, whole, LN2_LO).set(r);
  f.get(n).i32x4(ROUND_BITS).op("i32x4.sub").set(n);
  poly(f, r, [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]);
  f.get(r).op("f32x4.mul").get(r);
  f.plus(() => f.get(r));
}

/**
 * exp: the scale 2^n goes in two halves so that denormal results and overflow come out right.
 * Arguments whose result is 0 are masked out first: underflow is slow in hardware, and masked scores are many.
 */
function exp(f: Fn, arg: number): void {
  const x = f.local("v128");
  const n = f.local("v128");
  const none = f.local("v128");
  f.get(arg).f32x4(-104).op("f32x4.lt").set(none);
  f.get(arg).f32x4(89).op("f32x4.pmin").get(none).op("v128.andnot").set(x);
  expm1Core(f, x, n);
  f.f32x4(1).op("f32x4.add");
  f.get(n).i32(1).op("i32x4.shr_s").tee(x);
  pow2(f);
  f.op("f32x4.mul");
  f.get(n).get(x).op("i32x4.sub");
  pow2(f);
  f.op("f32x4.mul").get(none).op("v128.andnot");
}

/**
 * Pushes log(u) + c of the f32x4 locals u and c, for u > 0 and finite.
 * u = 2^k m with m in [sqrt(1/2), sqrt(2)); log m by the odd series in s = f / (2 + f), f = m - 1.
 */
function logCore(f: Fn, u: number, c: number | undefined): void {
  const k = f.local("v128");
  const m = f.local("v128");
  const s = f.local("v128");
  const z = f.local("v128");
  const half = f.local("v128");
  // denormals are scaled by 2^25 first
  f.get(u).f32x4(1.17549435e-38).op("f32x4.lt").set(z);
  f.get(u).f32x4(33554432).op("f32x4.mul").get(u).get(z).op("v128.bitselect");
  f.i32x4(0x3f800000 - 0x3f3504f3)
    .op("i32x4.add")
    .tee(m);
  f.i32(23).op("i32x4.shr_s").i32x4(127).op("i32x4.sub");
  f.get(z).i32x4(25).op("v128.and", "i32x4.sub", "f32x4.convert_i32x4_s").set(k);
  f.get(m).i32x4(0x007fffff).op("v128.and").i32x4(0x3f3504f3).op("i32x4.add");
  f.f32x4(1).op("f32x4.sub").tee(m);
  f.get(m).f32x4(2).op("f32x4.add", "f32x4.div").tee(s);
  f.get(s).op("f32x4.mul").set(z);
  f.get(m).get(m).op("f32x4.mul").f32x4(0.5).op("f32x4.mul").set(half);
  // k ln2_hi - ((half - (s (half + R) + (k ln2_lo + c))) - f)
  f.get(k).f32x4(LN2_HI).op("f32x4.mul");
  f.get(half);
  f.get(s).get(half);
  poly(f, z, [0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693]);
  f.get(z).op("f32x4.mul", "f32x4.add", "f32x4.mul");
  f.get(k).f32x4(LN2_LO).op("f32x4.mul");
  if (c !== undefined) f.get(c).op("f32x4.add");
  f.op("f32x4.add", "f32x4.sub").get(m).op("f32x4.sub", "f32x4.sub");
}

/** Replaces the result on the stack where u is 0, negative, infinite or NaN. */
function logSpecial(f: Fn, u: number): void {
  const y = f.local("v128");
  f.set(y);
  f.f32x4(-Infinity).get(y).get(u).f32x4(0).op("f32x4.eq", "v128.bitselect").set(y);
  f.get(u).get(y).get(u).f32x4(Infinity).op("f32x4.eq", "v128.bitselect").set(y);
  f.get(y).f32x4(NaN).get(u).f32x4(0).op("f32x4.ge", "v128.bitselect");
}

function log(f: Fn, arg: number): void {
  logCore(f, arg, undefined);
  logSpecial(f, arg);
}

/** log1p: log(1 + x) with the rounding error of 1 + x put back as a correction. */
function log1p(f: Fn, arg: number): void {
  const u = f.local("v128");
  const c = f.local("v128");
  const y = f.local("v128");
  f.get(arg).f32x4(1).op("f32x4.add").set(u);
  f.get(arg).get(u).f32x4(1).op("f32x4.sub", "f32x4.sub").get(u).op("f32x4.div").set(c);
  logCore(f, u, c);
  logSpecial(f, u);
  f.set(y);
  // below 2^-24 log1p(x) = x, also for -0
  f.get(arg).get(y).get(arg).op("f32x4.abs").f32x4(5.9604645e-8).op("f32x4.lt", "v128.bitselect");
}

/** half: the nearest number of half precision. On the bits; below 2^-14 the steps are 2^-24. */
function half(f: Fn, arg: number): void {
  const a = f.local("v128");
  const y = f.local("v128");
  f.get(arg).op("f32x4.abs").set(a);
  f.get(a)
    .f32x4(2 ** 24)
    .op("f32x4.mul", "f32x4.nearest")
    .f32x4(2 ** -24)
    .op("f32x4.mul");
  f.get(a).get(a).i32(13).op("i32x4.shr_u").i32x4(1).op("v128.and", "i32x4.add").i32x4(0xfff).op("i32x4.add");
  f.i32x4(~0x1fff).op("v128.and");
  f.get(a)
    .f32x4(2 ** -14)
    .op("f32x4.lt", "v128.bitselect")
    .set(y);
  f.f32x4(Infinity).get(y).get(a).f32x4(65520).op("f32x4.ge", "v128.bitselect");
  f.get(arg).i32x4(-0x80000000).op("v128.and", "v128.or").set(y);
  // NaN stays itself
  f.get(y).get(arg).get(arg).get(arg).op("f32x4.eq", "v128.bitselect");
}

/**
 * tanh: x - x³ / 3 + … near 0, else 1 - 2 / (e + 1) with e = exp(2|x|) = 2^n exp(r), which is 1 from 10 on. One step finds
 * r: what it loses grows with n, and counts for less and less.
 */
function tanh(f: Fn, arg: number): void {
  const [t, n, r, near] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
  f.get(arg).op("f32x4.abs").f32x4(10).op("f32x4.pmin").tee(t);
  f.f32x4(2 * Math.LOG2E);
  f.plus(() => f.f32x4(ROUND)).tee(n);
  f.f32x4(ROUND).op("f32x4.sub").set(near);
  f.get(t).get(t).op("f32x4.add").set(r);
  f.minus(r, near, Math.LN2).set(r);
  f.get(n).i32x4(ROUND_BITS).op("i32x4.sub");
  pow2(f);
  f.set(n);
  // exp(r) = 1 + r + r² p(r)
  powers(f, r, near, [0.49999994, 0.166665196, 0.0416684039, 0.00836889911, 0.00138142216]);
  f.get(near);
  f.plus(() => f.get(r).f32x4(1).op("f32x4.add"));
  f.get(n);
  f.plus(() => f.f32x4(1)).set(n);
  f.f32x4(1).f32x4(2).get(n).op("f32x4.div", "f32x4.sub").set(n);
  f.get(t).get(t).op("f32x4.mul").set(r);
  powers(f, r, near, [-0.333329469, 0.133207247, -0.0526718125, 0.0164375808]);
  f.get(r).op("f32x4.mul").get(t);
  f.plus(() => f.get(t));
  f.get(n).get(t).f32x4(0.55).op("f32x4.lt", "v128.bitselect");
  f.get(arg).i32x4(-0x80000000).op("v128.and", "v128.or");
}

/** erf: a polynomial in x² near 0, else 1 - exp(-p(|x|)). */
function erf(f: Fn, arg: number): void {
  const t = f.local("v128");
  const s = f.local("v128");
  const big = f.local("v128");
  f.get(arg).op("f32x4.abs").f32x4(8).op("f32x4.pmin").tee(t).get(t).op("f32x4.mul").set(s);
  f.f32x4(1);
  poly(f, t, [-1.7285347e-5, 3.83197126e-4]);
  f.get(s).op("f32x4.mul");
  poly(f, t, [-3.88396438e-3, 2.42546219e-2]);
  f.op("f32x4.add");
  for (const c of [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1]) f.get(t).plus(() => f.f32x4(c));
  f.get(t).op("f32x4.mul").get(t).op("f32x4.sub").set(big);
  exp(f, big);
  f.op("f32x4.sub").get(arg).i32x4(-0x80000000).op("v128.and", "v128.or").set(big);
  f.get(big);
  poly(f, s, [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]);
  f.get(arg).op("f32x4.mul").get(arg).op("f32x4.add");
  f.get(t).f32x4(0.927734375).op("f32x4.gt", "v128.bitselect");
}

/** sin or cos of two f64 lanes: parameter 1 is a quarter-turn offset as i32x4 (0 for sin, 1 for cos). */
function sin64(_: Helpers, madd: boolean): Fn {
  const f = new Fn(["v128", "v128"], ["v128"], madd);
  const x = f.local("v128");
  const j = f.local("v128");
  const r = f.local("v128");
  const z = f.local("v128");
  const q = f.local("v128");
  const y = f.local("v128");
  f.get(0)
    .op("f64x2.promote_low_f32x4")
    .tee(x)
    .f64x2(2 / Math.PI)
    .op("f64x2.mul", "f64x2.nearest")
    .set(j);
  f.get(x).get(j).f64x2(1.5707963267341256).op("f64x2.mul", "f64x2.sub");
  f.get(j).f64x2(6.077100506506192e-11).op("f64x2.mul", "f64x2.sub").tee(r).get(r).op("f64x2.mul").set(z);
  f.get(j).op("i32x4.trunc_sat_f64x2_s_zero").get(1).op("i32x4.add").tee(q).get(q).shuffle(0, 0, 1, 1).set(q);
  poly64(f, z, [1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -0.5, 1]);
  poly64(f, z, [1 / 6227020800, -1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]);
  f.get(r).op("f64x2.mul");
  f.get(q).i32x4(1).op("v128.and").i32x4(0).op("i32x4.ne", "v128.bitselect").set(y);
  f.get(y).get(q).i32x4(2).op("v128.and").i32x4(0).op("i32x4.ne").i32x4(0, -0x80000000, 0, -0x80000000);
  f.op("v128.and", "v128.xor", "f32x4.demote_f64x2_zero");
  return f;
}

function quarterTurns(offset: number) {
  return (call: Helpers, madd: boolean): Fn => {
    const f = new Fn(["v128"], ["v128"], madd);
    f.get(0).i32x4(offset).call(call("sin64"));
    f.get(0).get(0).shuffle(2, 3, 2, 3).i32x4(offset).call(call("sin64"));
    f.shuffle(0, 1, 4, 5);
    return f;
  };
}

/** |x|^y of two f64 lanes as f32: exp(y log|x|) with 11 digits. */
function pow64(_: Helpers, madd: boolean): Fn {
  const f = new Fn(["v128", "v128"], ["v128"], madd);
  const x = f.local("v128");
  const m = f.local("v128");
  const k = f.local("v128");
  const s = f.local("v128");
  const z = f.local("v128");
  const t = f.local("v128");
  const n = f.local("v128");
  f.get(0).op("f32x4.abs", "f64x2.promote_low_f32x4").tee(x);
  f.i64x2(0x3ff0000000000000n - 0x3fe6a09e667f3bcdn)
    .op("i64x2.add")
    .tee(m)
    .i32(52)
    .op("i64x2.shr_u")
    .set(k);
  // exponents sit in the low words of the lanes
  f.get(k).get(k).shuffle(0, 2, 0, 2).i32x4(1023).op("i32x4.sub", "f64x2.convert_low_i32x4_s").set(k);
  f.get(m).i64x2(0x000fffffffffffffn).op("v128.and").i64x2(0x3fe6a09e667f3bcdn).op("i64x2.add");
  f.f64x2(1).op("f64x2.sub").tee(m).get(m).f64x2(2).op("f64x2.add", "f64x2.div").tee(s);
  f.get(s).op("f64x2.mul").set(z);
  poly64(f, z, [2 / 15, 2 / 13, 2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3, 2]);
  f.get(s).op("f64x2.mul").get(k).f64x2(Math.LN2).op("f64x2.mul", "f64x2.add").set(t);
  // log 0 = -inf, log inf = inf, log NaN = NaN
  f.f64x2(-Infinity).get(t).get(x).f64x2(1e-300).op("f64x2.lt", "v128.bitselect").set(t);
  f.get(x).get(t).get(x).f64x2(1e300).op("f64x2.gt", "v128.bitselect").set(t);
  f.get(0).get(0).op("f32x4.ne").tee(z).get(z).shuffle(0, 0, 1, 1).get(t).op("v128.or").set(t);
  f.get(t)
    .get(1)
    .op("f64x2.promote_low_f32x4", "f64x2.mul")
    .f64x2(200)
    .op("f64x2.min")
    .f64x2(-200)
    .op("f64x2.max")
    .tee(t);
  f.f64x2(Math.LOG2E).op("f64x2.mul", "f64x2.nearest").set(n);
  f.get(t).get(n).f64x2(Math.LN2).op("f64x2.mul", "f64x2.sub").set(s);
  const factorials = [1];
  for (let i = 1; i <= 10; i++) factorials.push((factorials[i - 1] ?? 1) * i);
  poly64(
    f,
    s,
    factorials.reverse().map((v) => 1 / v),
  );
  f.get(n).op("i32x4.trunc_sat_f64x2_s_zero").i32x4(1023).op("i32x4.add").i32x4(0).shuffle(4, 0, 4, 1);
  f.i32(20).op("i32x4.shl", "f64x2.mul", "f32x4.demote_f64x2_zero");
  return f;
}

/** pow: the sign of a negative base by the parity of an integer exponent, NaN for other exponents; y = 0 gives 1. */
function pow(call: Helpers, madd: boolean): Fn {
  const f = new Fn(["v128", "v128"], ["v128"], madd);
  const p = f.local("v128");
  const half = f.local("v128");
  const integer = f.local("v128");
  f.get(0).get(1).call(call("pow64"));
  f.get(0).get(0).shuffle(2, 3, 2, 3).get(1).get(1).shuffle(2, 3, 2, 3).call(call("pow64"));
  f.shuffle(0, 1, 4, 5).set(p);
  f.get(1).op("f32x4.trunc").get(1).op("f32x4.eq").set(integer);
  f.get(1).f32x4(0.5).op("f32x4.mul").tee(half).op("f32x4.trunc").get(half).op("f32x4.ne").get(integer).op("v128.and");
  f.get(0).op("v128.and").i32x4(-0x80000000).op("v128.and").get(p).op("v128.xor").set(p);
  f.get(p).get(0).f32x4(0).op("f32x4.lt").get(0).f32x4(-Infinity).op("f32x4.gt", "v128.and");
  f.get(integer).op("v128.andnot", "v128.or").set(p);
  f.f32x4(1).get(p).get(1).f32x4(0).op("f32x4.eq", "v128.bitselect");
  return f;
}

/** Functions of one argument that are written out where lanes need them: a call would take as long as they do. */
const written = { exp, log, log1p, half, tanh, erf };
export const isWritten = (name: string): name is keyof typeof written => name in written;

/** Pushes the function of the lanes in a local of `into`. */
export function writeLanes(name: keyof typeof written, into: Plain, arg: number, madd: boolean): void {
  written[name](new Fn(into.params, into.results, madd, into), arg);
}

const called = { sin: quarterTurns(0), cos: quarterTurns(1), pow, sin64, pow64 };

export type MathFunction = MathName | "sin64" | "pow64";
export function mathFunction(name: MathFunction, call: Helpers, madd: boolean): Fn {
  if (!isWritten(name)) return called[name](call, madd);
  const f = new Fn(["v128"], ["v128"], madd);
  written[name](f, 0);
  return f;
}

let constants: Uint8Array | undefined;
/** The constants of all functions: written out once in the order of the table, so that equal modules have equal bytes. */
export function mathConstants(): Uint8Array {
  if (!constants) {
    for (const name of [...mathNames, "sin64", "pow64"] as const) mathFunction(name, () => 0, false);
    constants = constantBytes();
  }
  return constants;
}
