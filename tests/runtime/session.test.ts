/** Order of actions, limits, segments, passes, host cells, loading, failing. */
import { describe, expect, it } from "vitest";
import type { Action } from "../../lang/program.ts";
import {
  add, at, batches, commit, div, FakeHost, fetch, finite, fold, input, mean, mul, num, played, print, program, scalar,
  segment, slot, state, stop, train, trial,
} from "./fake.ts"; // prettier-ignore

const one = segment("one", [commit("w", add(state("w"), num(1)))]);
const compute = (name: string, ...outputs: Parameters<typeof segment>[1]): Action => ({
  kind: "compute",
  segment: segment(name, outputs),
});
const w = slot("w", { init: 0, kind: "param" });
const mode = (s: { mode$: { subscribe(f: (m: string) => void): { unsubscribe(): void } } }) => {
  let now = "";
  s.mode$.subscribe((m) => (now = m)).unsubscribe();
  return now;
};
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("the body of a program", () => {
  it("runs in the order of the script between start and end", async () => {
    const body = [
      compute("top1", commit("w", num(2))),
      print("w = ", state("w")),
      compute("top2", commit("w", num(3))),
      print("w = ", state("w")),
    ];
    const { events } = await played(program(body, { slots: [w] }));
    expect(events.map((e) => (e.event === "print" ? e.text : e.event))).toEqual(["start", "w = 2", "w = 3", "end"]);
    expect(events[0]).toMatchObject({ seed: 7, parameters: 1, inputs: {}, device: { name: "fake" } });
    expect(events.at(-1)).toMatchObject({ status: "done", steps: 0 });
  });
  it("a stop outside of a block ends it as done", async () => {
    const { prints, events } = await played(program([print("a"), stop, print("b")]));
    expect(prints()).toEqual(["a"]);
    expect(events.at(-1)).toMatchObject({ status: "done" });
  });
  it("passes of a for have slots and seeds of their own, and number their events", async () => {
    const pass = (index: number): Action => {
      const path = `run${index}.w`;
      const step = [{ segment: segment(`run${index}.s`, [commit(path, add(state(path), num(1)))]) }];
      const block = train({ name: `run${index}.train1`, step, limit: { unit: "steps", count: 2 } });
      return { kind: "run", index, seed: 10 + index, body: [block, print(state(path), " ", scalar("seed"))], span: at };
    };
    const slots = [slot("run1.w", { init: 0 }), slot("run2.w", { init: 0 })];
    const { events, device } = await played(program([pass(1), pass(2)], { slots }), { every: 2 });
    expect(events.slice(1, -1)).toEqual([
      { event: "train", name: "train1", step: 2, epoch: 1, metrics: {}, run: 1 },
      { event: "print", text: "2 11", run: 1 },
      { event: "train", name: "train1", step: 2, epoch: 1, metrics: {}, run: 2 },
      { event: "print", text: "2 12", run: 2 },
    ]);
    expect(device.log.map((run) => run.scalars.seed)).toEqual([11, 11, 12, 12]);
    expect(events.at(-1)).toMatchObject({ steps: 4 });
  });
});

describe("a train block", () => {
  it("counts steps from 1 and ticks from 0, over epochs in their own order", async () => {
    const seg = segment("s", [fetch("x", mean(input("batch", "x", [2])))]);
    const { device } = await played(
      program([train({ step: [{ segment: seg }], data: batches(4, 2), limit: { unit: "epochs", count: 2 } })]),
    );
    expect(device.log.map(({ scalars: { step, epoch, tick }, rows }) => [step, epoch, tick, rows])).toEqual([
      [1, 1, 0, [0, 1]],
      [2, 1, 1, [2, 3]],
      [3, 2, 2, [1, 2]],
      [4, 2, 3, [3, 0]],
    ]);
  });
  it("runs every-n segments on steps n, 2n", async () => {
    const step = [
      { segment: segment("a", [fetch("a", num(1))]) },
      { every: 2, segment: segment("b", [fetch("b", num(1))]) },
    ];
    const { device } = await played(program([train({ step, limit: { unit: "steps", count: 5 } })]));
    expect(device.log.map((run) => run.name).join(" ")).toBe("a a b a a b a");
  });
  it("the last short batch has segments of its own, and is left out by drop_last", async () => {
    const step = [{ segment: segment("full", [fetch("l", mean(input("batch", "x", [2])))]) }];
    const short = [{ segment: segment("short", [fetch("l", mean(input("batch", "x", [1])))]) }];
    const block = { step, short, limit: { unit: "epochs", count: 1 } } as const;
    const all = await played(program([train({ ...block, data: batches(5, 2) })]));
    expect(all.device.log.map((run) => run.name)).toEqual(["full", "full", "short"]);
    const whole = await played(program([train({ ...block, data: batches(5, 2, true) })]));
    expect(whole.device.log.map((run) => run.name)).toEqual(["full", "full"]);
  });
  it("says when the rows do not fill a batch", async () => {
    const { events } = await played(
      program([train({ step: [{ segment: one }], data: batches(3, 4, true) })], { slots: [w] }),
    );
    expect(events.at(-2)).toMatchObject({ diagnostic: { code: "DLX0703" } });
  });
  it("--steps limits each block, and what follows still runs", async () => {
    const block = train({ step: [{ segment: one }], limit: { unit: "steps", count: 100 } });
    const { prints, events } = await played(
      program([block, print("a ", state("w")), block, print("b ", state("w"))], { slots: [w] }),
      { maxSteps: 3 },
    );
    expect(prints()).toEqual(["a 3", "b 6"]);
    expect(events.at(-1)).toMatchObject({ status: "done", steps: 6 });
  });
  it("a limit in seconds counts playing time", async () => {
    let ms = 0;
    const { events } = await played(
      program([train({ step: [{ segment: one }], limit: { unit: "seconds", count: 1 } })], { slots: [w] }),
      { now: () => (ms += 50) },
    );
    const end = events.at(-1);
    expect(end).toMatchObject({ status: "done" });
    expect(end?.event === "end" && end.steps).toBeGreaterThan(3);
  });
  it("stop ends the block; what follows still runs", async () => {
    const sinks: Action[] = [{ kind: "when", cond: { ...scalar("step") }, body: [stop], span: at }];
    const { prints, events } = await played(
      program([train({ step: [{ segment: one }], sinks }), print("after ", state("w"))], { slots: [w] }),
    );
    expect(prints()).toEqual(["after 1"]);
    expect(events.at(-1)).toMatchObject({ status: "done", steps: 1 });
  });
});

describe("play, pause, step, set, stop", () => {
  const inputs = [{ name: "lr", value: 0.5, kind: "live", span: at }] as const;
  const seg = segment("s", [commit("w", add(state("w"), scalar("input:lr")))]);
  const forever = program([train({ step: [{ segment: seg }], limit: { unit: "steps", count: 1e9 } })], {
    slots: [w],
    inputs,
  });

  it("step runs one tick; a set input is sampled by the next", async () => {
    const { session, device } = trial(forever);
    session.step();
    await settle();
    expect(device.slots.get("w")?.[0]).toBe(0.5);
    session.set("lr", 2);
    expect(device.log).toHaveLength(1);
    session.step();
    session.step();
    await settle();
    expect(device.slots.get("w")?.[0]).toBe(4.5);
    expect(mode(session)).toBe("paused");
    await session.dispose();
    expect(device.slots.size).toBe(0);
  });
  it("stop finishes the tick and ends as stopped", async () => {
    const { session, device, events } = trial(forever);
    session.play();
    await settle();
    session.pause();
    await settle();
    const count = device.log.length;
    await settle();
    expect(device.log).toHaveLength(count);
    session.stop();
    expect(await session.done).toMatchObject({ status: "stopped", steps: count });
    expect(events.at(-1)).toMatchObject({ event: "end", status: "stopped" });
  });
  it("gives way to timers while it plays", async () => {
    const { session } = trial(forever);
    session.play();
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(performance.now() - started).toBeLessThan(500);
    session.stop();
    await session.done;
  });
  it("an input that shapes the program warns", async () => {
    const { session, events } = trial(
      program([], { inputs: [{ name: "act", value: "relu", kind: "shape", span: at }] }),
    );
    await session.set("act", "tanh");
    expect(events[0]).toMatchObject({ event: "warning", diagnostic: { code: "DLX0704" } });
    session.play();
    await session.done;
  });
});

describe("host cells", () => {
  it("are kept in float64, feed host scalars, and never reach the device's commits", async () => {
    const beta = slot("beta", { init: 1, host: true });
    const seg = segment(
      "s",
      [commit("beta", mul(state("beta"), num(0.999))), commit("w", scalar("h:0"))],
      [{ name: "h:0", node: add(num(1), mul(num(-1), state("beta"))) }],
    );
    const { device, session } = await played(program([train({ step: [{ segment: seg }] })], { slots: [w, beta] }));
    expect((await session.read("beta"))[0]).toBe(0.999 ** 3);
    // The scalar saw the cell as it was before the third tick.
    expect(device.slots.get("w")?.[0]).toBe(1 - 0.999 * 0.999);
  });
  it("are written to the device where a node reads them", async () => {
    const t = slot("t", { init: 0, host: true });
    const seg = segment("s", [commit("t", add(state("t"), num(1))), commit("w", add(state("w"), state("t")))]);
    const { device } = await played(program([train({ step: [{ segment: seg }] })], { slots: [w, t] }));
    expect(device.slots.get("w")?.[0]).toBe(0 + 1 + 2);
  });
});

describe("failing", () => {
  it("a number that is not finite names the step and keeps the state of before", async () => {
    const bad = div(num(1), add(num(3), mul(num(-1), scalar("step"))));
    const t = slot("t", { init: 0, host: true });
    const seg = segment("s", [finite("loss", bad), commit("w", scalar("step")), commit("t", scalar("step"))]);
    const { events, device, session } = await played(program([train({ step: [{ segment: seg }] })], { slots: [w, t] }));
    expect(events.slice(-2)).toMatchObject([
      {
        event: "error",
        diagnostic: {
          code: "DLX0701",
          title: "loss is not a finite number in step 3: a division by 0: 1 / 0",
          labels: [{ span: at }],
        },
      },
      { event: "end", status: "failed", steps: 2 },
    ]);
    expect(device.slots.get("w")?.[0]).toBe(2);
    expect((await session.read("t"))[0]).toBe(2);
  });
  it("our own mistakes reject done, after the end event", async () => {
    const { session, events } = trial(program([compute("top1", commit("w", state("nowhere")))], { slots: [w] }));
    session.play();
    await expect(session.done).rejects.toThrow("expected a slot nowhere");
    expect(events.at(-1)).toMatchObject({ event: "end", status: "failed" });
  });
});

describe("files", () => {
  const load = (name: string) => ({ file: "net.safetensors", name, span: at });
  const f32 = (data: number[], shape: number[] = []) => ({
    dtype: "f32" as const,
    shape,
    data: Float32Array.from(data),
  });
  const init = compute("top1", commit("net.w", num(1)));
  const slots = [
    slot("net.w", { load: load("w"), kind: "param" }),
    slot("net.b", { init: 0, load: load("b"), kind: "param" }),
  ];

  it("save writes slots under their names", async () => {
    const save: Action = { kind: "save", file: "out.safetensors", entries: [{ name: "w", path: "w" }], span: at };
    const { host, events } = await played(program([compute("top1", commit("w", num(4))), save], { slots: [w] }));
    expect(host.files.get("out.safetensors")?.get("w")).toMatchObject({ dtype: "f32", shape: [] });
    expect(host.files.get("out.safetensors")?.get("w")?.data[0]).toBe(4);
    expect(events[1]).toEqual({ event: "saved", path: "out.safetensors" });
  });
  it("a loaded model is filled before anything runs, all of it", async () => {
    const host = new FakeHost();
    host.files.set("net.safetensors", new Map([["w", f32([8])], ["b", f32([9])]])); // prettier-ignore
    const body = [compute("top1", commit("w", add(state("net.w"), num(1)))), print(state("w"), " ", state("net.b"))];
    const { prints } = await played(program(body, { slots: [w, ...slots] }), { host });
    expect(prints()).toEqual(["9 9"]);
  });
  it("a file that this script saves first can be loaded by it", async () => {
    const save: Action = {
      kind: "save",
      file: "net.safetensors",
      entries: [
        { name: "w", path: "w" },
        { name: "b", path: "w" },
      ],
      span: at,
    };
    const body = [compute("top0", commit("w", num(4))), save, init, print(state("net.w"), state("net.b"))];
    expect((await played(program(body, { slots: [w, ...slots] }))).prints()).toEqual(["44"]);
  });
  it("a file that does not fit is shown as a table", async () => {
    const host = new FakeHost();
    host.files.set("net.safetensors", new Map([["w", f32([8, 8], [2])], ["scale", f32([9])]])); // prettier-ignore
    const { events } = await played(program([init], { slots }), { host });
    const error = events.at(-2);
    expect(error?.event === "error" && [error.diagnostic.title, ...error.diagnostic.notes].join("\n"))
      .toMatchInlineSnapshot(`
      "net.safetensors does not fit this model
      name   program    file
      w      f32[]      f32[2]
      b      f32[]      not there
      scale  not there  f32[]"
    `);
  });
  it("a file that is not there is the user's mistake", async () => {
    const { events } = await played(program([init], { slots }));
    expect(events.at(-2)).toMatchObject({ event: "error", diagnostic: { code: "DLX0501", labels: [{ span: at }] } });
  });
});

describe("folds seen from outside", () => {
  it("after the block: the last epoch", async () => {
    const step = [{ segment: segment("s", [fetch("l", mean(input("batch", "x", [2])))]) }];
    const folds = [{ name: "loss", how: "avg", fetch: "l" }] as const;
    const report = [{ name: "loss", value: fold("loss") }];
    const block = train({ step, folds, report, data: batches(4, 2), limit: { unit: "steps", count: 3 } });
    const { prints } = await played(
      program([block, print(input("metric", "train1.loss"), " ", input("metric", "no.such"))]),
    );
    expect(prints()).toEqual(["1.5 –"]);
  });
});
