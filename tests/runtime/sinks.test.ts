/** What people see: pure lines from events and frames, and the terminal's cursor. */
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Frame, Point, RunEvent } from "../../runtime/events.ts";
import { curve, Series } from "../../runtime/sinks/curve.ts";
import { jsonSink } from "../../runtime/sinks/json.ts";
import { plainLine, plainSink, progressLine, quietSink } from "../../runtime/sinks/plain.ts";
import { bar, terminalSink, view } from "../../runtime/sinks/terminal.ts";
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
  it("the live lines fit the terminal", () => {
    const series = new Series("loss");
    for (let i = 0; i < 60; i++) series.add(1 / (1 + i));
    const lines = view({ frame, series: [series] }, 100);
    expect(`\n${lines.join("\n")}`).toMatchInlineSnapshot(`
      "
      train1  epoch 2/5  step 120/480  ━━━━━━──────────────────  30 step/s  0:12 left
      loss 0.1235  acc 0.9
           1 ⢱⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
        loss ⠸⡀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
      0.0167 ⠀⠈⠒⠤⠤⠤⠤⠤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀"
    `);
    for (const line of view({ frame, series: [series] }, 30)) expect(Array.from(line).length).toBeLessThan(30);
    expect(view({ series: [] }, 80)).toEqual([]);
  });
  it("prints scroll above the live lines; the cursor comes back", () => {
    const s = stage();
    const sink = terminalSink(s, s.out, () => 80);
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
});
