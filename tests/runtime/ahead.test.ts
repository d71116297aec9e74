/** A program that may come next is made ready beside the one that runs: it changes nothing of it, and is waited for no more. */
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { deviceAround, SOFTWARE, type Device, type Prepared } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { build, evaluate } from "../../lang/graph/index.ts";
import type { Program } from "../../lang/index.ts";
import { createSession, type Session } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import type { Held } from "../../runtime/resident.ts";
import { Segments } from "../../runtime/segments.ts";
import { StateTable } from "../../runtime/state.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { compileText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

const net = `seed 4
let data = take(digits().train, 100)
let net = [flatten, Linear(12), relu, Linear(8), relu, Linear(10)]
train (image, label) in batches(shuffle(data), 14) for 300 epochs {
  let loss = cross_entropy(net(image), label)
  minimize loss over net with Adam(1e-2)
}
`;
const short = net.replace("300 epochs", "10 epochs");
const wide = net.replace("Linear(8)", "Linear(9)");
const deep = net.replace("Linear(8)", "Linear(8), relu, Linear(8)");

const threads = () => new CpuDevice({ threads: 2, startWorker: startNodeWorker, grain: 0 });
const devices: Record<string, () => Promise<Device>> = {
  reference: async () => new ReferenceDevice(),
  cpu: async () => new CpuDevice(),
  "cpu on two threads": async () => threads(),
  ...(gpu ? { webgpu: open } : {}),
};

/** A device that tells what was prepared and given back. */
async function watched(kind: string) {
  const device = await devices[kind]!();
  const prepared: Prepared[] = [];
  const released: Prepared[] = [];
  const around = deviceAround(device, {
    async prepare(segment) {
      const made = await device.prepare(segment);
      prepared.push(made);
      return made;
    },
    release(made) {
      released.push(made);
      device.release(made);
    },
  });
  return { device: around, prepared, released };
}

interface Opened {
  readonly session: Session;
  readonly losses: (number | undefined)[];
  /** The step has been taken. */
  readonly until: (step: number) => Promise<void>;
}

function start(program: Program, device: Device): Opened {
  const host = nodeHost({ scriptFolder: "/nowhere" });
  const session = createSession({ program, device, host, math: evaluate, breath: 0 });
  const losses: (number | undefined)[] = [];
  session.metrics$.subscribe(({ metrics }) => losses.push(metrics["loss"]));
  const until = (step: number) =>
    new Promise<void>((done) => {
      const check = () => losses.length >= step && done();
      session.metrics$.subscribe(check);
      check();
    });
  session.play();
  return { session, losses, until };
}

describe.each(Object.keys(devices))("on %s", (kind) => {
  test("the program that runs goes on bit for bit, whatever is made ready beside it", async () => {
    const [program, ...others] = await Promise.all([short, wide, deep].map((text) => compileText(text)));
    const [plain, beside] = [await watched(kind), await watched(kind)];
    const first = start(program!, plain.device);
    await first.session.done;
    const second = start(program!, beside.device);
    await second.until(3);
    const made = others.map((other) => second.session.ahead(other));
    await Promise.all(made);
    await second.session.done;
    expect(second.losses).toEqual(first.losses);
    expect(beside.prepared.length).toBeGreaterThan(plain.prepared.length);
    await Promise.all([first.session.dispose(), second.session.dispose()]);
    // the ones that never ran too
    const held = () => beside.prepared.filter((each) => !beside.released.includes(each)).map(({ name }) => name);
    await expect.poll(held).toEqual([]);
    await Promise.all([plain.device.dispose(), beside.device.dispose()]);
  });

  test("the swap finds it all there", async () => {
    const programs = () => Promise.all([net, wide].map((text) => compileText(text)));
    const run = async (ahead: boolean) => {
      const [program, next] = await programs();
      const { device, prepared } = await watched(kind);
      const { session, losses, until } = start(program!, device);
      await until(3);
      session.pause();
      if (ahead) await session.ahead(next!);
      const before = prepared.length;
      const report = await session.swap(next!);
      session.play();
      const at = losses.length;
      await until(at + 4);
      const later = prepared.length - before;
      session.stop();
      await session.dispose();
      await device.dispose();
      return { report, later, steps: losses.slice(at, at + 4) };
    };
    const [without, ready] = [await run(false), await run(true)];
    expect(ready.report).toEqual(without.report);
    expect(without.report?.made).toContain("net.3.w");
    expect([without.later > 0, ready.later]).toEqual([true, 0]);
  });

  test("one that comes while it is made ready is the same one", async () => {
    const [program, next] = await Promise.all([net, deep].map((text) => compileText(text)));
    const { device, prepared } = await watched(kind);
    const { session, losses, until } = start(program!, device);
    await until(3);
    const begun = prepared.length;
    void session.ahead(next!);
    const report = await session.swap(next!);
    expect(report?.made).toContain("net.5.w");
    await until(losses.length + 4);
    // once each: what it computes first, and its step
    expect(prepared.slice(begun).map(({ name }) => name)).toEqual([
      ...new Set(prepared.slice(begun).map((p) => p.name)),
    ]);
    session.stop();
    await session.dispose();
    await device.dispose();
  });
});

test("on an adapter of software no step begins meanwhile; a pause, a stop and the swap are heard", async () => {
  const [program, next] = await Promise.all([net, wide].map((text) => compileText(text)));
  const inner = new CpuDevice();
  let go = () => {};
  let waiting: Promise<void> | undefined;
  const device = deviceAround(inner, {
    info: { ...inner.info, features: [...inner.info.features, SOFTWARE] },
    prepare: async (segment) => {
      await waiting;
      return inner.prepare(segment);
    },
  });
  const { session, losses, until } = start(program!, device);
  const held = async () => {
    await new Promise((done) => setTimeout(done, 30));
    const before = losses.length;
    await new Promise((done) => setTimeout(done, 60));
    return losses.length === before;
  };
  await until(3);
  expect(await held()).toBe(false);
  waiting = new Promise((done) => (go = done));
  const made = session.ahead(next!);
  expect(await held()).toBe(true);
  session.pause();
  session.play();
  expect(await held()).toBe(true);
  const swapped = session.swap(next!);
  expect((await swapped)?.made).toContain("net.3.w");
  const at = losses.length;
  go();
  await made;
  await until(at + 3);
  waiting = new Promise((done) => (go = done));
  void session.ahead(program!);
  expect(await held()).toBe(true);
  session.stop();
  expect((await session.done).status).toBe("stopped");
  go();
  await session.dispose();
  await device.dispose();
});

test("what was made for one data set is made again for another", async () => {
  const { device, prepared, released } = await watched("cpu");
  const x = build.input("batch", "x", { dtype: "f32", shape: [4] });
  const output = { node: build.add(x, x), role: { kind: "fetch", name: "twice" } } as const;
  const segment = { name: "s", outputs: [output], host: [] };
  const held = (path: string): Held => new Map([["x", { path, type: { dtype: "f32", shape: [10] } }]]);
  const segments = new Segments(device, new StateTable(device, {}, nodeHost({ scriptFolder: "/nowhere" })), evaluate);
  const one = await segments.ready(segment, held("data 1.x"));
  expect(await segments.ready(segment, held("data 1.x"))).toBe(one);
  const other = await segments.ready(segment, held("data 2.x"));
  const fed = await segments.ready(segment);
  expect(prepared).toEqual([one.prepared, other.prepared, fed.prepared]);
  expect(released).toEqual([one.prepared, other.prepared]);
  segments.release();
  await expect(segments.ready(segment)).rejects.toThrow("not given back");
  await expect.poll(() => released.length).toBe(3);
  await device.dispose();
});

describe.runIf(gpu)("shaders", () => {
  test("of a program that was made ready are compiled before it comes", async () => {
    const [program, next] = await Promise.all([net, wide].map((text) => compileText(text)));
    const device = await open();
    const { gpu: adapter } = device as unknown as { readonly gpu: GPUDevice };
    let compiled = 0;
    const counted =
      <A extends unknown[], R>(make: (...given: A) => R) =>
      (...given: A): R => {
        compiled++;
        return make.apply(adapter, given);
      };
    adapter.createComputePipelineAsync = counted(adapter.createComputePipelineAsync);
    adapter.createComputePipeline = counted(adapter.createComputePipeline);
    const { session, losses, until } = start(program!, device);
    await until(3);
    const first = compiled;
    await session.ahead(next!);
    const ready = compiled;
    await session.swap(next!);
    await until(losses.length + 4);
    expect([first > 0, ready > first, compiled - ready]).toEqual([true, true, 0]);
    session.stop();
    await session.dispose();
    await device.dispose();
  });
});
