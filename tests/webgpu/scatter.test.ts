/** Sums into rows by their numbers, in the order of the places on every adapter: the same bits as one sum after another. */
import { describe, expect, it } from "vitest";
import { make } from "../../lang/graph/index.ts";
import { hardware, software } from "../../gpu/wgsl/index.ts";
import { input, numbers } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

/** Outer axes, indices, rows of the result, what a row holds; whether each line has indices of its own. */
const cases: readonly (readonly [outer: number, count: number, size: number, inner: number, paired: boolean])[] = [
  [1, 300, 700, 6, false],
  [2, 90, 400, 8, false],
  [1, 50, 130, 12, false],
  [1, 64, 3, 5, false],
  [1, 33, 1, 1, false],
  [2, 40, 5, 130, false],
  [1, 5000, 20, 70, false],
  [3, 2100, 7, 9, true],
];

describe.skipIf(!gpu).each(Object.entries({ hardware, software }))("rows that indices name, %s", (_, schedule) => {
  it.each(cases)("of %i times %i into %i of %i, each line its own: %s", async (outer, count, size, inner, paired) => {
    const x = input("batch", "x", [outer, count, inner]);
    const ids = input("batch", "ids", paired ? [outer, count] : [count], "i32");
    const values = numbers(outer * count * inner, 1);
    // some outside, which are clamped
    const rows = Int32Array.from({ length: (paired ? outer : 1) * count }, (_, j) => ((j * 7919) % (size + 4)) - 2);
    const wanted = new Float32Array(outer * size * inner);
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < count; j++)
        for (let i = 0; i < inner; i++) {
          const row = Math.min(Math.max(rows[(paired ? o * count : 0) + j]!, 0), size - 1);
          const at = (o * size + row) * inner + i;
          wanted[at] = wanted[at]! + values[(o * count + j) * inner + i]!;
        }
    const device = await open({ schedule });
    const scatter = make("scatter", [x, ids], { axis: 1, size, paired });
    const ran = await runOn(device, [scatter], { x: values, ids: rows });
    expect(ran.values[0]).toEqual(wanted);
    await device.dispose();
  });
});
