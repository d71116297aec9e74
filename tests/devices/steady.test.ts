/**
 * Many steps on the cpu device in a steady state: no typed array is made except those that are fetched, with one thread
 * and with two.
 */
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import { make } from "../../lang/graph/index.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { fetches, input, numbers, segment } from "../gpu/harness.ts";
import { lenet, mlp } from "../gpu/networks.ts";
import type { Network } from "../gpu/networks.ts";
import { countArrays } from "./arrays.ts";

interface Case {
  readonly net: Network;
  readonly rows: number;
  /** Numbers in a row of x. */
  readonly width: number;
  readonly steps: number;
}
const cases: Readonly<Record<string, Case>> = {
  "a multilayer perceptron": { net: mlp(8, [12, 16, 4]), rows: 8, width: 12, steps: 1000 },
  "a convolutional net": { net: lenet(2, "momentum"), rows: 2, width: 784, steps: 100 },
};
const devices: Readonly<Record<string, CpuOptions>> = {
  "one thread": {},
  "two threads": { threads: 2, startWorker: startNodeWorker, grain: 0 },
};

describe("what counts arrays", () => {
  it("sees those with memory of their own, views and copies", async () => {
    const seen = await countArrays(async () => {
      const own = new Float32Array(4);
      new Int32Array([1, 2]).slice(1);
      new Uint32Array(own.buffer, 4).fill(1);
      own.buffer.slice(0);
    });
    expect(seen).toEqual({ fresh: 2, views: 1, copies: 2 });
    expect(new Float32Array(2)).toBeInstanceOf(Float32Array);
  });
});

for (const [how, options] of Object.entries(devices)) {
  describe(`a steady state with ${how}`, () => {
    it.each(Object.entries(cases))("of %s makes only what it fetches", async (_, { net, rows, width, steps }) => {
      const device = new CpuDevice(options);
      for (const [path, shape] of Object.entries(net.slots)) {
        device.createSlot(path, { dtype: "f32", shape });
        if (path.includes(".")) continue;
        const size = shape.reduce((a, b) => a * b, 1);
        device.writeSlot(path, numbers(size, path.length, -0.1, 0.1));
      }
      const prepared = await device.prepare(segment("train", net.outputs));
      const feeds = {
        scalars: { "h:0": 0.001 },
        batch: { x: numbers(rows * width, 4), y: Int32Array.from({ length: rows }, (_, i) => i % 4) },
      };
      const losses: Float32Array[] = [];
      const train = async (times: number) => {
        for (let i = 0; i < times; i++) {
          const { fetched } = await device.run(prepared, feeds);
          losses.push(fetched["loss"] as Float32Array);
        }
      };
      await train(4);
      // the loss, which is the caller's
      expect(await countArrays(() => train(steps))).toEqual({ fresh: 0, views: 0, copies: steps });
      expect(losses.at(-1)?.[0]).toBeLessThan(losses[0]?.[0] as number);
      expect(new Set(losses.map((loss) => loss.buffer)).size).toBe(steps + 4);
      await device.dispose();
    });
  });
}

describe("a loop", () => {
  it("makes no array a tick", async () => {
    const device = new CpuDevice();
    const x = input("batch", "x", [30, 4]);
    const at = (name: string, shape: readonly number[], dtype: "f32" | "i32" = "f32") =>
      make("input", [], { source: "loop", name, dtype, shape });
    const [carry, row, tick] = [at("carry0", [4]), at("scan0", [4]), at("tick", [], "i32")];
    const next = make("tanh", [make("add", [carry, row])]);
    const start = make("expand", [make("const", [], { value: 0, dtype: "f32" })], { shape: [4], axes: [] });
    const body = { params: [carry, row, tick], results: [next, next] };
    const loop = make("loop", [start, x], { body, count: 30, consts: 0, carries: 1, scans: 1, reverse: false });
    const ends = [make("pick", [loop], { index: 0 }), make("pick", [loop], { index: 1 })];
    const prepared = await device.prepare(segment("loop", fetches(ends)));
    const feeds = { scalars: {}, batch: { x: numbers(120, 3) } };
    await device.run(prepared, feeds);
    const counts = await countArrays(async () => {
      for (let i = 0; i < 50; i++) await device.run(prepared, feeds);
    });
    expect(counts).toEqual({ fresh: 0, views: 0, copies: 100 });
    await device.dispose();
  });
});
