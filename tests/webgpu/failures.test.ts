/**
 * What the webgpu device does when something is wrong: a device that is lost, commands that the driver refuses, memory
 * that is not there. Every promise ends, with one error that says what happened, and nothing wrong counts as a result.
 */
import { afterEach, describe, expect, it } from "vitest";
import { UserError } from "../../lang/diagnostic.ts";
import { make } from "../../lang/graph/index.ts";
import type { Numbers } from "../../gpu/device.ts";
import { MemoryError } from "../../gpu/memory-error.ts";
import { WebGpuDevice } from "../../gpu/webgpu.ts";
import { fetches, input, segment } from "../gpu/harness.ts";
import { gpu } from "./setup.ts";

const info = { kind: "webgpu", name: "webgpu (test)", threads: 1, features: [], dataBytes: 0, fieldBytes: 0 } as const;
const LOST = { diagnostic: { code: "DLX0707", title: expect.stringContaining("webgpu (test)") as string } };
const REFUSED = "expected WebGPU to take every command, got";
const STORAGE = 0x80;
const N = 1 << 16;
const state = (name: string) => input("state", name, [N]);

const opened: WebGpuDevice[] = [];
afterEach(async () => {
  for (const device of opened.splice(0)) await device.dispose();
});

interface Changes {
  readonly limits?: Partial<GPUSupportedLimits>;
}

/** A device of its own, with the buffers it made; `limits` claims less than there is. */
async function opens({ limits }: Changes = {}) {
  const raw = await (await gpu?.requestAdapter())?.requestDevice();
  if (!raw) throw new Error("expected a device");
  const buffers: GPUBuffer[] = [];
  const seen = new Proxy(raw, {
    get(target, key) {
      if (key === "limits" && limits) return new Proxy(target.limits, { get: (own, name) => Reflect.get({ ...limits }, name) ?? Reflect.get(own, name, own) }); // prettier-ignore
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const made: unknown = Reflect.apply(value as (...given: unknown[]) => unknown, target, args);
        if (key === "createBuffer") buffers.push(made as GPUBuffer);
        return made;
      };
    },
  });
  const device = new WebGpuDevice(seen, info);
  opened.push(device);
  return { raw, device, buffers };
}

/** n counts up by 1 a run; the new n is fetched. */
async function counter(device: WebGpuDevice) {
  device.createSlot("n", { dtype: "f32", shape: [N] });
  const one = make("expand", [make("const", [], { value: 1, dtype: "f32" })], { shape: [N], axes: [] });
  const next = make("add", [state("n"), one]);
  const prepared = await device.prepare(
    segment("count", [{ node: next, role: { kind: "commit", path: "n" } }, ...fetches([next])]),
  );
  return () => device.run(prepared, { scalars: {} });
}

const first = (values: Numbers | undefined) => values?.[0];

describe.skipIf(!gpu)("a lost device", () => {
  it("ends runs and reads in flight with DLX0707; what was told before was right", async () => {
    const { raw, device } = await opens();
    const run = await counter(device);
    for (const n of [1, 2, 3]) expect(first((await run()).fetched["r0"])).toBe(n);
    const kept = await device.readSlot("n");
    const inFlight = [run(), run(), device.readSlot("n"), run()];
    raw.destroy();
    for (const ended of await Promise.allSettled(inFlight)) {
      if (ended.status !== "rejected") throw new Error("expected no result of a device that is lost");
      expect(ended.reason).toBeInstanceOf(UserError);
      expect(ended.reason).toMatchObject(LOST);
    }
    // the last state that came back is that of the last run that did
    expect(kept.every((n) => n === 3)).toBe(true);
    await expect(run()).rejects.toMatchObject(LOST);
    await expect(device.readSlot("n")).rejects.toMatchObject(LOST);
    await expect(device.prepare(segment("late", fetches([state("n")])))).rejects.toMatchObject(LOST);
  });

  it("while pipelines compile ends prepare", async () => {
    const { raw, device } = await opens();
    device.createSlot("n", { dtype: "f32", shape: [N] });
    const late = device.prepare(segment("late", fetches([make("exp", [state("n")])])));
    raw.destroy();
    const ended = late.then((prepared) => device.run(prepared, { scalars: {} }));
    await expect(ended).rejects.toMatchObject(LOST);
  });

  it("is no error when it was asked to close", async () => {
    const { device } = await opens();
    const run = await counter(device);
    const inFlight = run();
    await device.dispose();
    expect(first((await inFlight).fetched["r0"])).toBe(1);
    await expect(run()).rejects.toThrow("expected a device that is open, got one that is disposed");
  });
});

describe.skipIf(!gpu)("a command that the driver refuses", () => {
  it("ends the run with one error, and every later call with the same", async () => {
    const { device, buffers } = await opens();
    const run = await counter(device);
    expect(first((await run()).fetched["r0"])).toBe(1);
    // the memory under a tape: its submit is refused
    for (const buffer of buffers) if (buffer.usage & STORAGE) buffer.destroy();
    const ends = await Promise.allSettled([run(), run()]);
    const told = ends.map((end) => (end.status === "rejected" ? (end.reason as unknown) : "a result"));
    expect(told[0]).toBeInstanceOf(Error);
    expect(String(told[0])).toContain(REFUSED);
    expect(told[1]).toBe(told[0]);
    expect(await run().catch((error: unknown) => error)).toBe(told[0]);
    expect(await device.readSlot("n").catch((error: unknown) => error)).toBe(told[0]);
  });

  it("outside of a run is told by the next one", async () => {
    const { raw, device } = await opens();
    const run = await counter(device);
    raw.createBuffer({ size: 16, usage: 0x1 | 0x80 });
    await expect(run()).rejects.toThrow(REFUSED);
  });
});

describe.skipIf(!gpu)("memory that is not there", () => {
  const MIB = 1 << 18;
  const limits = { maxStorageBufferBindingSize: 4 << 20, maxStorageBuffersPerShaderStage: 3 };

  it("is refused for one slot larger than a binding", async () => {
    const { device } = await opens({ limits });
    const huge = () => device.createSlot("huge", { dtype: "f32", shape: [5, MIB] });
    expect(huge).toThrow(MemoryError);
    expect(huge).toThrow("expected a need of at most 4 MiB, got 5 MiB");
    const run = await counter(device);
    expect(first((await run()).fetched["r0"])).toBe(1);
  });

  it("is refused for slots that together need more than all bindings", async () => {
    const { device } = await opens({ limits });
    const run = await counter(device);
    await run();
    const more = (i: number) => device.createSlot(`large${i}`, { dtype: "f32", shape: [3, MIB] });
    const all = () => [0, 1, 2, 3].forEach(more);
    expect(all).toThrow(MemoryError);
    expect(all).toThrow("expected a need of at most 8 MiB, got");
    expect(first((await run()).fetched["r0"])).toBe(2);
    device.dropSlot("large0");
    more(9);
    expect(first((await run()).fetched["r0"])).toBe(3);
  });

  it("is refused for the intermediates of a segment", async () => {
    const { device } = await opens({ limits });
    device.createSlot("n", { dtype: "f32", shape: [3000] });
    const n = input("state", "n", [3000]);
    const square = make("dot", [n, n], { batch: [], contract: [] });
    const total = make("sum", [make("dot", [square, square], { batch: [], contract: [[1, 0]] })], { axes: [0] });
    const prepared = device.prepare(segment("square", fetches([total])));
    await expect(prepared).rejects.toThrow("expected a need of at most 4 MiB, got");
  });
});
