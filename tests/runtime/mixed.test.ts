/**
 * The whole of mixed precision on a running training: the scale falls and grows, skipped steps leave params, slots and
 * Adam's count as they were, what never becomes finite is told, optimizers and first values stay in full precision,
 * and a digit network learns as well as in f32.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { openDevice } from "../../gpu/index.ts";
import type { RunEvent } from "../../runtime/index.ts";
import { topological } from "../../lang/graph/index.ts";
import { tickSegments } from "../../lang/program.ts";
import type { Segment } from "../../lang/program.ts";
import { compileText, runText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

const data = resolve(process.env.DLX_SHARED ?? join(import.meta.dirname, "../../../shared/data"));
const NET = `precision mixed
let x = normal([16, 6])
let net = [Linear(8), tanh, Linear(1)]
`;
const run = async (text: string, device: "cpu" | "reference" | "webgpu" = "cpu") => {
  const on = await (device === "webgpu" ? open() : openDevice(device));
  try {
    return await runText(text, on, { dataFolder: join(data, "mnist") });
  } finally {
    await on.dispose();
  }
};
const metrics = (events: readonly RunEvent[]): Readonly<Record<string, unknown>>[] =>
  events.flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics] : []));

const all = ["cpu", "reference", ...(gpu ? (["webgpu"] as const) : [])] as const;
describe.each(all)("on %s", (device) => {
  test("an overflow moves nothing, halves the scale and is counted", async () => {
    const { state, events } = await run(
      `${NET}train for 4 steps { let loss = 1000 * mean((net(x) - 3)^2)
  metric l = last(loss)
  minimize loss over net with Adam(0.1) }`,
      device,
    );
    const steps = metrics(events);
    const skipped = steps.map((m) => m["skipped"] as number);
    expect(skipped[0]).toBe(1);
    expect(steps[1]!["l"]).toBe(steps[0]!["l"]);
    const count = skipped.reduce((a, b) => a + b, 0);
    expect(state["train1.min1.loss_scale"]![0]).toBe(65536 / 2 ** count);
    expect(state["train1.min1.Adam.t"]![0]).toBe(4 - count);
  });

  test("2000 clean steps double the scale", async () => {
    const { state } = await run(
      `precision mixed
let net = Linear(1)
train for 2003 steps { minimize mean(net(ones([1, 1]))^2) over net with SGD(1e-3) }`,
      device,
    );
    expect(state["train1.min1.loss_scale"]![0]).toBe(131072);
    expect(state["train1.min1.clean_steps"]![0]).toBe(3);
  });

  test("what never becomes finite is told when nothing is left to scale down", async () => {
    const { events } = await run(
      `${NET}train for 30 steps { minimize mean((1e30 * net(x))^2) over net with SGD(0.1) }`,
      device,
    );
    expect(JSON.stringify(events.filter((e) => e.event === "error"))).toContain("DLX0701");
    expect(metrics(events).filter((m) => m["skipped"] === 1)).toHaveLength(16);
  });
});

/** Rounding nodes of the steps, and of what runs before them. */
async function halves(text: string): Promise<{ ticks: number; start: number }> {
  const { body } = await compileText(text);
  const count = (segments: readonly Segment[]): number =>
    segments.flatMap(({ outputs }) => topological(outputs.map(({ node }) => node))).filter((node) => node.op === "half")
      .length;
  return {
    ticks: count(body.flatMap((a) => (a.kind === "train" ? tickSegments(a.step) : []))),
    start: count(body.flatMap((a) => (a.kind === "compute" ? [a.segment] : []))),
  };
}

test("optimizers and first values compute in full precision", async () => {
  const text = (precision: string) => `precision ${precision}
optimizer Mix()(p, g) { p <- leaves(p, w => w - 0.1 * (w @ ones([1, 1]))) }
let net = Linear(1, init: s => normal(s) @ ones([1, 1]))
train for 1 steps { minimize mean(net(ones([2, 3]))^2) over net with Mix() }`;
  const mixed = await halves(text("mixed"));
  expect(mixed.start).toBe(0);
  // x, w, y, and back: dy and dw.
  expect(mixed.ticks).toBe(5);
  expect((await halves(text("f32"))).ticks).toBe(0);
});

test("it holds from its line on", async () => {
  const body = "let net = Linear(1)\ntrain for 1 steps { minimize mean(net(ones([2, 3]))^2) over net with SGD(0.1) }\n";
  expect((await halves(`${body}precision mixed\n`)).ticks).toBe(0);
});

const hasMnist = existsSync(join(data, "mnist", "train-images-idx3-ubyte.gz"));
test.skipIf(!hasMnist)(
  "an epoch of MNIST: as good as f32, give or take 0.3 %",
  async () => {
    const accuracy = async (precision: string): Promise<number> => {
      const { prints } = await run(
        `precision ${precision}
seed 1
let data = mnist()
let net = [flatten, Linear(128), relu, Linear(10)]
train (image, label) in batches(shuffle(data.train), 128) {
  minimize cross_entropy(net(image), label) over net with Adam(2e-3)
}
eval held (image, label) in batches(data.test, 500) { metric acc = accuracy(net(image), label) }
print "{held.acc}"`,
      );
      return Number(prints[0]);
    };
    const [full, mixed] = [await accuracy("f32"), await accuracy("mixed")];
    expect(full).toBeGreaterThan(0.95);
    expect(Math.abs(mixed - full)).toBeLessThanOrEqual(0.003);
  },
  120_000,
);
