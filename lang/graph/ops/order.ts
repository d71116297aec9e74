/**
 * Order: the one primitive of sorting. Sorted values are gathered by it, so their gradients come from gather.
 */
import type { Op } from "./row.ts";
import { wrong, expectCount, expectDtype, typeText } from "./row.ts";

export const order: Record<string, Op> = {
  argsort: {
    name: "argsort",
    family: "rows",
    signature: "(a f32|i32[..,n]) -> i32 like a",
    doc: "The places along the last axis in ascending order of a; equals keep their order, NaN comes last.",
    shape: (inputs) => {
      expectCount("argsort", inputs, 1);
      expectDtype("argsort", inputs[0]!, ["f32", "i32"]);
      if (inputs[0]!.shape.length === 0) throw wrong("argsort", "an axis", typeText(inputs[0]!));
      return { dtype: "i32", shape: inputs[0]!.shape };
    },
    gradient: { none: "its result is not a float" },
    meaning: ([a]) => {
      const n = a!.shape.at(-1)!;
      const out = new Float64Array(a!.data.length);
      for (let from = 0; from < out.length; from += n) {
        const line = a!.data.subarray(from, from + n);
        const places = Array.from(line, (_, i) => i);
        places.sort((i, j) => {
          const [x, y] = [line[i]!, line[j]!];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || i - j;
          return (x < y ? -1 : x > y ? 1 : 0) || i - j;
        });
        out.set(places, from);
      }
      return out;
    },
    flops: ([a]) => {
      const n = a!.shape.reduce((x, y) => x * y, 1);
      return n * Math.ceil(Math.log2(Math.max(2, a!.shape.at(-1)!)));
    },
  },
};
