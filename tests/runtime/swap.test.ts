/** Another program in the place of a running one: what goes on, what is made anew, and the way back. */
import { describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { Device, Numbers } from "../../gpu/device.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { evaluate } from "../../lang/graph/index.ts";
import { createSession, type RunEvent, type Session, type SwapReport } from "../../runtime/index.ts";
import { nodeHost } from "../../runtime/node.ts";
import { compileText } from "../run-script.ts";
import { gpu, open } from "../webgpu/setup.ts";

const devices: Record<string, () => Promise<Device>> = {
  reference: async () => new ReferenceDevice(),
  cpu: async () => new CpuDevice(),
  ...(gpu ? { webgpu: open } : {}),
};

interface Ran {
  readonly losses: readonly (number | undefined)[];
  readonly steps: readonly string[];
  readonly state: Readonly<Record<string, Numbers>>;
  readonly prints: readonly string[];
  readonly reports: readonly (SwapReport | undefined)[];
  /** Values of slots right after each change. */
  readonly after: readonly Readonly<Record<string, Numbers>>[];
}

type Change = string | "undo";

/** Plays `script`; after step n, in a pause, makes the changes of `edits[n]`. */
async function played(script: string, edits: Record<number, readonly Change[]>, device: Device): Promise<Ran> {
  const program = await compileText(script);
  const session: Session = createSession({
    program,
    device,
    host: nodeHost({ scriptFolder: "/nowhere" }),
    math: evaluate,
    every: 1,
    recompile: async (inputs) => compileText(script, { inputs }),
  });
  const events: RunEvent[] = [];
  const reports: (SwapReport | undefined)[] = [];
  const after: Record<string, Numbers>[] = [];
  const seen = new Set<number>();
  const stateOf = async () => {
    const state: Record<string, Numbers> = {};
    for (const path of Object.keys(session.program.slots)) state[path] = await session.read(path);
    return state;
  };
  const edit = async (step: number) => {
    for (const change of edits[step] ?? []) {
      const [input, value] = change.startsWith("set ") ? change.slice(4).split("=") : [];
      if (input) reports.push(await session.set(input, Number(value)));
      else if (change === "undo") reports.push(await session.undo());
      else reports.push(await session.swap(await compileText(change)));
      after.push(await stateOf());
    }
    session.play();
  };
  session.events$.subscribe((event) => {
    events.push(event);
    if (event.event !== "train" || event.fold || seen.has(event.step) || !(event.step in edits)) return;
    seen.add(event.step);
    session.pause();
    void edit(event.step);
  });
  session.play();
  const { status } = await session.done;
  if (status !== "done") throw new Error(JSON.stringify(events.at(-2)));
  const trained = events.flatMap((e) => (e.event === "train" && !e.fold ? [e] : []));
  const state = await stateOf();
  await session.dispose();
  await device.dispose();
  return {
    losses: trained.map((e) => e.metrics.loss as number | undefined),
    steps: trained.map((e) => `${e.epoch}:${e.step}`),
    prints: events.flatMap((e) => (e.event === "print" ? [e.text] : [])),
    state,
    reports,
    after,
  };
}

// 100 rows: 7 batches of 14 and a short one of 2
const net = `seed 4
let data = take(digits().train, 100)
let net = [flatten, Linear(12), relu, Linear(8), relu, Linear(10)]
train (image, label) in batches(shuffle(data), 14) for 3 epochs {
  let loss = cross_entropy(net(image), label)
  minimize loss over net with Adam(1e-2)
  plot loss
  metric drawn = last(uniform([]))
  every epoch { print "{epoch} {loss:.6f} {drawn:.6f}" }
}
eval all (image, label) in batches(data, 50) { metric acc = accuracy(net(image), label) }
print "{all.acc:.4f}"
`;

/** It has not begun. */
const opened = async () =>
  createSession({
    program: await compileText(net),
    device: new CpuDevice(),
    host: nodeHost({ scriptFolder: "/nowhere" }),
    math: evaluate,
    every: 1,
  });

describe.each(Object.keys(devices))("on %s", (kind) => {
  const play = async (script: string, edits: Record<number, readonly Change[]> = {}) =>
    played(script, edits, await devices[kind]!());

  test("an equal program goes on bit for bit, whatever was written around it", async () => {
    const plain = await play(net);
    const noted = `# a note\n\n${net.replaceAll("\n", "  # why\n")}`;
    const swapped = await play(net, { 3: [noted], 10: [net, noted], 16: [net] });
    expect(swapped.reports.map((report) => report?.changed)).toEqual([false, false, false, false]);
    expect(swapped.losses).toEqual(plain.losses);
    expect(swapped.steps).toEqual(plain.steps);
    expect(swapped.prints).toEqual(plain.prints);
    expect(swapped.state).toEqual(plain.state);
  });

  test("a swap that is undone never was", async () => {
    const plain = await play(net);
    const wide = net.replace("Linear(8)", "Linear(9)").replace("Adam(1e-2)", "SGD(1e-1)");
    const swapped = await play(net, { 5: [wide, "undo"], 11: [wide], 14: ["undo"] });
    expect(swapped.reports.map((report) => report?.changed)).toEqual([true, true, true, true]);
    // Steps 12 to 14 were taken by the other program, then once more by this one.
    expect(swapped.steps.slice(11)).toEqual([...plain.steps.slice(11, 14), ...plain.steps.slice(11)]);
    expect(swapped.losses.slice(14)).toEqual(plain.losses.slice(11));
    expect(swapped.state).toEqual(plain.state);
    expect(swapped.prints.at(-1)).toEqual(plain.prints.at(-1));
  });

  test("the learning rate changes at once and nothing else does", async () => {
    const line = (lr: string) => `model Point()() -> [1] {
  param w: [1] = 3
  w
}
let f = Point()
train for 6 steps {
  let loss = sum((f() - 1.0)^2)
  minimize loss over f with SGD(${lr}, momentum: 0.5)
}
`;
    const { state, reports } = await play(line("0.1"), { 3: [line("0.05")] });
    expect(reports).toEqual([{ changed: true, kept: 2, made: [], dropped: [] }]);
    let [w, v] = [3, 0];
    for (let step = 1; step <= 6; step++) {
      v = 0.5 * v + 2 * (w - 1);
      w -= (step <= 3 ? 0.1 : 0.05) * v;
    }
    expect(state["f.w"]?.[0]).toBeCloseTo(w, 5);
  });
});

describe("values that are written", () => {
  const paths = ["net.1.w", "net.5.b"];
  const read = async (session: Session) =>
    Promise.all(paths.map(async (path) => [path, await session.read(path)] as const));

  test("are there before the first step and in a pause, the rest stays, and undo takes them back", async () => {
    const [first, second] = [await opened(), await opened()];
    first.play();
    await first.done;
    const learned = new Map(await read(first));
    const report = await second.write(learned);
    expect(report).toMatchObject({ changed: true, made: [], dropped: [] });
    expect(new Map(await read(second))).toEqual(learned);
    second.step();
    await new Promise<void>((done) => second.frames$.subscribe(({ step }) => step === 1 && done()));
    const before = await read(second);
    expect(new Map(before)).not.toEqual(learned);
    const other = await second.read("net.3.w");
    await second.write(learned);
    expect(new Map(await read(second))).toEqual(learned);
    expect(await second.read("net.3.w")).toEqual(other);
    await second.undo();
    expect(await read(second)).toEqual(before);
    second.play();
    expect((await second.done).status).toBe("done");
    await second.dispose();
    expect(await second.write(learned)).toBeUndefined();
  });
});

test("two changes between the same two steps: the second goes on from the first", async () => {
  const session = await opened();
  const steps: number[] = [];
  const swaps: number[] = [];
  session.events$.subscribe((event) => {
    if (event.event === "train" && !event.fold) steps.push(event.step);
    if (event.event === "train" && event.step === 5) session.pause();
    if (event.event === "swap") swaps.push(event.step);
  });
  session.play();
  await expect.poll(() => steps.length).toBe(5);
  const learned = await session.read("net.1.w");
  const [wide, other] = [net.replace("Linear(8)", "Linear(9)"), net.replace("Linear(8)", "Linear(9), tanh")];
  const [first, second] = await Promise.all([
    session.swap(await compileText(wide)),
    session.swap(await compileText(other)),
  ]);
  expect(first?.made).toContain("net.3.w");
  expect(second?.made).toEqual([]);
  expect(swaps).toEqual([5, 5]);
  expect(await session.read("net.1.w")).toEqual(learned);
  const made = await session.read("net.3.w");
  expect([made.length, made.every((x) => x === 0)]).toEqual([12 * 9, false]);
  session.play();
  expect((await session.done).status).toBe("done");
  expect(steps).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  await session.dispose();
});

test("a program that does not fit ends the run in words, and who asked for it is answered", async () => {
  const session = await opened();
  const errors: string[] = [];
  session.events$.subscribe((event) => event.event === "error" && errors.push(event.diagnostic.title));
  session.step();
  await new Promise<void>((done) => session.frames$.subscribe(({ step }) => step === 1 && done()));
  const [report] = await Promise.all([
    session.swap(await compileText(net.replace("Linear(8)", "Linear(200_000_000)"))),
  ]);
  expect(report).toBeUndefined();
  expect((await session.done).status).toBe("failed");
  expect(errors).toEqual([expect.stringMatching(/memory/)]);
  await session.dispose();
});

describe("what goes on", () => {
  const play = (script: string, edits: Record<number, readonly Change[]>) => played(script, edits, new CpuDevice());
  const kept = ["net.1.w", "net.1.b"];

  test("a layer put into the middle takes nothing from those behind it", async () => {
    const before = await play(net.replace("3 epochs", "1 epoch"), { 7: [net] });
    const deeper = net.replace("Linear(8), relu,", "Linear(8), relu, Linear(8), relu,");
    const { reports, after } = await play(net, { 7: [deeper] });
    const at = after[0]!;
    const was = before.after[0]!;
    for (const path of [...kept, "net.3.w", "net.3.b"]) expect(at[path], path).toEqual(was[path]);
    expect(at["net.7.w"]).toEqual(was["net.5.w"]);
    expect(at["train1.min1.Adam.m.net.7.w"]).toEqual(was["train1.min1.Adam.m.net.5.w"]);
    expect(reports[0]!.made.filter((path) => path.startsWith("net."))).toEqual(["net.5.w", "net.5.b"]);
    expect(reports[0]!.dropped).toEqual([]);
    expect([...at["train1.min1.Adam.m.net.5.w"]!].every((x) => x === 0)).toBe(true);
    expect(at["net.5.w"]).not.toEqual(was["net.5.w"]);
    expect(at["train1.min1.Adam.t"]).toEqual(was["train1.min1.Adam.t"]);
  });

  test("the width of one layer: it and the next one begin anew", async () => {
    const { reports } = await play(net, { 9: [net.replace("Linear(8)", "Linear(16)")] });
    expect(reports[0]!.made.filter((path) => path.startsWith("net.")).sort()).toEqual([
      "net.3.b",
      "net.3.w",
      "net.5.w",
    ]);
    expect(reports[0]!.dropped.filter((path) => path.startsWith("net.")).sort()).toEqual([
      "net.3.b",
      "net.3.w",
      "net.5.w",
    ]);
  });

  test("another optimizer: the params go on, its slots begin", async () => {
    const { reports, losses } = await play(net, { 12: [net.replace("Adam(1e-2)", "SGD(1e-2, momentum: 0.9)")] });
    expect(reports[0]!.kept).toBe(6);
    expect(reports[0]!.made.every((path) => path.includes(".SGD."))).toBe(true);
    expect(reports[0]!.dropped.every((path) => path.includes(".Adam."))).toBe(true);
    expect(losses[12]!).toBeLessThan(losses[0]!);
  });

  test("another loss, another activation: everything goes on", async () => {
    for (const [from, to] of [
      ["cross_entropy(net(image), label)", "2 * cross_entropy(net(image), label)"],
      ["relu", "tanh"],
    ] as const) {
      const { reports } = await play(net, { 6: [net.replace(from, to)] });
      expect(reports[0]).toMatchObject({ changed: true, made: [], dropped: [] });
    }
  });

  test("another batch size: the same place in the same rows", async () => {
    const { steps, reports } = await play(net, { 4: [net.replace("14)", "28)")] });
    expect(reports[0]).toMatchObject({ made: [], dropped: [] });
    // 56 of 100 rows are behind: batches of 28 go on with the third of four, the last with 16 rows.
    expect(steps.slice(3, 8)).toEqual(["1:4", "1:5", "1:6", "2:7", "2:8"]);
    expect(steps.at(-1)).toBe("3:14");
  });

  test("a part that is frozen keeps its values from then on", async () => {
    const named = net.replace("[flatten, Linear(12), relu, Linear(8), relu, Linear(10)]", "Net()").replace(
      "let net",
      `model Net()(x: [B, 28, 28]) {
  let body = Linear(12)
  let head = Linear(10)
  x |> flatten |> body |> relu |> head
}
let net`,
    );
    const frozen = named.replace("over net with", "over net except net.body with");
    const { after, state, reports } = await play(named, { 8: [frozen] });
    expect(reports[0]!.made).toEqual([]);
    expect(state["net.body.w"]).toEqual(after[0]!["net.body.w"]);
    expect(state["net.head.w"]).not.toEqual(after[0]!["net.head.w"]);
  });

  test("names say which layer is meant, whatever it is made of", async () => {
    const model = (one: number, two: number) =>
      net.replace("[flatten, Linear(12), relu, Linear(8), relu, Linear(10)]", "Net()").replace(
        "let net",
        `model Net()(x: [B, 28, 28]) {
  let fc1 = Linear(${one})
  let fc2 = Linear(${two})
  x |> flatten |> fc1 |> relu |> fc2 |> relu |> Linear(10)
}
let net`,
      );
    const { reports } = await play(model(8, 4), { 6: [model(4, 4)] });
    expect(reports[0]!.made.filter((path) => path.startsWith("net.")).sort()).toEqual([
      "net.fc1.b",
      "net.fc1.w",
      "net.fc2.w",
    ]);
  });

  test("a model under another name is the same model", async () => {
    const renamed = net.replaceAll(/\bnet\b/g, "classifier");
    const { reports, after } = await play(net, { 6: [renamed] });
    expect(reports[0]).toMatchObject({ made: [], dropped: [] });
    expect(Object.keys(after[0]!)).toContain("classifier.1.w");
  });

  test("an input that shapes the program rebuilds what depends on it", async () => {
    const script = net.replace("Linear(8)", "Linear(width)").replace("seed 4", "seed 4\ninput width = 8 in 1 .. 32");
    const { reports, after } = await play(script, { 5: ["set width=20"] });
    expect(after[0]!["net.3.w"]).toHaveLength(12 * 20);
    expect(reports[0]!.made.filter((path) => path.startsWith("net.")).sort()).toEqual([
      "net.3.b",
      "net.3.w",
      "net.5.w",
    ]);
  });

  test("the block itself: longer, and with blocks around it", async () => {
    const longer = net.replace("3 epochs", "4 epochs");
    const { steps } = await play(net, { 20: [longer] });
    expect(steps.at(-1)).toBe("4:32");
    const first = net.replace("train (image", "train first (image").replace("3 epochs", "1 epoch");
    const two = `${first}train second (image, label) in batches(data, 50) for 2 epochs {
  let loss = cross_entropy(net(image), label)
  minimize loss over net with SGD(1e-2)
  plot loss
}
`;
    const ran = await play(first, { 5: [two] });
    expect(ran.steps).toEqual([...Array.from({ length: 8 }, (_, i) => `1:${i + 1}`), "1:1", "1:2", "2:3", "2:4"]);
  });

  test("statistics of the data are not fitted again, and are when their formula changes", async () => {
    const fitted = net
      .replace("let net", "let norm = standardize(data.image)\nlet net")
      .replaceAll("net(image)", "net(norm(image))");
    const { reports } = await play(fitted, { 6: [fitted.replace("relu", "tanh")] });
    expect(reports[0]).toMatchObject({ made: [], dropped: [] });
    const other = fitted.replace("take(digits().train, 100)", "take(digits().train, 90)");
    const changed = await play(fitted, { 6: [other] });
    const stats = (state: Readonly<Record<string, Numbers>>) =>
      Object.entries(state).filter(([path]) => !/^net|^train/.test(path));
    expect(stats(changed.after[0]!).length).toBeGreaterThan(0);
    expect(stats(changed.state)).not.toEqual(stats((await play(fitted, {})).state));
  });
});
