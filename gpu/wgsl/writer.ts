/**
 * The scalar part of a kernel as WGSL: literals, elementwise operations, loads and stores. Memory is one array of
 * words per bank; a value's type tells how its word is read, so no bit of it passes through a float that may flush it.
 */
import type { DType } from "../../lang/graph/node.ts";
import type { Access, Param, Store, Value } from "../kernel.ts";
import { helperCode } from "./math.ts";
import type { HelperName } from "./math.ts";
import type { Schedule } from "./schedule.ts";

/** A module with the entry `main`. Its bindings are numbered by itself, so that it serves operands wherever they lie. */
export interface Module {
  readonly code: string;
  /** By storage binding: whether it is written. */
  readonly writes: readonly boolean[];
}

/** A dispatch: a module and how many workgroups run, folded into two dimensions. */
export interface Shader extends Module {
  readonly groups: number;
  /** By storage binding: the bank. */
  readonly banks: readonly number[];
}

/** Offsets come in blocks of 256 bytes: as many as a dispatch has parameters, up to 8. */
export const BLOCK = 64;
export const MAX_PARAMS = 8 * BLOCK;

const types: Readonly<Record<DType, string>> = { f32: "f32", i32: "i32", u32: "u32", bool: "bool" };
export const typeName = (dtype: DType): string => types[dtype];

const wordBuffer = new DataView(new ArrayBuffer(4));
function bitsOf(value: number): string {
  wordBuffer.setFloat32(0, value);
  return `0x${wordBuffer.getUint32(0).toString(16)}u`;
}

const MATH: Readonly<Record<string, HelperName>> = {
  exp: "exp_",
  log: "log_",
  log1p: "log1p_",
  half: "half_",
  tanh: "tanh_",
  erf: "erf_",
  sin: "sin_",
  cos: "cos_",
};
const INFIX: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  eq: "==",
  ne: "!=",
  and: "&&",
  or: "||",
  bitand: "&",
  xor: "^",
};

export class Writer {
  readonly lines: string[] = [];
  readonly params: readonly Param[];
  /** By parameter: the bank it lies in. */
  readonly banks: readonly number[];
  readonly schedule: Schedule;
  /** Words of the windows. */
  readonly locals: readonly number[];
  /** The parameter that windows lie in; without one they lie in workgroup memory. */
  private readonly slices: number | undefined;
  private readonly helpers = new Set<HelperName>();
  /** Banks in the order in which they are named first, and whether they are written. */
  private readonly named = new Map<number, boolean>();
  /** The code has operations of subgroups: `subgroup` is the number of the lane's, of `subgroups`. */
  subgroups = false;
  /** The code has numbers of half precision as such. */
  f16 = false;
  private depth = 1;
  /** Even elements that wait for the odd one beside them, by what is stored where. */
  private readonly kept = new Map<string, string>();

  constructor(
    params: readonly Param[],
    banks: readonly number[],
    schedule: Schedule,
    locals: readonly number[] = [],
    slices?: number,
  ) {
    if (params.length > MAX_PARAMS) throw new Error(`expected at most ${MAX_PARAMS} parameters, got ${params.length}`);
    this.params = params;
    this.banks = banks;
    this.schedule = schedule;
    this.locals = locals;
    this.slices = slices;
  }

  line(text: string): void {
    if (text.startsWith("}")) this.depth--;
    this.lines.push("  ".repeat(this.depth) + text);
    if (text.endsWith("{")) this.depth++;
  }

  /**
   * Unit steps to a constant bound: compilers of WGSL count the turns of any other loop at run time, as they cannot tell
   * that it ends.
   */
  loop(i: string, count: number, body: () => void): void {
    this.line(`for (var ${i} = 0u; ${i} < ${count}u; ${i}++) {`);
    body();
    this.line("}");
  }

  /** From `from` on and below `to`, at most so many times. */
  range(i: string, from: string, to: string, most: number, body: () => void): void {
    this.loop(`${i}_turn`, most, () => {
      this.line(`let ${i} = ${from} + ${i}_turn;`);
      this.line(`if (${i} >= ${to}) { break; }`);
      body();
    });
  }

  /** Each lane takes one of `lanes` places beside each other, then one of the next, of all that there are. */
  turns(at: string, lane: string, lanes: number, count: number, body: () => void): void {
    const turns = Math.ceil(count / lanes);
    this.loop("turn", turns, () => {
      this.line(`let ${at} = ${lane}${turns > 1 ? ` + ${lanes}u * turn` : ""};`);
      if (count % lanes === 0) {
        body();
        return;
      }
      this.line(`if (${at} < ${count}u) {`);
      body();
      this.line("}");
    });
  }

  call(name: HelperName, ...args: readonly string[]): string {
    this.helpers.add(name);
    return `${name}(${args.join(", ")})`;
  }

  literal(value: number, dtype: DType): string {
    if (dtype === "bool") return value ? "true" : "false";
    if (dtype === "u32") return `${value >>> 0}u`;
    if (dtype === "i32") return value < 0 ? `i32(${value})` : `${value}`;
    if (!Number.isFinite(value) || Object.is(value, -0)) return this.call("number", bitsOf(value));
    return value < 0 ? `(${value}f)` : `${value}f`;
  }

  /** The word of a parameter at an index in u32; parameters behind the last one are windows. */
  word(param: number, index: string): string {
    const local = param - this.params.length;
    if (local >= 0) {
      const window =
        this.slices === undefined ? `local${local}[` : `${this.bank(this.banks[this.slices] ?? 0)}[slice${local} + `;
      return `${window}(${index}) - from${local}]`;
    }
    return `${this.bank(this.banks[param] ?? 0)}[p${param} + ${index}]`;
  }

  /** The array of a bank. */
  bank(bank: number, written = false): string {
    this.named.set(bank, written || (this.named.get(bank) ?? false));
    return `m${[...this.named.keys()].indexOf(bank)}`;
  }

  /** `text` is the new word of a parameter. */
  assign(param: number, index: string, text: string): string {
    const bank = this.banks[param < this.params.length ? param : (this.slices ?? -1)];
    if (bank !== undefined) this.bank(bank, true);
    return `${this.word(param, index)} = ${text};`;
  }

  load(param: number, index: string): string {
    const dtype = this.params[param]?.dtype ?? "f32";
    if (this.params[param]?.half) {
      const pair = this.word(param, `((${index}) >> 1u)`);
      return this.call(this.schedule.unpacks ? "unpacked" : "from_half", pair, index);
    }
    const word = this.word(param, index);
    if (dtype === "u32") return word;
    return dtype === "bool" ? `(${word} != 0u)` : `bitcast<${dtype}>(${word})`;
  }

  /** An element that is stored in 16 bits, as it is. */
  half(param: number, index: string): string {
    this.f16 = true;
    return `bitcast<vec2<f16>>(${this.word(param, `((${index}) >> 1u)`)})[(${index}) & 1u]`;
  }

  /** One for all copies of a store. */
  private keptFor(store: string): string {
    const name = this.kept.get(store) ?? `kept${this.kept.size}`;
    this.kept.set(store, name);
    return name;
  }

  /** Of two elements that share a word, the one hand that saves both saves the even one first. */
  save(param: number, index: string, value: string): void {
    const dtype = this.params[param]?.dtype ?? "f32";
    if (this.params[param]?.half) {
      const kept = this.keptFor(`${param} ${index}`);
      this.line("{");
      this.line(`let at_half = ${index};`);
      this.line(`let bits = ${this.call("to_half", value)};`);
      this.line(`if ((at_half & 1u) == 0u) { ${kept} = bits; }`);
      this.line(`else { ${this.assign(param, "(at_half >> 1u)", `${kept} | (bits << 16u)`)} }`);
      this.line("}");
      return;
    }
    const word = dtype === "u32" ? value : dtype === "bool" ? `select(0u, 1u, ${value})` : `bitcast<u32>(${value})`;
    this.line(this.assign(param, index, word));
  }

  /** The whole module around the lines of `main`. `shared` are declarations of workgroup memory; `wide` banks are seen in fours. */
  module(
    size: number,
    shared: readonly string[] = [],
    more: readonly string[] = [],
    wide: ReadonlySet<number> = new Set(),
  ): Omit<Shader, "groups"> {
    const writes = [...this.named.values()];
    const numbers = this.subgroups
      ? ", @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32"
      : "";
    const code = [
      this.f16 ? "enable f16;" : "",
      this.subgroups ? "enable subgroups;" : "",
      `struct Args { at: array<vec4<u32>, ${(BLOCK / 4) * Math.max(1, Math.ceil(this.params.length / BLOCK))}> }`,
      "@group(0) @binding(0) var<uniform> args: Args;",
      ...[...this.named].map(([bank, written], i) => {
        const type = wide.has(bank) ? "vec4<u32>" : "u32";
        return `@group(0) @binding(${i + 1}) var<storage, ${written ? "read_write" : "read"}> m${i}: array<${type}>;`;
      }),
      ...shared,
      helperCode(this.helpers),
      ...more,
      `@compute @workgroup_size(${size})`,
      `fn main(@builtin(workgroup_id) groups: vec3<u32>, @builtin(num_workgroups) all_groups: vec3<u32>, @builtin(local_invocation_index) lane: u32${numbers}) {`,
      ...this.params.map((_, i) => `  let p${i} = args.at[${i >> 2}].${"xyzw"[i & 3]};`),
      ...[...this.kept.values()].map((name) => `  var ${name} = 0u;`),
      ...this.lines,
      "}",
    ];
    const text = `${code.filter((line) => line !== "").join("\n")}\n`;
    return { code: text, banks: [...this.named.keys()], writes };
  }
}

/** The values of a `rows` kernel, by the names of their variables. */
export class ValueWriter {
  private readonly w: Writer;
  private readonly values: readonly Value[];
  /** Parameter of the values → parameter of the writer. */
  private readonly param: (param: number) => number;
  /** A load that is known already: the product in its epilogue. */
  private readonly known: (param: number) => string | undefined;

  constructor(
    w: Writer,
    values: readonly Value[],
    param: (param: number) => number = (p) => p,
    known: (param: number) => string | undefined = () => undefined,
  ) {
    this.w = w;
    this.values = values;
    this.param = param;
    this.known = known;
  }

  private at(v: number): Value {
    const value = this.values[v];
    if (!value) throw new Error(`expected a value below ${this.values.length}, got ${v}`);
    return value;
  }

  name(v: number): string {
    const value = this.at(v);
    if (value.op === "const") return this.w.literal(value.value, value.dtype);
    if (value.op === "axis") return `i${value.axis}`;
    return value.op === "acc" ? `acc${value.stage}_${value.acc}` : `v${v}`;
  }

  dtype(v: number): DType {
    return this.at(v).dtype;
  }

  index(access: Access): string {
    const parts = access.terms.map(([axis, coef]) => (coef === 1 ? `i${axis}` : `i${axis} * ${coef}`));
    for (const [v, coef] of access.dynamic) parts.push(coef === 1 ? this.name(v) : `${this.name(v)} * ${coef}`);
    if (parts.length === 0) return `${access.base >>> 0}u`;
    if (access.base !== 0) parts.push(this.w.literal(access.base, "i32"));
    return `u32(${parts.join(" + ")})`;
  }

  /** Writes `let` for a value that is neither a literal nor an axis nor an accumulator. */
  define(v: number): void {
    const { op } = this.at(v);
    if (op === "const" || op === "axis" || op === "acc") return;
    this.w.line(`let v${v} = ${this.expression(v)};`);
  }

  store(store: Store): void {
    this.w.save(this.param(store.access.param), this.index(store.access), this.name(store.value));
  }

  private expression(v: number): string {
    const { w } = this;
    const value = this.at(v);
    if (value.op === "load") {
      const { access } = value;
      const known = this.known(access.param);
      if (known !== undefined) return known;
      const param = this.param(access.param);
      const local = param - w.params.length;
      const size = w.params[param]?.size ?? w.locals[local] ?? 0;
      // what a select throws away is read all the same: inside of the tensor
      const outside = access.lo < 0 || access.hi >= size;
      const index = this.index(access);
      if (!outside) return w.load(param, index);
      // a window begins where its unit does
      const from = local < 0 ? "" : `from${local} + `;
      return w.load(param, `${from}min(${local < 0 ? index : `${index} - from${local}`}, ${size - 1}u)`);
    }
    const names = value.args.map((a) => this.name(a));
    const [a = "", b = "", c = ""] = names;
    const of = this.dtype(value.args[0] ?? 0);
    const { op } = value;
    if (op === "select") return `select(${c}, ${b}, ${a})`;
    const math = MATH[op];
    if (math) return w.call(math, a);
    if (op === "cast") return this.cast(a, of, value.dtype);
    if (op === "not") return `!${a}`;
    if (op === "neg") return `-${a}`;
    if (op === "sign") return of === "f32" ? w.call("sign_of", a) : `sign(${a})`;
    if (op === "abs" || op === "floor" || op === "sqrt") return `${op}(${a})`;
    if (op === "shl" || op === "shr") return `${a} ${op === "shl" ? "<<" : ">>"} (u32(${b}) & 31u)`;
    if (op === "max" || op === "min") {
      if (of !== "f32") return `${op}(${a}, ${b})`;
      return w.call(op === "max" ? "largest" : "least", a, b);
    }
    if (of === "f32") {
      if (op === "pow") return w.call("pow_", a, b);
      if (op === "mod") return w.call("remainder", a, b);
      if (op === "ne") return w.call("unequal", a, b);
      // x - x tells NaN and infinity from numbers: compilers must not fold it
      if (op === "sub" && a === b) return w.call("self_minus", a);
    } else if (op === "div" || op === "mod") {
      if (of === "u32") return w.call(op === "div" ? "divide_u" : "modulo_u", a, b);
      return w.call(op === "div" ? "divide" : "modulo", a, b);
    }
    if (op === "xor" && of === "bool") return `${a} != ${b}`;
    const infix = INFIX[op];
    if (!infix) throw new Error(`expected an operation with WGSL, got ${op} of ${of}`);
    // WGSL refuses constant expressions that overflow or divide by zero
    const fixed = of === "f32" && value.args.every((arg) => this.at(arg).op === "const");
    const first = this.at(value.args[0] ?? 0);
    if (fixed && first.op === "const") return `${w.call("number", bitsOf(first.value))} ${infix} ${b}`;
    return `${a} ${infix} ${b}`;
  }

  private cast(a: string, from: DType, to: DType): string {
    if (to === "bool") return from === "f32" ? this.w.call("unequal", a, "0f") : `${a} != ${this.w.literal(0, from)}`;
    if (from === "f32") return this.w.call(to === "i32" ? "to_i32" : "to_u32", a);
    // bools become 0 and 1, integers keep their bits
    return `${typeName(to)}(${a})`;
  }
}

/** Numbers of the axes from the row-major place `from` (u32), the last one fastest. */
export function decode(w: Writer, from: string, axes: readonly (readonly [axis: number, extent: number])[]): void {
  let rest = from;
  for (let i = axes.length - 1; i >= 0; i--) {
    const [axis, extent] = axes[i] as readonly [number, number];
    if (extent === 1) w.line(`let i${axis} = 0;`);
    else if (i === 0) w.line(`let i${axis} = i32(${rest});`);
    else {
      w.line(`let i${axis} = i32(${rest} % ${extent}u);`);
      w.line(`let rest${axis} = ${rest} / ${extent}u;`);
      rest = `rest${axis}`;
    }
  }
}
