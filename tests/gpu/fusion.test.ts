/**
 * Fusion: how many kernels known shapes of graphs become, and that no rule changes a number.
 */
import { describe, expect, it } from "vitest";
import { BufferBindings } from "../../gpu/bindings.ts";
import { CpuDevice } from "../../gpu/cpu.ts";
import { loweredText } from "../../gpu/kernel-text.ts";
import type { Numbers } from "../../gpu/device.ts";
import type { Step } from "../../gpu/program.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import type { Output } from "../../lang/program.ts";
import { rules } from "./columns.ts";
import { distance, fetches, inFloat64, input, numbers, runOn, segment } from "./harness.ts";
import { crossEntropy, layerNorm, lenet, mlp, softmax } from "./networks.ts";
import type { Network, Optimizer } from "./networks.ts";
import { baseLimits, count, renamed, scripts, stepOf } from "./scripts.ts";

const fused = new CpuDevice();
const unfused = new CpuDevice({ disable: rules });

async function dispatches(nodes: readonly Node[], device = fused): Promise<number> {
  return (await device.prepare(segment("count", fetches(nodes)))).stats.dispatches;
}

const x = input("batch", "x", [64, 50]);

describe("kernels", () => {
  it("softmax is one", async () => expect(await dispatches([softmax(x)])).toBe(1));
  it("softmax with its gradient is one", async () => {
    const y = softmax(x);
    const loss = g.sum(g.mul(y, input("batch", "t", [64, 50])), [0, 1]);
    expect(await dispatches([y, ...gradient(loss, [x])])).toBe(1);
  });
  it("cross entropy with its gradient is two: rows, then the mean", async () => {
    const loss = crossEntropy(x, input("batch", "y", [64], "i32"));
    expect(await dispatches([loss, ...gradient(loss, [x])])).toBe(2);
  });
  it("layer norm is one", async () => expect(await dispatches([layerNorm(x)])).toBe(1));
  it("a chain of maps and views is one", async () => {
    const turned = make("permute", [make("reshape", [make("exp", [x])], { shape: [64, 5, 10] })], { perm: [2, 0, 1] });
    expect(await dispatches([make("tanh", [make("flip", [turned], { axes: [1] })])])).toBe(1);
  });
  it("a layer with bias and activation is one", async () => {
    const w = input("batch", "w", [50, 30]);
    const bias = g.expand(input("batch", "b", [30]), [64, 30], [1]);
    expect(await dispatches([make("tanh", [g.add(g.dot(x, w, [], [[1, 0]]), bias)])])).toBe(1);
  });
  it("a residual sum is the epilogue of its product, and the norm behind it reads it alone", async () => {
    const [h, w, t] = [input("batch", "h", [64, 50]), input("batch", "w", [50, 50]), input("batch", "t", [64, 50])];
    const times = (of: Node) => g.dot(of, w, [], [[1, 0]]);
    const loss = g.sum(g.mul(make("tanh", [times(layerNorm(g.add(h, times(x))))]), t), [0, 1]);
    const wanted = gradient(loss, [h, w]);
    const { lowered } = count(fetches(wanted), { ...baseLimits, disable: new Set(["group"]) });
    const [product] = lowered.kernels.flatMap((kernel) => (kernel.kind === "dot" ? [kernel] : []));
    const { stored, epilogue } = product!;
    expect(stored).toBe(false);
    expect(epilogue!.rows.params.filter(({ access, size }) => access === "write" && size === 3200)).toHaveLength(1);
    const readers = lowered.tape.filter(
      (step) =>
        step.kind === "kernel" &&
        step.args.some((id) => lowered.buffers[id]!.place.kind === "batch" && lowered.buffers[id]!.place.name === "h"),
    );
    expect(readers).toHaveLength(1);
    const batch = { x: numbers(3200, 1), h: numbers(3200, 2), w: numbers(2500, 3), t: numbers(3200, 4) };
    const exact = inFloat64(wanted, batch);
    for (const device of [fused, unfused]) {
      const { values } = await runOn(device, wanted, batch);
      exact.forEach((value, i) => expect(distance(values[i] ?? [], value)).toBeLessThan(1e-4));
    }
  });
  it("gates cut from one product, and their gradient, are one each: parts are stored where they belong", async () => {
    const gates = input("batch", "z", [8, 4 * 16]);
    const cut = (i: number) => make("slice", [gates], { start: [0, 16 * i], stop: [8, 16 * (i + 1)], step: [1, 1] });
    const y = g.add(g.mul(make("tanh", [cut(0)]), make("exp", [cut(1)])), g.mul(make("sin", [cut(2)]), cut(3)));
    const back = gradient(g.sum(g.mul(y, y), [0, 1]), [gates]);
    const batch = { z: numbers(512, 3) };
    expect(await dispatches(back)).toBe(1);
    for (const device of [fused, unfused]) {
      const { values } = await runOn(device, back, batch);
      expect(distance(values[0] ?? [], inFloat64(back, batch)[0] ?? [])).toBeLessThan(1e-5);
    }
    // and a reader of the whole comes after all parts
    const read = [back[0]!, g.sum(g.mul(back[0]!, gates), [1])];
    const { values } = await runOn(fused, read, batch);
    expect(distance(values[1] ?? [], inFloat64(read, batch)[1] ?? [])).toBeLessThan(1e-4);
  });
  it("of a sum of a whole and of one of its parts reads the whole when it is there", async () => {
    const [a, c] = [input("batch", "a", [6, 9]), input("batch", "c", [6, 9])];
    const [p, q] = [make("tanh", [a]), g.mul(c, make("exp", [a]))];
    const whole = make("concat", [p, q], { axis: 1 });
    const both = g.add(g.sum(p, [0, 1]), g.sum(g.mul(whole, whole), [0, 1]));
    const batch = { a: numbers(54, 1), c: numbers(54, 2) };
    const wanted = [p, q, whole, both, g.sum(whole, [0]), g.sum(p, [0])];
    for (const device of [fused, unfused]) {
      const { values } = await runOn(device, wanted, batch);
      inFloat64(wanted, batch).forEach((v, i) => expect(distance(values[i] ?? [], v)).toBeLessThan(1e-5));
    }
  });
  it("keeps readers apart that ask for one reduction in two ways", async () => {
    const square = input("batch", "s", [40, 40]);
    const rows = g.sum(square, [1]);
    const both = g.sub(g.sub(square, g.expand(rows, [40, 40], [0])), g.expand(rows, [40, 40], [1]));
    const batch = { s: numbers(1600, 3) };
    const { values } = await runOn(fused, [both], batch);
    expect(distance(values[0] ?? [], inFloat64([both], batch)[0] ?? [])).toBeLessThan(1e-5);
    expect(await dispatches([both])).toBe(2);
  });
  it("a sum over all that was cut out is known at its one place, and what a pad reads beside it is thrown away", async () => {
    const batch = { x: numbers(15, 1), t: numbers(3, 2) };
    const part = make("slice", [make("tanh", [input("batch", "x", [3, 5])])], { start: [0, 0], stop: [3, 4], step: [1, 1] }); // prettier-ignore
    const seen = make("windows", [part], { axes: [1], size: [4], stride: [4], dilation: [1] });
    const scaled = g.mul(g.sum(seen, [2]), input("batch", "t", [3, 1]));
    const loss = g.sum(g.mul(scaled, make("tanh", [scaled])), [0, 1]);
    const nodes = [loss, ...gradient(loss, [part.inputs[0]!.inputs[0]!])];
    const { values } = await runOn(fused, nodes, batch);
    const expected = inFloat64(nodes, batch);
    values.forEach((value, i) => expect(distance(value, expected[i]!)).toBeLessThanOrEqual(1e-5));
  });

  it("sums that differ by constant factors are one, and deviations from a mean sum to nothing", async () => {
    const shape = [30, 6, 50];
    const [x, y] = [input("batch", "x", shape), input("batch", "y", shape)];
    const [s, d] = [input("batch", "s", [6]), input("batch", "d", [6])];
    const per = (of: Node) => g.expand(of, shape, [1]);
    const mean = g.div(g.sum(x, [0, 2]), g.fill(1500, { dtype: "f32", shape: [6] }));
    const off = g.sub(x, per(mean));
    const scaled = g.div(g.mul(y, per(s)), per(d));
    const sums = [
      g.sum(g.mul(y, g.div(off, per(d))), [0, 2]),
      g.sum(g.neg(g.div(g.mul(scaled, off), per(d))), [0, 2]),
      g.sum(g.scale(g.mul(off, scaled), 0.25), [0, 2]),
    ];
    const nothing = g.sum(g.scale(g.mul(off, per(sums[1]!)), 2), [0, 2]);
    // an adjoint comes back to the elements
    const back = g.add(g.mul(off, per(g.scale(sums[1]!, 0.01))), g.add(scaled, per(g.neg(nothing))));
    const batch = { x: numbers(9000, 1, 4, 5), y: numbers(9000, 2), s: numbers(6, 3), d: numbers(6, 4, 0.5, 2) };
    const wanted = [...sums, back];
    const exact = inFloat64(wanted, batch);
    const runs = [fused, new CpuDevice({ disable: ["factor"] })].map((device) => runOn(device, wanted, batch));
    const [own, without] = await Promise.all(runs);
    const errors = (values: readonly Numbers[]) => exact.map((v, i) => distance(values[i] ?? [], v));
    for (const error of errors(own!.values)) expect(error).toBeLessThan(2e-5);
    // what is nothing is a sum of rounding there
    for (const error of errors(without!.values)) expect(error).toBeLessThan(1e-2);
    expect(own!.prepared.stats.flops).toBeLessThan(0.75 * without!.prepared.stats.flops);
  });
  it("each rule can be switched off", async () => {
    expect(await dispatches([softmax(x)], new CpuDevice({ disable: ["rows"] }))).toBeGreaterThan(1);
    expect(await dispatches([softmax(x)], unfused)).toBeGreaterThan(3);
  });
  it("of whole steps", async () => {
    const stats = async (net: Network) => (await fused.prepare(segment("step", net.outputs))).stats;
    expect({ mlp: await stats(mlp(128, [784, 256, 128, 10])), lenet: await stats(lenet(64)) }).toMatchSnapshot();
  });
  it("in a group give the bits they give alone", async () => {
    const apart = new CpuDevice({ disable: ["group"] });
    const nodes = [7, 40, 300].flatMap((n) => {
      const v = input("batch", `v${n}`, [n, 11]);
      return [make("exp", [v]), g.sum(v, [0]), softmax(v)];
    });
    const batch = Object.fromEntries([7, 40, 300].map((n) => [`v${n}`, numbers(11 * n, n)]));
    expect(await dispatches(nodes)).toBe(1);
    expect(await dispatches(nodes, apart)).toBeGreaterThan(1);
    const alone = (await runOn(apart, nodes, batch)).values;
    for (const device of [fused, new CpuDevice({ pieces: 5 })]) {
      expect((await runOn(device, nodes, batch)).values).toEqual(alone);
    }
  });
  it("of a softmax as text", async () => {
    expect(
      (await fused.prepare(segment("softmax", fetches([softmax(input("batch", "x", [8, 12]))])))).kernels,
    ).toMatchSnapshot();
  });
});

describe("whole steps", () => {
  it("learn the same on float64, fused and unfused", async () => {
    const net = mlp(19, [7, 12, 9, 5]);
    const batch = { x: numbers(19 * 7, 1), y: Int32Array.from({ length: 19 }, (_, i) => (i * 7) % 5) };
    const losses: number[][] = [];
    for (const device of [fused, unfused]) {
      const paths = Object.keys(net.slots);
      paths.forEach((path, i) => {
        const shape = net.slots[path] ?? [];
        device.createSlot(path, { dtype: "f32", shape });
        if (!/^[mv]\./.test(path))
          device.writeSlot(
            path,
            numbers(
              shape.reduce((a, b) => a * b, 1),
              i,
              -0.5,
              0.5,
            ),
          );
      });
      const step = await device.prepare(segment("step", net.outputs));
      const run: number[] = [];
      for (let i = 0; i < 60; i++) {
        const { fetched } = await device.run(step, { scalars: { "h:0": 0.01 }, batch });
        run.push(fetched["loss"]?.[0] ?? NaN);
      }
      losses.push(run);
    }
    expect(distance(losses[0] ?? [], losses[1] ?? [])).toBeLessThan(1e-3);
    expect(losses[0]?.at(-1)).toBeLessThan(0.5);
  });
});

describe("counts under the base limits of WebGPU", () => {
  const optimizers = ["Adam(1e-3)", "clip_norm(1.0) |> AdamW(1e-3)", "SGD(0.01, momentum: 0.9)"];
  const limits = { mlp: 12, lenet: 24, rnn: 160, gpt: 110 };
  for (const [name, script] of Object.entries(scripts)) {
    for (const optimizer of optimizers) {
      it(`${name} with ${optimizer}`, async () => {
        const { stats, lowered, plan } = count((await stepOf(script, optimizer)).outputs);
        expect(stats.dispatches).toBeLessThanOrEqual(limits[name as keyof typeof limits]);
        const bindings = new BufferBindings(lowered.buffers, baseLimits);
        const steps = (tape: readonly Step[]): Step[] =>
          tape.flatMap((step) => (step.kind === "loop" ? steps(step.body) : [step]));
        for (const step of steps(lowered.tape)) {
          if (step.kind === "kernel") expect(bindings.count(step.args)).toBeLessThanOrEqual(8);
        }
        expect(plan.bytes).toBeLessThanOrEqual(1.15 * plan.live);
        expect({ ...stats, live: plan.live }).toMatchSnapshot();
      });
    }
    it(`${name} under other names`, { timeout: 60_000 }, async () => {
      for (const optimizer of optimizers) {
        const [own, other] = await Promise.all([
          stepOf(script, optimizer),
          stepOf(renamed(script.replace("OPTIMIZER", optimizer)), optimizer),
        ]);
        expect(count(other.outputs).stats).toEqual(count(own.outputs).stats);
      }
    });
  }

  for (const optimizer of ["adam", "momentum", "adamw and clip"] as const) {
    it(`${optimizer} adds at most three kernels to the gradients`, () => {
      for (const net of [mlp, (rows: number, _: readonly number[], by: Optimizer) => lenet(rows, by)]) {
        const alone = count(net(64, [784, 256, 128, 10], "gradients").outputs).stats.dispatches;
        const { dispatches } = count(net(64, [784, 256, 128, 10], optimizer).outputs).stats;
        expect(dispatches - alone).toBeLessThanOrEqual(3);
      }
    });
  }

  it("windows of large arenas are bindings of their own", () => {
    const nodes = Array.from({ length: 12 }, (_, i) => input("batch", `x${i}`, [1024, 1024]));
    const total = nodes.reduce((a, b) => g.add(a, b));
    const counted = (maxBindingBytes: number) =>
      count(fetches([total]), { ...baseLimits, maxBindingBytes, disable: new Set(["inline"]) }).stats.dispatches;
    expect(counted(2 ** 27)).toBe(1);
    expect(counted(2 ** 23)).toBeGreaterThan(1);
  });
});

describe("memory", () => {
  it("gives a product that only its epilogue reads no place of its own", () => {
    const { lowered } = count(mlp(64, [784, 256, 128, 10]).outputs, { ...baseLimits, disable: new Set(["group"]) });
    let over = 0;
    for (const step of lowered.tape) {
      const kernel = step.kind === "kernel" ? lowered.kernels[step.kernel] : undefined;
      if (step.kind !== "kernel" || kernel?.kind !== "dot" || !kernel.epilogue || kernel.stored) continue;
      expect(step.args.filter((id) => id === step.args[kernel.out])).toHaveLength(2);
      over++;
    }
    expect(over).toBeGreaterThan(3);
  });

  it("puts a map where its input ends", () => {
    const x = input("batch", "x", [100, 100]);
    const w = input("batch", "w", [100, 100]);
    const product = (a: Node) => g.dot(a, w, [], [[1, 0]]);
    const rows = product(softmax(product(x)));
    const { plan, lowered } = count(fetches([rows]));
    const softened = lowered.tape.findIndex((s) => s.kind === "kernel" && lowered.kernels[s.kernel]?.kind === "rows");
    const step = lowered.tape[softened];
    const [from, to] = step?.kind === "kernel" ? step.args : [];
    expect(plan.offsets[from ?? 0]).toBe(plan.offsets[to ?? 0]);
  });

  it("does not put a permuted result where its input ends", async () => {
    const x = input("batch", "x", [40, 40]);
    const turned = make("permute", [g.dot(x, x, [], [[1, 0]])], { perm: [1, 0] });
    const nodes = [g.dot(softmax(turned), x, [], [[1, 0]])];
    const batch = { x: numbers(1600, 3) };
    const { values } = await runOn(fused, nodes, batch);
    expect(distance(values[0] ?? [], inFloat64(nodes, batch)[0] ?? [])).toBeLessThan(1e-5);
  });

  it("turns a square product whole, in whatever blocks it was computed", async () => {
    for (const n of [96, 130]) {
      const x = input("batch", "x", [n, 40]);
      const product = make("tanh", [g.scale(g.dot(x, x, [], [[1, 1]]), 0.1)]);
      const nodes = [make("permute", [g.mul(product, g.expand(g.sum(x, [1]), [n, n], [0]))], { perm: [1, 0] })];
      const batch = { x: numbers(n * 40, 6) };
      const exact = inFloat64(nodes, batch)[0] ?? [];
      for (const device of [fused, new CpuDevice({ pieces: 3 })]) {
        expect(distance((await runOn(device, nodes, batch)).values[0] ?? [], exact)).toBeLessThan(1e-5);
      }
    }
  });

  it("counts an element that is read twice once", () => {
    const x = input("batch", "x", [64, 32]);
    expect(count(fetches([g.dot(x, x, [], [[1, 1]])])).stats.bytesRead).toBe(4 * 64 * 32);
    const half = make("slice", [x], { start: [0, 0], stop: [32, 32], step: [1, 1] });
    expect(count(fetches([make("exp", [half])])).stats.bytesRead).toBe(4 * 32 * 32);
  });
});

describe("kernels as text", () => {
  const nets: Readonly<Record<string, () => readonly Output[]>> = {
    mlp: () => mlp(32, [40, 24, 16, 10]).outputs,
    lenet: () => lenet(8).outputs,
    softmax: () => fetches([softmax(input("batch", "x", [64, 50]))]),
    "layer-norm": () => fetches([layerNorm(input("batch", "x", [64, 50]))]),
    "adam-clip": () => mlp(32, [40, 24, 16, 10], "adamw and clip").outputs,
  };
  for (const [name, outputs] of Object.entries(nets)) {
    it(`of ${name}`, async () => {
      const { lowered } = count(outputs());
      await expect(`${loweredText(lowered)}\n`).toMatchFileSnapshot(`__snapshots__/kernels/${name}.txt`);
    });
  }
});
