/**
 * What the webgpu device promises beside right numbers: commits together or not at all, halts, runs in flight in the
 * order of their calls, the same bits twice.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { hardware, software } from "../../gpu/wgsl/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, fetches, inFloat64, input, numbers, segment } from "../gpu/harness.ts";
import { gpu, open, runOn } from "./setup.ts";

const one = () => make("const", [], { value: 1, dtype: "f32" });
const state = (name: string, shape: readonly number[] = []) => input("state", name, shape);
const full = (value: Node, shape: readonly number[]) => make("expand", [value], { shape, axes: [] });

let device: WebGpuDevice;
beforeAll(async () => {
  if (gpu) device = await open();
});
afterAll(() => device?.dispose());

const slots = (shape: readonly number[], ...names: string[]) => {
  for (const name of names) device.createSlot(name, { dtype: "f32", shape });
};

describe.skipIf(!gpu)("commits", () => {
  it("see the values from before the run", async () => {
    slots([3], "a", "b");
    device.writeSlot("a", [1, 2, 3]);
    device.writeSlot("b", [4, 5, 6]);
    const swap = await device.prepare(
      segment("swap", [
        { node: state("b", [3]), role: { kind: "commit", path: "a" } },
        { node: state("a", [3]), role: { kind: "commit", path: "b" } },
        { node: make("add", [state("a", [3]), state("b", [3])]), role: { kind: "fetch", name: "sum" } },
        { node: state("a", [3]), role: { kind: "fetch", name: "a" } },
      ]),
    );
    const { fetched } = await device.run(swap, { scalars: {} });
    expect([...(await device.readSlot("a"))]).toEqual([4, 5, 6]);
    expect([...(await device.readSlot("b"))]).toEqual([1, 2, 3]);
    expect([...(fetched["sum"] ?? [])]).toEqual([5, 7, 9]);
    expect([...(fetched["a"] ?? [])]).toEqual([1, 2, 3]);
  });

  for (const shape of [[], [7]]) {
    it(`do not happen when a value of shape [${shape.join()}] is not finite`, async () => {
      slots(shape, "n");
      device.writeSlot("n", 3);
      const step = make("cast", [input("scalar", "step", [], "i32")], { dtype: "f32" });
      const bad = make("log", [make("sub", [state("n", shape), full(step, shape)])]);
      const prepared = await device.prepare(
        segment("risky", [
          { node: make("add", [state("n", shape), full(one(), shape)]), role: { kind: "commit", path: "n" } },
          { node: bad, role: { kind: "finite", what: "loss" } },
        ]),
      );
      expect((await device.run(prepared, { scalars: { step: 1 } })).failed).toBeUndefined();
      expect((await device.readSlot("n"))[0]).toBe(4);
      for (const step of [4, 9]) {
        expect((await device.run(prepared, { scalars: { step } })).failed).toEqual({ what: "loss" });
        expect((await device.readSlot("n"))[0]).toBe(4);
        device.resume();
      }
    });
  }

  it("stop after a run that failed, until resume", async () => {
    slots([], "n");
    const step = make("cast", [input("scalar", "step", [], "i32")], { dtype: "f32" });
    const prepared = await device.prepare(
      segment("some", [
        { node: make("add", [state("n"), step]), role: { kind: "commit", path: "n" } },
        { node: make("log", [step]), role: { kind: "finite", what: "log" } },
      ]),
    );
    const runs = await Promise.all([5, 0, 7, 0].map((at) => device.run(prepared, { scalars: { step: at } })));
    expect(runs.map((r) => r.failed?.what)).toEqual([undefined, "log", undefined, undefined]);
    expect(runs.map((r) => r.skipped)).toEqual([false, false, true, true]);
    expect((await device.readSlot("n"))[0]).toBe(5);
    device.resume();
    await device.run(prepared, { scalars: { step: 7 } });
    expect((await device.readSlot("n"))[0]).toBe(12);
  });

  it("stop after a halt until resume, also for runs in flight", async () => {
    slots([], "n");
    const next = make("add", [state("n"), one()]);
    const prepared = await device.prepare(
      segment("count", [
        { node: next, role: { kind: "commit", path: "n" } },
        { node: next, role: { kind: "fetch", name: "n" } },
        { node: make("le", [make("const", [], { value: 2, dtype: "f32" }), next]), role: { kind: "halt" } },
      ]),
    );
    const results = await Promise.all([0, 1, 2, 3].map(() => device.run(prepared, { scalars: {} })));
    expect(results.map((r) => r.halted)).toEqual([false, true, false, false]);
    expect(results.map((r) => r.skipped)).toEqual([false, false, true, true]);
    expect(results.map((r) => r.fetched["n"]?.[0])).toEqual([1, 2, undefined, undefined]);
    expect((await device.readSlot("n"))[0]).toBe(2);
    device.resume();
    expect((await device.run(prepared, { scalars: {} })).halted).toBe(true);
    expect((await device.readSlot("n"))[0]).toBe(3);
    device.resume();
  });

  it("keep the order of runs, writes and feeds", async () => {
    slots([2], "n");
    const prepared = await device.prepare(
      segment("add", [
        { node: make("add", [state("n", [2]), input("batch", "x", [2])]), role: { kind: "commit", path: "n" } },
      ]),
    );
    const first = device.run(prepared, { scalars: {}, batch: { x: Float32Array.of(1, 2) } });
    const second = device.run(prepared, { scalars: {}, batch: { x: Float32Array.of(10, 20) } });
    const between = device.readSlot("n");
    device.writeSlot("n", [100, 100]);
    const third = device.run(prepared, { scalars: {}, batch: { x: Float32Array.of(5, 5) } });
    await Promise.all([first, second, third]);
    expect([...(await between)]).toEqual([11, 22]);
    expect([...(await device.readSlot("n"))]).toEqual([105, 105]);
  });
});

describe.skipIf(!gpu)("memory", () => {
  it("keeps slots while it grows, and tapes while slots come and go", async () => {
    device.createSlot("small", { dtype: "i32", shape: [4] });
    device.writeSlot("small", [1, 2, 3, 4]);
    slots([2], "n");
    const grown = segment("n", [
      { node: make("add", [state("n", [2]), full(one(), [2])]), role: { kind: "commit", path: "n" } },
    ]);
    const prepared = await device.prepare(grown);
    await device.run(prepared, { scalars: {} });
    for (let i = 0; i < 4; i++) slots([1 << 20], `large${i}`);
    device.writeSlot("large3", 2.5);
    await device.run(prepared, { scalars: {} });
    for (let i = 0; i < 3; i++) device.dropSlot(`large${i}`);
    slots([3 << 20], "other");
    await device.run(prepared, { scalars: {} });
    expect([...(await device.readSlot("small"))]).toEqual([1, 2, 3, 4]);
    expect([...(await device.readSlot("n"))]).toEqual([3, 3]);
    expect((await device.readSlot("large3"))[12345]).toBe(2.5);
    expect((await device.readSlot("other"))[1 << 21]).toBe(0);
  });

  it("knows the ticks of a loop that is a little longer than the one before", async () => {
    const own = await open();
    for (const count of [5, 6, 8, 9, 3]) {
      const tick = input("loop", "tick", [], "i32");
      const carry = input("loop", "carry0", []);
      const next = make("add", [carry, make("cast", [tick], { dtype: "f32" })]);
      const attrs = { body: { params: [carry, tick], results: [next, tick] }, count, consts: 0, carries: 1, scans: 0 };
      const loop = make("loop", [make("const", [], { value: 0, dtype: "f32" })], { ...attrs, reverse: false });
      const { values } = await runOn(own, [make("pick", [loop], { index: 0 }), make("pick", [loop], { index: 1 })], {});
      expect([...(values[1] ?? [])]).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(values[0]?.[0]).toBe((count * (count - 1)) / 2);
    }
    await own.dispose();
  });

  it("keeps a data set that is written piece by piece", async () => {
    const n = 1_000_000;
    const x = numbers(n, 1);
    device.createSlot("data x", { dtype: "f32", shape: [n] });
    for (let at = 0; at < n; at += 300_000) device.writeSlot("data x", x.subarray(at, at + 300_000), at);
    const total = make("sum", [input("state", "data x", [n])], { axes: [0] });
    const prepared = await device.prepare(segment("column", fetches([total])));
    const { fetched } = await device.run(prepared, { scalars: {} });
    const exact = x.reduce((a, b) => a + b, 0);
    expect(Math.abs((fetched["r0"]?.[0] ?? 0) - exact)).toBeLessThan(0.01);
  });
});

describe.skipIf(!gpu)("products", () => {
  /** Tiles in workgroup memory with borders; blocks in registers; a depth cut in pieces; a batch. */
  const sizes = [
    { g: 1, m: 520, n: 500, k: 70 },
    { g: 1, m: 130, n: 67, k: 90 },
    { g: 1, m: 9, n: 21, k: 3000 },
    { g: 3, m: 40, n: 33, k: 18 },
  ];
  const cases = Object.entries({ software, hardware }).flatMap(([kind, schedule]) =>
    sizes.map((size) => ({ ...size, kind, schedule })),
  );
  for (const { g, m, n, k, kind, schedule } of cases) {
    it(`of ${g} × ${m} × ${n} × ${k}, for ${kind}`, async () => {
      const device = await open({ schedule });
      const batch = { x: numbers(g * m * k, 5), y: numbers(g * k * n, 6) };
      const [x, y] = [input("batch", "x", [g, m, k]), input("batch", "y", [g, k, n])];
      const node = make("tanh", [make("dot", [x, y], { batch: [[0, 0]], contract: [[2, 1]] })]);
      const { values } = await runOn(device, [node], batch);
      const expected = inFloat64([node], batch)[0] as Float64Array;
      // partial sums of the deepest product reach 50, a hundred times its result: 2e-5 is 3 units of their last place
      expect(distance(values[0] ?? [], expected)).toBeLessThan(k > 1000 ? 2e-5 : 1e-5);
      await device.dispose();
    });
  }
});

describe.skipIf(!gpu)("bits", () => {
  it("are the same twice", async () => {
    const x = numbers(64 * 300, 2, -3, 3);
    const rows = input("batch", "x", [64, 300]);
    const nodes = [
      make("sum", [make("exp", [rows])], { axes: [0] }),
      make("dot", [rows, rows], { batch: [], contract: [[1, 1]] }),
    ];
    const first = await runOn(device, nodes, { x });
    const again = await runOn(device, nodes, { x });
    expect(again.values).toEqual(first.values);
  });
});

describe.skipIf(!gpu)("mistakes", () => {
  it("of open sizes and missing feeds are refused", async () => {
    const open = segment("open", fetches([input("batch", "x", [-1, 2])]));
    await expect(device.prepare(open)).rejects.toThrow("closed shape");
    const prepared = await device.prepare(segment("fed", fetches([make("exp", [input("batch", "x", [2])])])));
    await expect(device.run(prepared, { scalars: {} })).rejects.toThrow("expected the batch x to be fed");
  });
});
