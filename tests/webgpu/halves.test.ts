/**
 * Numbers of half precision in 16 bits: every one of them comes back as it was, whoever stores it, and nothing else
 * changes by it. All operands of products in mixed precision are stored so, and what is counted says it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../gpu/lower.ts";
import { kernelBytes } from "../../gpu/stats.ts";
import type { DotKernel, Kernel } from "../../gpu/kernel.ts";
import { planArena } from "../../gpu/plan.ts";
import { statsOf } from "../../gpu/stats.ts";
import { lowerForShaders } from "../../gpu/webgpu-lower.ts";
import { outputsOf } from "../../gpu/webgpu-outputs.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { hardware, lowerOptions, software } from "../../gpu/wgsl/index.ts";
import type { Schedule } from "../../gpu/wgsl/index.ts";
import { build as b, make, optimize } from "../../lang/graph/index.ts";
import type { Body, Node } from "../../lang/graph/node.ts";
import { toHalf } from "../../lang/graph/ops/half.ts";
import { tickSegments } from "../../lang/program.ts";
import { input, numbers } from "../gpu/harness.ts";
import { compileText } from "../run-script.ts";
import { gpu, open, runOn } from "./setup.ts";

const schedules: Readonly<Record<string, Schedule>> = {
  software,
  "hardware, without the adapter's conversion": { ...hardware, unpacks: false },
  "large tiles": { ...hardware, tiles: 2 },
};
/** Every value is stored. */
const STORED = ["inline", "rows", "prologue", "maps", "siblings", "epilogue"];

const half = (x: Node): Node => make("half", [x]);
const dot = (x: Node, y: Node): Node => make("dot", [x, y], { batch: [], contract: [[1, 0]] });
const x = (shape: readonly number[]): Node => input("batch", "x", shape);
const spread = (sum: Node, like: Node): Node => b.expand(sum, like.type.shape, [0]);

function softmax(of: Node): Node {
  const e = make("exp", [of]);
  return b.div(e, spread(b.sum(e, [1]), e));
}

/** The rounded carries of a loop, by tick, and a second loop that reads them backwards. */
function loops(given: Node): Node {
  const [count = 0, ...row] = given.type.shape;
  const from = (name: string, shape: readonly number[], dtype: "f32" | "i32" = "f32") =>
    make("input", [], { source: "loop", name, dtype, shape });
  const loop = (start: Node, scanned: Node, reverse: boolean, step: (carry: Node, given: Node) => Node): Node => {
    const params = [from("carry0", row), from("scan0", row), from("tick", [], "i32")];
    const next = step(params[0]!, params[1]!);
    const body: Body = { params, results: [next, half(next)] };
    const node = make("loop", [start, scanned], { body, count, consts: 0, carries: 1, scans: 1, reverse });
    return make("pick", [node], { index: 1 });
  };
  const start = b.fill(0.25, { dtype: "f32", shape: row });
  const there = loop(start, given, false, (carry, now) => make("tanh", [b.add(b.scale(carry, 0.5), now)]));
  return loop(start, there, true, (carry, now) => b.add(b.scale(carry, 0.5), now));
}

interface Case {
  readonly shape: readonly number[];
  readonly of: (x: Node) => Node;
}
/** `of` has values of half precision on the way to its result. */
const cases: Readonly<Record<string, Case>> = {
  "a map": { shape: [6, 10], of: (x) => b.scale(half(x), 3) },
  "a map of more points than a workgroup": { shape: [30, 34], of: (x) => b.scale(half(x), 3) },
  "what keeps half precision": {
    shape: [6, 10],
    of: (x) => b.scale(make("max", [make("neg", [half(x)]), b.like(x, 0)]), 3),
  },
  "an odd count, which stays in 32 bits": { shape: [5, 5], of: (x) => b.scale(half(x), 3) },
  "along a row": { shape: [4, 300], of: (x) => b.scale(half(softmax(x)), 3) },
  "a sum of each row": { shape: [8, 40], of: (x) => b.scale(half(b.sum(x, [1])), 3) },
  "a transposed tensor": { shape: [8, 6], of: (x) => b.scale(half(make("permute", [x], { perm: [1, 0] })), 3) },
  "parts of one tensor": {
    shape: [6, 8],
    of: (x) => b.scale(make("concat", [half(x), half(b.scale(x, 2))], { axis: 1 }), 3),
  },
  "a product": { shape: [10, 10], of: (x) => b.scale(half(dot(half(x), half(x))), 3) },
  "a product with more": {
    shape: [24, 24],
    of: (x) => {
      const y = half(dot(half(x), half(make("permute", [x], { perm: [1, 0] }))));
      return dot(half(make("max", [y, b.like(y, 0)])), half(x));
    },
  },
  "a product of many tiles": { shape: [130, 130], of: (x) => dot(half(dot(half(x), half(x))), half(x)) },
  "a deep product": {
    shape: [8, 700],
    of: (x) => b.scale(half(dot(half(x), half(make("permute", [x], { perm: [1, 0] })))), 3),
  },
  "places of a loop": { shape: [5, 6], of: loops },
};

describe.skipIf(!gpu).each(Object.keys(schedules))("stored in 16 bits, for %s", (kind) => {
  const schedule = schedules[kind] as Schedule;
  const devices: WebGpuDevice[] = [];
  beforeAll(async () => {
    for (const disable of [[], ["halves"], STORED, [...STORED, "halves"]])
      devices.push(await open({ schedule, disable }));
  });
  afterAll(() => Promise.all(devices.map((device) => device.dispose())));

  it.each(Object.keys(cases))("%s", async (name) => {
    const { shape, of } = cases[name]!;
    const node = of(x(shape));
    const values = numbers(shape.reduce((p, q) => p * q, 1), 7); // prettier-ignore
    const ran = await Promise.all(devices.map((device) => runOn(device, [node], { x: values })));
    const [fused, full, stored, storedInFull] = ran.map(({ values }) => values[0]);
    expect(fused).toEqual(full);
    expect(stored).toEqual(storedInFull);
    expect(ran[2]!.prepared.kernels.includes("write f16")).toBe(!name.includes("odd"));
    expect(ran[3]!.prepared.kernels).not.toContain("f16");
  });

  it("all numbers there are", async () => {
    const exact = new Float32Array(2 ** 16);
    for (let bits = 0; bits < 2 ** 15; bits++) {
      const [exponent, fraction] = [bits >> 10, bits & 1023];
      const small = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      const value = exponent < 31 ? small : fraction === 0 ? Infinity : NaN;
      exact[bits] = value;
      exact[2 ** 15 + bits] = -value;
      if (exponent < 31) expect(toHalf(value)).toBe(value);
    }
    // a product by 2 is exact
    const node = b.scale(half(x([256, 256])), 2);
    const { values, prepared } = await runOn(devices[2]!, [node], { x: exact });
    expect(prepared.kernels).toContain("write f16");
    expect(values[0]).toEqual(exact.map((n) => 2 * n));
  });
});

const MLP = `
let net = [Linear(256), relu, Linear(128), relu, Linear(10)]
train for 10 steps {
  let x = normal([64, 784])
  minimize cross_entropy(net(x), range(64) % 10) over net with Adam(1e-3)
}`;

/** Kernels of the step, and what it moves and needs. */
async function counted(precision: string, disable: readonly string[] = []) {
  const { body } = await compileText(`precision ${precision}${MLP}`);
  const [segment] = body.flatMap((a) => (a.kind === "train" ? tickSegments(a.step) : []));
  if (!segment) throw new Error("expected a step");
  const outputs = outputsOf(segment, optimize(segment.outputs.map((o) => o.node)));
  const lowered = lowerForShaders(outputs.wanted, new Set(disable), hardware);
  return { lowered, stats: statsOf(lowered, planArena(lowered.buffers, lowered.tape, lowered.outputs)) };
}

const dots = (kernel: Kernel): readonly DotKernel[] =>
  kernel.kind === "group" ? kernel.members.flatMap((m) => dots(m.kernel)) : kernel.kind === "dot" ? [kernel] : [];

describe("what a step of mixed precision moves", () => {
  it("operands and rounded results of products take half of the bytes", async () => {
    const [{ lowered, stats }, { stats: full }] = [await counted("mixed"), await counted("mixed", ["halves"])];
    const products = lowered.kernels.flatMap(dots);
    // forwards three, backwards two by inputs and three by weights
    expect(products).toHaveLength(8);
    for (const { params, a, b } of products)
      expect([params[a.param]?.half, params[b.param]?.half]).toEqual([true, true]);
    const saved = (bytes: number) => full.bytesRead + full.bytesWritten - bytes;
    const moved = stats.bytesRead + stats.bytesWritten;
    let narrow = 0;
    for (const step of lowered.tape) {
      if (step.kind !== "kernel") continue;
      const kernel = lowered.kernels[step.kernel] as Kernel;
      const wide = { ...kernel, params: kernel.params.map(({ dtype, size, access }) => ({ dtype, size, access })) };
      narrow += kernelBytes(wide) - kernelBytes(kernel);
    }
    expect(saved(moved)).toBe(narrow);
    expect(stats.dispatches).toBe(full.dispatches);
    expect(stats.peakBytes).toBeLessThan(full.peakBytes);
  });

  it("nothing changes without mixed precision", async () => {
    const { lowered } = await counted("f32");
    expect(lowered.buffers.some((buffer) => buffer.half)).toBe(false);
    const node = b.scale(x([6, 10]), 3);
    const options = lowerOptions(new Set(), hardware);
    expect(lowerForShaders([{ node }], new Set(), hardware)).toEqual(lower([{ node }], options));
  });
});
