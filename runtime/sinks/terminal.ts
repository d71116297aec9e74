/**
 * The live view of a terminal: a few lines at the bottom (bar, metrics, curves) that are redrawn in place, while prints
 * and results scroll above. Redrawn at most every 100 ms. The view is pure (`view`, state to lines); the sink below it
 * only moves the cursor.
 */
import { Subscription, asyncScheduler, merge, tap, throttleTime } from "rxjs";
import type { Frame, Point } from "../events.ts";
import { formatNumber } from "../format.ts";
import { Series, curve } from "./curve.ts";
import { plainLine } from "./plain.ts";
import type { Out, Sink, Watched } from "./sink.ts";
import { fraction, metricsText, passText, place, rate, timeLeft } from "./words.ts";

const REDRAW_MS = 100;
const CURVE_ROWS = 3;
const BAR = 24;
const SHORTEST_BAR = 6;
/** Curves side by side are read worse than one below the other, and more than these push the text away. */
const CURVES = 2;

export interface View {
  readonly frame?: Frame;
  readonly series: readonly Series[];
}

export function bar(done: number, width = BAR): string {
  const halves = Math.round(done * width * 2);
  const full = "━".repeat(halves >> 1);
  const half = halves % 2 === 1 ? "╸" : "";
  return full + half + "─".repeat(width - full.length - half.length);
}

/** The lines of the live region, none wider than the terminal. */
export function view({ frame, series }: View, columns: number): string[] {
  if (!frame) return [];
  const words = [`${passText(frame.run)}${frame.name}`, place(frame), rate(frame), timeLeft(frame)].filter(Boolean);
  const done = fraction(frame);
  // The bar takes what room the words leave.
  const room = Math.min(BAR, columns - 1 - words.join("  ").length - 2);
  if (done !== undefined && room >= SHORTEST_BAR) words.splice(2, 0, bar(done, room));
  const lines = [words.join("  "), metricsText(frame.metrics)].filter(Boolean);
  for (const { label, values } of series.slice(0, CURVES)) {
    if (values.length < 2) continue;
    const ends = [Math.max(...values), Math.min(...values)].map((value) => formatNumber(value, ".3g"));
    const margin = Math.max(...ends.map((text) => text.length), label.length);
    const rows = curve(values, Math.max(8, Math.min(60, columns - margin - 2)), CURVE_ROWS);
    const left = [ends[0] ?? "", label, ends[1] ?? ""];
    lines.push(...rows.map((row, i) => `${(left[i] ?? "").padStart(margin)} ${row}`));
  }
  return lines.map((line) =>
    Array.from(line)
      .slice(0, Math.max(1, columns - 1))
      .join(""),
  );
}

const HIDE = "\x1b[?25l";
const SHOW = "\x1b[?25h";
/** To the start of the first live line, and clear from there. */
const up = (lines: number) => `\r${lines > 0 ? `\x1b[${lines}A` : ""}\x1b[J`;

export function terminalSink(session: Watched, out: Out, columns: () => number): Sink {
  const series = new Map<string, Series>();
  let frame: Frame | undefined;
  let drawn = 0;
  let hidden = false;

  const clear = () => {
    if (drawn > 0) out.stdout(up(drawn));
    drawn = 0;
  };
  const draw = () => {
    const lines = view({ frame, series: [...series.values()] }, columns());
    if (lines.length === 0) return clear();
    out.stdout(`${hidden ? "" : HIDE}${up(drawn)}${lines.join("\n")}\n`);
    hidden = true;
    drawn = lines.length;
  };
  /** What was drawn last stays on the screen: the end of a block and of the program. */
  const leave = () => {
    clear();
    draw();
    drawn = 0;
  };
  const plot = ({ label, value }: Point) => {
    const one = series.get(label) ?? new Series(label);
    series.set(label, one);
    one.add(value);
  };

  const all = new Subscription();
  all.add(
    session.events$.subscribe((event) => {
      // The bar shows what a train event says.
      if (event.event === "train") return;
      const line = plainLine(event, out.script);
      if (event.event === "end") {
        leave();
        frame = undefined;
      } else clear();
      if ("diagnostic" in event) out.stderr(`${out.message(event.diagnostic)}\n`);
      else if (line !== undefined) out.stdout(`${line}\n`);
      draw();
    }),
  );
  const moves = merge(
    session.points$.pipe(tap(plot)),
    session.frames$.pipe(
      tap((next) => {
        // Each block, and each pass, draws its own curves.
        if (frame && (next.name !== frame.name || next.run !== frame.run)) {
          leave();
          series.clear();
        }
        frame = next;
      }),
    ),
  );
  all.add(moves.pipe(throttleTime(REDRAW_MS, asyncScheduler, { leading: true, trailing: true })).subscribe(draw));
  const close = () => {
    all.unsubscribe();
    clear();
    if (hidden) out.stdout(SHOW);
    hidden = false;
  };
  return { close };
}
