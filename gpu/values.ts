/**
 * The list of SSA values while a kernel is being built: equal values are one, constants fold, and integer division by
 * powers of two becomes shifts. Folding never changes what a f32 computation rounds to.
 */
import type { DType } from "../lang/graph/node.ts";
import type { Access, BinaryOp, UnaryOp, Value } from "./kernel.ts";

const accessKey = (a: Access) =>
  `${a.param}[${a.base}${a.terms.map(([x, c]) => `+${c}a${x}`).join("")}${a.dynamic.map(([v, c]) => `+${c}v${v}`).join("")}]`;

function keyOf(v: Value): string {
  switch (v.op) {
    case "const":
      return `${v.dtype} ${Object.is(v.value, -0) ? "-0" : v.value}`;
    case "axis":
      return `axis ${v.axis}`;
    case "load":
      return `load ${accessKey(v.access)}`;
    case "acc":
      return `acc ${v.stage} ${v.acc}`;
    default:
      return `${v.op} ${v.dtype} ${v.args.join()}`;
  }
}

const isPowerOfTwo = (n: number) => n > 0 && (n & (n - 1)) === 0;

export class Values {
  readonly list: Value[] = [];
  private readonly byKey = new Map<string, number>();

  add(value: Value): number {
    const key = keyOf(value);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const id = this.list.push(value) - 1;
    this.byKey.set(key, id);
    return id;
  }

  at(id: number): Value {
    const value = this.list[id];
    if (!value) throw new Error(`expected a value below ${this.list.length}, got ${id}`);
    return value;
  }

  constant(value: number, dtype: DType): number {
    const stored =
      dtype === "f32" ? Math.fround(value) : dtype === "u32" ? value >>> 0 : dtype === "bool" ? +!!value : value | 0;
    return this.add({ op: "const", dtype, value: stored, args: [] });
  }

  /** The number of a constant. */
  number(id: number): number | undefined {
    const v = this.at(id);
    return v.op === "const" ? v.value : undefined;
  }

  unary(op: UnaryOp, a: number, dtype: DType = this.at(a).dtype): number {
    const from = this.at(a);
    if (op === "cast" && from.dtype === dtype) return a;
    const x = this.number(a);
    if (x !== undefined && op === "cast") {
      if (dtype === "f32" || from.dtype !== "f32") return this.constant(dtype === "bool" ? +(x !== 0) : x, dtype);
    }
    if (x !== undefined && op === "neg") return this.constant(-x, dtype);
    if (op === "not" && x !== undefined) return this.constant(1 - x, "bool");
    if (op === "not" && from.op === "not") return from.args[0] ?? a;
    return this.add({ op, dtype, args: [a] });
  }

  binary(op: BinaryOp, a: number, b: number): number {
    const dtype: DType = op === "lt" || op === "le" || op === "eq" || op === "ne" ? "bool" : this.at(a).dtype;
    const of = this.at(a).dtype;
    const x = this.number(a);
    const y = this.number(b);
    if (of === "bool") {
      if (op === "and") {
        if (x !== undefined) return x ? b : a;
        if (y !== undefined) return y ? a : b;
      }
      if (op === "or") {
        if (x !== undefined) return x ? a : b;
        if (y !== undefined) return y ? b : a;
      }
    }
    if (of === "i32") {
      if (x !== undefined && y !== undefined) {
        const folded = foldInteger(op, x, y);
        if (folded !== undefined) return this.constant(folded, dtype);
      }
      if (y === 0 && (op === "add" || op === "sub")) return a;
      if (x === 0 && op === "add") return b;
      if (y === 1 && (op === "mul" || op === "div")) return a;
      if (x === 1 && op === "mul") return b;
      if (y !== undefined && isPowerOfTwo(y)) {
        if (op === "div") return this.binary("shr", a, this.constant(Math.log2(y), "i32"));
        if (op === "mod") return this.binary("bitand", a, this.constant(y - 1, "i32"));
      }
    }
    if (of === "f32") {
      if (y === 1 && (op === "mul" || op === "div")) return a;
      if (x === 1 && op === "mul") return b;
      // a power-of-two divisor has an exact reciprocal
      if (op === "div" && y !== undefined && exactReciprocal(y))
        return this.binary("mul", a, this.constant(1 / y, "f32"));
      if (op === "pow" && y !== undefined) {
        if (y === 1) return a;
        if (y === 2) return this.binary("mul", a, a);
        if (y === 3) return this.binary("mul", this.binary("mul", a, a), a);
        if (y === -1) return this.binary("div", this.constant(1, "f32"), a);
      }
    }
    return this.add({ op, dtype, args: [a, b] });
  }

  select(cond: number, a: number, b: number): number {
    const c = this.number(cond);
    if (c !== undefined) return c ? a : b;
    if (a === b) return a;
    return this.add({ op: "select", dtype: this.at(a).dtype, args: [cond, a, b] });
  }
}

function exactReciprocal(y: number): boolean {
  const size = Math.abs(y);
  return size >= 2 ** -60 && size <= 2 ** 60 && Number.isInteger(Math.log2(size)) && 2 ** Math.log2(size) === size;
}

function foldInteger(op: BinaryOp, x: number, y: number): number | undefined {
  switch (op) {
    case "add":
      return x + y;
    case "sub":
      return x - y;
    case "mul":
      return Math.imul(x, y);
    case "div":
      return y === 0 ? undefined : Math.floor(x / y);
    case "mod":
      return y === 0 ? undefined : x - Math.floor(x / y) * y;
    case "max":
      return Math.max(x, y);
    case "min":
      return Math.min(x, y);
    case "lt":
      return +(x < y);
    case "le":
      return +(x <= y);
    case "eq":
      return +(x === y);
    case "ne":
      return +(x !== y);
    default:
      return undefined;
  }
}
