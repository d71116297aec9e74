/** A session as messages for a page: how many there are, that nothing of the curves is lost, and that spikes stay. */
import { BehaviorSubject, Subject } from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { evaluate } from "../../lang/graph/index.ts";
import type { Frame, Point, RunEvent, TickMetrics } from "../../runtime/events.ts";
import { createSession, feed, PointList, type FeedMessage, type Mode } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { compileText } from "../run-script.ts";

describe("points of a curve", () => {
  test("nothing is left out below the length", () => {
    const list = new PointList(1000);
    for (let i = 0; i < 1000; i++) list.add(i, Math.sin(i));
    expect([...list.points.steps]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect([...list.points.values]).toEqual(Array.from({ length: 1000 }, (_, i) => Math.sin(i)));
  });

  test("a million points become at most so many, with every spike, gap and infinity", () => {
    const list = new PointList(2000);
    const spikes = new Map([
      [3, 50],
      [77_777, -40],
      [500_000, Infinity],
      [500_001, -Infinity],
      [640_123, NaN],
      [999_998, 45],
    ]);
    for (let i = 0; i < 1_000_000; i++) list.add(i, spikes.get(i) ?? Math.sin(i / 1e4));
    const { steps, values } = list.points;
    expect(steps.length).toBeLessThanOrEqual(2000);
    expect(steps.length).toBeGreaterThan(500);
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1]!);
    for (const [step, value] of spikes) expect(values[steps.indexOf(step)]).toBe(value);
    expect(steps.at(-1)).toBe(999_999);
    // What is kept is what was.
    steps.forEach((step, i) => expect(values[i]).toBe(spikes.get(step) ?? Math.sin(step / 1e4)));
  });

  test("what was taken is handed out once", () => {
    const list = new PointList();
    list.append({ steps: Float64Array.of(1, 2), values: Float64Array.of(3, 4) });
    expect(list.take()).toEqual({ steps: Float64Array.of(1, 2), values: Float64Array.of(3, 4) });
    list.add(3, 5);
    expect(list.take()).toEqual({ steps: Float64Array.of(3), values: Float64Array.of(5) });
    expect(list.take().steps).toHaveLength(0);
  });
});

describe("a feed", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => vi.useRealTimers());

  function stage(options = {}) {
    const source = {
      events$: new Subject<RunEvent>(),
      frames$: new Subject<Frame>(),
      points$: new Subject<Point>(),
      metrics$: new Subject<TickMetrics>(),
      mode$: new BehaviorSubject<Mode>("paused"),
    };
    const messages: { readonly at: number; readonly message: FeedMessage }[] = [];
    const running = feed(
      source,
      (message, transfer) => messages.push({ at: performance.now(), message: structuredClone(message, { transfer }) }),
      options,
    );
    return { ...source, messages, running };
  }
  const frame = (step: number, name = "train1"): Frame => ({
    name,
    step,
    epoch: 1,
    limit: { unit: "steps", count: 10 },
    seconds: 0,
    metrics: {},
  });

  test("at most twenty messages a second, however quick the steps are, and every point", () => {
    const { points$, metrics$, frames$, messages } = stage();
    frames$.next(frame(0));
    const steps = 20_000;
    for (let step = 1; step <= steps; step++) {
      points$.next({ label: "loss", step, value: step / 7 });
      metrics$.next({ name: "train1", step, epoch: 1, metrics: { acc: -step } });
      if (step % 20 === 0) vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(50);
    // One second and the rest of a message.
    expect(messages.length).toBeGreaterThanOrEqual(20);
    expect(messages.length).toBeLessThanOrEqual(22);
    for (let i = 1; i < messages.length; i++) expect(messages[i]!.at - messages[i - 1]!.at).toBeGreaterThanOrEqual(50);
    const parts = messages.flatMap(({ message }) => message.series);
    const of = (kind: string) => parts.filter((part) => part.kind === kind);
    expect(new Set(parts.map(({ id, kind, label, block }) => `${id} ${kind} ${label} ${block}`))).toEqual(
      new Set(["0 plot loss train1", "1 metric acc train1"]),
    );
    const all = Array.from({ length: steps }, (_, i) => i + 1);
    for (const [kind, value] of [
      ["plot", (s: number) => s / 7],
      ["metric", (s: number) => -s],
    ] as const) {
      expect(of(kind).flatMap((part) => [...part.steps])).toEqual(all);
      expect(of(kind).flatMap((part) => [...part.values])).toEqual(all.map(value));
    }
  });

  test("a page that is told nothing for long gets fewer points, with the spikes", () => {
    const { points$, messages } = stage({ points: 600 });
    for (let step = 0; step < 50_000; step++) points$.next({ label: "loss", step, value: step === 31_000 ? 9 : 0 });
    vi.advanceTimersByTime(50);
    const [part] = messages[0]!.message.series;
    expect(part!.steps.length).toBeLessThanOrEqual(600);
    expect(part!.values[part!.steps.indexOf(31_000)]).toBe(9);
  });

  test("who takes nothing is sent no more, and then what came meanwhile as one", () => {
    const { points$, events$, messages, running } = stage({ ahead: 2 });
    for (let step = 1; step <= 1000; step++) {
      points$.next({ label: "loss", step, value: step });
      events$.next({ event: "print", text: `line ${step}` });
      vi.advanceTimersByTime(10);
    }
    expect(messages).toHaveLength(2);
    running.took();
    vi.advanceTimersByTime(50);
    expect(messages).toHaveLength(3);
    const steps = messages.flatMap(({ message }) => message.series.flatMap((part) => [...part.steps]));
    expect(steps).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    const { prints, left } = messages[2]!.message;
    expect(prints).toHaveLength(500);
    expect(prints.length + left.prints).toBe(
      1000 - messages[0]!.message.prints.length - messages[1]!.message.prints.length,
    );
    // the end waits for its turn too, and comes
    events$.next({ event: "end", status: "done", steps: 1000, seconds: 1 });
    expect(messages).toHaveLength(3);
    running.took();
    vi.advanceTimersByTime(50);
    expect(messages[3]!.message.events).toMatchObject([{ event: "end" }]);
  });

  test("what is sent by force is ahead too, and once it is all taken the next message comes by itself", () => {
    const { points$, messages, running } = stage({ ahead: 1 });
    const plot = (step: number) => points$.next({ label: "loss", step, value: step });
    const wait = () => vi.advanceTimersByTime(1000);
    const take = () => {
      running.took();
      wait();
    };
    plot(1);
    wait();
    plot(2);
    wait();
    expect(messages).toHaveLength(1);
    running.flush();
    expect(messages).toHaveLength(2);
    plot(3);
    take();
    expect(messages).toHaveLength(2);
    take();
    expect(messages).toHaveLength(3);
    take();
    // its turn is planned, and it is sent before
    plot(4);
    running.flush();
    plot(5);
    wait();
    expect(messages).toHaveLength(4);
    take();
    const steps = messages.map(({ message }) => message.series.flatMap((part) => [...part.steps]));
    expect(steps).toEqual([[1], [2], [3], [4], [5]]);
  });

  test("a message is bounded, whatever is plotted, printed and shown", () => {
    const { points$, events$, messages } = stage({ series: 3 });
    for (let i = 0; i < 5000; i++) points$.next({ label: `curve ${i}`, step: 1, value: i });
    for (let i = 0; i < 50; i++) events$.next({ event: "print", text: "x".repeat(10_000) });
    const values = Array.from({ length: 28 * 28 * 1000 }, () => 1);
    events$.next({ event: "show", items: [{ label: "many", shape: [1000, 28, 28], values }] });
    events$.next({ event: "show", items: [{ label: "wide", shape: [784, 1000], values }] });
    vi.advanceTimersByTime(50);
    const { message } = messages[0]!;
    expect(message.series).toHaveLength(3);
    expect(message.left).toEqual({ prints: 40, events: 0, series: 4997 });
    expect(message.prints).toHaveLength(10);
    const [many, wide] = message.shown.flatMap(({ items }) => items);
    // whole pictures, and of one that is larger than all room nothing
    expect(many!.values.length).toBe(Math.floor(2 ** 18 / 784) * 784);
    expect(wide).toEqual({ label: "wide", shape: [784, 1000], values: [] });
  });

  test("the newest of what replaces, the first of what piles up, all else in order", () => {
    const { events$, frames$, mode$, messages } = stage({ most: 3 });
    mode$.next("playing");
    frames$.next(frame(1));
    frames$.next(frame(2, "train2"));
    const item = (value: number) => ({ label: "x", shape: [1], values: [value] });
    for (let i = 0; i < 5; i++) {
      events$.next({ event: "print", text: `line ${i}` });
      events$.next({ event: "show", items: [item(i)] });
      events$.next({ event: "eval", name: "val", step: i, epoch: 1, metrics: { acc: i, table: [[1, 2]] } });
      events$.next({ event: "train", name: "train2", step: i, epoch: 1, metrics: { loss: 1 } });
      events$.next({ event: "saved", path: `${i}` });
    }
    events$.next({ event: "train", name: "train2", step: 5, epoch: 1, fold: "epoch", metrics: { loss: 2 } });
    events$.next({ event: "record", step: 5, epoch: 1, metrics: { norm: 4 } });
    const diagnostic = { code: "DLX0701", severity: "error", title: "t", labels: [], notes: [] } as const;
    events$.next({ event: "error", diagnostic });
    expect(messages).toHaveLength(0);
    events$.next({ event: "end", status: "failed", steps: 5, seconds: 1 });
    // The end does not wait.
    expect(messages).toHaveLength(1);
    const { message } = messages[0]!;
    expect(message).toMatchObject({
      mode: "playing",
      frame: { name: "train2", step: 2 },
      left: { prints: 2, events: 2 },
    });
    expect(message.prints.map(({ text }) => text)).toEqual(["line 0", "line 1", "line 2"]);
    expect(message.shown).toEqual([{ items: [item(4)] }]);
    expect(message.events.map(({ event }) => event)).toEqual(["saved", "saved", "saved", "error", "end"]);
    expect(message.measured).toMatchObject([
      { event: "eval", step: 4, metrics: { acc: 4, table: [[1, 2]] } },
      { event: "train", fold: "epoch", metrics: { loss: 2 } },
    ]);
    expect(
      message.series.map(({ kind, label, block, steps, values }) => [kind, label, block, [...steps], [...values]]),
    ).toEqual([
      ["eval", "val.acc", "train2", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],
      ["epoch", "loss", "train2", [5], [2]],
      ["record", "norm", "train2", [5], [4]],
    ]);
  });

  test("nothing new is no message, and a feed that is closed is silent", () => {
    const { points$, messages, running } = stage();
    vi.advanceTimersByTime(1000);
    expect(messages).toHaveLength(1);
    running.flush();
    expect(messages).toHaveLength(1);
    points$.next({ label: "loss", step: 1, value: 1 });
    running.close();
    expect(messages).toHaveLength(2);
    points$.next({ label: "loss", step: 2, value: 1 });
    vi.advanceTimersByTime(1000);
    expect(messages).toHaveLength(2);
    expect(points$.observed).toBe(false);
  });
});

describe("of a session", () => {
  const script = `seed 1
input lr = 1e-2 in 1e-4 .. 1
let points = toy.moons(n: 100)
let net = [Linear(4), tanh, Linear(2)]
train (x, label) in batches(points, 30) for 20 epochs {
  let z = net(x)
  let loss = cross_entropy(z, label)
  minimize loss over net with SGD(lr)
  metric acc = accuracy(z, label)
  metric wide = mean(z, over: 0)
  metric bits = loss / log(2)
  let double = 2 * loss
  let triple = 3 * loss
  plot loss, double, triple
  every epoch { eval all (x, label) in batches(points, 50) { metric acc = accuracy(net(x), label) } }
}
print "done"
`;

  async function train(every: number, device = new CpuDevice()) {
    const host = nodeHost({ scriptFolder: "/nowhere" });
    const session = createSession({ program: await compileText(script), device, host, math: evaluate, every });
    const messages: FeedMessage[] = [];
    const events: RunEvent[] = [];
    const running = feed(session, (message) => messages.push(message), { every: 1 });
    session.events$.subscribe((event) => events.push(event));
    return { session, messages, events, running };
  }

  test("every plotted value and every scalar metric of every tick", async () => {
    const { session, messages, events } = await train(1);
    session.play();
    await session.done;
    const curve = (kind: string, label: string) => {
      const parts = messages.flatMap(({ series }) => series).filter((s) => s.kind === kind && s.label === label);
      return parts.flatMap(({ steps, values }) => [...steps].map((step, i) => [step, values[i]]));
    };
    const ticks = events.flatMap((e) => (e.event === "train" && !e.fold ? [e] : []));
    expect(ticks).toHaveLength(80);
    for (const name of ["loss", "acc", "bits"])
      expect(curve("metric", name)).toEqual(ticks.map(({ step, metrics }) => [step, metrics[name]]));
    expect(curve("plot", "loss")).toEqual(curve("metric", "loss"));
    expect(curve("plot", "triple").map(([, y]) => y)).toEqual(curve("metric", "triple").map(([, y]) => y));
    expect(curve("plot", "double").map(([, y]) => y)).toEqual(curve("metric", "loss").map(([, y]) => 2 * y!));
    expect(curve("metric", "wide")).toEqual([]);
    expect(curve("epoch", "acc")).toHaveLength(20);
    expect(curve("eval", "all.acc").map(([step]) => step)).toEqual(Array.from({ length: 20 }, (_, i) => 4 * i + 4));
    expect(messages.flatMap(({ events: told }) => told.map(({ event }) => event))).toEqual(["start", "end"]);
    await session.dispose();
  });

  test("a page that looks on changes no number", async () => {
    const watched = await train(1);
    watched.session.play();
    await watched.session.done;
    const host = nodeHost({ scriptFolder: "/nowhere" });
    const program = await compileText(script);
    const alone = createSession({ program, device: new CpuDevice(), host, math: evaluate, every: 1 });
    const events: RunEvent[] = [];
    alone.events$.subscribe((event) => events.push(event));
    alone.play();
    await alone.done;
    const metrics = (of: readonly RunEvent[]) => of.flatMap((e) => ("metrics" in e ? [e.metrics] : []));
    expect(metrics(watched.events)).toEqual(metrics(events));
    await alone.dispose();
    await watched.session.dispose();
  });

  test("a move of an input is told with the first step that sees it; a swap before the first step keeps who listens", async () => {
    const { session, messages } = await train(1);
    await session.set("lr", 0.5);
    await session.swap(await compileText(script.replace("20 epochs", "2 epochs")));
    let moved = false;
    session.metrics$.subscribe(({ step }) => {
      if (step !== 3 || moved) return;
      moved = true;
      void session.set("lr", 0.1);
    });
    session.play();
    const { steps } = await session.done;
    expect(steps).toBe(8);
    const told = messages.flatMap(({ events }) => events);
    expect(told.filter(({ event }) => event !== "start")).toEqual([
      { event: "input", step: 4, name: "lr", value: 0.1 },
      expect.objectContaining({ event: "end" }),
    ]);
    expect(told[0]).toMatchObject({ event: "start", inputs: { lr: 0.5 } });
    await session.dispose();
  });
});
