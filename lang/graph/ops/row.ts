/**
 * What a row of the op table says about one primitive. Everything else (gradients, verifier, interpreter, tests) loops
 * over rows. Kernels are not here: devices make their own from the same rows.
 */
import type { Attrs, DType, Node, Type } from "../node.ts";

/** A tensor in the interpreter: row-major, float64 whatever the dtype (bools and integers are whole numbers). */
export interface Value {
  readonly data: Float64Array;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What a meaning may ask of the interpreter: outside values, and the run of a body graph. */
export interface Env {
  input(node: Node): Value;
  /** Runs a graph whose `input` nodes are found in `bound` first. */
  run(outputs: readonly Node[], bound: ReadonlyMap<Node, Value>): Value[];
  /** All results of a loop; `node.type` tells only the first. */
  results(loop: Node): readonly Value[];
}

/** What a gradient rule sees. `g` is the adjoint of the node: same shape, f32. */
export interface Adjoint {
  readonly node: Node;
  readonly inputs: readonly Node[];
  readonly g: Node;
  /** By input: whether anybody wants its gradient. Others may be left undefined. */
  readonly needs: readonly boolean[];
  /** Only for `loop`: the adjoint of every result, where there is one. */
  readonly results: readonly (Node | undefined)[];
}

export type Gradient = (adjoint: Adjoint) => readonly (Node | undefined)[];

export interface Op {
  readonly name: string;
  readonly family: "leaf" | "elementwise" | "view" | "reduce" | "contraction" | "rows" | "random" | "linear" | "loop";
  /** Inputs and attrs as text: `(a f32, b f32) -> f32`. */
  readonly signature: string;
  readonly doc: string;
  /** The type of the result; throws an Error when inputs or attrs are wrong. Open sizes (-1) pass. */
  readonly shape: (inputs: readonly Type[], attrs: Attrs, nodes: readonly Node[]) => Type;
  /** Adjoints of the inputs, or why none flows. */
  readonly gradient: Gradient | { readonly none: string };
  readonly meaning: (inputs: readonly Value[], attrs: Attrs, type: Type, env: Env, node: Node) => Float64Array;
  /** Arithmetic per run; one per element of the result when left out, 0 for views. */
  readonly flops?: (inputs: readonly Type[], type: Type, attrs: Attrs) => number;
}

export const sizeOf = (shape: readonly number[]): number => {
  let n = 1;
  for (const s of shape) n *= s;
  return n;
};

/** The distance between neighbours along each axis, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

// ---------------------------------------------------------------- sizes: -1 is open

export const isOpen = (shape: readonly number[]): boolean => shape.includes(-1);

/** Arithmetic on a size; an open one stays open. */
export const sized = (size: number, rule: (size: number) => number): number => (size === -1 ? -1 : rule(size));

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((n, i) => n === b[i] || n === -1 || b[i] === -1));

/** Of two equal shapes the one that knows more, axis by axis. */
export const knownShape = (a: readonly number[], b: readonly number[]): readonly number[] =>
  isOpen(a) ? a.map((n, i) => (n === -1 ? b[i]! : n)) : a;

export const typeText = ({ dtype, shape }: Type): string =>
  `${dtype}[${isOpen(shape) ? shape.map((n) => (n === -1 ? "?" : n)).join() : shape.join()}]`;

// ---------------------------------------------------------------- checks of our own making

/** Thrown by the rule that finds it, so that the words are made only then: shape rules run for every node. */
export const wrong = (op: string, expected: string, got: string): Error =>
  new Error(`${op}: expected ${expected}, got ${got}`);

export function expectCount(op: string, inputs: readonly Type[], n: number): void {
  if (inputs.length !== n) throw wrong(op, `${n} inputs`, `${inputs.length}`);
}

export function expectDtype(op: string, t: Type, allowed: readonly DType[]): void {
  if (!allowed.includes(t.dtype)) throw wrong(op, allowed.join(" or "), typeText(t));
}

export function numberAttr(op: string, attrs: Attrs, key: string): number {
  const value = attrs[key];
  if (typeof value !== "number") throw wrong(op, `a number for ${key}`, JSON.stringify(value));
  return value;
}

export function textAttr(op: string, attrs: Attrs, key: string): string {
  const value = attrs[key];
  if (typeof value !== "string") throw wrong(op, `text for ${key}`, JSON.stringify(value));
  return value;
}

export function boolAttr(op: string, attrs: Attrs, key: string): boolean {
  const value = attrs[key];
  if (typeof value !== "boolean") throw wrong(op, `true or false for ${key}`, JSON.stringify(value));
  return value;
}

export function numbersAttr(op: string, attrs: Attrs, key: string, length?: number): readonly number[] {
  const value = attrs[key];
  const right =
    Array.isArray(value) &&
    value.every((x) => typeof x === "number") &&
    (length === undefined || value.length === length);
  if (!right) throw wrong(op, `${length ?? "a list of"} numbers for ${key}`, JSON.stringify(value));
  return value as readonly number[];
}

const DTYPES: readonly string[] = ["f32", "i32", "u32", "bool"];
export function dtypeAttr(op: string, attrs: Attrs): DType {
  const value = attrs["dtype"];
  if (!(typeof value === "string" && DTYPES.includes(value)))
    throw wrong(op, `a dtype (${DTYPES.join(", ")})`, JSON.stringify(value));
  return value as DType;
}

/** An axis in 0..rank-1. */
export function axisAttr(op: string, attrs: Attrs, rank: number): number {
  const axis = numberAttr(op, attrs, "axis");
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank)) throw wrong(op, `an axis below ${rank}`, `${axis}`);
  return axis;
}

/** Different axes, each in 0..rank-1. */
export function axesAttr(op: string, attrs: Attrs, rank: number): readonly number[] {
  const axes = numbersAttr(op, attrs, "axes");
  const right = axes.every((a) => Number.isInteger(a) && a >= 0 && a < rank) && new Set(axes).size === axes.length;
  if (!right) throw wrong(op, `different axes below ${rank}`, `[${axes.join(",")}]`);
  return axes;
}
