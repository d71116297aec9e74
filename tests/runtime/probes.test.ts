/** Probes: values of places of a script beside its training, which does not notice. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device, Numbers } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { evaluate } from "../../lang/graph/index.ts";
import type { Probe, ProbeAsk } from "../../lang/index.ts";
import { createSession, type ProbedPart, type ProbeState, type RunEvent, type Session } from "../../runtime/index.ts";
import { follow } from "../../lang/services/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { startNodeWorker } from "../../runtime/threads.ts";
import { prelude } from "../../stdlib/index.ts";
import { compileAll } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

const devices: Record<string, () => Promise<Device>> = {
  reference: async () => new ReferenceDevice(),
  cpu: async () => new CpuDevice(),
  threads: async () => new CpuDevice({ threads: 2, startWorker: startNodeWorker, grain: 0 }),
  ...(gpu ? { webgpu: open } : {}),
};

type Place = string | { readonly gradients: readonly string[] | "all" };

/** `a|b` is the place between a and b in the script. */
function askOf(script: string, place: Place): ProbeAsk {
  if (typeof place !== "string") return place;
  const at = place.indexOf("|");
  const found = script.indexOf(place.replace("|", ""));
  if (at < 0 || found < 0) throw new Error(`expected ${place} with a | in the script`);
  return { file: "script.dlx", start: found + at, end: found + at };
}

async function probesAt(script: string, ...places: Place[]): Promise<Probe[]> {
  const { probes } = await compileAll(script);
  return probes(places.map((place) => askOf(script, place))).map((answer) => {
    if ("refused" in answer) throw new Error(answer.refused);
    return answer;
  });
}

async function refusal(script: string, place: Place): Promise<string> {
  const { probes } = await compileAll(script);
  const [answer] = probes([askOf(script, place)]);
  if (!answer || !("refused" in answer)) throw new Error(`expected a refusal, got ${answer?.type}`);
  return answer.refused;
}

interface Ran {
  readonly session: Session;
  readonly events: RunEvent[];
  /** Plays to the end of a step, and pauses there. */
  readonly to: (step: number) => Promise<void>;
  readonly end: () => Promise<Readonly<Record<string, Numbers>>>;
}

/** The clock stands still, so that a probe is looked at after each step. */
async function begun(script: string, device: Device, every = 1): Promise<Ran> {
  const { program } = await compileAll(script);
  const host = nodeHost({ scriptFolder: "/nowhere" });
  const session = createSession({ program, device, host, math: evaluate, every, now: () => 0 });
  const events: RunEvent[] = [];
  let reached: (() => void) | undefined;
  let wanted = Infinity;
  session.events$.subscribe((event) => {
    events.push(event);
    if (event.event !== "train" || event.fold || event.step < wanted) return;
    session.pause();
    reached?.();
  });
  return {
    session,
    events,
    to: (step) =>
      new Promise((resolve) => {
        [wanted, reached] = [step, resolve];
        session.play();
      }),
    end: async () => {
      wanted = Infinity;
      session.play();
      await session.done;
      const state: Record<string, Numbers> = {};
      for (const path of Object.keys(session.program.slots)) state[path] = await session.read(path);
      await session.dispose();
      await device.dispose();
      return state;
    },
  };
}

/** The first state of a probe that a test accepts. */
function first(session: Session, probe: Probe, accept = (_: ProbeState) => true): Promise<ProbeState> {
  return new Promise((resolve) => {
    const listening = session.probe(probe).subscribe((state) => {
      if (!accept(state)) return;
      resolve(state);
      queueMicrotask(() => listening.unsubscribe());
    });
  });
}

const isAt = (step: number) => (state: ProbeState) => state.kind === "value" && state.step === step;

function partsOf(state: ProbeState): readonly ProbedPart[] {
  if (state.kind !== "value") throw new Error(`expected a value, got ${state.reason}: ${state.why}`);
  return state.parts;
}

function tensorOf(state: ProbeState): Extract<ProbedPart, { kind: "tensor" }> {
  const [part] = partsOf(state);
  if (part?.kind !== "tensor") throw new Error(`expected a tensor, got ${JSON.stringify(part)}`);
  return part;
}

const recorded = (events: readonly RunEvent[], step: number): Readonly<Record<string, unknown>> =>
  Object.assign({}, ...events.flatMap((e) => (e.event === "record" && e.step === step ? [e.metrics] : [])));

/** Rows that a short batch does not have are null. */
const flat = (metric: unknown): number[] =>
  Array.isArray(metric) ? metric.flatMap(flat) : typeof metric === "number" ? [metric] : [];

function expectClose(got: ArrayLike<number>, expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  expected.forEach((x, i) => expect(Math.abs(got[i]! - x), `at ${i}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(x))));
}

// 100 rows: 7 batches of 14 and a short one of 2
const net = (rate: string) => `seed 4
input drop = 0.5 in 0.0..1.0
let data = take(digits().train, 100)
model Net()(x: [B, 28, 28]) -> [B, 10] {
  let seen = unsqueeze(x, 1) |> Conv(2, 5, stride: 3) |> relu
  let kept = seen |> flatten |> Linear(12) |> Dropout(0.5)
  kept |> Linear(10)
}
let net = Net()
let start = mean(net(zeros([1, 28, 28])))
train fit (image, label) in batches(shuffle(data), 14) for 2 epochs {
  let y = net(image) * (drop + 0.5)
  let loss = cross_entropy(y, label)
  let twice = loss * 2.0
  minimize loss over net with ${rate}
  let after = cross_entropy(net(image), label)
  state total = 0.0
  every 3 steps { total <- total + loss }
  metric acc = avg(argmax(y, over: not B) == label)
  record y: y, twice: twice, after: after
  every epoch {
    eval val (image, label) in batches(take(digits().test, 20), 10) {
      metric loss = avg(cross_entropy(net(image), label))
    }
  }
}
let middle = mean(net.linear1.w) * 2.0
print "{middle}"
`;

for (const [name, make] of Object.entries(devices)) {
  describe(name, () => {
    test("a training with probes at every step is the training without, bit for bit", async () => {
      const script = net("Adam(1e-2)");
      // the steps of a device that computes on its own are in flight together
      const alone = await begun(script, await make(), 100);
      const state = await alone.end();
      const watched = await begun(script, await make(), 100);
      const places = ["sta|rt =", "let se|en = unsq", "metric ac|c", "let net| =", { gradients: "all" } as const];
      const slow = name === "webgpu" ? [] : ["let lo|ss =", "Drop|out(0.5)", "mid|dle =", "aft|er ="];
      const probes = await probesAt(script, ...places, ...slow);
      const counts = probes.map(() => 0);
      probes.forEach((probe, i) => {
        watched.session.probe(probe, { every: 0, limit: 10 }).subscribe((got) => {
          if (got.kind === "value") counts[i]!++;
        });
      });
      const again = await watched.end();
      expect(again).toEqual(state);
      expect(watched.events.filter((e) => e.event !== "end" && e.event !== "start")).toEqual(
        alone.events.filter((e) => e.event !== "end" && e.event !== "start"),
      );
      // `start` never changes, so it is looked at once
      expect(counts.map((count, i) => (i === 0 ? count === 1 : count >= (name === "webgpu" ? 2 : 16)))).not.toContain(
        false,
      );
    });

    test("equals what the tick computes: the same batch, random draws and mode", async () => {
      const script = net("SGD(0.0)");
      const ran = await begun(script, await make());
      const [y, twice] = (await probesAt(script, "let |y =", "let twi|ce =")) as [Probe, Probe];
      // 8 is the short batch
      for (const step of [3, 8, 9]) {
        await ran.to(step);
        const state = await first(ran.session, y, isAt(step));
        const { values, shape } = tensorOf(state);
        expect(shape).toEqual(step === 8 ? [2, 10] : [14, 10]);
        expectClose(values, flat(recorded(ran.events, step).y));
        const loss = tensorOf(await first(ran.session, twice, isAt(step)));
        expectClose(loss.values, flat(recorded(ran.events, step).twice));
      }
      await ran.end();
    });
  });
}

const line = (body: string, more = "") => `seed 1
input gain = 2.0 in 0.0..10.0
model Line()(x: [B]) -> [B] {
  param w: [] = 0.8
  param b: [] = 0.1
  w * x + b
}
let f = Line()
let grid = [1.0, 2.0, 3.0]
train fit for 6 steps {
  let x = [1.0, -2.0, 4.0, 0.5]
${body}
}
${more}
`;
const fitting = `  let out = f(x) * gain
  let loss = mean((out - x) ^ 2)
  minimize loss over f with SGD(0.01)
  let after = mean((f(x) * gain - x) ^ 2)
  record loss: loss, after: after`;

const cpu = async (): Promise<Device> => new CpuDevice();

describe("what is shown", () => {
  test("is on the committed state: the loss as it is behind the step", async () => {
    const script = line(fitting);
    const [loss] = await probesAt(script, "let lo|ss");
    const ran = await begun(script, await cpu());
    for (const step of [1, 4]) {
      await ran.to(step);
      const { values } = tensorOf(await first(ran.session, loss!, isAt(step)));
      expectClose(values, flat(recorded(ran.events, step).after));
    }
    await ran.end();
  });

  test("follows an input at once in a pause, without a step", async () => {
    const script = line(fitting);
    const [out] = await probesAt(script, "let o|ut");
    const ran = await begun(script, await cpu());
    await ran.to(2);
    const before = tensorOf(await first(ran.session, out!, isAt(2))).values;
    const states: ProbeState[] = [];
    ran.session.probe(out!).subscribe((state) => states.push(state));
    await ran.session.set("gain", 4);
    await expect.poll(() => states.length).toBeGreaterThan(0);
    await expect.poll(() => tensorOf(states.at(-1)!).values[0]).toBeCloseTo(2 * before[0]!, 5);
    expect(states.every((state) => state.kind === "value" && state.step === 2)).toBe(true);
    await ran.end();
  });

  test("costs nothing when nobody listens or nothing changes", async () => {
    const script = line(fitting);
    const [loss] = await probesAt(script, "let lo|ss");
    const device = new CpuDevice();
    const runs: string[] = [];
    const released: string[] = [];
    const run = device.run.bind(device);
    const release = device.release.bind(device);
    device.run = (prepared, feeds) => (runs.push(prepared.name), run(prepared, feeds));
    device.release = (prepared) => (released.push(prepared.name), release(prepared));
    const ran = await begun(script, device);
    await ran.to(1);
    const probing = ran.session.probe(loss!, { every: 0 }).subscribe();
    const ofProbe = () => runs.filter((name) => name.startsWith("probe")).length;
    await expect.poll(ofProbe).toBe(1);
    await new Promise((done) => setTimeout(done, 30));
    expect(ofProbe()).toBe(1);
    await ran.to(3);
    await expect.poll(ofProbe).toBe(3);
    probing.unsubscribe();
    await expect.poll(() => released.length).toBe(1);
    await ran.end();
    expect(ofProbe()).toBe(3);
    expect(released).toEqual(["probe0.0", "fit"]);
  });

  test("waits for its place, and is there behind the end", async () => {
    const script = line(fitting, "let later = f(grid)\nprint later");
    const [loss, later, grid] = await probesAt(script, "let lo|ss", "let la|ter", "let gr|id");
    const ran = await begun(script, await cpu());
    const states: ProbeState[] = [];
    ran.session.probe(loss!).subscribe((state) => states.push(state));
    expect(states).toEqual([{ kind: "none", reason: "waiting", why: "the run has not begun" }]);
    await ran.to(2);
    // what is computed behind the training is shown as it would be now
    const now = tensorOf(await first(ran.session, later!, isAt(2)));
    const { values: w } = tensorOf(await ran.session.peek(["f.w"]));
    const { values: b } = tensorOf(await ran.session.peek(["f.b"]));
    expectClose(
      now.values,
      [1, 2, 3].map((x) => w[0]! * x + b[0]!),
    );
    expect(Array.from(tensorOf(await first(ran.session, grid!)).values)).toEqual([1, 2, 3]);
    await ran.to(6);
    ran.session.play();
    await ran.session.done;
    const end = tensorOf(await first(ran.session, later!));
    const printed = ran.events.flatMap((e) => (e.event === "print" ? [e.text] : []));
    const numbers = JSON.parse(printed[0]!) as number[];
    numbers.forEach((x, k) => expect(end.values[k]).toBeCloseTo(x, 3));
    await expect.poll(() => states.at(-1)).toMatchObject({ kind: "value", step: 6 });
    await ran.session.dispose();
  });

  test("values, statistics and the beginning of what is long", async () => {
    const script = line(
      `${fitting}\n  let half = x > 0.0\n  let place = argmax(x, over: 0)\n  let one = (x, 3, "a")`,
      "let long = normal([100, 100])\nlet wrong = log([1.0, -1.0, 0.0])",
    );
    const found = await probesAt(script, "let ha|lf", "let pla|ce", "let o|ne", "let lo|ng", "let wro|ng", "|0.01");
    const ran = await begun(script, await cpu());
    await ran.to(1);
    const [half, place, one, long, wrong, rate] = await Promise.all(found.map((probe) => first(ran.session, probe)));
    expect(tensorOf(half!)).toMatchObject({ dtype: "bool", shape: [4], values: Int32Array.of(1, 0, 1, 1) });
    expect(tensorOf(place!)).toMatchObject({ dtype: "i32", shape: [], values: Int32Array.of(2), classes: 4 });
    expect(partsOf(one!)).toMatchObject([
      { kind: "tensor", name: "0", values: Float32Array.of(1, -2, 4, 0.5) },
      { kind: "text", name: "1", text: "3", value: 3 },
      { kind: "text", name: "2", text: "a" },
    ]);
    const { stats } = tensorOf(long!);
    expect(tensorOf(long!)).toMatchObject({ shape: [100, 100], stats: { count: 10000, finite: 10000 } });
    expect(stats.std).toBeCloseTo(1, 1);
    expect(stats.bins.reduce((sum, n) => sum + n)).toBe(10000);
    expect(tensorOf(wrong!).stats).toMatchObject({ count: 3, finite: 1, mean: 0, std: 0, min: 0, max: 0 });
    expect(partsOf(rate!)).toEqual([{ kind: "text", name: "", text: "0.01", value: 0.01 }]);
    const cut = await new Promise<ProbeState>((done) => ran.session.probe(found[3]!, { limit: 5 }).subscribe(done));
    expect(tensorOf(cut).values).toHaveLength(5);
    expect(tensorOf(cut).stats.count).toBe(10000);
    await ran.end();
  });

  test("gradients by param, as `grad` gives them", async () => {
    const script = line(`${fitting}\n  let g = grad(mean((f(x) * gain - x) ^ 2), f)\n  record gw: g.w, gb: g.b`);
    const [all, one] = await probesAt(script, { gradients: "all" }, { gradients: ["f.b"] });
    const ran = await begun(script, await cpu());
    await ran.to(3);
    const parts = partsOf(await first(ran.session, all!, isAt(3)));
    const { gw, gb } = recorded(ran.events, 3);
    expect(parts.map(({ name }) => name)).toEqual(["f.w", "f.b"]);
    for (const [i, expected] of [gw, gb].entries()) {
      const part = parts[i]!;
      if (part.kind !== "tensor") throw new Error("expected a tensor");
      expectClose(part.values, flat(expected));
    }
    expect(partsOf(await first(ran.session, one!)).map(({ name }) => name)).toEqual(["f.b"]);
    expect(await refusal(script, { gradients: ["none"] })).toContain("no `minimize` moves");
    await ran.end();
  });

  test("in a loop all ticks at once", async () => {
    const script = line(
      `${fitting}
  let s = scan xt in x * 1.0 over 0 with h = 0.0 {
    let inner = h * 0.5 + xt
    let powers = scan k in 0..2 with p = 1.0 {
      let q = p * inner
      p <- q
    }
    h <- inner
    yield inner
  }
  let n = iterate 3 with v = 1.0 { v <- v * (step + 1.0) }`,
    );
    const [inner, q, v] = await probesAt(script, "let inn|er", "let |q", "v * (step +| 1.0)");
    const ran = await begun(script, await cpu());
    await ran.to(2);
    const steps = [1, -1.5, 3.25, 2.125];
    const shown = tensorOf(await first(ran.session, inner!));
    expectClose(shown.values, steps);
    const nested = tensorOf(await first(ran.session, q!));
    expect(nested.shape).toEqual([4, 3]);
    expectClose(
      nested.values,
      steps.flatMap((s) => [s, s * s, s * s * s]),
    );
    expect(tensorOf(await first(ran.session, v!)).shape).toEqual([]);
    await ran.end();
  });

  test("in inner steps their last batch", async () => {
    const script = `seed 1
let data = take(digits().train, 10)
model Line()(x: [B, 784]) -> [B] {
  param w: [784] = 0.01
  x @ w
}
let f = Line()
train fit for 4 steps {
  let lr = 0.0
  repeat (image, label) in batches(data, 4) for 2 steps {
    let y = f(image |> flatten)
    let loss = mean(y ^ 2)
    minimize loss over f with SGD(lr)
    metric seen = mean(y)
  }
}`;
    const [y, seen] = await probesAt(script, "let |y", "metric s|een");
    const ran = await begun(script, await cpu());
    await ran.to(1);
    expect(tensorOf(await first(ran.session, y!, isAt(1))).shape).toEqual([4]);
    const { mean } = tensorOf(await first(ran.session, seen!)).stats;
    expect(mean).toBeGreaterThan(0);
    // batches of 4, 4 and 2 rows: the second tick ends with the first batch of another epoch, the fourth with a short one
    await ran.to(2);
    expect(tensorOf(await first(ran.session, y!, isAt(2))).shape).toEqual([4]);
    await ran.to(3);
    expect(tensorOf(await first(ran.session, y!, isAt(3))).shape).toEqual([2]);
    await ran.end();
  });

  test("of a function that is called twice the first, and how many there are", async () => {
    const script = line(`${fitting}\n  let pair = (bend(x), bend(x * 2.0))`, "").replace(
      "let f =",
      "fn bend(a: [N]) -> [N] = a * 3.0\nlet f =",
    );
    const [bend] = await probesAt(script, "a| * 3.0");
    expect(bend!.instances).toBe(2);
    const ran = await begun(script, await cpu());
    await ran.to(1);
    expectClose(tensorOf(await first(ran.session, bend!)).values, [1, -2, 4, 0.5]);
    await ran.end();
  });

  test("of the passes of a `for` the one that runs", async () => {
    const script = `seed 1
model Line()(x: [B]) -> [B] {
  param w: [] = 0.5
  w * x
}
for rate in [0.0, 0.1] {
  let f = Line()
  let twice = rate * 2.0
  train fit for 3 steps {
    let loss = mean(f([1.0, 2.0]) ^ 2)
    minimize loss over f with SGD(rate)
  }
}`;
    const [loss, twice] = await probesAt(script, "let lo|ss", "let tw|ice");
    const ran = await begun(script, await cpu());
    const seen: number[] = [];
    ran.session.probe(loss!, { every: 0 }).subscribe((state) => {
      if (state.kind === "value") seen.push(tensorOf(state).values[0]!);
    });
    await ran.to(3);
    expect(seen.slice(0, 3).every((x) => x === seen[0])).toBe(true);
    expect(partsOf(await first(ran.session, twice!))[0]).toMatchObject({ values: Float32Array.of(0) });
    await ran.end();
    expect(seen.at(-1)).toBeLessThan(seen[0]!);
  });

  test("what a step met that failed", async () => {
    const script = line(
      "  let out = log(f(x) - step * 0.2 + 100.0)\n  let bad = sqrt(2.5 - step)\n  minimize mean(out * bad) over f with SGD(0.01)",
    );
    const [bad] = await probesAt(script, "let b|ad");
    const ran = await begun(script, await cpu());
    const states: ProbeState[] = [];
    ran.session.probe(bad!).subscribe((state) => states.push(state));
    ran.session.play();
    expect((await ran.session.done).status).toBe("failed");
    expect(tensorOf(states.at(-1)!).stats).toMatchObject({ count: 1, finite: 0 });
    await ran.session.dispose();
  });

  test("refusals that say why", async () => {
    const script = line(
      `${fitting}
  metric low = avg(loss)
  when rises(low < 0.1) { print "low" }
  metric odd = avg(loss) + 1.0
`,
      'fn never(a) = a + 1.0\ntest "t" { assert 1 + 1 == 2 }\n# note',
    );
    expect(await refusal(script, "ris|es(low")).toContain("would remember");
    expect(await refusal(script, "a +| 1.0")).toContain("nothing evaluates");
    expect(await refusal(script, "assert |1")).toContain("nothing evaluates");
    expect(await refusal(script, "# no|te")).toContain("here");
  });

  test("across a swap, found again in the new text", async () => {
    const before = line(fitting);
    const after = line(`  let k = 3.0\n${fitting.replaceAll("out", "shown")}`).replace(
      "[1.0, -2.0, 4.0, 0.5]",
      "[1.0, -2.0]",
    );
    const source = (text: string) => ({ file: "script.dlx", text });
    const [out, w] = await probesAt(before, "let o|ut", "w *| x");
    const ran = await begun(before, await cpu());
    await ran.to(2);
    const old: ProbeState[] = [];
    ran.session.probe(out!).subscribe((state) => old.push(state));
    ran.session.probe({ slots: ["f.w"] }).subscribe((state) => old.push(state));
    await expect.poll(() => old.length).toBe(2);
    const place = follow(source(before), source(after), out!.span!);
    const next = await compileAll(after);
    await ran.session.swap(next.program);
    const [found] = next.probes([place!]);
    expect(found).toMatchObject({ label: "shown" });
    // at once, on the last batch and the params that were kept
    const state = await first(ran.session, found as Probe);
    expect(state).toMatchObject({ kind: "value", step: 2, block: "fit" });
    expect(tensorOf(state).shape).toEqual([2]);
    // the old one goes on as far as the new program has what it reads
    await expect.poll(() => old.length).toBe(4);
    expect(tensorOf(old[2]!).shape).toEqual([4]);
    const other = before.replace("param w", "param v").replace("w * x", "v * x");
    await ran.session.swap((await compileAll(other)).program);
    await expect.poll(() => old.some((each) => each.kind === "none" && each.reason === "gone")).toBe(true);
    expect(await first(ran.session, w!)).toMatchObject({ kind: "none", reason: "gone" });
    await ran.end();
  });

  test("inside the standard library too, with draws and half precision", async () => {
    const script = `precision mixed\n${net("SGD(0.0)")}`;
    const text = prelude.find(({ text }) => text.includes("model Dropout("))!;
    const at = text.text.indexOf("model Dropout(");
    const body = text.text.slice(at, at + 600);
    const place = at + body.indexOf("bernoulli");
    expect(place).toBeGreaterThan(at);
    const { probes } = await compileAll(script);
    const [draw, gradients] = probes([{ file: text.file, start: place, end: place }, { gradients: ["net.linear2.b"] }]);
    const ran = await begun(script, await cpu());
    await ran.to(2);
    const { shape, stats } = tensorOf(await first(ran.session, draw as Probe));
    expect(shape).toEqual([14, 12]);
    expect(stats).toMatchObject({ min: 0, max: 1 });
    const { values } = tensorOf(await first(ran.session, gradients as Probe));
    expect(values.length).toBe(10);
    expect(Array.from(values).every((x) => Number.isFinite(x) && Math.abs(x) < 10)).toBe(true);
    await ran.end();
  });

  test("metrics, from what was measured", async () => {
    const script = line(`${fitting}\n  metric low = avg(loss)\n  every 2 steps { print low + 1.0 }`);
    const [low, sum] = await probesAt(script, "metric l|ow", "low +| 1.0");
    const ran = await begun(script, await cpu());
    await ran.to(3);
    const { values } = tensorOf(await first(ran.session, low!, isAt(3)));
    expectClose(values, flat(recorded(ran.events, 3).loss));
    expectClose(tensorOf(await first(ran.session, sum!)).values, [values[0]! + 1]);
    await ran.end();
  });
});

describe("every word of an example", () => {
  const folder = resolve(import.meta.dirname, "../../examples");
  test.each(["01-line", "05-xor", "08-recurrence"])("%s: a value, or a reason for none", async (name) => {
    const text = readFileSync(`${folder}/${name}.dlx`, "utf8");
    const { program, probes } = await compileAll(text);
    const words = [...text.matchAll(/[\p{L}_]\w*|\d+|[-+*@]|\|>/gu)];
    const asks = words.map(({ index }): ProbeAsk => ({ file: "script.dlx", start: index, end: index }));
    const answers = probes([...asks, { gradients: "all" }]);
    const found = answers.filter((answer): answer is Probe => "views" in answer);
    expect(found.length).toBeGreaterThan(words.length / 3);
    const run = async (watched: readonly Probe[]) => {
      const host = nodeHost({ scriptFolder: folder });
      const device = new CpuDevice();
      const session = createSession({ program, device, host, math: evaluate, maxSteps: 3, every: 1, now: () => 0 });
      const events: RunEvent[] = [];
      session.events$.subscribe((event) => events.push(event));
      const last = new Map<Probe, ProbeState>();
      let completed = 0;
      for (const probe of watched)
        session.probe(probe, { every: 0, limit: 4 }).subscribe({
          next: (state) => last.set(probe, state),
          complete: () => completed++,
        });
      session.play();
      await session.done;
      const state = await Promise.all(Object.keys(program.slots).map((path) => session.read(path)));
      await session.dispose();
      await device.dispose();
      expect(completed).toBe(watched.length);
      return { events: events.slice(1, -1), state, last };
    };
    const alone = await run([]);
    const { last, ...watched } = await run(found);
    expect(watched).toEqual({ events: alone.events, state: alone.state });
    for (const probe of found) {
      const state = last.get(probe);
      const parts = state?.kind === "value" ? state.parts.map(({ kind }) => kind) : [JSON.stringify(state)];
      expect(
        parts.filter((kind) => kind !== "tensor" && kind !== "text"),
        probe.label,
      ).toEqual([]);
    }
  });
});
