/**
 * Many steps with a GPUDevice that records: a steady state makes no buffer, bind group or pipeline; a submit is one pass
 * with the dispatches that the segment was prepared with, for each of its steps, and writes what is fed and copies what
 * is read back at once. No array is made but what comes back.
 */
import { describe, expect, it } from "vitest";
import { WebGpuDevice } from "../../gpu/webgpu.ts";
import { WebGpuPrepared } from "../../gpu/webgpu-prepared.ts";
import { countArrays } from "../devices/arrays.ts";
import { numbers, segment } from "../gpu/harness.ts";
import { lenet, mlp } from "../gpu/networks.ts";
import type { Network } from "../gpu/networks.ts";
import { recorded } from "./recorder.ts";
import { gpu } from "./setup.ts";

const info = { kind: "webgpu", name: "webgpu (test)", threads: 1, features: [], dataBytes: 0, fieldBytes: 0 } as const;
const PATIENCE = 400_000;
/** Inputs of a step: x, y and the rate. */
const FED = 3;

interface Case {
  readonly net: Network;
  readonly rows: number;
  /** Numbers in a row of x. */
  readonly width: number;
  /** Software drivers reach a GFLOP/s. */
  readonly steps: number;
}
const cases: Readonly<Record<string, Case>> = {
  "a multilayer perceptron": { net: mlp(8, [12, 16, 4]), rows: 8, width: 12, steps: 1000 },
  "a convolutional net": { net: lenet(2, "momentum"), rows: 2, width: 784, steps: 96 },
};

const runs = Object.entries(cases).flatMap(([name, each]) => [1, 4].map((together) => ({ name, together, ...each })));

describe.skipIf(!gpu)("a steady state", () => {
  it.each(runs)(
    "of $name makes no GPU object, $together steps to a submit",
    async ({ net, rows, width, steps, together }) => {
      const adapter = await gpu?.requestAdapter();
      if (!adapter) throw new Error("expected an adapter");
      const { device: raw, counts } = recorded(await adapter.requestDevice());
      const device = new WebGpuDevice(raw, info, { runsPerSubmit: together });
      for (const [path, shape] of Object.entries(net.slots)) {
        device.createSlot(path, { dtype: "f32", shape });
        if (path.includes(".")) continue;
        const size = shape.reduce((a, b) => a * b, 1);
        device.writeSlot(path, numbers(size, path.length, -0.1, 0.1));
      }
      const prepared = await device.prepare(segment("train", net.outputs));
      if (!(prepared instanceof WebGpuPrepared)) throw new Error("expected a segment of this device");
      const feeds = {
        scalars: { "h:0": 0.001 },
        batch: { x: numbers(rows * width, 4), y: Int32Array.from({ length: rows }, (_, i) => i % 4) },
      };
      const losses: number[] = [];
      const train = async (times: number) => {
        // two submits in flight
        for (let i = 0; i < times; i += 2 * together) {
          const ran = await Promise.all(Array.from({ length: 2 * together }, () => device.run(prepared, feeds)));
          for (const { fetched } of ran) losses.push(fetched["loss"]?.[0] as number);
        }
      };
      await train(16);
      const before = { ...counts };
      const arrays = await countArrays(() => train(steps));
      const during: Record<string, number> = {};
      for (const [name, n] of Object.entries(counts)) {
        const more = n - (before[name] ?? 0);
        if (more > 0) during[name] = more / steps;
      }
      // the rate, x and y, each from a multiple of 16 bytes on
      const fed = 4 * (1 + rows * width + rows);
      expect(during["bytes"]).toBe(4 * prepared.feedWords);
      expect(during["bytes"]).toBeGreaterThanOrEqual(fed);
      expect(during["bytes"]).toBeLessThan(fed + FED * 16);
      delete during["bytes"];
      expect(during).toEqual({
        "queue.writeBuffer": 1 / together,
        "device.createCommandEncoder": 1 / together,
        "encoder.beginComputePass": 1 / together,
        "pass.setPipeline": during["pass.setPipeline"],
        "pass.setBindGroup": prepared.stats.dispatches,
        "pass.dispatchWorkgroups": prepared.stats.dispatches,
        "pass.end": 1 / together,
        "encoder.copyBufferToBuffer": 1 / together,
        "encoder.finish": 1 / together,
        "queue.submit": 1 / together,
      });
      expect(during["pass.setPipeline"]).toBeLessThanOrEqual(prepared.stats.dispatches);
      expect(prepared.stats.dispatches).toBeGreaterThan(3);
      // a view of what WebGPU maps anew for each submit, and the loss itself, which is the caller's
      expect(arrays).toEqual({ fresh: 0, views: steps / together, copies: steps });
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      await device.dispose();
    },
    PATIENCE,
  );
});
