/**
 * Short names for making nodes, used by gradient rules and passes. Each is one row applied; `fill`, `like` and `scale` are two.
 * Nothing here simplifies, but identity views are not made.
 */
import { isSame } from "./attrs.ts";
import type { Dims, DType, Node, Type } from "./node.ts";
import { make } from "./make.ts";

export { make };

export function scalar(value: number, dtype: DType = "f32"): Node {
  return make("const", [], { value, dtype });
}

/** One number at every place of a type: a const, expanded when the type has axes. */
export function fill(value: number, type: Type): Node {
  return expand(scalar(value, type.dtype), type.shape, []);
}

/** The same number everywhere, shaped like a node. */
export function like(node: Node, value: number): Node {
  return fill(value, node.type);
}

export function unary(op: string, a: Node): Node {
  return make(op, [a], {});
}
export function binary(op: string, a: Node, b: Node): Node {
  return make(op, [a, b], {});
}
export function add(a: Node, b: Node): Node {
  return binary("add", a, b);
}
export function sub(a: Node, b: Node): Node {
  return binary("sub", a, b);
}
export function mul(a: Node, b: Node): Node {
  return binary("mul", a, b);
}
export function div(a: Node, b: Node): Node {
  return binary("div", a, b);
}
export function neg(a: Node): Node {
  return unary("neg", a);
}
/** a times a number. */
export function scale(a: Node, factor: number): Node {
  return mul(a, like(a, factor));
}
export function select(cond: Node, a: Node, b: Node): Node {
  return make("select", [cond, a, b], {});
}
export function cast(a: Node, dtype: DType): Node {
  return a.type.dtype === dtype ? a : make("cast", [a], { dtype });
}

// ---------------------------------------------------------------- views

export function reshape(a: Node, shape: readonly number[]): Node {
  return isSame(a.type.shape, shape) ? a : make("reshape", [a], { shape });
}
export function permute(a: Node, perm: readonly number[]): Node {
  return perm.every((p, i) => p === i) ? a : make("permute", [a], { perm });
}
/** `axes[i]` is the place of input axis i in `shape`. */
export function expand(a: Node, shape: readonly number[], axes: readonly number[]): Node {
  return axes.length === shape.length ? a : make("expand", [a], { shape, axes });
}
/** Puts back axes that a reduction dropped. */
export function expandOver(a: Node, shape: readonly number[], dropped: readonly number[]): Node {
  return expand(
    a,
    shape,
    shape.map((_, i) => i).filter((i) => !dropped.includes(i)),
  );
}
export function slice(a: Node, start: readonly number[], stop: readonly number[], step?: readonly number[]): Node {
  const steps = step ?? start.map(() => 1);
  const whole = start.every((s, i) => s === 0 && stop[i] === a.type.shape[i] && steps[i] === 1);
  return whole ? a : make("slice", [a], { start, stop, step: steps });
}
export function pad(a: Node, lo: readonly number[], hi: readonly number[], value = 0): Node {
  return lo.every((n) => n === 0) && hi.every((n) => n === 0) ? a : make("pad", [a], { lo, hi, value });
}

// ---------------------------------------------------------------- the rest

export function sum(a: Node, axes: readonly number[]): Node {
  return axes.length === 0 ? a : make("sum", [a], { axes });
}
export function dot(a: Node, b: Node, batch: Dims, contract: Dims): Node {
  return make("dot", [a, b], { batch, contract });
}
export function pick(loop: Node, index: number): Node {
  return make("pick", [loop], { index });
}
/** A parameter of a loop body. */
export function param(name: string, type: Type): Node {
  return make("input", [], { source: "loop", name, dtype: type.dtype, shape: type.shape });
}
export function input(source: string, name: string, type: Type): Node {
  return make("input", [], { source, name, dtype: type.dtype, shape: type.shape });
}
/** The number of a const that is the same at every place (seen through expand and reshape); a user's `let` is a variable, not a number. */
export function constant(node: Node): number | undefined {
  let at = node;
  while (at.op === "expand" || at.op === "reshape") at = at.inputs[0]!;
  if (at.op !== "const" || at.attrs["let"] !== undefined) return undefined;
  const value = at.attrs["value"];
  return typeof value === "number" ? value : undefined;
}
