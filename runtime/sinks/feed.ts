/**
 * A session as messages for a page: what happened since the last one, at most twenty times a second however quick the
 * steps are. Plain data and typed arrays, made to be posted from a worker. Of the curves nothing is left out below the
 * length of a `PointList`; of all else the newest, or the first few, with a count of the others. Who listens says what it
 * has taken, and is sent no more than a few messages ahead: what comes meanwhile is joined into the next.
 */
import { Subscription, type Observable } from "rxjs";
import type { Mode } from "../clock.ts";
import type { Frame, Metrics, RunEvent, ShownItem, TickMetrics } from "../events.ts";
import { MOST_POINTS, PointList, type Points } from "./series.ts";
import type { Watched } from "./sink.ts";

export interface FeedSource extends Watched {
  readonly metrics$: Observable<TickMetrics>;
  readonly mode$: Observable<Mode>;
}

export interface FeedOptions {
  /** Milliseconds between messages at least: 50. */
  readonly every?: number;
  /** Points of a series in one message at most. */
  readonly points?: number;
  /** Lines that are printed, other events, and items that are shown, in one message at most: 500. */
  readonly most?: number;
  /** Series of a kind at most: 1000. */
  readonly series?: number;
  /** Messages that may wait to be taken; without it nobody says so. */
  readonly ahead?: number;
}

/** Characters that are printed, and numbers that are shown, in one message. */
const MOST_CHARACTERS = 100_000;
const MOST_NUMBERS = 2 ** 18;

/** What a series is of: a `plot`, a metric of each tick, of an epoch, of an eval, or a `record`. */
export type SeriesKind = "plot" | "metric" | "epoch" | "eval" | "record";

/** New points of a series, in the order in which they came; its steps begin again where its block does. */
export interface SeriesPart extends Points {
  /** The same in every message. */
  readonly id: number;
  readonly kind: SeriesKind;
  /** `loss`, of an eval `val.acc`. */
  readonly label: string;
  /** The block around it, and the pass of a top-level `for`. */
  readonly block?: string;
  readonly run?: number;
}

type Measured = Extract<RunEvent, { readonly event: "train" | "eval" }>;

export interface FeedMessage {
  readonly series: readonly SeriesPart[];
  /** The newest of each, where there is a new one. */
  readonly frame?: Frame;
  readonly mode?: Mode;
  /** By what it shows. */
  readonly shown: readonly { readonly run?: number; readonly items: readonly ShownItem[] }[];
  /** Metrics of epochs and evals, tensors too. */
  readonly measured: readonly Measured[];
  readonly prints: readonly { readonly run?: number; readonly text: string }[];
  /** All other events, in order: start, input, swap, saved, warnings, the error, the end. */
  readonly events: readonly RunEvent[];
  /** How many of them were left out, because there were too many; of series, since the beginning. */
  readonly left: { readonly prints: number; readonly events: number; readonly series: number };
}

export interface Feed {
  /** Sends what waits now. */
  flush(): void;
  /** A message was taken. */
  took(): void;
  close(): void;
}

/** `send` is given the buffers that may be handed over with the message. */
export function feed(
  source: FeedSource,
  send: (message: FeedMessage, buffers: ArrayBuffer[]) => void,
  options: FeedOptions = {},
): Feed {
  return new Feeding(source, send, options);
}

interface Series extends Omit<SeriesPart, "steps" | "values"> {
  readonly points: PointList;
}

class Feeding implements Feed {
  private readonly send: (message: FeedMessage, buffers: ArrayBuffer[]) => void;
  private readonly every: number;
  private readonly points: number;
  private readonly most: number;
  private readonly mostSeries: number;
  private readonly ahead: number;
  private waiting = 0;
  private readonly all = new Subscription();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = -Infinity;
  private closed = false;

  private readonly series = new Map<string, Series>();
  private block: string | undefined;
  private frame: Frame | undefined;
  private mode: Mode | undefined;
  private readonly shown = new Map<string, FeedMessage["shown"][number]>();
  private readonly measured = new Map<string, Measured>();
  private readonly prints: { run?: number; text: string }[] = [];
  private readonly events: RunEvent[] = [];
  private characters = 0;
  /** Series of each kind. */
  private readonly kinds = new Map<SeriesKind, number>();
  private readonly refused = new Set<string>();
  private readonly left = { prints: 0, events: 0 };

  constructor(source: FeedSource, send: (message: FeedMessage, buffers: ArrayBuffer[]) => void, options: FeedOptions) {
    const { every = 50, points = MOST_POINTS, most = 500, series = 1000, ahead = Infinity } = options;
    [this.send, this.every, this.points, this.most] = [send, every, points, most];
    [this.mostSeries, this.ahead] = [series, ahead];
    this.all.add(source.mode$.subscribe((mode) => this.hear(() => (this.mode = mode))));
    this.all.add(
      source.frames$.subscribe((frame) =>
        this.hear(() => {
          this.block = frame.name;
          this.frame = frame;
        }),
      ),
    );
    this.all.add(
      source.points$.subscribe(({ label, run, step, value }) =>
        this.hear(() => this.add("plot", label, this.block, run, step, value)),
      ),
    );
    this.all.add(
      source.metrics$.subscribe(({ name, run, step, metrics }) =>
        this.hear(() => {
          for (const label in metrics) this.add("metric", label, name, run, step, metrics[label]!);
        }),
      ),
    );
    this.all.add(source.events$.subscribe((event) => this.hear(() => this.take(event))));
  }

  private hear(note: () => void): void {
    note();
    this.plan();
  }

  private plan(): void {
    if (this.timer !== undefined || this.closed || this.waiting >= this.ahead) return;
    const wait = Math.max(0, this.last + this.every - performance.now());
    this.timer = setTimeout(() => this.turn(), wait);
  }

  private add(
    kind: SeriesKind,
    label: string,
    block: string | undefined,
    run: number | undefined,
    step: number,
    value: number,
  ): void {
    const key = `${kind} ${run ?? ""} ${block ?? ""} ${label}`;
    let series = this.series.get(key);
    const before = this.kinds.get(kind) ?? 0;
    if (!series && before >= this.mostSeries) return void this.refused.add(key);
    if (!series) {
      const of = { ...(block === undefined ? {} : { block }), ...(run === undefined ? {} : { run }) };
      series = { id: this.series.size, kind, label, ...of, points: new PointList(this.points) };
      this.kinds.set(kind, before + 1);
      this.series.set(key, series);
    }
    series.points.add(step, value);
  }

  private addAll(
    kind: SeriesKind,
    prefix: string,
    event: { block?: string; run?: number; step: number },
    all: Metrics,
  ) {
    for (const [name, value] of Object.entries(all))
      if (typeof value === "number") this.add(kind, prefix + name, event.block, event.run, event.step, value);
  }

  private take(event: RunEvent): void {
    switch (event.event) {
      case "train":
        // Those of steps come as metrics of ticks.
        if (event.fold !== "epoch") return;
        this.addAll("epoch", "", { ...event, block: event.name }, event.metrics);
        this.measured.set(`train ${event.run} ${event.name}`, event);
        return;
      case "eval":
        this.addAll("eval", `${event.name}.`, { ...event, block: this.block }, event.metrics);
        this.measured.set(`eval ${event.run} ${event.name}`, event);
        return;
      case "record":
        this.addAll("record", "", { ...event, block: this.block }, event.metrics);
        return;
      case "print": {
        const { run, text } = event;
        this.characters += text.length;
        if (this.prints.length >= this.most || this.characters > MOST_CHARACTERS) this.left.prints++;
        else this.prints.push(run === undefined ? { text } : { run, text });
        return;
      }
      case "show": {
        const { run, items } = event;
        const key = `${run} ${items.map(({ label }) => label).join("\n")}`;
        if (this.shown.size < this.most || this.shown.has(key))
          this.shown.set(key, run === undefined ? { items } : { run, items });
        else this.left.events++;
        return;
      }
      case "end":
        this.events.push(event);
        this.turn();
        return;
      default:
        if (this.events.length < this.most || event.event === "error") this.events.push(event);
        else this.left.events++;
    }
  }

  private turn(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting < this.ahead) this.flush();
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.closed) return;
    const { frame, mode } = this;
    const series = [...this.series.values()].flatMap(({ points, ...of }): SeriesPart[] =>
      points.length > 0 ? [{ ...of, ...points.take() }] : [],
    );
    const message: FeedMessage = {
      series,
      ...(frame ? { frame } : {}),
      ...(mode ? { mode } : {}),
      shown: bounded([...this.shown.values()]),
      measured: [...this.measured.values()],
      prints: this.prints.splice(0),
      events: this.events.splice(0),
      left: { ...this.left, series: this.refused.size },
    };
    [this.frame, this.mode] = [undefined, undefined];
    this.shown.clear();
    this.measured.clear();
    Object.assign(this.left, { prints: 0, events: 0 });
    this.characters = 0;
    const { shown, measured, prints, events } = message;
    if (!frame && !mode && [series, shown, measured, prints, events].every(({ length }) => length === 0)) return;
    this.last = performance.now();
    this.waiting++;
    this.send(
      message,
      series.flatMap(({ steps, values }) => [steps.buffer, values.buffer]),
    );
  }

  took(): void {
    this.waiting = Math.max(0, this.waiting - 1);
    this.plan();
  }

  close(): void {
    this.flush();
    this.closed = true;
    clearTimeout(this.timer);
    this.all.unsubscribe();
  }
}

/** Pictures as many as there is room for; of a value that has none, no numbers. */
function bounded(shown: FeedMessage["shown"]): FeedMessage["shown"] {
  let room = MOST_NUMBERS;
  return shown.map(({ items, ...of }) => ({
    ...of,
    items: items.map((item) => {
      const size = item.shape.slice(-2).reduce((all, n) => all * n, 1);
      const { length } = item.values;
      const fits = length <= room ? length : Math.floor(room / Math.max(1, size)) * size;
      room -= fits;
      return fits === length ? item : { ...item, values: item.values.slice(0, fits) };
    }),
  }));
}
