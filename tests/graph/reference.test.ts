/**
 * The reference device keeps the promises of gpu/device.ts, and is fast enough to be everybody's oracle.
 */
import { describe, expect, test } from "vitest";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { build as b, gradient, make, optimize } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Output, Segment } from "../../lang/program.ts";
import { numbers } from "./samples.ts";

const f32 = (shape: readonly number[]) => ({ dtype: "f32" as const, shape });
const w = b.input("state", "w", f32([2]));
const n = b.input("state", "n", f32([]));
const rate = b.input("scalar", "h0", f32([]));
const batch = b.input("batch", "x", f32([2]));
const whole = b.input("state", "d.y", f32([2]));
const commit = (path: string, node: Node): Output => ({ node, role: { kind: "commit", path } });
const segment = (outputs: readonly Output[]): Segment => ({ name: "s", outputs, host: [] });

async function ready(outputs: readonly Output[]) {
  const device = new ReferenceDevice();
  device.createSlot("w", f32([2]));
  device.createSlot("n", f32([]));
  device.writeSlot("w", [1, 2]);
  device.createSlot("d.y", f32([2]));
  device.writeSlot("d.y", [5], 0);
  device.writeSlot("d.y", [6], 1);
  return { device, prepared: await device.prepare(segment(outputs)) };
}
const feeds = { scalars: { h0: 0.5 }, batch: { x: new Float32Array([3, 4]) } };

describe("the reference device", () => {
  test("commits together: every output sees the state before", async () => {
    const moved = b.add(w, b.mul(b.expand(rate, [2], []), b.add(batch, whole)));
    const { device, prepared } = await ready([
      commit("w", moved),
      commit("n", b.sum(w, [0])),
      { node: b.cast(w, "i32"), role: { kind: "fetch", name: "was" } },
    ]);
    const result = await device.run(prepared, feeds);
    expect([...(await device.readSlot("w"))]).toEqual([5, 7]);
    expect([...(await device.readSlot("n"))]).toEqual([3]);
    expect(result.fetched["was"]).toEqual(Int32Array.of(1, 2));
    expect(result).toMatchObject({ halted: false, skipped: false });
  });

  test("a value that is not finite commits nothing", async () => {
    const span = { file: "a.dlx", start: 1, end: 2 };
    const { device, prepared } = await ready([
      commit("w", b.neg(w)),
      { node: b.unary("log", n), role: { kind: "finite", what: "loss", span } },
    ]);
    const result = await device.run(prepared, feeds);
    expect(result.failed).toEqual({ what: "loss", span });
    expect([...(await device.readSlot("w"))]).toEqual([1, 2]);
  });

  test("a halt commits, and what follows is skipped until resume", async () => {
    const one = b.add(n, b.scalar(1));
    const { device, prepared } = await ready([
      commit("n", one),
      { node: b.binary("le", b.scalar(2), one), role: { kind: "halt" } },
    ]);
    const states = [];
    for (let i = 0; i < 4; i++) {
      const { halted, skipped } = await device.run(prepared, feeds);
      states.push([halted, skipped, (await device.readSlot("n"))[0]]);
    }
    expect(states).toEqual([
      [false, false, 1],
      [true, false, 2],
      [false, true, 2],
      [false, true, 2],
    ]);
    device.resume();
    expect((await device.run(prepared, feeds)).halted).toBe(true);
    expect((await device.readSlot("n"))[0]).toBe(3);
  });

  test("misuse throws", async () => {
    const { device, prepared } = await ready([commit("gone", w)]);
    await expect(device.run(prepared, feeds)).rejects.toThrow(/expected a slot gone, got none/);
    expect(() => device.writeSlot("w", [1])).toThrow(/expected 2 numbers/);
    const short = await device.prepare(segment([{ node: batch, role: { kind: "fetch", name: "x" } }]));
    await expect(device.run(short, { scalars: {}, batch: { x: new Float32Array(3) } })).rejects.toThrow(
      /expected f32\[2\]/,
    );
    await expect(device.run(short, { scalars: {} })).rejects.toThrow(/got none/);
  });

  test("LeNet with a batch of 64, forward and backward, within a few seconds", async () => {
    const slots: Node[] = [];
    const param = (shape: readonly number[]) => {
      slots.push(b.input("state", `p${slots.length}`, f32(shape)));
      return slots.at(-1)!;
    };
    const relu = (a: Node) => b.binary("max", a, b.like(a, 0));
    const bias = (a: Node, axis: number) => b.add(a, b.expand(param([a.type.shape[axis]!]), a.type.shape, [axis]));
    const windows = (a: Node, size: number, stride: number) =>
      make("windows", [a], { axes: [2, 3], size: [size, size], stride: [stride, stride], dilation: [1, 1] });
    const conv = (a: Node, channels: number) => {
      const kernel = param([channels, a.type.shape[1]!, 5, 5]);
      const out = b.dot(
        windows(a, 5, 1),
        kernel,
        [],
        [
          [1, 1],
          [4, 2],
          [5, 3],
        ],
      );
      return bias(b.permute(out, [0, 3, 1, 2]), 1);
    };
    const pool = (a: Node) => make("amax", [windows(a, 2, 2)], { axes: [4, 5] });
    const dense = (a: Node, width: number) => bias(b.dot(a, param([a.type.shape[1]!, width]), [], [[1, 0]]), 1);
    const images = b.input("batch", "image", f32([64, 1, 28, 28]));
    const features = b.reshape(pool(relu(conv(pool(relu(conv(images, 6))), 16))), [64, 256]);
    const logits = dense(relu(dense(relu(dense(features, 120)), 84)), 10);
    const loss = b.sum(b.mul(logits, logits), [0, 1]);
    const outputs = optimize([loss, ...gradient(loss, slots)]).map((node, i): Output => ({
      node,
      role: { kind: "fetch", name: `o${i}` },
    }));

    const device = new ReferenceDevice();
    slots.forEach((slot, i) => {
      const size = slot.type.shape.reduce((p, q) => p * q, 1);
      device.createSlot(`p${i}`, slot.type);
      device.writeSlot(
        `p${i}`,
        numbers(size, i).map((v) => v / 16),
      );
    });
    const prepared = await device.prepare(segment(outputs));
    const began = performance.now();
    const { fetched } = await device.run(prepared, {
      scalars: {},
      batch: { image: Float32Array.from(numbers(64 * 784, 99)) },
    });
    expect(performance.now() - began).toBeLessThan(8000);
    expect(Object.keys(fetched).length).toBe(slots.length + 1);
  });
});
