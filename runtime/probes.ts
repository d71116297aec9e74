/**
 * Values that a person watches, computed beside the training: between two ticks, with nothing under way, on the committed
 * slots and the batch of the last tick. Nothing is committed, drawn or measured, so a run is the same with and without
 * them; nothing runs when nobody listens or nothing has changed, and at most a fifth of the time goes here.
 */
import { Observable, type Subscriber } from "rxjs";
import { UserError } from "../lang/diagnostic.ts";
import type { Probe } from "../lang/probe.ts";
import type { DType } from "../lang/graph/node.ts";
import type { Segment } from "../lang/program.ts";
import type { Context } from "./context.ts";
import { look, lookAtRows, lookAtSlots } from "./look.ts";
import type { Stats } from "./stats.ts";

/** What is watched: a place of the script, as `compile(..).probes` gives it, or one of these. */
export type ProbeSpec =
  | Probe
  | { readonly slots: readonly string[] }
  /** A place that was asked for with rows of one's own, and these by field, row-major. */
  | { readonly probe: Probe; readonly rows: Readonly<Record<string, Float32Array | Int32Array>> }
  /** Fields of the rows that a block reads: the first `most` of them in the order of its first epoch. */
  | { readonly block: string; readonly fields: readonly string[]; readonly most: number };

export interface ProbeOptions {
  /** Milliseconds between two looks while it trains: 100. In a pause there is no waiting. */
  readonly every?: number;
  /** Values that are given of each tensor, from its beginning: 65536. Statistics are of all of them. */
  readonly limit?: number;
}

export type ProbeState =
  | {
      readonly kind: "value";
      /** Where the training stands. */
      readonly step: number;
      readonly epoch: number;
      readonly clock: "top" | "train" | "eval" | "between" | "slots" | "data";
      readonly block?: string;
      /** One for a tensor or a text, one for each value in a tuple, a record, a model or a list of slots. */
      readonly parts: readonly ProbedPart[];
    }
  | {
      readonly kind: "none";
      /**
       * `waiting`: its place is not reached yet, and there will be a value. `gone`: the program that runs now has no such
       * value. `failed`: it could not be computed, for want of memory say.
       */
      readonly reason: "waiting" | "gone" | "failed";
      readonly why: string;
    };

export type ProbedPart =
  | {
      readonly kind: "tensor";
      /** Empty where there is one part only. */
      readonly name: string;
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly axes: readonly (string | undefined)[];
      readonly classes?: number;
      readonly labels?: readonly string[];
      /** Row-major, cut to the limit; truths are 0 and 1. */
      readonly values: Float32Array | Int32Array;
      readonly stats: Stats;
    }
  | { readonly kind: "text"; readonly name: string; readonly text: string; readonly value?: number | boolean }
  | { readonly kind: "none"; readonly name: string; readonly why: string };

interface Watched {
  readonly spec: ProbeSpec;
  readonly every: number;
  readonly limit: number;
  readonly subscriber: Subscriber<ProbeState>;
  /** The moment that it shows, and the program. */
  shown: number;
  program?: Context["program"];
  /** What it shows never changes. */
  fixed: boolean;
  /** Not before this time. */
  next: number;
  segments: Set<Segment>;
}

const MOST_VALUES = 65536;
const EVERY_MS = 100;
/** Of the time that looks took, before the next ones. */
const REST = 4;

export class Probes {
  private readonly watched = new Set<Watched>();
  private readonly left: Segment[] = [];
  private readonly now: () => number;
  /** Goes on whenever a value may have changed. */
  private moment = 0;
  private begun = false;
  /** Until then the time belongs to the training. */
  private rest = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** `wake` is called when there is something to do. */
  watch(spec: ProbeSpec, options: ProbeOptions, wake: () => void): Observable<ProbeState> {
    return new Observable((subscriber) => {
      const watched: Watched = {
        spec,
        every: options.every ?? EVERY_MS,
        limit: options.limit ?? MOST_VALUES,
        subscriber,
        shown: -1,
        fixed: false,
        next: 0,
        segments: new Set(),
      };
      this.watched.add(watched);
      if (!this.begun) subscriber.next({ kind: "none", reason: "waiting", why: "the run has not begun" });
      wake();
      return () => {
        if (!this.watched.delete(watched) || watched.segments.size === 0) return;
        this.left.push(...watched.segments);
        wake();
      };
    });
  }

  begin(): void {
    this.begun = true;
  }

  get isWatched(): boolean {
    return this.watched.size > 0 || this.left.length > 0;
  }

  /** A tick was committed, an input was moved, something was computed. */
  touch(): void {
    this.moment++;
  }

  get wants(): boolean {
    if (this.left.length > 0) return true;
    if (this.watched.size === 0) return false;
    const now = this.now();
    if (now < this.rest) return false;
    return [...this.watched].some((each) => this.isBehind(each) && now >= each.next);
  }

  private isBehind(watched: Watched): boolean {
    return watched.shown !== this.moment && !watched.fixed;
  }

  /** Brings up to date what is due, or all of it. Only while nothing is under way on the device. */
  async refresh(context: Context, all = false): Promise<void> {
    for (const segment of this.left.splice(0)) await context.segments.drop(segment);
    let took = 0;
    for (const watched of [...this.watched]) {
      if (watched.program !== context.program) Object.assign(watched, { fixed: false, segments: new Set(), shown: -1 });
      watched.program = context.program;
      const begin = this.now();
      if (!this.isBehind(watched) || (!all && begin < Math.max(watched.next, this.rest))) continue;
      const { moment } = this;
      const state = await this.look(context, watched);
      const end = this.now();
      // The first look makes its kernels, which is done once.
      if (watched.shown >= 0) took += end - begin;
      Object.assign(watched, { shown: moment, next: end + watched.every });
      if (this.watched.has(watched)) watched.subscriber.next(state);
      else this.left.push(...watched.segments);
    }
    this.rest = Math.max(this.rest, this.now() + REST * took);
  }

  /** Nobody is answered any more. */
  close(): void {
    for (const { subscriber } of [...this.watched]) subscriber.complete();
    this.watched.clear();
  }

  private async look(context: Context, watched: Watched): Promise<ProbeState> {
    const { spec, limit } = watched;
    try {
      if ("slots" in spec) return await lookAtSlots(context, spec.slots, limit);
      const uses = (segment: Segment) => watched.segments.add(segment);
      const { state, fixed } =
        "fields" in spec
          ? lookAtRows(context, spec)
          : "rows" in spec
            ? await look(context, spec.probe, limit, uses, spec.rows)
            : await look(context, spec, limit, uses);
      watched.fixed = fixed;
      return state;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // What a probe cannot do is told where it would have shown; the training goes on.
      watched.fixed = true;
      const why = error instanceof UserError ? error.diagnostic.title : error.message;
      return { kind: "none", reason: "failed", why };
    }
  }
}
