/**
 * Random numbers as a function: the same (site, keys, index) gives the same bits on every device and on every pass,
 * forward and backward. All arithmetic is u32 and wraps; `^` is xor, `>>` shifts in zeros.
 *
 *   mix(x):  x ^= x >> 16;  x *= 0x7feb352d;  x ^= x >> 15;  x *= 0x846ca68b;  x ^= x >> 16      (lowbias32)
 *   h1 = mix(site ^ 0x9e3779b9)
 *   h2 = mix(site + 0x85ebca6b)
 *   for each key k in order:
 *     h1 = mix((h1 ^ k) + 0x9e3779b9)
 *     h2 = mix((h2 + k) ^ 0xc2b2ae35)
 *   element i (row-major index in the drawn shape):
 *     x = mix(mix(i ^ h1) + h2)
 *     u = (x >> 8) * 2^-24                     exact in f32; 0 <= u < 1
 *
 * The words h1 and h2 are the same for all elements: a kernel computes them once. Not for cryptography.
 */
import type { Op } from "./row.ts";
import { wrong, expectDtype, numberAttr, numbersAttr, sizeOf } from "./row.ts";

export function mix(value: number): number {
  let x = value | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** The two words that stand for a site and its keys. */
export function keyWords(site: number, keys: readonly number[]): readonly [number, number] {
  let h1 = mix(site ^ 0x9e3779b9);
  let h2 = mix(site + 0x85ebca6b);
  for (const key of keys) {
    h1 = mix((h1 ^ key) + 0x9e3779b9);
    h2 = mix((h2 + key) ^ 0xc2b2ae35);
  }
  return [h1, h2];
}

/** The draw of one element, in [0, 1). */
export function uniformAt(site: number, keys: readonly number[], index: number): number {
  const [h1, h2] = keyWords(site, keys);
  return (mix(mix(index ^ h1) + h2) >>> 8) / 16777216;
}

export const random: Record<string, Op> = {
  random: {
    name: "random",
    family: "random",
    signature: "(keys.. u32 scalars) {site, shape} -> f32",
    doc: "Uniform numbers in [0, 1) with 24 bits, addressed by site, keys and element.",
    shape: (inputs, attrs) => {
      numberAttr("random", attrs, "site");
      for (const t of inputs) {
        expectDtype("random", t, ["u32"]);
        if (t.shape.length !== 0) throw wrong("random", "scalar keys", `rank ${t.shape.length}`);
      }
      return { dtype: "f32", shape: numbersAttr("random", attrs, "shape") };
    },
    gradient: { none: "its keys are whole numbers" },
    meaning: (keys, attrs, type) => {
      const [h1, h2] = keyWords(
        attrs["site"] as number,
        keys.map((k) => k.data[0]!),
      );
      const out = new Float64Array(sizeOf(type.shape));
      for (let i = 0; i < out.length; i++) out[i] = (mix(mix(i ^ h1) + h2) >>> 8) / 16777216;
      return out;
    },
    flops: (_, type) => 12 * sizeOf(type.shape),
  },
};
