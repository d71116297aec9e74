/**
 * Elementwise operations as WebAssembly, for one number or for four lanes. A bool is 0 or 1 as a number and a mask of
 * ones in lanes. Every value lives in a local; a uniform value that lanes need is spread where it is defined.
 */
import type { DType } from "../../lang/graph/node.ts";
import type { Value } from "../kernel.ts";
import type { Fn } from "./assembler.ts";
import { Copies } from "./copies.ts";
import { mathNames } from "./math.ts";
import type { MathName } from "./math.ts";
import type { PlainOp } from "./opcodes.ts";

export type HelperName = MathName | "divide" | "modulo";
export interface Helpers {
  /** The function index of a helper; `divide` and `modulo` round down and give 0 for a divisor of 0. */
  call(name: HelperName): number;
  /** Pushes a function of the four lanes in a local, with the same bits as its call. */
  lanes(name: MathName, f: Fn, arg: number): void;
}

const isMath = (op: string): op is MathName => (mathNames as readonly string[]).includes(op);

type Kind = "float" | "int" | "uint";
const kindOf = (dtype: DType): Kind => (dtype === "f32" ? "float" : dtype === "u32" ? "uint" : "int");

type Row = Readonly<Record<Kind, readonly PlainOp[]>>;
const row = (float: PlainOp[], int: PlainOp[], uint: PlainOp[] = int): Row => ({ float, int, uint });

/** Two numbers on the stack. */
const scalarBinary: Readonly<Record<string, Row>> = {
  add: row(["f32.add"], ["i32.add"]),
  sub: row(["f32.sub"], ["i32.sub"]),
  mul: row(["f32.mul"], ["i32.mul"]),
  div: row(["f32.div"], []),
  max: row(["f32.max"], []),
  min: row(["f32.min"], []),
  lt: row(["f32.lt"], ["i32.lt_s"], ["i32.lt_u"]),
  le: row(["f32.le"], ["i32.le_s"], ["i32.le_u"]),
  eq: row(["f32.eq"], ["i32.eq"]),
  ne: row(["f32.ne"], ["i32.ne"]),
  and: row([], ["i32.and"]),
  or: row([], ["i32.or"]),
  bitand: row([], ["i32.and"]),
  xor: row([], ["i32.xor"]),
  shl: row([], ["i32.shl"]),
  shr: row([], ["i32.shr_s"], ["i32.shr_u"]),
};

/** Two vectors on the stack; shifts take a number as the second. */
const vectorBinary: Readonly<Record<string, Row>> = {
  add: row(["f32x4.add"], ["i32x4.add"]),
  sub: row(["f32x4.sub"], ["i32x4.sub"]),
  mul: row(["f32x4.mul"], ["i32x4.mul"]),
  div: row(["f32x4.div"], []),
  max: row(["f32x4.max"], ["i32x4.max_s"], ["i32x4.max_u"]),
  min: row(["f32x4.min"], ["i32x4.min_s"], ["i32x4.min_u"]),
  lt: row(["f32x4.lt"], ["i32x4.lt_s"], ["i32x4.lt_u"]),
  le: row(["f32x4.le"], ["i32x4.le_s"], ["i32x4.le_u"]),
  eq: row(["f32x4.eq"], ["i32x4.eq"]),
  ne: row(["f32x4.ne"], ["i32x4.ne"]),
  and: row([], ["v128.and"]),
  or: row([], ["v128.or"]),
  bitand: row([], ["v128.and"]),
  xor: row([], ["v128.xor"]),
  shl: row([], ["i32x4.shl"]),
  shr: row([], ["i32x4.shr_s"], ["i32x4.shr_u"]),
};

const scalarUnary: Readonly<Record<string, Row>> = {
  neg: row(["f32.neg"], []),
  abs: row(["f32.abs"], []),
  floor: row(["f32.floor"], []),
  sqrt: row(["f32.sqrt"], []),
  not: row([], ["i32.eqz"]),
};
const vectorUnary: Readonly<Record<string, Row>> = {
  neg: row(["f32x4.neg"], ["i32x4.neg"]),
  abs: row(["f32x4.abs"], ["i32x4.abs"]),
  floor: row(["f32x4.floor"], []),
  sqrt: row(["f32x4.sqrt"], []),
  not: row([], ["v128.not"]),
};

export class Operations {
  /** Lanes are inner elements that a stage puts together at its end (not different grid points). */
  readonly reduceLanes: boolean;
  /** Uniform conditions that hold wherever lanes are computed from them. */
  readonly given = new Set<number>();
  /** Values that need no code here: what each of the four lanes has. */
  known: ReadonlyMap<number, readonly number[]> = new Map();
  private readonly f: Fn;
  private readonly values: readonly Value[];
  private readonly varies: readonly boolean[];
  private readonly helpers: Helpers;
  private readonly copies: Copies;
  private readonly scalarLocal = new Map<number, number>();
  private readonly vectorLocal = new Map<number, number>();

  constructor(
    f: Fn,
    values: readonly Value[],
    varies: readonly boolean[],
    helpers: Helpers,
    reduceLanes: boolean,
    copies = new Copies(1),
  ) {
    this.f = f;
    this.copies = copies;
    this.values = values;
    this.varies = varies;
    this.helpers = helpers;
    this.reduceLanes = reduceLanes;
  }

  scratch(): number {
    return this.f.local("v128");
  }

  private value(v: number): Value {
    const value = this.values[v];
    if (!value) throw new Error(`expected a value below ${this.values.length}, got ${v}`);
    return value;
  }

  /** A number for the present copy of a value. */
  private copyOf(v: number): number {
    const { copies } = this;
    const vector = this.varies[v] ? copies.vector : 0;
    const point = copies.fresh.has(v) ? copies.point : 0;
    return v + this.values.length * (vector + copies.vectors * point);
  }

  private scalar(v: number): number {
    const copy = this.copyOf(v);
    let local = this.scalarLocal.get(copy);
    if (local === undefined) {
      local = this.f.local(this.value(v).dtype === "f32" ? "f32" : "i32");
      this.scalarLocal.set(copy, local);
    }
    return local;
  }

  private vector(v: number): number {
    const copy = this.copyOf(v);
    let local = this.vectorLocal.get(copy);
    if (local === undefined) this.vectorLocal.set(copy, (local = this.f.local("v128")));
    return local;
  }

  /** Spreads constants that lanes use. Called before any loop. */
  constants(): void {
    this.values.forEach((value, v) => {
      if (value.op !== "const") return;
      const used = this.values.some((other, at) => this.varies[at] && other.args.includes(v));
      if (!used) return;
      this.push(v, false);
      this.spread(value.dtype);
      this.f.set(this.vector(v));
      this.spreadConstants.add(v);
    });
  }
  private readonly spreadConstants = new Set<number>();

  /** Scalar on the stack → four equal lanes. */
  private spread(dtype: DType): void {
    if (dtype === "f32") this.f.op("f32x4.splat");
    else if (dtype === "bool") {
      this.f.op("i32x4.splat").i32x4(0).op("i32x4.ne");
    } else this.f.op("i32x4.splat");
  }

  /** Pushes a value as one number or as four lanes. */
  push(v: number, wide: boolean): void {
    const { f } = this;
    const value = this.value(v);
    const known = this.known.get(v);
    if (known) {
      const [a = 0, b = 0, c = 0, d = 0] = value.dtype === "bool" && wide ? known.map((n) => -n) : known;
      if (wide) f.i32x4(a, b, c, d);
      else f.i32(a);
      return;
    }
    if (wide) {
      if (this.varies[v] || this.spreadConstants.has(v)) f.get(this.vector(v));
      else {
        this.push(v, false);
        this.spread(value.dtype);
      }
      return;
    }
    if (this.varies[v]) throw new Error(`expected a uniform value, got ${value.op} that differs between lanes`);
    if (value.op === "const") {
      if (value.dtype === "f32") f.f32(value.value);
      else f.i32(value.value);
      return;
    }
    f.get(this.scalar(v));
  }

  /** A local with four lanes of a value. */
  private lanes(v: number): number {
    if (this.varies[v] || this.spreadConstants.has(v)) return this.vector(v);
    const local = this.scratch();
    this.push(v, true);
    this.f.set(local);
    return local;
  }

  /** Puts the value on the stack into its local. */
  define(v: number): void {
    this.f.set(this.varies[v] ? this.vector(v) : this.scalar(v));
  }

  /** Pushes the result of an operation on values defined before. */
  compute(v: number): void {
    const value = this.value(v);
    const wide = this.varies[v] ?? false;
    const { f } = this;
    const [a = 0, b = 0] = value.args;
    const of = this.value(a).dtype;
    const kind = kindOf(of);
    if (value.op === "select") {
      if (wide && this.known.has(a)) this.chosen(a, b, value.args[2] ?? 0);
      else if (wide) {
        this.push(b, true);
        this.push(value.args[2] ?? 0, true);
        this.push(a, true);
        f.op("v128.bitselect");
      } else {
        this.push(b, false);
        this.push(value.args[2] ?? 0, false);
        this.push(a, false);
        f.op("select");
      }
      return;
    }
    if (isMath(value.op)) {
      if (wide && value.args.length === 1) {
        this.helpers.lanes(value.op, f, this.lanes(a));
        return;
      }
      // a number goes through the lanes too, so that it has the same bits
      this.push(a, true);
      if (value.args.length > 1) this.push(b, true);
      f.call(this.helpers.call(value.op));
      if (!wide) f.lane("f32x4.extract_lane", 0);
      return;
    }
    if (value.op === "cast") this.cast(a, of, value.dtype, wide);
    else if (value.op === "sign") this.sign(a, kind, wide);
    else if (value.args.length === 1) this.unary(value.op, a, kind, wide);
    else this.binary(value.op, a, b, kind, wide);
  }

  /** Whether a value is known to be 0 in all lanes, as nothing of it is chosen. */
  isNothing(v: number): boolean {
    const { op, args } = this.value(v);
    const [condition = 0, , other = 0] = args;
    return op === "select" && this.isZero(other) && this.known.get(condition)?.every((n) => n === 0) === true;
  }

  private isZero(v: number): boolean {
    const value = this.value(v);
    return value.op === "const" && Object.is(value.value, 0);
  }

  /** Lanes of two values by a condition that is known. */
  private chosen(condition: number, a: number, b: number): void {
    const { f } = this;
    const lanes = this.known.get(condition) ?? [];
    if (lanes.every((n) => n === 1)) this.push(a, true);
    else if (lanes.every((n) => n === 0)) this.push(b, true);
    else {
      this.push(a, true);
      if (!this.isZero(b)) this.push(b, true);
      this.push(condition, true);
      f.op(this.isZero(b) ? "v128.and" : "v128.bitselect");
    }
  }

  private unary(op: string, a: number, kind: Kind, wide: boolean): void {
    const { f } = this;
    if (!wide && kind !== "float" && (op === "neg" || op === "abs")) {
      if (op === "neg") {
        f.i32(0);
        this.push(a, false);
        f.op("i32.sub");
        return;
      }
      f.i32(0);
      this.push(a, false);
      f.op("i32.sub");
      this.push(a, false);
      this.push(a, false);
      f.i32(0).op("i32.lt_s", "select");
      return;
    }
    this.push(a, wide);
    f.op(...this.named(wide ? vectorUnary : scalarUnary, op, kind));
  }

  private named(table: Readonly<Record<string, Row>>, op: string, kind: Kind): readonly PlainOp[] {
    const found = table[op]?.[kind];
    if (!found || found.length === 0) throw new Error(`expected an instruction for ${op} of ${kind}`);
    return found;
  }

  private binary(op: string, a: number, b: number, kind: Kind, wide: boolean): void {
    const { f } = this;
    if (op === "mod" && kind === "float") {
      // a - floor(a / b) b
      const names: readonly PlainOp[] = wide
        ? ["f32x4.div", "f32x4.floor", "f32x4.mul", "f32x4.sub"]
        : ["f32.div", "f32.floor", "f32.mul", "f32.sub"];
      this.push(a, wide);
      this.push(a, wide);
      this.push(b, wide);
      f.op(names[0] as PlainOp, names[1] as PlainOp);
      this.push(b, wide);
      f.op(names[2] as PlainOp, names[3] as PlainOp);
      return;
    }
    if (kind !== "float" && (op === "div" || op === "mod")) {
      this.divide(op === "div" ? "divide" : "modulo", a, b, wide);
      return;
    }
    if (op === "and" && wide && (this.given.has(a) || this.given.has(b))) {
      this.push(this.given.has(a) ? b : a, true);
      return;
    }
    if (!wide && kind !== "float" && (op === "max" || op === "min")) {
      this.push(a, false);
      this.push(b, false);
      this.push(a, false);
      this.push(b, false);
      const signed = kind === "int";
      f.op(op === "max" ? (signed ? "i32.gt_s" : "i32.gt_u") : signed ? "i32.lt_s" : "i32.lt_u", "select");
      return;
    }
    this.push(a, wide);
    this.push(b, wide && op !== "shl" && op !== "shr");
    f.op(...this.named(wide ? vectorBinary : scalarBinary, op, kind));
  }

  /** Lanes have no integer division: one call for each. */
  private divide(helper: "divide" | "modulo", a: number, b: number, wide: boolean): void {
    const { f } = this;
    if (!wide) {
      this.push(a, false);
      this.push(b, false);
      f.call(this.helpers.call(helper));
      return;
    }
    const x = this.scratch();
    const y = this.scratch();
    this.push(a, true);
    f.set(x);
    this.push(b, true);
    f.set(y);
    const result = this.scratch();
    for (let i = 0; i < 4; i++) {
      if (i > 0) f.get(result);
      f.get(x).lane("i32x4.extract_lane", i).get(y).lane("i32x4.extract_lane", i).call(this.helpers.call(helper));
      if (i === 0) f.op("i32x4.splat");
      else f.lane("i32x4.replace_lane", i);
      f.set(result);
    }
    f.get(result);
  }

  private sign(a: number, kind: Kind, wide: boolean): void {
    const { f } = this;
    const push = () => this.push(a, wide);
    if (wide && kind === "float") {
      // zeros and NaN stay themselves
      push();
      f.f32x4(1);
      push();
      f.i32x4(-0x80000000).op("v128.and", "v128.or");
      push();
      f.f32x4(0).op("f32x4.eq");
      push();
      push();
      f.op("f32x4.ne", "v128.or", "v128.bitselect");
      return;
    }
    if (wide) {
      push();
      f.i32x4(0).op("i32x4.lt_s");
      push();
      f.i32x4(0).op("i32x4.gt_s", "i32x4.sub");
      return;
    }
    if (kind === "float") {
      push();
      f.op("f32x4.splat").f32x4(1);
      push();
      f.op("f32x4.splat").i32x4(-0x80000000).op("v128.and", "v128.or");
      push();
      f.f32(0).op("f32.eq");
      push();
      push();
      f.op("f32.ne", "i32.or", "i32x4.splat").i32x4(0).op("i32x4.ne", "v128.bitselect").lane("f32x4.extract_lane", 0);
      return;
    }
    push();
    f.i32(0).op("i32.gt_s");
    push();
    f.i32(0).op("i32.lt_s", "i32.sub");
  }

  private cast(a: number, from: DType, to: DType, wide: boolean): void {
    const { f } = this;
    this.push(a, wide);
    if (to === "bool") {
      if (wide) {
        if (from === "f32") f.f32x4(0).op("f32x4.ne");
        else f.i32x4(0).op("i32x4.ne");
      } else if (from === "f32") f.f32(0).op("f32.ne");
      else f.i32(0).op("i32.ne");
      return;
    }
    if (from === "bool" && wide) {
      if (to === "f32") f.f32x4(1).op("v128.and");
      else f.i32x4(1).op("v128.and");
      return;
    }
    if (to === "f32") {
      const unsigned = from === "u32";
      if (wide) f.op(unsigned ? "f32x4.convert_i32x4_u" : "f32x4.convert_i32x4_s");
      else f.op(unsigned ? "f32.convert_i32_u" : "f32.convert_i32_s");
      return;
    }
    if (from !== "f32") return;
    const unsigned = to === "u32";
    if (wide) f.op(unsigned ? "i32x4.trunc_sat_f32x4_u" : "i32x4.trunc_sat_f32x4_s");
    else f.op(unsigned ? "i32.trunc_sat_f32_u" : "i32.trunc_sat_f32_s");
  }
}
