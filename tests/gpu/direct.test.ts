/**
 * Convolutions of few channels without panels, forward and by their weights, against float64: lines that vectors fill,
 * lines that end within one, parts of long lines, one and two axes, groups of channels, epilogues cut with them.
 */
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { lower } from "../../gpu/lower.ts";
import { asDirect, dotScratch } from "../../gpu/wasm/blocks.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { distance, inFloat64, input, numbers, runOn } from "./harness.ts";

const devices = [
  new CpuDevice(),
  new CpuDevice({ relaxed: false }),
  new CpuDevice({ pieces: 3 }),
  new CpuDevice({ debug: "poison" }),
];

async function check(nodes: readonly Node[], batch: Record<string, Float32Array>, limit: number): Promise<void> {
  const expected = inFloat64(nodes, batch);
  let first: readonly ArrayLike<number>[] | undefined;
  for (const device of devices) {
    const { values } = await runOn(device, nodes, batch);
    values.forEach((value, i) => expect(distance(value, expected[i] as Float64Array)).toBeLessThanOrEqual(limit));
    // the same bits in any number of pieces
    if (device === devices[2]) expect(values).toEqual(first);
    first ??= values;
  }
}

const options = { disable: new Set<string>(), maxParams: 64, minGrid: 8, dotScratch };
const plansOf = (node: Node) =>
  lower([{ node }], options).kernels.flatMap((kernel) => (kernel.kind === "dot" ? [asDirect(kernel)] : []));

/** Windows of [B, C, places…], one step apart. */
const windowsOf = (x: Node, size: readonly number[], dilation = 1): Node =>
  make("windows", [x], {
    axes: size.map((_, i) => i + 2),
    size,
    stride: size.map(() => 1),
    dilation: size.map(() => dilation),
  });

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);

describe("convolutions without panels", () => {
  // [images, channels in, channels out, places that come out, taps, dilation, pixels of a group]
  for (const [B, C, O, places, taps, dilation, pixels] of [
    [4, 1, 6, [28, 28], [5, 5], 1, 56], // lines of seven vectors, two by two
    [3, 6, 16, [10, 10], [5, 5], 1, 20], // the middle vector of two lines belongs to both
    [8, 3, 7, [6, 6], [3, 3], 1, 36], // rows that are no pairs
    [1, 2, 32, [4, 72], [3, 2], 1, 36], // most rows
    [1, 3, 5, [3, 128], [7, 7], 1, 16], // parts of a line, windows of two tiles
    [2, 3, 2, [8, 20], [3, 3], 2, 20], // windows with holes
    [5, 2, 3, [200], [5], 1, 20], // one axis
    [2, 2, 4, [2, 6, 24], [2, 3, 4], 1, 48], // three of them
  ] as const) {
    const text = `${B} images, ${C} channels to ${O}, ${places.join(" by ")}, windows of ${taps.join(" by ")}, dilation ${dilation}`;
    it(text, async () => {
      const size = places.map((n, i) => n + dilation * (taps[i]! - 1));
      const batch = {
        x: numbers(B * C * product(size), 1),
        w: numbers(O * C * product(taps), 2),
        b: numbers(O, 3),
        g: numbers(O * B * product(places), 4),
      };
      const x = input("batch", "x", [B, C, ...size]);
      const w = input("batch", "w", [O, C, ...taps]);
      const seen = windowsOf(x, taps, dilation);
      const n = places.length;
      const over = taps.map((_, i): [number, number] => [2 + i, 2 + n + i]);
      const y = make("dot", [w, seen], { batch: [], contract: [[1, 1], ...over] });
      expect(plansOf(y)).toMatchObject([{ kind: "forward", pixels }]);
      const g = input("batch", "g", [O, B, ...places]);
      const ofPlaces = places.map((_, i): [number, number] => [2 + i, 2 + i]);
      const dw = make("dot", [g, seen], { batch: [], contract: [[1, 0], ...ofPlaces] });
      expect(plansOf(dw)).toMatchObject([{ kind: "weights" }]);
      await check([y, dw], batch, 1e-5 * Math.sqrt(product(places) * B));
      const bias = make("expand", [input("batch", "b", [O])], { shape: y.type.shape, axes: [0] });
      const active = make("tanh", [make("add", [y, bias])]);
      const perm = [1, 0, ...places.map((_, i) => i + 2)];
      await check([active, make("permute", [active], { perm })], batch, 1e-4);
      await check([make("mul", [dw, w]), make("tanh", [dw])], batch, 1e-3);
      const loss = make("sum", [make("mul", [y, active])], { axes: y.type.shape.map((_, i) => i) });
      await check(gradient(loss, [x, w]), batch, 1e-3);
    });
  }

  it("groups of channels, one or several to each", async () => {
    for (const [G, C, O] of [
      [8, 1, 2],
      [2, 3, 2],
      [5, 2, 3],
    ] as const) {
      const [B, side] = [3, 12];
      const x = input("batch", "x", [B, G * C, side + 2, side + 2]);
      const w = input("batch", "w", [G, O, C, 3, 3]);
      const batch = { x: numbers(B * G * C * (side + 2) ** 2, 1), w: numbers(G * O * C * 9, 2) };
      const apart = make("reshape", [x], { shape: [B, G, C, side + 2, side + 2] });
      const seen = make("windows", [apart], { axes: [3, 4], size: [3, 3], stride: [1, 1], dilation: [1, 1] });
      const y = make("dot", [w, seen], { batch: [[0, 1]], contract: [[2, 2], [3, 5], [4, 6]] }); // prettier-ignore
      expect(plansOf(y)).toMatchObject([{ kind: "forward" }]);
      const loss = make("sum", [make("mul", [y, make("tanh", [y])])], { axes: [0, 1, 2, 3, 4] });
      await check([y, make("tanh", [y]), ...gradient(loss, [x, w])], batch, 1e-4);
    }
  });

  it("are left to panels where vectors do not come out even, or rows are many", () => {
    const conv = (O: number, width: number, stride: number) => {
      const x = input("batch", "x", [8, 3, 12, stride * width + 2]);
      const seen = make("windows", [x], { axes: [2, 3], size: [3, 3], stride: [1, stride], dilation: [1, 1] });
      return make("dot", [input("batch", "w", [O, 3, 3, 3]), seen], {
        batch: [],
        contract: [
          [1, 1],
          [2, 4],
          [3, 5],
        ],
      });
    };
    expect(plansOf(conv(16, 12, 1))).toMatchObject([{ kind: "forward" }]);
    expect(plansOf(conv(16, 13, 1))).toEqual([undefined]);
    expect(plansOf(conv(16, 12, 2))).toEqual([undefined]);
    expect(plansOf(conv(33, 12, 1))).toEqual([undefined]);
  });

  describe("whose operands go back or stand still", () => {
    const batch = { x: numbers(4 * 2 * 14 * 14, 1), w: numbers(4 * 2 * 9, 2), g: numbers(2 * 4 * 92, 3) };
    const conv = (w: Node, x: Node): Node =>
      make("dot", [w, windowsOf(x, w.type.shape.slice(2))], { batch: [], contract: [[1, 1], [2, 4], [3, 5]] }); // prettier-ignore
    const lossOf = (y: Node): Node =>
      make("sum", [make("mul", [y, make("tanh", [y])])], { axes: y.type.shape.map((_, i) => i) });
    const x = (...shape: readonly number[]) => input("batch", "x", shape);
    const w = (...shape: readonly number[]) => input("batch", "w", shape);
    const flipped = (node: Node, ...axes: readonly number[]) => make("flip", [node], { axes });
    const pooled = (y: Node): Node => {
      const [O = 1, B = 1, H = 1, W = 1] = y.type.shape;
      return make("amax", [make("reshape", [y], { shape: [O, B, H / 2, 2, W / 2, 2] })], { axes: [3, 5] });
    };
    const of = (size: Record<string, number>): Record<string, Float32Array> =>
      Object.fromEntries(Object.entries(size).map(([name, n]) => [name, batch[name as "x"].slice(0, n)]));

    it("weights from the last to the first", async () => {
      await check([conv(flipped(w(2, 1, 3, 3), 0), x(4, 1, 12, 12))], of({ w: 18, x: 576 }), 1e-5);
      await check([conv(flipped(w(2, 1, 3, 3), 1, 2, 3), x(4, 1, 12, 12))], of({ w: 18, x: 576 }), 1e-5);
    });

    it("the gradient by images of one channel out", async () => {
      const [one, images] = [w(1, 2, 3, 3), x(4, 2, 14, 14)];
      await check(gradient(lossOf(pooled(conv(one, images))), [images, one]), of({ w: 18, x: 1568 }), 1e-4);
    });

    it("one line for all lines, one channel for all channels", async () => {
      const lines = (rows: number, width: number) =>
        make("expand", [x(4, 1, width)], { shape: [4, 1, rows, width], axes: [0, 1, 3] });
      const own = w(2, 1, 3, 3);
      await check([conv(own, lines(8, 14))], of({ w: 18, x: 56 }), 1e-5);
      await check(gradient(lossOf(conv(own, lines(12, 18))), [own]), of({ w: 18, x: 72 }), 1e-4);
      const wide = make("expand", [x(4, 93)], { shape: [4, 3, 93], axes: [0, 2] });
      const g = input("batch", "g", [2, 4, 92]);
      const dw = make("dot", [g, windowsOf(wide, [2])], { batch: [], contract: [[1, 0], [2, 2]] }); // prettier-ignore
      await check([dw], of({ g: 736, x: 372 }), 1e-4);
    });
  });

  it("have the same bits on any number of threads in a loop whose images change", async () => {
    const [O, C, side, taps, count] = [8, 16, 16, 5, 4];
    const inner = side - taps + 1;
    const shapes = { w: [O, C, taps, taps], x: [2, C, side, side], t: [O, 2, inner, inner] };
    const param = (name: string, shape: readonly number[], dtype: "f32" | "i32" = "f32") =>
      g.param(name, { dtype, shape });
    const [w, x, t, tick] = [param("carry0", shapes.w), param("scan0", shapes.x), param("scan1", shapes.t), param("tick", [], "i32")] as const; // prettier-ignore
    const seen = windowsOf(x, [taps, taps]);
    const error = g.sub(make("dot", [w, seen], { batch: [], contract: [[1, 1], [2, 4], [3, 5]] }), t); // prettier-ignore
    const dw = make("dot", [error, seen], { batch: [], contract: [[1, 0], [2, 2], [3, 3]] }); // prettier-ignore
    const next = g.sub(w, g.scale(dw, 0.002));
    const all = { w: shapes.w, x: [count, ...shapes.x], t: [count, ...shapes.t] };
    const inputs = Object.entries(all).map(([name, shape]) => input("batch", name, shape));
    const batch = Object.fromEntries(
      Object.entries(all).map(([name, shape], i) => [name, numbers(product(shape), i + 1)]),
    );
    const body = { params: [w, x, t, tick], results: [next] };
    const loop = make("loop", inputs, { body, count, consts: 0, carries: 1, scans: 2, reverse: false });
    const [one, two] = [1, 2].map((threads) => new CpuDevice({ startWorker: startNodeWorker, grain: 0, threads }));
    const [a, b] = [await runOn(one!, [g.pick(loop, 0)], batch), await runOn(two!, [g.pick(loop, 0)], batch)];
    expect(b.values).toEqual(a.values);
    await Promise.all([one!.dispose(), two!.dispose()]);
  });
});
