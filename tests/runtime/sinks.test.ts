/** What people see: pure lines from events and frames, and the terminal's cursor. */
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Frame, Point, RunEvent } from "../../runtime/events.ts";
import { curve, Series } from "../../runtime/sinks/curve.ts";
import { History } from "../../runtime/sinks/history.ts";
import { jsonSink } from "../../runtime/sinks/json.ts";
import { plainLine, plainSink, progressLine, quietSink } from "../../runtime/sinks/plain.ts";
import { bar, heightOf, terminalSink, view, type Size, type View } from "../../runtime/sinks/terminal.ts";
import { duration, rate, timeLeft } from "../../runtime/sinks/words.ts";

const frame: Frame = {
  name: "train1",
  step: 120,
  epoch: 2,
  limit: { unit: "epochs", count: 5 },
  total: 480,
  seconds: 4,
  metrics: { loss: 0.123456, acc: 0.9 },
};
const device = { kind: "cpu", name: "cpu (1 thread)", threads: 1, features: [], dataBytes: 0, fieldBytes: 0 } as const;
const start: RunEvent = { event: "start", device, seed: 1, parameters: 61706, inputs: { lr: 0.001 } };
const diagnostic = { code: "DLX0701", severity: "error", title: "loss is not finite", labels: [], notes: [] } as const;

function stage() {
  const [events$, frames$, points$] = [new Subject<RunEvent>(), new Subject<Frame>(), new Subject<Point>()];
  let text = "";
  let errors = "";
  const out = {
    stdout: (s: string) => void (text += s),
    stderr: (s: string) => void (errors += s),
    message: (d: { title: string }) => d.title,
    script: "digits.dlx",
  };
  return { events$, frames$, points$, out, text: () => text, errors: () => errors };
}

function falling(label: string, points: number): Series {
  const series = new Series(label);
  for (let i = 0; i < points; i++) series.add(1 / (1 + i));
  return series;
}

function threeEpochs(): History {
  const history = new History();
  for (const epoch of [1, 2, 3]) {
    const at = { step: 96 * epoch, epoch };
    history.add(frame.limit, at, { loss: 1 / epoch, acc: 1 - 0.1 / epoch, confusion: [[1, 2]] });
    if (epoch > 1) history.add(frame.limit, at, { acc: 1 - 0.2 / epoch }, "val");
  }
  return history;
}

describe("words", () => {
  it("durations, rates, time left", () => {
    expect([0, 7.4, 754, 3723].map(duration)).toEqual(["0:00", "0:07", "12:34", "1:02:03"]);
    expect([
      rate(frame),
      rate({ step: 3, seconds: 60 }),
      rate({ step: 4000, seconds: 1 }),
      rate({ step: 0, seconds: 1 }),
    ]).toEqual(["30 step/s", "20 s/step", "4000 step/s", ""]);
    expect(timeLeft(frame)).toBe("0:12 left");
    expect(timeLeft({ ...frame, limit: { unit: "seconds", count: 10 }, total: undefined })).toBe("0:06 left");
  });
});

describe("plain lines", () => {
  it("one for the start, each epoch, each eval, each print, the end", () => {
    const at = { name: "train1", step: 3, epoch: 1 };
    const events: RunEvent[] = [
      start,
      { event: "train", ...at, metrics: { loss: 1 } },
      { event: "train", ...at, fold: "epoch", metrics: { loss: 0.25, confusion: [[1, 2]], new: null } },
      { event: "eval", ...at, name: "val", run: 2, metrics: { acc: 0.987654 } },
      { event: "print", text: "hello" },
      { event: "saved", path: "net.safetensors" },
      { event: "end", status: "done", steps: 3, seconds: 65 },
    ];
    expect(events.map((event) => plainLine(event, "digits.dlx")).join("\n")).toMatchInlineSnapshot(`
      "digits.dlx  on cpu (1 thread)  seed 1  61 706 parameters  lr = 0.001

      train1  epoch 1  step 3  loss 0.25  new –
      run 2  val  acc 0.9877
      hello
      saved net.safetensors
      done after 3 steps in 1:05"
    `);
    expect(progressLine(frame)).toMatchInlineSnapshot(
      `"train1  epoch 2/5  step 120/480  loss 0.1235  acc 0.9  30 step/s  0:12 left"`,
    );
  });
  it("progress soon, then not again for ten seconds; messages on the other stream", () => {
    const s = stage();
    const sink = plainSink(s, s.out);
    s.frames$.next({ ...frame, step: 0 });
    s.frames$.next(frame);
    s.frames$.next({ ...frame, step: 121 });
    s.events$.next({ event: "error", diagnostic });
    expect(s.text().match(/step \d+/g)).toEqual(["step 120"]);
    expect(s.errors()).toBe("loss is not finite\n");
    sink.close();
  });
  it("quiet: prints and messages only", () => {
    const s = stage();
    quietSink(s, s.out);
    for (const event of [start, { event: "print", text: "a" }, { event: "error", diagnostic }] as RunEvent[])
      s.events$.next(event);
    expect([s.text(), s.errors()]).toEqual(["a\n", "loss is not finite\n"]);
  });
  it("json: each event as it is, one line each", () => {
    const s = stage();
    jsonSink(s, s.out);
    s.events$.next({ event: "train", name: "t", step: 1, epoch: 1, metrics: { loss: NaN } });
    s.frames$.next(frame);
    expect(s.text()).toBe('{"event":"train","name":"t","step":1,"epoch":1,"metrics":{"loss":null}}\n');
  });
});

describe("the terminal", () => {
  it("a bar moves by half cells", () => {
    expect([0, 0.3, 0.5, 1].map((x) => bar(x, 5))).toEqual(["─────", "━╸───", "━━╸──", "━━━━━"]);
  });
  it("a curve is drawn in braille", () => {
    const wave = Array.from({ length: 24 }, (_, i) => Math.sin(i / 4));
    expect(`\n${curve(wave, 12, 3).join("\n")}`).toMatchInlineSnapshot(`
      "
      ⠀⡠⠊⠉⠑⢄⠀⠀⠀⠀⠀⠀
      ⠊⠀⠀⠀⠀⠀⠣⡀⠀⠀⠀⠀
      ⠀⠀⠀⠀⠀⠀⠀⠘⠤⣀⡠⠊"
    `);
    expect(curve([1, 1, 1], 4, 1)).toEqual(["⠒⠂⠀⠀"]);
  });
  it("a long series keeps its shape in bounded memory", () => {
    const series = new Series("loss");
    for (let i = 0; i < 100_000; i++) series.add(i);
    series.add(NaN);
    expect(series.values.length).toBeLessThan(1024);
    expect(series.values[0]).toBeLessThan(200);
    expect(series.values.at(-1)).toBeGreaterThan(99_000);
  });
  it("the live lines: progress, metrics, curves on one margin", () => {
    const lines = view({ frame, series: [falling("loss", 60)], history: new History() }, { columns: 100, rows: 30 });
    expect(`\n${lines.join("\n")}`).toMatchInlineSnapshot(`
      "
      train1  epoch 2/5  step 120/480  ━━━━━━──────────────────  30 step/s  0:12 left
      loss 0.1235  acc 0.9
           1 ⢱⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
        loss ⠸⡀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
      0.0167 ⠀⠈⠒⠤⠤⠤⠤⠤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀"
    `);
    expect(view({ series: [], history: new History() }, { columns: 80, rows: 24 })).toEqual([]);
  });
  it("what each epoch gave is a table; an eval stands in the row of its epoch", () => {
    const lines = view({ frame, series: [], history: threeEpochs() }, { columns: 80, rows: 24 });
    expect(`\n${lines.slice(2).join("\n")}`).toMatchInlineSnapshot(`
      "
      epoch     loss      acc   val.acc
          1        1      0.9
          2      0.5     0.95       0.9
          3   0.3333   0.9667    0.9333"
    `);
    expect(`\n${threeEpochs().lines(30, 10).join("\n")}`).toMatchInlineSnapshot(`
      "
      epoch     loss   val.acc
          1        1
          2      0.5       0.9
          3   0.3333    0.9333"
    `);
    expect(
      threeEpochs()
        .lines(80, 3)
        .map((line) => line.trim().split(/\s+/)[0]),
    ).toEqual(["epoch", "2", "3"]);
    expect(threeEpochs().lines(3, 10)).toEqual([]);
    const bySteps = new History();
    bySteps.add({ unit: "steps", count: 300 }, { step: 100, epoch: 1 }, { acc: 0.5 }, "val");
    bySteps.add({ unit: "steps", count: 300 }, { step: 200, epoch: 1 }, { acc: null, confusion: [1, 2] }, "val");
    expect(bySteps.lines(80, 10)).toEqual(["step   val.acc", " 100       0.5", " 200         –"]);
  });
  it("no size of terminal is too small, and a number is never cut", () => {
    const state: View = {
      frame,
      series: ["loss", "acc", "norm"].map((name) => falling(name, 500)),
      history: threeEpochs(),
    };
    for (let columns = 1; columns <= 130; columns++) {
      for (const rows of [1, 2, 5, 10, 24, 60]) {
        const lines = view(state, { columns, rows });
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
        for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(Math.max(1, columns - 1));
        if (columns > 13 && rows > 5) expect(["loss 0.1235", "loss 0.1235  acc 0.9"]).toContain(lines[1]);
      }
    }
    const curves = (rows: number) =>
      view(state, { columns: 80, rows }).filter((line) => /^ *(loss|acc|norm) [\u2800-\u28ff]/.test(line)).length;
    expect([10, 16, 24, 60].map(curves)).toEqual([1, 1, 3, 3]);
  });
  it("prints scroll above the live lines; the cursor comes back", () => {
    const s = stage();
    const sink = terminalSink(s, s.out, () => ({ columns: 80, rows: 24 }));
    s.frames$.next(frame);
    s.events$.next({ event: "print", text: "hello" });
    s.events$.next({ event: "end", status: "stopped", steps: 120, seconds: 4 });
    sink.close();
    sink.close();
    const text = s.text().replaceAll("\x1b", "␛");
    expect(text.startsWith("␛[?25l\r␛[J")).toBe(true);
    expect(text).toContain("\r␛[2A␛[Jhello\n\r␛[Jtrain1");
    expect(text.endsWith("stopped after 120 steps in 0:04\n␛[?25h")).toBe(true);
  });
  it("a terminal that has become narrower has wrapped the lines: all of them are cleared", () => {
    const s = stage();
    let size: Size = { columns: 100, rows: 30 };
    const sink = terminalSink(s, s.out, () => size);
    s.frames$.next(frame);
    size = { columns: 40, rows: 30 };
    s.events$.next({ event: "print", text: "hello" });
    sink.close();
    // The bar's 79 characters are two rows of 40 now, the metrics one.
    expect(s.text()).toContain("\r\x1b[3A\x1b[Jhello\n");
    expect(heightOf(["", "a".repeat(40), "a".repeat(41)], 40)).toBe(4);
  });
  it("epochs and evals go to the table; an eval before any block is a line", () => {
    const s = stage();
    const sink = terminalSink(s, s.out, () => ({ columns: 80, rows: 24 }));
    const at = { step: 240, epoch: 1 };
    s.events$.next({ event: "eval", name: "before", step: 0, epoch: 1, metrics: { acc: 0.1 } });
    s.frames$.next(frame);
    s.events$.next({ event: "train", name: "train1", ...at, fold: "epoch", metrics: { loss: 0.25 } });
    s.events$.next({ event: "eval", name: "val", ...at, metrics: { acc: 0.75 } });
    s.events$.next({ event: "end", status: "done", steps: 240, seconds: 4 });
    sink.close();
    expect(s.text()).toContain("before  acc 0.1\n");
    expect(s.text()).not.toContain("val  acc");
    expect(s.text()).toContain("epoch   loss   val.acc\n    1   0.25      0.75\n");
  });
});
