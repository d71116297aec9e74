/**
 * Runs that share a submit give what runs alone give, bit for bit: numbers, commits, halts, failures, the order of writes;
 * whole trainings with whatever number is measured or asked for.
 */
import { describe, expect, it } from "vitest";
import type { RunResult } from "../../gpu/device.ts";
import type { WebGpuDevice } from "../../gpu/webgpu.ts";
import { make } from "../../lang/graph/index.ts";
import { input, segment } from "../gpu/harness.ts";
import { runText } from "../run-script.ts";
import { gpu, open } from "./setup.ts";

const numbers = [1, 2, 3, 8, 32] as const;

/** n += x; n is fetched. Fails where x < 0, halts where n > 100. */
async function counter(device: WebGpuDevice) {
  device.createSlot("n", { dtype: "f32", shape: [3] });
  const x = input("batch", "x", [3]);
  const next = make("add", [input("state", "n", [3]), x]);
  const total = make("sum", [next], { axes: [0] });
  const limit = make("const", [], { value: 100, dtype: "f32" });
  const prepared = await device.prepare(
    segment("count", [
      { node: next, role: { kind: "commit", path: "n" } },
      { node: next, role: { kind: "fetch", name: "n" } },
      { node: make("log", [make("sum", [x], { axes: [0] })]), role: { kind: "finite", what: "x" } },
      { node: make("lt", [limit, total]), role: { kind: "halt" } },
    ]),
  );
  return (x: number) => device.run(prepared, { scalars: {}, batch: { x: Float32Array.of(x, x, x) } });
}

const told = ({ fetched, halted, skipped, failed }: RunResult) =>
  failed ? failed.what : skipped ? "skipped" : `${fetched["n"]?.join()}${halted ? " halted" : ""}`;

describe.skipIf(!gpu)("runs that share a submit", () => {
  for (const runsPerSubmit of numbers) {
    it(`${runsPerSubmit} at once, are those of one after the other`, async () => {
      const device = await open({ runsPerSubmit });
      const run = await counter(device);
      const sent = (xs: readonly number[]) => Promise.all(xs.map(run)).then((all) => all.map(told));
      expect(await sent([1, 2, 3, 4, 5])).toEqual(["1,1,1", "3,3,3", "6,6,6", "10,10,10", "15,15,15"]);
      expect(await sent([1, -1, 2, 3])).toEqual(["16,16,16", "x", "skipped", "skipped"]);
      expect([...(await device.readSlot("n"))]).toEqual([16, 16, 16]);
      device.resume();
      expect(await sent([4, 20, 1, -1, 1])).toEqual(["20,20,20", "40,40,40 halted", "skipped", "skipped", "skipped"]);
      device.resume();
      // what was asked for earlier is done earlier
      const first = run(0.5);
      const read = device.readSlot("n");
      device.writeSlot("n", [1, 2, 3]);
      const second = run(1);
      device.createSlot("other", { dtype: "f32", shape: [1 << 20] });
      const third = run(1);
      const all = await Promise.all([first, second, third]);
      expect(all.map(told)).toEqual(["40.5,40.5,40.5 halted", "skipped", "skipped"]);
      expect([...(await read)]).toEqual([40.5, 40.5, 40.5]);
      device.resume();
      expect(await sent([1, 1])).toEqual(["2,3,4", "3,4,5"]);
      await device.dispose();
    });
  }

  it("may be of several segments, and a segment may get more slots while it runs", async () => {
    const device = await open({ runsPerSubmit: 6 });
    const run = await counter(device);
    const twice = await device.prepare(
      segment("twice", [
        {
          node: make("add", [input("state", "n", [3]), input("state", "n", [3])]),
          role: { kind: "commit", path: "n" },
        },
        { node: input("state", "n", [3]), role: { kind: "fetch", name: "n" } },
      ]),
    );
    const results: string[] = [];
    for (let round = 0; round < 3; round++) {
      device.writeSlot("n", [0, 0, 0]);
      const double = () => device.run(twice, { scalars: {} });
      const sent = [run(1), double(), run(1), run(1), double(), double(), run(1), run(1)];
      results.push((await Promise.all(sent)).map(told).join(" "));
    }
    expect(new Set(results)).toEqual(new Set(["1,1,1 1,1,1 3,3,3 4,4,4 4,4,4 8,8,8 17,17,17 18,18,18"]));
    await device.dispose();
  });

  it("are more where they are quick, and the host is told how many to keep under way", async () => {
    const device = await open();
    expect(device.inFlight).toBe(3);
    const run = await counter(device);
    for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: device.inFlight }, () => run(0.001)));
    expect(device.inFlight % 3).toBe(0);
    expect(Math.log2(device.inFlight / 3) % 1).toBe(0);
    await device.dispose();
  });

  it("are alone where they are slow: what a person does then waits for one", async ({ skip }) => {
    const device = await open();
    if (!device.info.name.includes("software")) skip("a graphics processor is quick");
    const x = input("batch", "x", [1024, 1024]);
    const product = make("dot", [x, x], { batch: [], contract: [[1, 0]] });
    const prepared = await device.prepare(
      segment("slow", [{ node: make("sum", [product], { axes: [0, 1] }), role: { kind: "fetch", name: "sum" } }]),
    );
    for (let i = 0; i < 3; i++) await device.run(prepared, { scalars: {}, batch: { x: new Float32Array(1 << 20) } });
    expect(device.inFlight).toBe(1);
    await device.dispose();
  });
});

const script = `seed 3
let x = normal([64, 2])
let y = i32(x[.., 0] * x[.., 1] > 0)
let net = [Linear(8), tanh, Dropout(0.1), Linear(2)]
train for 60 steps {
  let z = net(x)
  let loss = cross_entropy(z, y)
  minimize loss over net with clip_norm(1.0) |> Adam(3e-2)
  plot loss
  every 7 steps { print "{step} {loss:.7f}" }
  when loss < 0.6 { print "low {step}" }
}
print accuracy(net(x), y)
`;

describe.skipIf(!gpu)("a training", () => {
  it("has the same bits however its steps are submitted", async () => {
    const ran = async (runsPerSubmit?: number) => {
      const device = await open(runsPerSubmit === undefined ? {} : { runsPerSubmit });
      const { state, events } = await runText(script, device, { steps: 60, seed: 7 });
      await device.dispose();
      const end = events.at(-1);
      return { state, events: events.filter((each) => each.event !== "start" && each !== end) };
    };
    const alone = await ran(1);
    expect(alone.events.some((each) => each.event === "print" && each.text.startsWith("low"))).toBe(true);
    for (const runsPerSubmit of [undefined, 4, 32]) expect(await ran(runsPerSubmit)).toEqual(alone);
  });

  it("that fails names its cause from the state before the step, whatever was in flight behind it", async () => {
    const failing = `let f = Linear(1)
let x = ones([4, 2])
train for 40 steps {
  let far = f(x) * (1 + 1e38 * f32(step == 9)) * 1e10
  let loss = mean(far^2)
  minimize loss over f with SGD(0.0)
}
`;
    const messages: unknown[] = [];
    for (const runsPerSubmit of [1, 32]) {
      const device = await open({ runsPerSubmit });
      const { events } = await runText(failing, device, { steps: 40, seed: 7 });
      messages.push(events.flatMap((each) => (each.event === "error" ? [each.diagnostic] : [])));
      await device.dispose();
    }
    expect(messages[0]).toHaveLength(1);
    expect(messages[1]).toEqual(messages[0]);
  });

  it("let the thread rest while their results are waited for, and only then", async () => {
    let rests = 0;
    const device = await open({ rest: () => void rests++ });
    const run = await counter(device);
    expect(rests).toBe(0);
    expect((await Promise.all([1, 2, 3].map(run))).map(told)).toEqual(["1,1,1", "3,3,3", "6,6,6"]);
    expect(rests).toBeGreaterThan(0);
    const before = rests;
    await new Promise((resolve) => void setTimeout(resolve, 20));
    expect(rests).toBeLessThanOrEqual(before + 1);
    await device.dispose();
  });
});
