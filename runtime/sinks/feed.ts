/**
 * A session as messages for a page: what happened since the last one, at most twenty times a second however quick the
 * steps are. Plain data and typed arrays, made to be posted from a worker. Of the curves nothing is left out below the
 * length of a `PointList`; of all else the newest, or the first few, with a count of the others.
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
  /** Lines that are printed, and other events, in one message at most: 500. */
  readonly most?: number;
}

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
  /** How many of them were left out, because there were too many. */
  readonly left: { readonly prints: number; readonly events: number };
}

export interface Feed {
  /** Sends what waits now. */
  flush(): void;
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
  private readonly left = { prints: 0, events: 0 };

  constructor(source: FeedSource, send: (message: FeedMessage, buffers: ArrayBuffer[]) => void, options: FeedOptions) {
    const { every = 50, points = MOST_POINTS, most = 500 } = options;
    [this.send, this.every, this.points, this.most] = [send, every, points, most];
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
    if (this.timer !== undefined || this.closed) return;
    const wait = Math.max(0, this.last + this.every - performance.now());
    this.timer = setTimeout(() => this.flush(), wait);
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
    if (!series) {
      const of = { ...(block === undefined ? {} : { block }), ...(run === undefined ? {} : { run }) };
      series = { id: this.series.size, kind, label, ...of, points: new PointList(this.points) };
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
        if (this.prints.length < this.most) this.prints.push(run === undefined ? { text } : { run, text });
        else this.left.prints++;
        return;
      }
      case "show": {
        const { run, items } = event;
        const key = `${run} ${items.map(({ label }) => label).join("\n")}`;
        this.shown.set(key, run === undefined ? { items } : { run, items });
        return;
      }
      case "end":
        this.events.push(event);
        this.flush();
        return;
      default:
        if (this.events.length < this.most || event.event === "error") this.events.push(event);
        else this.left.events++;
    }
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
      shown: [...this.shown.values()],
      measured: [...this.measured.values()],
      prints: this.prints.splice(0),
      events: this.events.splice(0),
      left: { ...this.left },
    };
    [this.frame, this.mode] = [undefined, undefined];
    this.shown.clear();
    this.measured.clear();
    Object.assign(this.left, { prints: 0, events: 0 });
    const { shown, measured, prints, events } = message;
    if (!frame && !mode && [series, shown, measured, prints, events].every(({ length }) => length === 0)) return;
    this.last = performance.now();
    this.send(
      message,
      series.flatMap(({ steps, values }) => [steps.buffer, values.buffer]),
    );
  }

  close(): void {
    this.flush();
    this.closed = true;
    clearTimeout(this.timer);
    this.all.unsubscribe();
  }
}
