/**
 * Large products by tiles in workgroup memory, at sizes small enough for a software adapter: both tiles, borders on every
 * side, all transpositions, depths that end within a turn or are cut into pieces, batches, epilogues, windows by tables.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../gpu/lower.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { hardware, lowerOptions, shadersOf } from "../../gpu/wgsl/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, inFloat64, input, numbers } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

/** Two workgroups are busy enough: what is large for a graphics processor in small. */
const small = { ...hardware, tiles: 2 };

let device: WebGpuDevice;
beforeAll(async () => {
  if (gpu) device = await open({ schedule: small });
});
afterAll(() => device?.dispose());

/** The number of sums of an invocation, by the shaders of the products of a graph; 0 where there is no tile. */
function tileOf(node: Node): number {
  const { kernels } = lower([{ node }], lowerOptions(new Set(), small));
  const codes = kernels.flatMap((kernel) =>
    shadersOf(
      kernel,
      kernel.params.map(() => 1),
      small,
    ).map(({ code }) => code),
  );
  const tiled = codes.filter((code) => code.includes("tile_a"));
  return tiled.length === 0 ? 0 : (tiled.join().match(/var s\d+_\d+ = vec4/g)?.length ?? 0) * 4;
}

const of = (rows: number, columns: number, flipped: boolean, name: string): Node =>
  flipped
    ? make("permute", [input("batch", name, [columns, rows])], { perm: [1, 0] })
    : input("batch", name, [rows, columns]);

interface Size {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Sums of an invocation. */
  readonly tile: number;
}
const sizes: readonly Size[] = [
  { m: 64, n: 128, k: 64, tile: 16 },
  { m: 67, n: 130, k: 77, tile: 16 },
  { m: 256, n: 256, k: 64, tile: 64 },
  { m: 257, n: 131, k: 70, tile: 64 },
  { m: 70, n: 129, k: 1100, tile: 16 },
];

describe.skipIf(!gpu)("products by tiles", () => {
  for (const { m, n, k, tile } of sizes) {
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      it(`of ${m} × ${n} × ${k}${ta ? ", left transposed" : ""}${tb ? ", right transposed" : ""}`, async () => {
        const batch = { x: numbers(m * k, 5), y: numbers(k * n, 6) };
        const product = make("dot", [of(m, k, ta, "x"), of(k, n, tb, "y")], { batch: [], contract: [[1, 0]] });
        const node = make("tanh", [product]);
        expect(tileOf(node)).toBe(tile);
        const { values } = await runOn(device, [node, product], batch);
        const expected = inFloat64([node, product], batch);
        // a sum of 1100 products passes through values of 30 and more on its way to one near 0
        const limit = k > 1000 ? 3e-5 : 1e-5;
        values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThan(limit));
        const again = await runOn(device, [node, product], batch);
        expect(again.values).toEqual(values);
      });
    }
  }

  it("in batches", async () => {
    const [g, m, n, k] = [3, 65, 70, 66];
    const batch = { x: numbers(g * m * k, 5), y: numbers(g * k * n, 6) };
    const [x, y] = [input("batch", "x", [g, m, k]), input("batch", "y", [g, k, n])];
    const node = make("dot", [x, y], { batch: [[0, 0]], contract: [[2, 1]] });
    expect(tileOf(node)).toBe(16);
    const { values } = await runOn(device, [node], batch);
    expect(distance(values[0] ?? [], inFloat64([node], batch)[0] as Float64Array)).toBeLessThan(1e-5);
  });

  it("of windows by tables, with bias and tanh, in both roles", async () => {
    const [rows, channels, filters, width, k] = [4, 8, 66, 8, 3];
    const batch = {
      x: numbers(rows * channels * width * width, 1),
      w: numbers(filters * channels * k * k, 2),
      b: numbers(filters, 3),
    };
    const [x, w] = [
      input("batch", "x", [rows, channels, width, width]),
      input("batch", "w", [filters, channels, k, k]),
    ];
    const seen = make("windows", [make("pad", [x], { lo: [0, 0, 1, 1], hi: [0, 0, 1, 1], value: 0 })], {
      axes: [2, 3],
      size: [k, k],
      stride: [1, 1],
      dilation: [1, 1],
    });
    // as left and as right operand; a column of the second is a row of windows
    for (const turned of [false, true]) {
      const pairs: [number, number][] = [[1, 1], [4, 2], [5, 3]]; // prettier-ignore
      const contract = turned ? pairs.map(([a, b]): [number, number] => [b, a]) : pairs;
      const product = make("dot", turned ? [w, seen] : [seen, w], { batch: [], contract });
      const axes = [turned ? 0 : 3];
      const bias = make("expand", [input("batch", "b", [filters])], { shape: product.type.shape, axes });
      const node = make("tanh", [make("add", [product, bias])]);
      expect(tileOf(node)).toBe(16);
      const { values } = await runOn(device, [node], batch);
      expect(distance(values[0] ?? [], inFloat64([node], batch)[0] as Float64Array)).toBeLessThan(1e-5);
    }
  });
});
