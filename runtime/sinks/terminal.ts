/**
 * The live view of a terminal: a few lines at the bottom (bar, metrics, what each epoch gave, curves) that are redrawn in
 * place, while prints and results scroll above. Redrawn at most every 100 ms. The view is pure (`view`, state and size to
 * lines); the sink below it only moves the cursor.
 */
import { Subscription, asyncScheduler, merge, tap, throttleTime } from "rxjs";
import type { Frame, Point, RunEvent } from "../events.ts";
import { formatNumber } from "../format.ts";
import { Series, curve } from "./curve.ts";
import { History } from "./history.ts";
import { plainLine } from "./plain.ts";
import type { Out, Sink, Watched } from "./sink.ts";
import { fraction, metricsText, passText, place, rate, timeLeft } from "./words.ts";

const REDRAW_MS = 100;
const CURVE_ROWS = 3;
const WIDEST_CURVE = 60;
const NARROWEST_CURVE = 8;
const BAR = 24;
const SHORTEST_BAR = 6;
/** Lines of the table at most, its header too. */
const TABLE_ROWS = 7;
/** The part of the terminal that the live lines may take; the rest is for what the script prints. */
const SHARE = 2 / 3;

export interface View {
  readonly frame?: Frame;
  readonly series: readonly Series[];
  readonly history: History;
}

/** Of the terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export function bar(done: number, width = BAR): string {
  const halves = Math.round(done * width * 2);
  const full = "━".repeat(halves >> 1);
  const half = halves % 2 === 1 ? "╸" : "";
  return full + half + "─".repeat(width - full.length - half.length);
}

/** The lines of the live region: none reaches the right edge, and all together leave room for what scrolls above. */
export function view({ frame, series, history }: View, { columns, rows }: Size): string[] {
  if (!frame) return [];
  const width = Math.max(1, columns - 1);
  const room = Math.max(1, Math.floor(rows * SHARE));
  const lines = [progress(frame, width), metrics(frame, width)].filter(Boolean);
  const drawn = series.filter(({ values }) => values.length > 1);
  // One curve first, then the table, then as many more curves as fit.
  const spare = room - lines.length - (drawn.length > 0 ? CURVE_ROWS : 0);
  lines.push(...history.lines(width, Math.min(TABLE_ROWS, spare)));
  lines.push(...curves(drawn.slice(0, Math.floor((room - lines.length) / CURVE_ROWS)), width));
  return lines.slice(0, room).map((line) => Array.from(line).slice(0, width).join(""));
}

const GAP = "  ";
const widthOf = (words: readonly string[]) => words.join(GAP).length;

/** What does not fit goes, the least needed first; the bar takes what room the words leave. */
function progress(frame: Frame, width: number): string {
  const name = `${passText(frame.run)}${frame.name}`;
  const [where, speed, left] = [place(frame), rate(frame), timeLeft(frame)];
  const shorter = [[name, where, speed, left], [name, where, left], [name, where], [where]];
  const words = (shorter.find((some) => widthOf(some.filter(Boolean)) <= width) ?? [where]).filter(Boolean);
  const done = fraction(frame);
  const spare = Math.min(BAR, width - widthOf(words) - GAP.length);
  if (done !== undefined && spare >= SHORTEST_BAR) words.splice(words.indexOf(where) + 1, 0, bar(done, spare));
  return words.join(GAP);
}

/** Whole metrics only: half a number is another number. */
function metrics(frame: Frame, width: number): string {
  const words = metricsText(frame.metrics).split(GAP);
  while (words.length > 1 && widthOf(words) > width) words.pop();
  return words.join(GAP);
}

/** One below the other, on one margin. */
function curves(series: readonly Series[], width: number): string[] {
  const captions = series.map(({ label, values }) => {
    const [high, low] = [Math.max(...values), Math.min(...values)].map((value) => formatNumber(value, ".3g"));
    return [high ?? "", label, low ?? ""];
  });
  const margin = Math.max(0, ...captions.flat().map((text) => text.length));
  const wide = Math.max(NARROWEST_CURVE, Math.min(WIDEST_CURVE, width - margin - 1));
  return series.flatMap(({ values }, i) =>
    curve(values, wide, CURVE_ROWS).map((row, at) => `${(captions[i]?.[at] ?? "").padStart(margin)} ${row}`),
  );
}

/** Rows that lines take in a terminal of this width: one that has become narrower has wrapped them. */
export function heightOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Array.from(line).length / Math.max(1, columns))), 0);
}

const HIDE = "\x1b[?25l";
const SHOW = "\x1b[?25h";
/** To the start of the first live line, and clear from there. */
const up = (lines: number) => `\r${lines > 0 ? `\x1b[${lines}A` : ""}\x1b[J`;

export function terminalSink(session: Watched, out: Out, size: () => Size): Sink {
  const series = new Map<string, Series>();
  let frame: Frame | undefined;
  const history = new History();
  let drawn: readonly string[] = [];
  let hidden = false;

  const clear = () => {
    if (drawn.length > 0) out.stdout(up(heightOf(drawn, size().columns)));
    drawn = [];
  };
  const draw = () => {
    const now = size();
    const lines = view({ frame, series: [...series.values()], history }, now);
    if (lines.length === 0) return clear();
    out.stdout(`${hidden ? "" : HIDE}${up(heightOf(drawn, now.columns))}${lines.join("\n")}\n`);
    hidden = true;
    drawn = lines;
  };
  /** What was drawn last stays on the screen: the end of a block and of the program. */
  const leave = () => {
    clear();
    draw();
    drawn = [];
  };
  const plot = ({ label, value }: Point) => {
    const one = series.get(label) ?? new Series(label);
    series.set(label, one);
    one.add(value);
  };

  /** Whether the live lines show it, so that it needs no line of its own. */
  const keep = (event: RunEvent): boolean => {
    if (!frame || (event.event !== "train" && event.event !== "eval") || event.run !== frame.run) return false;
    if (event.event === "eval") history.add(frame.limit, event, event.metrics, event.name);
    else if (event.fold === "epoch" && event.name === frame.name) history.add(frame.limit, event, event.metrics);
    return true;
  };

  const all = new Subscription();
  all.add(
    session.events$.subscribe((event) => {
      // The bar shows what a train event says.
      if (keep(event) || event.event === "train") return;
      const line = plainLine(event, out.script, size().columns);
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
          history.clear();
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
