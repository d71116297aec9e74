/**
 * What the cpu device promises beside right numbers: commits that happen together or not at all, halts, loops,
 * the same bits twice, room for large columns.
 */
import { describe, expect, it, vi } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuPrepared } from "../../gpu/cpu-segment.ts";
import { openDevice } from "../../gpu/index.ts";
import { make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { fetches, input, numbers, runOn, segment } from "./harness.ts";

const one = (dtype: "f32" | "i32" = "f32") => make("const", [], { value: 1, dtype });
const state = (name: string, shape: readonly number[] = []) => input("state", name, shape);
const full = (value: Node, shape: readonly number[]) => make("expand", [value], { shape, axes: [] });

describe("a segment prepared again", () => {
  const counter = (path: string, by: number) => {
    const node = make("add", [state("n", [3]), full(make("const", [], { value: by, dtype: "f32" }), [3])]);
    return segment("count", [{ node, role: { kind: "commit", path } }]);
  };

  it("is planned once, unless its graph or its slots differ", async () => {
    const device = new CpuDevice();
    for (const name of ["n", "m"]) device.createSlot(name, { dtype: "f32", shape: [3] });
    const all = [];
    for (const each of [counter("n", 1), counter("n", 1), counter("m", 1), counter("n", 2)])
      all.push(await device.prepare(each));
    const [first, again, ...others] = all as CpuPrepared[];
    expect(again?.lowered).toBe(first?.lowered);
    for (const other of others) expect(other.lowered).not.toBe(first?.lowered);
    device.release(first!);
    for (const prepared of all.slice(1)) await device.run(prepared, { scalars: {} });
    expect([...(await device.readSlot("n"))]).toEqual([3, 3, 3]);
    expect([...(await device.readSlot("m"))]).toEqual([2, 2, 2]);
  });
});

describe("commits", () => {
  it("see the values from before the run", async () => {
    const device = new CpuDevice();
    for (const name of ["a", "b"]) device.createSlot(name, { dtype: "f32", shape: [3] });
    device.writeSlot("a", [1, 2, 3]);
    device.writeSlot("b", [4, 5, 6]);
    const swap = await device.prepare(
      segment("swap", [
        { node: state("b", [3]), role: { kind: "commit", path: "a" } },
        { node: state("a", [3]), role: { kind: "commit", path: "b" } },
        { node: make("add", [state("a", [3]), state("b", [3])]), role: { kind: "fetch", name: "sum" } },
      ]),
    );
    const { fetched } = await device.run(swap, { scalars: {} });
    expect([...(await device.readSlot("a"))]).toEqual([4, 5, 6]);
    expect([...(await device.readSlot("b"))]).toEqual([1, 2, 3]);
    expect([...(fetched["sum"] ?? [])]).toEqual([5, 7, 9]);
    await device.run(swap, { scalars: {} });
    expect([...(await device.readSlot("a"))]).toEqual([1, 2, 3]);
  });

  for (const shape of [[], [7]]) {
    it(`do not happen when a value of shape [${shape.join()}] is not finite`, async () => {
      const device = new CpuDevice();
      device.createSlot("n", { dtype: "f32", shape });
      device.writeSlot("n", 3);
      const bad = make("log", [
        make("sub", [
          state("n", shape),
          full(make("cast", [input("scalar", "step", [], "i32")], { dtype: "f32" }), shape),
        ]),
      ]);
      const prepared = await device.prepare(
        segment("risky", [
          { node: make("add", [state("n", shape), full(one(), shape)]), role: { kind: "commit", path: "n" } },
          { node: bad, role: { kind: "finite", what: "loss" } },
        ]),
      );
      expect((await device.run(prepared, { scalars: { step: 1 } })).failed).toBeUndefined();
      expect((await device.readSlot("n"))[0]).toBe(4);
      expect((await device.run(prepared, { scalars: { step: 4 } })).failed).toEqual({ what: "loss" });
      expect((await device.readSlot("n"))[0]).toBe(4);
    });
  }

  it("stop after a halt until resume", async () => {
    const device = new CpuDevice();
    device.createSlot("n", { dtype: "f32", shape: [] });
    const next = make("add", [state("n"), one()]);
    const prepared = await device.prepare(
      segment("count", [
        { node: next, role: { kind: "commit", path: "n" } },
        { node: make("le", [make("const", [], { value: 2, dtype: "f32" }), next]), role: { kind: "halt" } },
      ]),
    );
    const results = [];
    for (let i = 0; i < 4; i++) results.push(await device.run(prepared, { scalars: {} }));
    expect(results.map((r) => r.halted)).toEqual([false, true, false, false]);
    expect(results.map((r) => r.skipped)).toEqual([false, false, true, true]);
    expect((await device.readSlot("n"))[0]).toBe(2);
    device.resume();
    expect((await device.run(prepared, { scalars: {} })).halted).toBe(true);
    expect((await device.readSlot("n"))[0]).toBe(3);
  });

  it("of one value into two slots", async () => {
    const device = new CpuDevice();
    for (const name of ["a", "b"]) device.createSlot(name, { dtype: "f32", shape: [2, 2] });
    const value = make("exp", [state("a", [2, 2])]);
    const prepared = await device.prepare(
      segment("twice", [
        { node: value, role: { kind: "commit", path: "a" } },
        { node: value, role: { kind: "commit", path: "b" } },
      ]),
    );
    await device.run(prepared, { scalars: {} });
    expect([...(await device.readSlot("a"))]).toEqual([1, 1, 1, 1]);
    expect([...(await device.readSlot("b"))]).toEqual([1, 1, 1, 1]);
  });
});

describe("memory", () => {
  it("keeps slots while it grows", async () => {
    const device = new CpuDevice();
    device.createSlot("small", { dtype: "i32", shape: [4] });
    device.writeSlot("small", [1, 2, 3, 4]);
    for (let i = 0; i < 6; i++) device.createSlot(`large${i}`, { dtype: "f32", shape: [1 << 20] });
    device.writeSlot("large5", 2.5);
    for (let i = 0; i < 5; i++) device.dropSlot(`large${i}`);
    device.createSlot("other", { dtype: "f32", shape: [3 << 20] });
    expect([...(await device.readSlot("small"))]).toEqual([1, 2, 3, 4]);
    expect((await device.readSlot("large5"))[12345]).toBe(2.5);
    expect((await device.readSlot("other"))[1 << 21]).toBe(0);
  });

  it("keeps a data set that is written piece by piece", async () => {
    const device = new CpuDevice();
    const n = 3_000_000;
    const x = numbers(n, 1);
    device.createSlot("data x", { dtype: "f32", shape: [n] });
    for (let at = 0; at < n; at += 700_000) device.writeSlot("data x", x.subarray(at, at + 700_000), at);
    expect(() => device.writeSlot("data x", x, 1)).toThrow(/expected 3000000 numbers/);
    const mean = make("sum", [input("state", "data x", [n])], { axes: [0] });
    const prepared = await device.prepare(segment("column", fetches([mean])));
    const { fetched } = await device.run(prepared, { scalars: {} });
    const exact = x.reduce((a, b) => a + b, 0);
    expect(Math.abs((fetched["r0"]?.[0] ?? 0) - exact)).toBeLessThan(0.01);
  });
});

describe("bits", () => {
  it("are the same twice and do not depend on where an element lies", async () => {
    const device = new CpuDevice();
    const n = 103;
    const x = numbers(n, 2, -3, 3);
    const f = (size: number) => make("tanh", [make("exp", [make("sin", [input("batch", "x", [size])])])]);
    const first = await runOn(device, [f(n)], { x });
    const again = await runOn(device, [f(n)], { x });
    expect(first.values[0]).toEqual(again.values[0]);
    for (let at = 90; at < n; at++) {
      const single = await runOn(device, [f(1)], { x: x.slice(at, at + 1) });
      expect(single.values[0]?.[0]).toBe(first.values[0]?.[at]);
    }
  });

  it("of random numbers are those of the reference", async () => {
    const keys = [input("scalar", "seed", [], "u32"), input("scalar", "tick", [], "u32")];
    const node = make("random", keys, { site: 77, shape: [13, 5] });
    const scalars = { seed: 4_000_000_000, tick: 9 };
    const [cpu, reference] = await Promise.all(
      (["cpu", "reference"] as const).map(async (kind) => {
        const device = await openDevice(kind);
        return device.run(await device.prepare(segment("random", fetches([node]))), { scalars });
      }),
    );
    expect([...(cpu?.fetched["r0"] ?? [])]).toEqual([...(reference?.fetched["r0"] ?? [])]);
  });
});

describe("refusals", () => {
  it("of open sizes and missing feeds", async () => {
    const device = new CpuDevice();
    await expect(device.prepare(segment("open", fetches([input("batch", "x", [-1, 2])])))).rejects.toThrow(
      "closed shape",
    );
    const prepared = await device.prepare(segment("fed", fetches([make("exp", [input("batch", "x", [2])])])));
    await expect(device.run(prepared, { scalars: {} })).rejects.toThrow("expected the batch x to be fed");
  });
});

describe("kernels", () => {
  it("are compiled once, whatever segments they are part of", async () => {
    const made: WebAssembly.Module[] = [];
    const instantiate = WebAssembly.instantiate.bind(WebAssembly) as (
      bytes: BufferSource,
      imports: WebAssembly.Imports,
    ) => Promise<WebAssembly.WebAssemblyInstantiatedSource>;
    const spy = vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (
      bytes: BufferSource,
      imports: WebAssembly.Imports,
    ) => {
      const source = await instantiate(bytes, imports);
      made.push(source.module);
      return source;
    }) as never);
    try {
      const device = new CpuDevice();
      const [a, b] = [input("batch", "a", [300, 40]), input("batch", "b", [40, 50])];
      const product = make("dot", [a, b], { batch: [], contract: [[1, 0]] });
      const feeds = { scalars: {}, batch: { a: numbers(12_000, 1), b: numbers(2000, 2) } };
      const first = await device.prepare(segment("first", fetches([product])));
      const second = await device.prepare(segment("second", fetches([product])));
      const third = await device.prepare(segment("third", fetches([product, make("amax", [a], { axes: [0] })])));
      expect(made.map((module) => WebAssembly.Module.exports(module).length)).toEqual([1, 1]);
      const results = await Promise.all([first, second, third].map((each) => device.run(each, feeds)));
      const [one, two, three] = results.map(({ fetched }) => fetched["r0"]);
      expect(two).toEqual(one);
      expect(three).toEqual(one);
      device.release(first);
      expect((await device.run(second, feeds)).fetched["r0"]).toEqual(one);
      await device.dispose();
    } finally {
      spy.mockRestore();
    }
  });
});
