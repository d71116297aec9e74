/**
 * How the interpreter reads a tensor by an affine rule: offset = base + sum of index times stride.
 */
import type { Value } from "./row.ts";
import { sizeOf, stridesOf } from "./row.ts";

/**
 * Visits every element of `shape` in row-major order with an affine offset: `base` plus index times stride.
 * `visit` gets the running number and the offset of the first element of a run along the last axis.
 */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  base: number,
  run: (at: number, offset: number, length: number, stride: number) => void,
): void {
  const rank = shape.length;
  const length = rank === 0 ? 1 : shape[rank - 1]!;
  const stride = rank === 0 ? 0 : strides[rank - 1]!;
  const total = sizeOf(shape);
  if (total === 0) return;
  const index = new Array<number>(Math.max(rank - 1, 0)).fill(0);
  let offset = base;
  for (let at = 0; at < total; at += length) {
    run(at, offset, length, stride);
    for (let axis = rank - 2; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** A strided copy out of `data` into a new array of `shape`. */
export function strided(
  data: Float64Array,
  shape: readonly number[],
  strides: readonly number[],
  base = 0,
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  walk(shape, strides, base, (at, offset, length, stride) => {
    if (stride === 1) out.set(data.subarray(offset, offset + length), at);
    else if (stride === 0) out.fill(data[offset]!, at, at + length);
    else for (let i = 0, from = offset; i < length; i++, from += stride) out[at + i] = data[from]!;
  });
  return out;
}

export function permuted(value: Value, perm: readonly number[]): Float64Array {
  if (perm.every((p, i) => p === i)) return value.data;
  const strides = stridesOf(value.shape);
  return strided(
    value.data,
    perm.map((p) => value.shape[p]!),
    perm.map((p) => strides[p]!),
  );
}
