/** Sums over neighbours that load one number, two or four at a time: lines that fill vectors and lines that do not. */
import { describe, expect, it } from "vitest";
import { shared } from "../../gpu/coalesce.ts";
import { CpuDevice } from "../../gpu/cpu.ts";
import { lower } from "../../gpu/lower.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, inFloat64, input, numbers, runOn } from "./harness.ts";

const devices = [new CpuDevice(), new CpuDevice({ pieces: 3 }), new CpuDevice({ debug: "poison" })];
const options = { disable: new Set<string>(), maxParams: 64, minGrid: 8, dotScratch: () => 0 };

/** Coefficients that are no whole numbers, of all kernels once their axes are joined. */
const partsOf = (nodes: readonly Node[]): number[] => {
  const { kernels } = lower(nodes.map((node) => ({ node })), options); // prettier-ignore
  return kernels.flatMap((kernel) =>
    (kernel.kind === "rows" ? shared(kernel).values : []).flatMap((value) =>
      value.op === "load" ? value.access.terms.map(([, coef]) => coef).filter((coef) => coef % 1 !== 0) : [],
    ),
  );
};

describe("neighbours that load one number", () => {
  for (const [B, H, W, size] of [
    [9, 6, 14, 2], // whole vectors
    [9, 5, 5, 2], // two lanes are left
    [9, 3, 7, 4], // a number for each vector
    [9, 2, 1, 2], // two axes of two are one of four
    [9, 3, 6, 3], // no halves
  ] as const) {
    it(`${B} × ${H} lines of ${W} by ${size}`, async () => {
      const shape = [B, H, size, W, size];
      const batch = {
        x: numbers(B * H * W * size * size, 1),
        g: numbers(B * H * W, 2),
        mask: Float32Array.from({ length: B * H * W }, (_, i) => ((i * 7) % 3 ? 1 : 0)),
      };
      const x = input("batch", "x", shape);
      const wide = (node: Node) => make("expand", [node], { shape, axes: [0, 1, 3] });
      const g = wide(input("batch", "g", [B, H, W]));
      const none = make("expand", [make("const", [], { value: 0, dtype: "f32" })], { shape: [B, H, W], axes: [] });
      const mask = wide(make("lt", [none, input("batch", "mask", [B, H, W])]));
      const zero = make("expand", [make("const", [], { value: 0, dtype: "f32" })], { shape, axes: [] });
      const passed = make("select", [mask, make("mul", [x, g]), zero]);
      const sums = make("sum", [passed], { axes: [1, 2, 3, 4] });
      const nodes = [sums, passed, make("amax", [make("add", [x, g])], { axes: [1, 2, 3, 4] })];
      const parts = new Set(partsOf([sums]));
      expect([...parts]).toEqual(size === 3 ? [] : [W === 1 ? 1 / size ** 2 : 1 / size]);
      const expected = inFloat64(nodes, batch);
      for (const device of devices) {
        const { values } = await runOn(device, nodes, batch);
        values.forEach((value, i) => expect(distance(value, expected[i]!)).toBeLessThanOrEqual(1e-5));
      }
    });
  }
});
