/** Sinks and reactions: windows of folds, conditions with memory, events, and ticks in flight. */
import { describe, expect, it } from "vitest";
import type { Action, Fold, Reaction, Train } from "../../lang/program.ts";
import type { Point } from "../../runtime/events.ts";
import {
  add, at, batches, commit, FakeDevice, fetch, fold, halt, input, le, lt, mean, mul, num, played, print, program, scalar,
  segment, shown, slot, state, stop, train, trial, when,
} from "./fake.ts"; // prettier-ignore

const loss: Fold = { name: "loss", how: "avg", fetch: "l" };
const report = [{ name: "loss", value: fold("loss") }];
const w = slot("w", { init: 0 });
const batch = (size: number) => ({ segment: segment(`s${size}`, [fetch("l", mean(input("batch", "x", [size])))]) });
/** Rows 0..4 in batches of 2: means 0.5, 2.5, and 4 of the short one. */
const overRows = (more: Partial<Train>): Train =>
  train({
    step: [batch(2)],
    short: [batch(1)],
    data: batches(5, 2),
    limit: { unit: "epochs", count: 1 },
    folds: [loss],
    report,
    ...more,
  });
const every = (n: number, unit: Reaction["clock"]["unit"], ...body: Action[]): Reaction => ({
  clock: { unit, every: n },
  body,
  span: at,
});
const watchOf = (name: string) => input("watch", name);

describe("windows", () => {
  it("a step sink sees its tick, an epoch reaction the epoch with the short batch at its true weight", async () => {
    const sinks = [print("step ", scalar("step"), " ", fold("loss"))];
    const reactions = [
      every(1, "epochs", print("epoch ", scalar("epoch"), " ", { value: shown(fold("loss")), format: ".2f" })),
    ];
    const { prints } = await played(program([overRows({ sinks, reactions })]));
    // (0 + 1 + 2 + 3 + 4) / 5, not the mean of three batch means.
    expect(prints()).toEqual(["step 1 0.5", "step 2 2.5", "step 3 4", "epoch 1 2.00"]);
  });
  it("each reaction sees the ticks since it last ran", async () => {
    const step = [{ segment: segment("s", [fetch("l", scalar("step"))]) }];
    const folds: Fold[] = [
      loss,
      ...(["total", "last", "lowest", "highest"] as const).map((how) => ({ name: how, how, fetch: "l" })),
    ];
    const texts = folds.flatMap(({ name }) => [fold(name), " "]);
    const reactions = [every(2, "steps", print("two: ", ...texts)), every(3, "steps", print("three: ", fold("loss")))];
    const { prints } = await played(program([train({ step, folds, reactions, limit: { unit: "steps", count: 6 } })]));
    expect(prints()).toEqual(["two: 1.5 3 2 1 2 ", "three: 2", "two: 3.5 7 4 3 4 ", "two: 5.5 11 6 5 6 ", "three: 5"]);
  });
  it("a weight fetched beside the value weighs it, and tensors fold by element", async () => {
    const v = slot("v", { type: { dtype: "f32", shape: [2] }, init: 1 });
    const outputs = [
      fetch("l", scalar("step")),
      fetch("w", scalar("step")),
      fetch("v", mul(state("v", [2]), scalar("step"))),
    ];
    const folds: Fold[] = [
      { ...loss, weight: "w" },
      { name: "v", how: "total", fetch: "v" },
    ];
    const block = train({
      step: [{ segment: segment("s", outputs) }],
      folds,
      report: [...report, { name: "v", value: fold("v", [2]) }],
    });
    const { prints } = await played(
      program([block, print(input("metric", "train1.loss"), " ", input("metric", "train1.v", [2]))], { slots: [v] }),
    );
    expect(prints()).toEqual([`${((1 + 4 + 9) / 6).toPrecision(6)} [6, 6]`]);
  });
  it("before a first value a fold is a dash and conditions on it are false", async () => {
    const step = [
      { segment: segment("a", [fetch("a", num(1))]) },
      { every: 2, segment: segment("b", [fetch("l", num(3))]) },
    ];
    const sinks = [print(fold("loss")), when(lt(num(0), fold("loss")), print("positive"))];
    const { prints, events } = await played(program([train({ step, folds: [loss], report, sinks })]), { every: 1 });
    expect(prints()).toEqual(["–", "3", "positive", "–"]);
    // An event shows the latest value there is.
    expect(events.flatMap((e) => (e.event === "train" ? [e.metrics.loss] : []))).toEqual([null, 3, 3]);
  });
});

describe("events", () => {
  it("train every N steps and at each epoch's end; eval with the step and epoch around it", async () => {
    const val = {
      kind: "eval",
      name: "val",
      data: batches(5, 2),
      step: [batch(2)],
      short: [batch(1)],
      folds: [loss],
      report,
      watches: [],
      sinks: [print("val ", fold("loss"))],
      span: at,
    } as const;
    const reactions = [every(1, "epochs", val, print("last ", input("metric", "val.loss")))];
    const { events } = await played(program([overRows({ reactions }), val]), { every: 2 });
    expect(events.slice(1, -1)).toEqual([
      { event: "train", name: "train1", step: 2, epoch: 1, metrics: { loss: 2.5 } },
      { event: "train", name: "train1", step: 3, epoch: 1, fold: "epoch", metrics: { loss: 2 } },
      { event: "eval", name: "val", step: 3, epoch: 1, metrics: { loss: 2 } },
      { event: "print", text: "val 2" },
      { event: "print", text: "last 2" },
      { event: "eval", name: "val", step: 3, epoch: 1, metrics: { loss: 2 } },
      { event: "print", text: "val 2" },
    ]);
  });
  it("an eval's ticks count on over its passes, so its random numbers differ", async () => {
    const val = {
      kind: "eval",
      name: "val",
      step: [{ segment: segment("v", [fetch("l", num(1))]) }],
      folds: [],
      report: [],
      watches: [],
      sinks: [],
      span: at,
    } as const;
    const { device } = await played(program([val, val]));
    expect(device.log.map(({ scalars }) => scalars.tick)).toEqual([0, 1]);
  });
  it("plots are computed only for one who looks", async () => {
    const sinks: Action[] = [{ kind: "plot", items: [{ label: "loss", value: shown(fold("loss")) }], span: at }];
    const { session } = trial(program([overRows({ sinks })]));
    const points: Point[] = [];
    session.points$.subscribe((point) => points.push(point));
    session.play();
    await session.done;
    expect(points.map(({ step, value }) => [step, value])).toEqual([[1, 0.5], [2, 2.5], [3, 4]]); // prettier-ignore
  });
});

describe("between ticks", () => {
  it("commits of a reaction are in force from the next tick", async () => {
    const step = [{ segment: segment("s", [commit("w", add(state("w"), num(1)))]) }];
    const reset: Action = { kind: "compute", segment: segment("reset", [commit("w", num(10))]) };
    const { prints } = await played(
      program(
        [
          train({
            step,
            sinks: [print(state("w"))],
            reactions: [every(2, "steps", reset)],
            limit: { unit: "steps", count: 4 },
          }),
        ],
        { slots: [w] },
      ),
    );
    expect(prints()).toEqual(["1", "2", "11", "12"]);
  });
  it("wall-clock reactions run when due, and see the ticks since", async () => {
    let ms = 0;
    const step = [{ segment: segment("s", [fetch("l", scalar("step"))]) }];
    const folds: Fold[] = [{ name: "n", how: "total", fetch: "one" }];
    const counted = [{ segment: segment("s", [fetch("one", num(1)), ...step[0]!.segment.outputs]) }];
    const reactions = [every(1, "seconds", print("at ", scalar("step"), " saw ", fold("n")))];
    const { prints } = await played(
      program([train({ step: counted, folds, reactions, limit: { unit: "steps", count: 100 } })]),
      { now: () => (ms += 20) },
    );
    expect(prints().length).toBeGreaterThan(1);
    const [first = "", second = ""] = prints();
    const numbers = (text: string) => text.match(/\d+/g)!.map(Number) as [number, number];
    expect(numbers(first)[0]).toBe(numbers(first)[1]);
    expect(numbers(second)[1]).toBe(numbers(second)[0] - numbers(first)[0]);
  });
});

describe("conditions with memory", () => {
  const values = (kind: "best" | "stale" | "rises", value = fold("loss"), count?: number) =>
    train({
      // The loss is the row: 0, 1, .. 5.
      step: [batch(1)],
      data: batches(6, 1),
      limit: { unit: "epochs", count: 1 },
      folds: [{ ...loss }],
      watches: [{ name: "c", kind, value, count }],
      sinks: [when(watchOf("c"), print(scalar("step")))],
    });
  it("best: above all before at its site", async () => {
    expect((await played(program([values("best")]))).prints()).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect((await played(program([values("best", mul(num(-1), fold("loss")))]))).prints()).toEqual(["1"]);
  });
  it("stale: n readings without a best", async () => {
    expect((await played(program([values("stale", mul(num(-1), fold("loss")), 3)]))).prints()).toEqual(["4", "5", "6"]);
    expect((await played(program([values("stale", fold("loss"), 1)]))).prints()).toEqual([]);
  });
  it("rises: true now, false before", async () => {
    expect((await played(program([values("rises", lt(num(2), fold("loss")))]))).prints()).toEqual(["4"]);
  });
});

describe("ticks in flight", () => {
  const count = segment("s", [commit("w", add(state("w"), num(1))), fetch("l", state("w"))]);
  const stopping = (credit: number) => {
    const halting = segment("s", [...count.outputs, halt(le(num(4), add(state("w"), num(1))))]);
    const t = slot("t", { init: 0, host: true });
    const cond = le(num(4), add(fold("loss"), num(1)));
    const set: Action = { kind: "compute", segment: segment("undo", [commit("w", num(0)), commit("t", num(100))]) };
    const sinks = [when(cond, print("reached at ", scalar("step"), " t ", state("t")), set)];
    const tick = { segment: { ...halting, outputs: [...halting.outputs, commit("t", add(state("t"), num(1)))] } };
    const block = train({ step: [tick], folds: [loss], sinks, limit: { unit: "steps", count: 9 } });
    return played(program([block, print(state("w"), " ", state("t"))], { slots: [w, t] }), {
      device: new FakeDevice(true),
      credit,
    });
  };
  it("a run is the same whatever is in flight", async () => {
    const [one, three] = [await stopping(1), await stopping(3)];
    expect(one.prints()).toEqual(["reached at 4 t 4", "reached at 8 t 104", "1 101"]);
    expect(three.prints()).toEqual(one.prints());
    expect(one.device.log.some((run) => run.skipped)).toBe(false);
    expect(three.device.log.some((run) => run.skipped)).toBe(true);
  });
  it("a tick that halts before its last segment finishes first", async () => {
    const first = segment("a", [
      commit("w", add(state("w"), num(1))),
      halt(le(num(2), state("w"))),
      fetch("l", state("w")),
    ]);
    const second = segment("b", [commit("v", add(state("v"), state("w")))]);
    const block = (credit: number) =>
      played(
        program(
          [
            train({
              step: [{ segment: first }, { segment: second }],
              folds: [loss],
              sinks: [when(le(num(2), fold("loss")), print("w ", state("w"), " v ", state("v")), stop)],
              limit: { unit: "steps", count: 9 },
            }),
          ],
          { slots: [w, slot("v", { init: 0 })] },
        ),
        { device: new FakeDevice(true), credit },
      );
    expect((await block(3)).prints()).toEqual(["w 3 v 6"]);
    expect((await block(1)).prints()).toEqual(["w 3 v 6"]);
  });
  it("a sink that looks at slots keeps the clock at one tick", async () => {
    const block = train({ step: [{ segment: count }], sinks: [print(state("w"))], limit: { unit: "steps", count: 3 } });
    const { prints } = await played(program([block], { slots: [w] }), { device: new FakeDevice(true), credit: 3 });
    expect(prints()).toEqual(["1", "2", "3"]);
  });
});
