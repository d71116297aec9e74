/**
 * Tiled products: edges of tiles, transposed and batched operands, operands that are views, convolutions.
 */
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { lower } from "../../gpu/lower.ts";
import { asWinograd, dotScratch } from "../../gpu/wasm/blocks.ts";
import { gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, inFloat64, input, numbers, runOn } from "./harness.ts";

const devices = [
  new CpuDevice(),
  new CpuDevice({ relaxed: false }),
  new CpuDevice({ pieces: 3 }),
  new CpuDevice({ debug: "poison" }),
];

async function check(nodes: readonly Node[], batch: Record<string, Float32Array>, limit = 1e-5): Promise<void> {
  const expected = inFloat64(nodes, batch);
  for (const device of devices) {
    const { values } = await runOn(device, nodes, batch);
    values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThanOrEqual(limit));
  }
}

const dot = (a: Node, b: Node, batch: [number, number][], contract: [number, number][]) =>
  make("dot", [a, b], { batch, contract });

describe("sizes", () => {
  const sizes = [1, 2, 3, 5, 7, 8, 9, 13, 17, 33, 70];
  for (const m of sizes) {
    it(`${m} rows`, async () => {
      const nodes: Node[] = [];
      const batch: Record<string, Float32Array> = {};
      for (const n of sizes) {
        for (const k of [1, 2, 4, 7, 31, 64, 70]) {
          const [a, b] = [`a${n}.${k}`, `b${n}.${k}`];
          batch[a] = numbers(m * k, n + k);
          batch[b] = numbers(k * n, n * k);
          nodes.push(dot(input("batch", a, [m, k]), input("batch", b, [k, n]), [], [[1, 0]]));
        }
      }
      await check(nodes, batch);
    });
  }

  it("deep and wide: several blocks of every kind", async () => {
    const [m, k, n] = [103, 601, 811];
    const batch = { a: numbers(m * k, 1), b: numbers(k * n, 2) };
    await check([dot(input("batch", "a", [m, k]), input("batch", "b", [k, n]), [], [[1, 0]])], batch, 2e-5);
  });
});

describe("operands", () => {
  it("transposed both ways", async () => {
    const batch = { a: numbers(37 * 29, 1), b: numbers(29 * 23, 2), at: numbers(29 * 37, 3), bt: numbers(23 * 29, 4) };
    const [a, b] = [input("batch", "a", [37, 29]), input("batch", "b", [29, 23])];
    const [at, bt] = [input("batch", "at", [29, 37]), input("batch", "bt", [23, 29])];
    const nodes = [dot(at, b, [], [[0, 0]]), dot(a, bt, [], [[1, 1]]), dot(at, bt, [], [[0, 1]])];
    nodes.push(dot(make("permute", [at], { perm: [1, 0] }), make("permute", [bt], { perm: [1, 0] }), [], [[1, 0]]));
    await check(nodes, batch);
  });

  it("batched, with heads cut out of one axis", async () => {
    const [B, T, H, D] = [3, 17, 4, 8];
    const batch = { q: numbers(B * T * H * D, 1), k: numbers(B * T * H * D, 2) };
    const heads = (name: string) => make("reshape", [input("batch", name, [B, T, H * D])], { shape: [B, T, H, D] });
    const scores = dot(heads("q"), heads("k"), [[0, 0], [2, 2]], [[3, 3]]); // prettier-ignore
    const mixed = dot(scores, heads("k"), [[0, 0], [1, 2]], [[3, 1]]); // prettier-ignore
    const joined = make("reshape", [make("permute", [mixed], { perm: [0, 2, 1, 3] })], { shape: [B, T, H * D] });
    await check(
      [scores, joined, ...gradient(make("sum", [make("mul", [joined, joined])], { axes: [0, 1, 2] }), [heads("q")])],
      batch,
      1e-4,
    );
  });

  it("sliced, flipped, expanded and contracted over several axes", async () => {
    const batch = { a: numbers(20 * 9 * 7, 1), b: numbers(9 * 7 * 12, 2), v: numbers(7, 3) };
    const a = input("batch", "a", [20, 9, 7]);
    const b = input("batch", "b", [9, 7, 12]);
    const some = make("slice", [a], { start: [1, 0, 0], stop: [20, 9, 7], step: [2, 1, 1] });
    const turned = make("flip", [b], { axes: [0, 2] });
    const spread = make("expand", [input("batch", "v", [7])], { shape: [9, 7, 12], axes: [1] });
    const pairs: [number, number][] = [[1, 0], [2, 1]]; // prettier-ignore
    await check([dot(some, turned, [], pairs), dot(a, spread, [], pairs)], batch);
  });

  it("computed on the way in and out", async () => {
    const batch = { a: numbers(33 * 20, 1), b: numbers(20 * 14, 2), c: numbers(14, 3) };
    const a = make("exp", [input("batch", "a", [33, 20])]);
    const bias = make("expand", [input("batch", "c", [14])], { shape: [33, 14], axes: [1] });
    await check([make("tanh", [make("add", [dot(a, input("batch", "b", [20, 14]), [], [[1, 0]]), bias])])], batch);
  });
});

describe("epilogues", () => {
  for (const [m, k, n] of [
    [33, 20, 14],
    [100, 300, 9],
    [205, 31, 3],
    [50, 64, 811],
    [97, 513, 770],
    [8, 300, 1030],
  ] as const) {
    it(`${m}×${k}×${n}: bias, activation, a second result, the product itself`, async () => {
      const batch = {
        a: numbers(m * k, 1),
        b: numbers(k * n, 2),
        c: numbers(n, 3),
        d: numbers(m * n, 4),
        r: numbers(m, 5),
      };
      const product = dot(input("batch", "a", [m, k]), input("batch", "b", [k, n]), [], [[1, 0]]);
      const bias = make("expand", [input("batch", "c", [n])], { shape: [m, n], axes: [1] });
      const rows = make("expand", [input("batch", "r", [m])], { shape: [m, n], axes: [0] });
      const biased = make("add", [make("mul", [product, rows]), bias]);
      const zeros = make("expand", [make("const", [], { value: 0, dtype: "f32" })], { shape: [m, n], axes: [] });
      const active = make("select", [make("lt", [zeros, biased]), input("batch", "d", [m, n]), zeros]);
      await check([make("tanh", [biased])], batch, 1e-4);
      await check([active, biased, make("permute", [biased], { perm: [1, 0] })], batch, 1e-4);
      await check([product, make("mul", [product, product])], batch, 1e-3);
    });
  }

  for (const [B, T] of [
    [5, 13],
    [3, 50],
    [50, 3],
    [7, 24],
    [2, 200],
  ] as const) {
    it(`whose rows are ${B} × ${T} and lie in another order`, async () => {
      const batch = { a: numbers(B * T * 9, 1), b: numbers(9 * 33, 2), c: numbers(33, 3) };
      const product = dot(input("batch", "a", [B, T, 9]), input("batch", "b", [9, 33]), [], [[2, 0]]);
      const bias = make("expand", [input("batch", "c", [33])], { shape: [B, T, 33], axes: [2] });
      const active = make("tanh", [make("add", [product, bias])]);
      await check([make("permute", [active], { perm: [1, 0, 2] })], batch, 1e-4);
      await check([make("permute", [active], { perm: [0, 2, 1] }), product], batch, 1e-4);
    });
  }

  for (const [G, H] of [
    [6, 4],
    [4, 6],
    [24, 1],
    [2, 4],
  ] as const) {
    it(`of ${G} × ${H} batches`, async () => {
      const batch = { a: numbers(G * H * 7 * 5, 1), b: numbers(G * H * 5 * 9, 2), c: numbers(H * 7, 3) };
      const pairs: [number, number][] = [[0, 0], [1, 1]]; // prettier-ignore
      const product = dot(input("batch", "a", [G, H, 7, 5]), input("batch", "b", [G, H, 5, 9]), pairs, [[3, 2]]);
      const bias = make("expand", [input("batch", "c", [H, 7])], { shape: [G, H, 7, 9], axes: [1, 2] });
      const active = make("tanh", [make("add", [product, bias])]);
      await check([active], batch, 1e-4);
      for (const perm of [
        [1, 0, 3, 2],
        [0, 2, 1, 3],
        [0, 3, 1, 2],
        [0, 3, 2, 1],
      ])
        await check([make("permute", [active], { perm })], batch, 1e-4);
      await check([make("permute", [product], { perm: [0, 3, 1, 2] })], batch, 1e-4);
    });
  }

  it("of batched and permuted results", async () => {
    const batch = { a: numbers(5 * 19 * 8, 1), b: numbers(5 * 8 * 21, 2), c: numbers(19, 3) };
    const product = dot(input("batch", "a", [5, 19, 8]), input("batch", "b", [5, 8, 21]), [[0, 0]], [[2, 1]]);
    const turned = make("permute", [product], { perm: [2, 0, 1] });
    const bias = make("expand", [input("batch", "c", [19])], { shape: [21, 5, 19], axes: [2] });
    await check([make("exp", [make("add", [turned, bias])])], batch, 1e-4);
  });
});

describe("convolution", () => {
  for (const [stride, padding, dilation, size, kernel] of [
    [1, 0, 1, 9, 3],
    [1, 2, 1, 8, 5],
    [2, 1, 1, 11, 3],
    [1, 1, 1, 32, 3],
    [1, 1, 2, 21, 3],
    [2, 0, 2, 13, 3],
    [3, 2, 1, 10, 4],
  ] as const) {
    it(`stride ${stride}, padding ${padding}, dilation ${dilation}, ${size} by ${kernel}`, async () => {
      const [B, C, O] = [4, 3, 10];
      const batch = { x: numbers(B * C * size * size, 1), w: numbers(O * C * kernel * kernel, 2) };
      const x = input("batch", "x", [B, C, size, size]);
      const w = input("batch", "w", [O, C, kernel, kernel]);
      const edge = [0, 0, padding, padding];
      const padded = padding > 0 ? make("pad", [x], { lo: edge, hi: edge, value: 0 }) : x;
      const two = (n: number) => [n, n];
      const seen = make("windows", [padded], {
        axes: [2, 3],
        size: two(kernel),
        stride: two(stride),
        dilation: two(dilation),
      });
      const pairs: [number, number][] = [[1, 1], [4, 2], [5, 3]]; // prettier-ignore
      const y = make("permute", [dot(seen, w, [], pairs)], { perm: [0, 3, 1, 2] });
      const loss = make("sum", [make("mul", [y, make("tanh", [y])])], { axes: [0, 1, 2, 3] });
      await check([y, ...gradient(loss, [x, w])], batch, 1e-4);
    });
  }
});

describe("convolution of 3 by 3 over many channels", () => {
  for (const [B, C, O, height, width] of [
    [2, 16, 16, 16, 32],
    [5, 20, 24, 8, 16],
    [13, 32, 16, 10, 8],
    [4, 16, 40, 6, 24],
    [3, 24, 48, 4, 48],
    [1, 128, 192, 24, 24],
  ] as const) {
    it(`${B} images of ${height} by ${width}, ${C} channels to ${O}`, async () => {
      const batch = {
        x: numbers(B * C * height * width, 1),
        w: numbers(O * C * 9, 2),
        b: numbers(O, 3),
      };
      const x = input("batch", "x", [B, C, height, width]);
      const w = input("batch", "w", [O, C, 3, 3]);
      const edge = [0, 0, 1, 1];
      const padded = make("pad", [x], { lo: edge, hi: edge, value: 0 });
      const seen = make("windows", [padded], { axes: [2, 3], size: [3, 3], stride: [1, 1], dilation: [1, 1] });
      const pairs: [number, number][] = [[1, 1], [4, 2], [5, 3]]; // prettier-ignore
      const product = dot(
        w,
        seen,
        [],
        pairs.map(([i, j]) => [j, i]),
      );
      const options = { disable: new Set<string>(), maxParams: 64, minGrid: 8, dotScratch };
      const dots = lower([{ node: product }], options).kernels.filter((kernel) => kernel.kind === "dot");
      expect(dots.map((kernel) => asWinograd(kernel)?.width)).toEqual([width]);
      const bias = make("expand", [input("batch", "b", [O])], { shape: [O, B, height, width], axes: [0] });
      const active = make("tanh", [make("add", [product, bias])]);
      const limit = 3e-6 * Math.sqrt(9 * C);
      await check([product], batch, limit);
      await check([active], batch, limit);
      const y = make("permute", [product], { perm: [1, 0, 2, 3] });
      await check([y, make("permute", [active], { perm: [1, 0, 2, 3] })], batch, limit);
      const loss = make("sum", [make("mul", [y, make("tanh", [y])])], { axes: [0, 1, 2, 3] });
      await check(gradient(loss, [x, w]), batch, 10 * limit);
    });
  }

  for (const [height, side] of [
    [32, 4],
    [14, 2],
  ] as const) {
    it(`is nearly as exact as plain sums: tiles of ${side}`, async () => {
      const [B, C, O, width] = [2, 64, 16, 32];
      const batch = {
        x: numbers(B * C * (height + 2) * (width + 2), 1),
        w: numbers(O * C * 9, 2),
        g: numbers(O * B * height * width, 3),
        columns: new Float32Array(B * C * height * width * 9),
      };
      batch.columns.forEach((_, i) => {
        const [j, h, p, q] = [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9) % width, Math.floor(i / 9 / width)];
        const [y, image] = [q % height, Math.floor(q / height)];
        batch.columns[i] = batch.x[(image * (height + 2) + y + h) * (width + 2) + p + j] ?? NaN;
      });
      const x = input("batch", "x", [B, C, height + 2, width + 2]);
      const seen = make("windows", [x], { axes: [2, 3], size: [3, 3], stride: [1, 1], dilation: [1, 1] });
      const columns = input("batch", "columns", [B, C, height, width, 3, 3]);
      const products = (windows: Node) => [
        dot(input("batch", "w", [O, C, 3, 3]), windows, [], [[1, 1], [2, 4], [3, 5]]), // prettier-ignore
        dot(input("batch", "g", [O, B, height, width]), windows, [], [[1, 0], [2, 2], [3, 3]]), // prettier-ignore
      ];
      const options = { disable: new Set<string>(), maxParams: 64, minGrid: 8, dotScratch };
      const nodes = products(seen);
      const dots = nodes
        .flatMap((node) => lower([{ node }], options).kernels)
        .filter((kernel) => kernel.kind === "dot");
      expect(dots.map((kernel) => asWinograd(kernel)?.side)).toEqual([side, side]);
      const exact = inFloat64(nodes, batch);
      for (const device of devices) {
        const { values } = await runOn(device, nodes, batch);
        const plain = await runOn(device, products(columns), batch);
        exact.forEach((wanted, i) => {
          const rms = (got: ArrayLike<number> | undefined) =>
            Math.sqrt(wanted.reduce((sum, y, j) => sum + ((got?.[j] ?? 0) - y) ** 2, 0) / wanted.length);
          expect(rms(values[i])).toBeLessThanOrEqual(4 * rms(plain.values[i]));
          expect(rms(values[i])).toBeLessThanOrEqual(2e-6 * rms(undefined));
        });
      }
    });
  }
});
