/** A model's output for rows of one's own, several places at once, and the rows of a block, beside a training. */
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { evaluate } from "../../lang/graph/index.ts";
import type { Probe } from "../../lang/index.ts";
import { surfaceOf, type Surface } from "../../lang/probes/surface.ts";
import { createSession, type ProbedPart, type ProbeSpec, type ProbeState } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { askedRows, painted, planeOf, SIDE, SURFACE_ROWS } from "../../runtime/surface.ts";
import { compileAll } from "../run-script.ts";

const training = (body: string, head = ""): string => `seed 3
let points = toy.moons(n: 60, noise: 0.1)
${head}
train (x, label) in batches(points, 16) for 2 epochs {
${body}
}`;

async function surface(script: string, rows = 4): Promise<Surface | string> {
  const found = surfaceOf(await compileAll(script), rows);
  return "refused" in found ? found.refused : found;
}

const summary = (found: Surface | string): string =>
  typeof found === "string"
    ? found
    : `${found.probe.label}: ${found.fields.map(({ name, size }) => `${name}[${size}]`).join(" ")} -> ${found.outputs} ${found.meaning}, ${found.target}`;

describe("the expression that is drawn", () => {
  const net = "let net = [Linear(3), tanh, Dropout(0.5), Linear(2)]";
  const one = "let net = [Linear(3), tanh, Linear(1)]";
  test.each([
    ["classes", net, "minimize cross_entropy(net(x), label) over net with SGD(0.1)", "net(x): x[2] -> 2 scores, label"],
    [
      "what is named and read again",
      net,
      "let z = net(x)\nlet p = softmax(z)\nlet best = max(p, over: -1)\nminimize cross_entropy(z, label) over net with SGD(0.1)\nmetric sure = mean(best)",
      "net(x): x[2] -> 2 scores, label",
    ],
    [
      "yes or no",
      one,
      "let z = squeeze(net(x), -1)\nminimize binary_cross_entropy(z, f32(label)) over net with SGD(0.1)",
      "net(x): x[2] -> 1 scores, label",
    ],
    [
      "a value",
      one,
      "minimize mse(squeeze(net(x), -1), f32(label)) over net with SGD(0.1)",
      "net(x): x[2] -> 1 value, label",
    ],
    [
      "probabilities",
      "let net = [Linear(2), softmax]",
      "let p = net(x)\nminimize -mean(log(at_class(p, label))) over net with SGD(0.1)",
      "net(x): x[2] -> 2 prob, label",
    ],
    [
      "two parts one after the other",
      "let low = Linear(3)\nlet high = Linear(2)",
      "let h = tanh(low(x))\nminimize cross_entropy(high(h), label) over (low, high) with SGD(0.1)",
      "high(h): x[2] -> 2 scores, label",
    ],
  ])("%s", async (_, head, body, expected) => {
    expect(summary(await surface(training(body, head)))).toBe(expected);
  });

  test("why there is none", async () => {
    expect(await surface("train for 3 steps {\nstate w = 1.0\nw <- w / 2\n}")).toBe(
      "there is no decision surface: no training reads rows of two features",
    );
    expect(await surface("print 1")).toBe("there is no decision surface: nothing is trained");
    expect(await surface(training("let far = norm(x, over: -1)\nmetric m = mean(far)"))).toBe(
      "there is no decision surface: no model's output is computed from two features alone",
    );
  });
});

type Tensor = Extract<ProbedPart, { kind: "tensor" }>;
const valueOf = (state: ProbeState): readonly ProbedPart[] => {
  if (state.kind !== "value") throw new Error(`expected a value, got ${state.reason}: ${state.why}`);
  return state.parts;
};
const tensors = (state: ProbeState): Tensor[] =>
  valueOf(state).map((part) => {
    if (part.kind !== "tensor") throw new Error(`expected a tensor, got ${JSON.stringify(part)}`);
    return part;
  });

/** The whole run, with what a probe showed last, and all slots at its end. */
async function ran(script: string, specs: readonly ProbeSpec[], device = new CpuDevice()) {
  const { program } = await compileAll(script);
  if (!program) throw new Error("expected a program that checks");
  const host = nodeHost({ scriptFolder: "/nowhere" });
  const session = createSession({ program, device, host, math: evaluate, now: () => 0 });
  const seen: ProbeState[][] = specs.map(() => []);
  specs.forEach((spec, i) => session.probe(spec).subscribe((state) => seen[i]!.push(state)));
  session.play();
  await session.done;
  const slots: Record<string, number[]> = {};
  for (const path of Object.keys(session.program.slots)) slots[path] = [...(await session.read(path))];
  await session.dispose();
  await device.dispose();
  return { slots, seen };
}

describe("rows of one's own", () => {
  const script = training(
    "let z = net(norm(x))\nminimize cross_entropy(z, label) over net with SGD(0.1)",
    "let net = [Linear(5), BatchNorm(), tanh, Dropout(0.5), Linear(2)]\nlet norm = standardize(points.x)",
  );
  const rows = Float32Array.from([0, 0, 1, 0.5, -1, 0.25, 0.5, -0.5]);
  /** The same rows as data of an eval, whose output is kept as a metric. */
  const asked = async () => {
    const found = await surface(script, 4);
    if (typeof found === "string") throw new Error(found);
    return found;
  };

  test("are computed with models in eval mode, whatever the batch", async () => {
    const { probe } = await asked();
    const { slots, seen } = await ran(script, [{ probe, rows: { x: rows } }]);
    const [last] = tensors(seen[0]!.at(-1)!);
    expect(last!.shape).toEqual([4, 2]);
    const { w: w0, b: b0 } = { w: slots["net.0.w"]!, b: slots["net.0.b"]! };
    const cell = (name: string) => slots[`net.1.${name}`]!;
    const [w1, b1] = [slots["net.4.w"]!, slots["net.4.b"]!];
    // standardize by hand from the data that the run reads
    const { seen: data } = await ran(script, [{ block: "train1", fields: ["x", "label"], most: 1000 }]);
    const [x, label] = tensors(data[0]!.at(-1)!);
    expect([x!.shape, label!.shape, x!.dtype, label!.dtype]).toEqual([[60, 2], [60], "f32", "i32"]);
    const stat = (k: number) => {
      const column = [...x!.values].filter((_, i) => i % 2 === k);
      const mean = column.reduce((a, b) => a + b, 0) / column.length;
      return { mean, std: Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length) };
    };
    const norms = [stat(0), stat(1)];
    for (let row = 0; row < 4; row++) {
      const at = norms.map(({ mean, std }, k) => (rows[2 * row + k]! - mean) / std);
      const hidden = Array.from({ length: 5 }, (_, j) => {
        const z = at[0]! * w0[j]! + at[1]! * w0[5 + j]! + b0[j]!;
        const scaled = (z - cell("run_mean")[j]!) / Math.sqrt(cell("run_var")[j]! + 1e-5);
        return Math.tanh(scaled * cell("scale")[j]! + cell("shift")[j]!);
      });
      for (let c = 0; c < 2; c++) {
        const out = hidden.reduce((sum, h, j) => sum + h * w1[2 * j + c]!, b1[c]!);
        expect(last!.values[2 * row + c]!).toBeCloseTo(out, 4);
      }
    }
  });

  test("change no bit of the training", async () => {
    const { probe } = await asked();
    const alone = await ran(script, []);
    const beside = await ran(script, [
      { probe, rows: { x: rows } },
      { block: "train1", fields: ["x"], most: 7 },
    ]);
    expect(beside.slots).toEqual(alone.slots);
    expect(beside.seen[0]!.length).toBeGreaterThan(2);
  });

  test("of another number are a mistake that is told where the value would stand", async () => {
    const { probe } = await asked();
    const { seen } = await ran(script, [{ probe, rows: { x: rows.subarray(2) } }]);
    expect(seen[0]!.at(-1)).toMatchObject({ kind: "none", reason: "failed", why: "expected 8 numbers of `x`, got 6" });
  });
});

describe("several places at once", () => {
  const script = `seed 3
let points = toy.moons(n: 60, noise: 0.1)
let scale = 2.0
let net = [Linear(3), tanh, Linear(2)]
train (x, label) in batches(points, 16) for 2 epochs {
  let z = net(x)
  let big = z * scale
  let loss = cross_entropy(big, label)
  minimize loss over net with SGD(0.1)
  metric acc = accuracy(z, label)
}
eval all (x, label) in batches(points, 30) { metric last = accuracy(net(x), label) }`;
  const names = ["z =", "big =", "loss =", "acc =", "last =", "scale ="];

  test("are parts of one view for each clock, and computed together", async () => {
    const { probes } = await compileAll(script);
    const places = names.map((name) => {
      const start = script.indexOf(name);
      return { file: "script.dlx", start, end: start };
    });
    const [answer] = probes([{ places }]);
    if (!answer || "refused" in answer) throw new Error("expected a probe");
    const views = answer.views.map(
      ({ clock, tick, parts }) => `${clock} ${tick}: ${parts.map(({ name }) => name).join()}`,
    );
    expect(views).toEqual(["train train1: 0,1,2,3", "train train1.short: 0,1,2,3", "eval all: 4", "top undefined: 5"]);
    const train: Probe = { ...answer, views: answer.views.filter(({ clock }) => clock === "train") };
    const alone = probes(places.slice(0, 3)).map((each) => {
      if ("refused" in each) throw new Error(each.refused);
      return each;
    });
    const { seen } = await ran(script, [train, ...alone], new ReferenceDevice() as unknown as CpuDevice);
    const [z, big, loss] = tensors(seen[0]!.at(-1)!);
    expect(z!.shape).toEqual([12, 2]);
    expect([z, big, loss].map((part) => [...part!.values])).toEqual(
      seen.slice(1).map((states) => [...tensors(states.at(-1)!)[0]!.values]),
    );
    expect(big!.values[0]).toBeCloseTo(2 * z!.values[0]!, 6);
  });
});

describe("what is painted", () => {
  const asked = { probe: {} as Probe, block: "train1", fields: [{ name: "x", size: 2 }] };
  const rows = SURFACE_ROWS;
  const points = Float32Array.from([-1, 0, 1, 0]);
  /** A model that says the first feature. */
  const answers = (plane: ReturnType<typeof planeOf>, of: (x: number) => number[]) => {
    const { x } = askedRows(plane, asked.fields);
    return Array.from({ length: rows }, (_, i) => of(x![2 * i]!)).flat();
  };

  test("the grid is around the points, and one scale serves both axes where they are alike", () => {
    const plane = planeOf([Float32Array.from([0, 0, 2, 1])]);
    expect([plane.low, plane.high]).toEqual([
      [1 - 1.12, 0.5 - 1.12].map((v) => expect.closeTo(v, 6)),
      [1 + 1.12, 0.5 + 1.12].map((v) => expect.closeTo(v, 6)),
    ]);
    const apart = planeOf([Float32Array.from([0, 100]), Float32Array.from([0, 1])]);
    expect(apart.high[0] - apart.low[0]).toBeCloseTo(112, 6);
    expect(apart.high[1] - apart.low[1]).toBeCloseTo(1.12, 6);
    const two = askedRows(apart, [
      { name: "a", size: 1 },
      { name: "b", size: 1 },
    ]);
    expect([two.a!.length, two.b!.length]).toEqual([rows, rows]);
    // from the upper left to the lower right, then the points
    expect(two.a![0]).toBeLessThan(two.a![SIDE - 1]!);
    expect(two.b![0]).toBeGreaterThan(two.b![SIDE * SIDE - 1]!);
    expect([two.a![SIDE * SIDE + 1], two.b![SIDE * SIDE + 1]]).toEqual([100, 1]);
  });

  test.each([
    ["scores of two classes", 2, "scores", [0, 1], (x: number) => [-x, x], 1 / (1 + Math.exp(2))],
    ["probabilities", 2, "prob", [0, 1], (x: number) => [0.5 - x / 4, 0.5 + x / 4], 0.25],
    ["logarithms", 2, "logprob", [0, 1], (x: number) => [Math.log(0.5 - x / 4), Math.log(0.5 + x / 4)], 0.25],
    ["one score", 1, "scores", [0, 1], (x: number) => [2 * x], 1 / (1 + Math.exp(2))],
    ["a value that is to be 0 or 1", 1, "value", [0, 1], (x: number) => [0.5 + x / 4], 0.25],
    ["a value that is to be -1 or 1", 1, "value", [-1, 1], (x: number) => [x / 2], 0.25],
  ] as const)("%s", (_, outputs, meaning, targets, says, share) => {
    const plane = planeOf([points], targets);
    const found = painted({ ...asked, outputs, meaning }, plane, answers(plane, says));
    expect([found.kind, found.classes, found.names, [...found.shown!], [...found.wrong!]]).toEqual([
      "classes",
      2,
      outputs === 1 ? targets : [0, 1],
      [0, 1],
      [0, 0],
    ]);
    // of the point at -1 as of the place of the grid beside it
    const column = Math.floor(((-1 - plane.low[0]) / (plane.high[0] - plane.low[0])) * SIDE);
    expect(found.field[2 * column + 1]!).toBeCloseTo(share, 1);
    const turned = painted(
      { ...asked, outputs, meaning },
      { ...plane, targets: [targets[1], targets[0]] },
      answers(plane, says),
    );
    expect([...turned.wrong!]).toEqual([1, 1]);
  });

  test("values have a range", () => {
    const plane = planeOf([points], [2.5, 30.25]);
    const found = painted(
      { ...asked, outputs: 1, meaning: "value" },
      plane,
      answers(plane, (x) => [10 * x]),
    );
    expect([found.kind, found.range[1], found.shown![1], found.wrong]).toEqual(["values", 30.25, 30.25, undefined]);
    expect(found.range[0]).toBeCloseTo(10 * (plane.low[0] + (0.5 / SIDE) * (plane.high[0] - plane.low[0])), 3);
  });
});
