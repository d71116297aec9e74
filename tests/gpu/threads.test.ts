/**
 * Worker threads change who computes, never what: the same bits with one thread, two or three, and without shared
 * memory. And their life: they end with the device, hold no process, and what goes wrong in one is an error here.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker as NodeWorker } from "node:worker_threads";
import { build as bundle } from "esbuild";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { CpuOptions } from "../../gpu/cpu.ts";
import type { Numbers, Prepared } from "../../gpu/device.ts";
import type { Heap } from "../../gpu/heap.ts";
import type { StartWorker } from "../../gpu/threads.ts";
import { gradient, make, optimize } from "../../lang/graph/index.ts";
import { startWebWorker } from "../../runtime/threads-web.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { build, samples } from "../graph/samples.ts";
import { scripts } from "../devices/scripts.ts";
import { runText } from "../run-script.ts";
import { fetches, input, numbers, runOn, segment } from "./harness.ts";
import { lenet, mlp } from "./networks.ts";
import type { Network } from "./networks.ts";

/** Cut as fine as it goes, so that small samples reach the workers too. */
const threads = (count: number, more: CpuOptions = {}): CpuDevice =>
  new CpuDevice({ threads: count, startWorker: startNodeWorker, grain: 0, ...more });

const opened: CpuDevice[] = [];
function open(device: CpuDevice): CpuDevice {
  opened.push(device);
  return device;
}
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  for (const device of opened) await device.dispose();
});

const bitsOf = (values: Numbers) => new Uint32Array(Uint32Array.from(new Uint32Array(values.buffer)));

// ---------------------------------------------------------------- the same bits

describe("each op", () => {
  const one = open(new CpuDevice());
  const two = open(threads(2));
  const three = open(threads(3));
  const plain = open(new CpuDevice({ shared: false }));

  it("says what it runs on", () => {
    expect(two.info.name).toContain("2 threads");
    expect(two.info.threads).toBe(2);
    expect(one.info.name).toContain("1 thread)");
    expect(plain.info.features).not.toContain("shared-memory");
    expect(new CpuDevice({ shared: false, threads: 2, startWorker: startNodeWorker }).info.threads).toBe(1);
  });

  for (const sample of samples) {
    it(`${sample.op}: ${sample.name}`, async () => {
      const batch: Record<string, Numbers> = {};
      const nodes = sample.inputs.map(({ dtype, data, shape }, i) => {
        const array = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Int32Array }[dtype];
        batch[`x${i}`] = array.from(data);
        return input("batch", `x${i}`, shape, dtype);
      });
      const results = build(sample, nodes);
      const { values } = await runOn(one, results, batch, { ...sample.scalars });
      for (const device of [two, three, plain]) {
        const ran = await runOn(device, results, batch, { ...sample.scalars });
        expect(ran.values.map(bitsOf)).toEqual(values.map(bitsOf));
      }
    });
  }
});

describe("convolutions of 3 by 3 and their gradients", () => {
  const [B, C, O, H, W] = [3, 16, 32, 12, 20];
  const batch = { x: numbers(B * C * H * W, 1), w: numbers(O * C * 9, 2), b: numbers(O, 3) };
  const [x, w] = [input("batch", "x", [B, C, H, W]), input("batch", "w", [O, C, 3, 3])];
  const edge = [0, 0, 1, 1];
  const seen = make("windows", [make("pad", [x], { lo: edge, hi: edge, value: 0 })], {
    axes: [2, 3], size: [3, 3], stride: [1, 1], dilation: [1, 1],
  }); // prettier-ignore
  const product = make("dot", [w, seen], { batch: [], contract: [[1, 1], [2, 4], [3, 5]] }); // prettier-ignore
  const bias = make("expand", [input("batch", "b", [O])], { shape: [O, B, H, W], axes: [0] });
  const active = make("tanh", [make("add", [product, bias])]);
  const loss = make("sum", [make("mul", [active, active])], { axes: [0, 1, 2, 3] });
  const results = optimize([active, loss, ...gradient(loss, [x, w])]);

  it("have the same bits on one thread, two and three", async () => {
    const { values } = await runOn(open(new CpuDevice()), results, batch);
    for (const device of [threads(2), threads(3), threads(3, { disable: ["group"] }), new CpuDevice({ pieces: 5 })]) {
      const ran = await runOn(open(device), results, batch);
      expect(ran.values.map(bitsOf)).toEqual(values.map(bitsOf));
    }
  });
});

interface Opened {
  readonly device: CpuDevice;
  readonly prepared: Prepared;
  step(): Promise<void>;
  state(): Promise<Uint32Array[]>;
}

async function train(device: CpuDevice, net: Network, rows: number): Promise<Opened> {
  Object.entries(net.slots).forEach(([path, shape], i) => {
    device.createSlot(path, { dtype: "f32", shape });
    const size = shape.reduce((a, b) => a * b, 1);
    if (!/^[mv]\./.test(path)) device.writeSlot(path, numbers(size, i, -0.05, 0.05));
  });
  const prepared = await device.prepare(segment("step", net.outputs));
  const feeds = {
    scalars: { "h:0": 1e-3 },
    batch: { x: numbers(rows * 784, 5), y: Int32Array.from({ length: rows }, (_, i) => (i * 7) % 10) },
  };
  return {
    device,
    prepared,
    step: async () => expect((await device.run(prepared, feeds)).failed).toBeUndefined(),
    state: () => Promise.all(Object.keys(net.slots).map(async (path) => bitsOf(await device.readSlot(path)))),
  };
}

describe("training", () => {
  const networks: readonly [string, Network][] = [
    ["mlp", mlp(24, [784, 50, 34, 10])],
    ["lenet", lenet(24)],
  ];
  for (const [name, net] of networks) {
    it(`${name}: eight steps`, async () => {
      const states = [];
      for (const device of [new CpuDevice(), threads(2), threads(3), threads(2, { disable: ["group"] })]) {
        const run = await train(open(device), net, 24);
        for (let i = 0; i < 8; i++) await run.step();
        states.push(await run.state());
      }
      for (const state of states.slice(1)) expect(state).toEqual(states[0]);
    });
  }

  it.each(Object.keys(scripts))("%s: the script ends in the same state", async (name) => {
    const states = [];
    for (const device of [new CpuDevice(), threads(2), new CpuDevice({ shared: false })]) {
      const ran = await runText(scripts[name] ?? "", open(device), { steps: 12, seed: 7 });
      states.push(Object.fromEntries(Object.entries(ran.state).map(([path, values]) => [path, bitsOf(values)])));
    }
    for (const state of states.slice(1)) expect(state).toEqual(states[0]);
  });

  it("a thousand steps make no typed array", async () => {
    const net = mlp(16, [32, 24, 10]);
    const outputs = net.outputs.filter(({ role }) => role.kind !== "fetch");
    const device = open(threads(2));
    for (const [path, shape] of Object.entries(net.slots)) device.createSlot(path, { dtype: "f32", shape });
    const prepared = await device.prepare(segment("step", outputs));
    const feeds = { scalars: { "h:0": 1e-3 }, batch: { x: numbers(16 * 32, 1), y: new Int32Array(16) } };
    await device.run(prepared, feeds);
    let made = 0;
    const names = ["Float32Array", "Int32Array", "Uint32Array", "Uint8Array", "Float64Array"] as const;
    for (const name of names) {
      const counted = new Proxy(globalThis[name], {
        construct(target, args, self) {
          made++;
          return Reflect.construct(target, args, self) as object;
        },
      });
      vi.stubGlobal(name, counted);
    }
    try {
      void new Float32Array(1);
      for (let i = 0; i < 1000; i++) await device.run(prepared, feeds);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(made).toBe(1);
  });

  it("threads keep no scratch from run to run", async () => {
    const used = async (device: CpuDevice) => {
      await (await train(open(device), mlp(24, [784, 50, 10]), 24)).step();
      return (Reflect.get(device, "heap") as Heap).used;
    };
    expect(await used(threads(3))).toBe(await used(new CpuDevice()));
  });
});

// ---------------------------------------------------------------- waiting

/** Workers whose kernels do something before, in the worker's own words; `run` is the kernel. */
const meddled =
  (body: string): StartWorker =>
  (source, events) =>
    startNodeWorker(
      `(receive, send) => {
        const Real = WebAssembly.Instance;
        WebAssembly.Instance = function (module, imports) {
          const real = new Real(module, imports).exports;
          return { exports: new Proxy({}, { get: (_, name) => (...args) => { const run = real[name]; ${body} } }) };
        };
        (${source})(receive, send);
      }`,
      events,
    );
const slowly = (ms: number) =>
  meddled(`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms}); run(...args);`);

/** count += 1, over enough work that the workers take a part of it. */
async function counter(device: CpuDevice): Promise<Prepared> {
  const n = 1 << 18;
  device.createSlot("n", { dtype: "f32", shape: [n] });
  const now = input("state", "n", [n]);
  const one = make("expand", [make("const", [], { value: 1, dtype: "f32" })], { shape: [n], axes: [] });
  return device.prepare(segment("count", [{ node: make("add", [now, one]), role: { kind: "commit", path: "n" } }]));
}
const first = async (device: CpuDevice) => (await device.readSlot("n"))[0];

describe("a slow worker", () => {
  it("is waited for through the event loop, and what is asked meanwhile comes after, in order", async () => {
    const device = open(threads(2, { startWorker: slowly(60) }));
    const prepared = await counter(device);
    for (let i = 0; i < 3; i++) {
      device.writeSlot("n", 0);
      const asked = [
        device.run(prepared, { scalars: {} }),
        device.run(prepared, { scalars: {} }),
        first(device),
        (device.writeSlot("n", 10), device.run(prepared, { scalars: {} })),
        first(device),
        device.prepare(segment("other", fetches([make("exp", [input("batch", "x", [4])])]))),
      ];
      const got = await Promise.all(asked);
      expect([got[2], got[4]]).toEqual([2, 11]);
    }
  });

  it("is waited for where the calling thread may not sleep", async () => {
    const wait = Atomics.wait;
    const spy = vi.spyOn(Atomics, "wait").mockImplementation(() => {
      throw new TypeError("Atomics.wait cannot be called in this context");
    });
    const device = open(threads(2, { startWorker: slowly(8) }));
    const prepared = await counter(device);
    for (let i = 1; i <= 5; i++) {
      await device.run(prepared, { scalars: {} });
      expect(await first(device)).toBe(i);
    }
    expect(spy).toHaveBeenCalledOnce();
    expect(Atomics.wait).not.toBe(wait);
  });
});

// ---------------------------------------------------------------- life and death

/** Runs until a worker was quick enough to take a piece; the error that this ended in. */
async function failure(device: CpuDevice, prepared: Prepared): Promise<string> {
  for (let i = 0; i < 2000; i++) {
    try {
      await device.run(prepared, { scalars: {} });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return "no failure";
}

describe("a worker that fails", () => {
  it("by a throw: that run commits nothing and says so, the next ones go on", async () => {
    const device = open(threads(2, { startWorker: meddled(`throw new Error("out of luck");`) }));
    const prepared = await counter(device);
    expect(await failure(device, prepared)).toBe("expected a worker to finish its piece of a kernel, got: out of luck");
    const before = await first(device);
    expect(await failure(device, prepared)).toContain("out of luck");
    expect(await first(device)).toBeGreaterThanOrEqual(before ?? Infinity);
    const values = new Set(await device.readSlot("n"));
    expect(values.size).toBe(1);
  });

  it("by its death: an error, now and later, and no hang", async () => {
    const device = open(threads(2, { startWorker: meddled(`process.exit(3);`) }));
    const prepared = await counter(device);
    const message = await failure(device, prepared);
    expect(message).toBe("expected worker 1 to live, got: its end with code 3");
    await expect(device.run(prepared, { scalars: {} })).rejects.toThrow("expected worker 1 to live");
  });

  it("at its start, or with a module: prepare says so", async () => {
    const broken: StartWorker = (_, events) => startNodeWorker("() => { throw new Error('no start'); }", events);
    await expect(counter(open(threads(2, { startWorker: broken })))).rejects.toThrow("no start");
    const refusing: StartWorker = (source, events) =>
      startNodeWorker(
        `(r, s) => { WebAssembly.Instance = function () { throw new Error("no memory"); }; (${source})(r, s); }`,
        events,
      );
    await expect(counter(open(threads(2, { startWorker: refusing })))).rejects.toThrow(
      "expected a worker to take a tape, got: no memory",
    );
  });
});

describe("the end", () => {
  it("dispose ends the workers, a run under way too", async () => {
    const codes: Promise<number>[] = [];
    const watched: StartWorker = (source, events) => {
      let over: (code: number) => void = () => undefined;
      codes.push(new Promise((done) => (over = done)));
      const { message } = events;
      return startNodeWorker(source, { message, dead: (reason) => (over(reason.length), events.dead(reason)) });
    };
    const device = threads(3, { startWorker: watched });
    const prepared = await counter(device);
    await device.run(prepared, { scalars: {} });
    await device.dispose();
    expect(await Promise.all(codes)).toHaveLength(2);
    await expect(device.run(prepared, { scalars: {} })).rejects.toThrow();
  });

  it("a process ends at once, with dispose and without", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dlx-threads-"));
    try {
      const root = new URL("../..", import.meta.url).pathname;
      const text = `
        import { openDevice } from "${root}gpu/index.ts";
        import { startNodeWorker } from "${root}runtime/threads.ts";
        import { mlp } from "${root}tests/gpu/networks.ts";
        const net = mlp(64, [784, 64, 10]);
        const device = await openDevice("cpu", { threads: 2, startWorker: startNodeWorker });
        for (const [path, shape] of Object.entries(net.slots)) device.createSlot(path, { dtype: "f32", shape });
        const prepared = await device.prepare({ name: "step", outputs: net.outputs, host: [] });
        const feeds = { scalars: { "h:0": 1e-3 }, batch: { x: new Float32Array(64 * 784), y: new Int32Array(64) } };
        for (let i = 0; i < 20; i++) await device.run(prepared, feeds);
        if (process.argv[2] === "dispose") await device.dispose();
        process.stdout.write(device.info.name);`;
      const outfile = join(folder, "main.mjs");
      await bundle({
        stdin: { contents: text, resolveDir: root, loader: "ts" },
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        logLevel: "silent",
      });
      for (const how of ["dispose", "leave"]) {
        const child = spawn(process.execPath, [outfile, how], { stdio: ["ignore", "pipe", "inherit"] });
        let said = 0;
        let out = "";
        child.stdout.on("data", (data: Buffer) => {
          said = performance.now();
          out += data.toString();
        });
        const code = await new Promise((done) => child.on("exit", done));
        expect(out).toContain("2 threads");
        expect(code).toBe(0);
        expect(performance.now() - said).toBeLessThan(1000);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("in a browser", () => {
  /** Node's workers behind the interface of a page. */
  class PageWorker {
    onmessage: ((event: { data: unknown }) => void) | undefined;
    onerror: ((event: { message: string }) => void) | undefined;
    private readonly worker: Promise<NodeWorker>;
    constructor(url: string) {
      this.worker = blobs
        .get(url)!
        .text()
        .then((text) => {
          const page = `const { parentPort } = require("node:worker_threads");
          globalThis.self = { postMessage: (data) => parentPort.postMessage(data) };
          parentPort.on("message", (data) => self.onmessage({ data }));`;
          const worker = new NodeWorker(page + text, { eval: true });
          worker.on("message", (data) => this.onmessage?.({ data }));
          worker.on("error", (error) => this.onerror?.({ message: error.message }));
          return worker;
        });
    }
    postMessage(data: unknown): void {
      void this.worker.then((worker) => worker.postMessage(data));
    }
    addEventListener(): void {}
    terminate(): void {
      void this.worker.then((worker) => worker.terminate());
    }
  }
  const blobs = new Map<string, Blob>();

  it("the same workers start from a blob", async () => {
    vi.stubGlobal("Worker", PageWorker);
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      blobs.set(`blob:${blobs.size}`, blob as Blob);
      return `blob:${blobs.size - 1}`;
    });
    try {
      const device = threads(2, { startWorker: startWebWorker });
      const net = mlp(24, [784, 50, 10]);
      const run = await train(device, net, 24);
      const alone = await train(open(new CpuDevice()), net, 24);
      for (let i = 0; i < 5; i++) await Promise.all([run.step(), alone.step()]);
      expect(await run.state()).toEqual(await alone.state());
      await device.dispose();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
