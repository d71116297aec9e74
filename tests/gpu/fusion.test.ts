/**
 * Fusion: how many kernels known shapes of graphs become, and that no rule changes a number.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { build as g, gradient, make } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { distance, fetches, inFloat64, input, numbers, runOn, segment } from "./harness.ts";
import { crossEntropy, layerNorm, lenet, mlp, softmax } from "./networks.ts";
import type { Network } from "./networks.ts";

const rules = ["inline", "rows", "prologue", "maps", "siblings", "epilogue"];
const fused = new CpuDevice();
const cut = new CpuDevice({ pieces: 4 });
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
  it("keeps readers apart that ask for one reduction in two ways", async () => {
    const square = input("batch", "s", [40, 40]);
    const rows = g.sum(square, [1]);
    const both = g.sub(g.sub(square, g.expand(rows, [40, 40], [0])), g.expand(rows, [40, 40], [1]));
    const batch = { s: numbers(1600, 3) };
    const { values } = await runOn(fused, [both], batch);
    expect(distance(values[0] ?? [], inFloat64([both], batch)[0] ?? [])).toBeLessThan(1e-5);
    expect(await dispatches([both])).toBe(2);
  });
  it("each rule can be switched off", async () => {
    expect(await dispatches([softmax(x)], new CpuDevice({ disable: ["rows"] }))).toBeGreaterThan(1);
    expect(await dispatches([softmax(x)], unfused)).toBeGreaterThan(3);
  });
  it("of whole steps", async () => {
    const count = async (net: Network) => (await fused.prepare(segment("step", net.outputs))).stats;
    expect({ mlp: await count(mlp(128, [784, 256, 128, 10])), lenet: await count(lenet(64)) }).toMatchSnapshot();
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

// ---------------------------------------------------------------- random graphs

/** A program for a small stack machine over tensors; every op keeps the stack well typed. */
interface Op {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

function grow(ops: readonly Op[], inputs: readonly Node[]): Node[] {
  const nodes: Node[] = [...inputs];
  for (const { kind, a, b, c } of ops) {
    const u = nodes[a % nodes.length] as Node;
    const { shape } = u.type;
    const rank = shape.length;
    const axis = rank > 0 ? b % rank : 0;
    const same = nodes.filter((n) => n.type.shape.join() === shape.join());
    const w = same[c % same.length] as Node;
    const all = shape.map((_, i) => i);
    const size = shape.reduce((p, q) => p * q, 1);
    const zeros = shape.map(() => 0);
    let made: Node | undefined;
    if (kind === 0) made = make(["neg", "tanh", "abs", "sin", "stop"][b % 5] as string, [u]);
    else if (kind === 1) made = make(["add", "sub", "mul", "max", "min"][b % 5] as string, [u, w]);
    else if (kind === 2) made = make("select", [make("lt", [u, w]), w, make("mul", [u, u])]);
    else if (kind === 3 && rank > 0) made = make("sum", [u], { axes: [axis] });
    else if (kind === 4 && rank > 0) made = make("amax", [u], { axes: c % 2 ? [axis] : all });
    else if (kind === 5 && rank > 1) made = make("permute", [u], { perm: [...all.slice(1), 0] });
    else if (kind === 6 && rank < 4)
      made = make("expand", [u], {
        shape: shape.toSpliced(b % (rank + 1), 0, 3),
        axes: all.map((i) => (i < b % (rank + 1) ? i : i + 1)),
      });
    else if (kind === 7 && rank > 1) made = make("reshape", [u], { shape: [size] });
    else if (kind === 8 && size % 2 === 0)
      made = make("reshape", [u], { shape: c % 2 ? [2, size / 2] : [size / 2, 2] });
    else if (kind === 9 && rank > 0)
      made = make("pad", [u], { lo: zeros.with(axis, c % 3), hi: zeros.with(axis, b % 2), value: c % 2 });
    else if (kind === 10 && rank > 0) made = make("concat", [u, w], { axis });
    else if (kind === 11 && rank > 0) made = make("flip", [u], { axes: [axis] });
    else if (kind === 12 && rank > 0 && (shape[axis] ?? 1) > 2) {
      made = make("slice", [u], {
        start: zeros.with(axis, 1),
        stop: shape,
        step: shape.map(() => 1).with(axis, 1 + (c % 2)),
      });
    } else if (kind === 13 && rank > 0 && rank < 3 && (shape[axis] ?? 1) > 2) {
      made = make("windows", [u], { axes: [axis], size: [2], stride: [1 + (c % 2)], dilation: [1] });
    } else if (kind === 14 && rank === 2) made = make("dot", [u, w], { batch: [], contract: [[1, 1]] });
    else if (kind === 15 && rank > 0) made = make("cumsum", [u], { axis, reverse: c % 2 === 1 });
    else if (kind === 16 && rank > 0) {
      const ids = make("argmax", [u], { axis });
      made = make("cast", [ids], { dtype: "f32" });
    } else if (kind === 17 && rank > 0) {
      const ids = make("const", [], { values: [0, 2, 1, 1, c], shape: [5], dtype: "i32" });
      made = make("gather", [u, ids], { axis });
    } else if (kind === 18 && rank > 0) {
      const ids = make("const", [], {
        values: Array.from({ length: shape[axis] ?? 1 }, (_, i) => (i * c) % 3),
        shape: [shape[axis] ?? 1],
        dtype: "i32",
      });
      made = make("scatter", [u, ids], { axis, size: 3 });
    }
    if (made && made.type.shape.reduce((p, q) => p * q, 1) <= 3000) nodes.push(make("mul", [made, g.like(made, 0.5)]));
  }
  return nodes;
}

describe("random graphs", () => {
  const op = fc.record({ kind: fc.nat(18), a: fc.nat(20), b: fc.nat(20), c: fc.nat(20) });
  it("give the same fused, unfused and in float64", async () => {
    const batch = { x: numbers(24, 1), y: numbers(24, 2), v: numbers(4, 3) };
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 2, maxLength: 14 }), async (ops) => {
        const nodes = grow(ops, [input("batch", "x", [6, 4]), input("batch", "y", [6, 4]), input("batch", "v", [4])]);
        const last = nodes.slice(-3);
        const exact = inFloat64(last, batch);
        for (const device of [fused, unfused, cut]) {
          const { values } = await runOn(device, last, batch);
          values.forEach((value, i) => expect(distance(value, exact[i] as Float64Array)).toBeLessThan(1e-4));
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it("have the same gradients", async () => {
    const batch = { x: numbers(24, 1), y: numbers(24, 2), v: numbers(4, 3) };
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 2, maxLength: 9 }), async (ops) => {
        const inputs = [input("batch", "x", [6, 4]), input("batch", "y", [6, 4]), input("batch", "v", [4])];
        const last = grow(ops, inputs).at(-1) as Node;
        const loss = g.sum(
          make("sin", [last]),
          last.type.shape.map((_, i) => i),
        );
        const nodes = gradient(loss, inputs);
        const exact = inFloat64(nodes, batch);
        const { values } = await runOn(fused, nodes, batch);
        values.forEach((value, i) => expect(distance(value, exact[i] as Float64Array)).toBeLessThan(1e-4));
      }),
      { numRuns: 100, seed: 11 },
    );
  });
});
