/** Sums into many rows: an invocation takes as many neighbours of a row as leave the adapter busy, with the same bits. */
import { describe, expect, it } from "vitest";
import { make } from "../../lang/graph/index.ts";
import { input, numbers } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

/** Outer axes, indices, rows of the result and what a row holds. */
const cases: readonly (readonly [outer: number, count: number, size: number, inner: number])[] = [
  [1, 300, 700, 6],
  [2, 90, 400, 8],
  [1, 50, 130, 12],
  [1, 64, 3, 5],
];

describe.skipIf(!gpu)("rows that indices name", () => {
  it.each(cases)("of %i times %i into %i of %i", async (outer, count, size, inner) => {
    const x = input("batch", "x", [outer, count, inner]);
    const ids = input("batch", "ids", [count], "i32");
    const values = numbers(outer * count * inner, 1);
    // some outside, which are clamped
    const rows = Int32Array.from({ length: count }, (_, j) => ((j * 7919) % (size + 4)) - 2);
    const wanted = new Float32Array(outer * size * inner);
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < count; j++)
        for (let i = 0; i < inner; i++) {
          const row = Math.min(Math.max(rows[j]!, 0), size - 1);
          const at = (o * size + row) * inner + i;
          wanted[at] = wanted[at]! + values[(o * count + j) * inner + i]!;
        }
    const device = await open();
    const ran = await runOn(device, [make("scatter", [x, ids], { axis: 1, size })], { x: values, ids: rows });
    expect(ran.values[0]).toEqual(wanted);
    await device.dispose();
  });
});
