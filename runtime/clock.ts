/**
 * The clock: ticks with credit. A tick is drawn, started on the device, and settled (folds, sinks, reactions) in
 * order; up to `credit` ticks are in flight. A tick that halts the device takes back the later ones, which committed
 * nothing, and they are started again after its reaction: a run is the same whatever was in flight.
 * The loop gives way to the event loop about every 50 ms, not each tick: a timer per tick would cost more than a small step.
 */
import { BehaviorSubject, Observable, filter, firstValueFrom, map, merge, race, skip, timer } from "rxjs";

/** Ticks in flight more, for each that did not halt: after a halt those behind it run twice. */
const GROWTH = 0.25;

/** Milliseconds: long enough to cost nothing, short enough for a signal to feel immediate. */
const BREATH_MS = 50;

export type Mode = "paused" | "playing" | "stopped";

/** Who may draw a tick: everyone while playing, one per `step` while paused, no one after `stop`. */
export class Gate {
  readonly mode$ = new BehaviorSubject<Mode>("paused");
  private readonly single$ = new BehaviorSubject(0);
  private woken = false;
  private holds = 0;
  /** Milliseconds from tick to tick; 0 is as fast as it goes. */
  private interval = 0;
  /** When the next tick may be drawn, by `performance.now`. */
  private next = 0;

  get mode(): Mode {
    return this.mode$.value;
  }
  get stopped(): boolean {
    return this.mode === "stopped";
  }
  /** At most so many ticks a second while playing. */
  pace(perSecond: number): void {
    this.interval = 1000 / perSecond;
    this.next = 0;
    this.wake();
  }
  /** A stopped gate stays stopped. */
  to(mode: Mode): void {
    if (!this.stopped && mode !== this.mode) this.mode$.next(mode);
  }
  step(): void {
    this.to("paused");
    this.single$.next(this.single$.value + 1);
  }
  /** No tick is drawn until what it gives is called. */
  hold(): () => void {
    this.holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.holds--;
      this.wake();
    };
  }
  /** Whether a tick may be drawn now; uses up a single step. */
  take(): boolean {
    if (this.holds > 0) return false;
    if (this.mode === "playing") {
      const now = performance.now();
      if (now < this.next) return false;
      // what a busy moment held up is not made up for
      this.next = Math.max(this.next + this.interval, now);
      return true;
    }
    if (this.stopped || this.single$.value === 0) return false;
    this.single$.next(this.single$.value - 1);
    return true;
  }
  /** Resolves when `take` is worth asking again, the gate is stopped, or someone called `wake`. */
  async wait(): Promise<void> {
    const early = this.next - performance.now();
    if (this.mode === "playing" && early > 0) return this.rest(early);
    const open = merge(this.mode$, this.single$).pipe(
      map(
        () => this.woken || this.stopped || (this.holds === 0 && (this.mode === "playing" || this.single$.value > 0)),
      ),
      filter(Boolean),
    );
    await firstValueFrom(open);
    this.woken = false;
  }
  /** Until it is time, or something changes. */
  private async rest(milliseconds: number): Promise<void> {
    const changed = merge(this.mode$.pipe(skip(1)), this.single$.pipe(skip(1)));
    await firstValueFrom(race(timer(milliseconds), changed));
    this.woken = false;
  }
  /** Whoever waits looks around, also in a pause. */
  wake(): void {
    this.woken = true;
    this.single$.next(this.single$.value);
  }
}

/** Seconds of playing; pauses do not count. */
export class Stopwatch {
  private total = 0;
  private since: number | undefined;
  private readonly now: () => number;
  private readonly subscription;
  /** `before`: seconds that are behind already. */
  constructor(gate: Gate, now: () => number, before = 0) {
    this.now = now;
    this.total = 1000 * before;
    this.subscription = gate.mode$.subscribe((mode) => {
      if (mode === "playing") this.since ??= now();
      else {
        this.total = this.seconds * 1000;
        this.since = undefined;
      }
    });
  }
  get seconds(): number {
    return (this.total + (this.since === undefined ? 0 : this.now() - this.since)) / 1000;
  }
  dispose(): void {
    this.subscription.unsubscribe();
  }
}

/** Gives way to the event loop when it is due. */
export class Breath {
  private last = performance.now();
  private readonly every: number;
  constructor(every = BREATH_MS) {
    this.every = every;
  }
  get due(): boolean {
    return performance.now() - this.last >= this.every;
  }
  async take(): Promise<void> {
    await macrotask();
    this.last = performance.now();
  }
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/** What running one tick gave. */
export interface Ran<R> {
  readonly result: R;
  /** The device does nothing more until it is resumed. */
  readonly halted: boolean;
  /** The tick halted before its last segment: runs what is left, once the device is resumed. */
  readonly rest?: () => Promise<Ran<R>>;
}

export interface TickLoop<T, R> {
  /** Ticks in flight; may change from tick to tick. */
  readonly credit: number;
  readonly gate: Gate;
  /** False for ticks that can be stopped but not paused: an eval pass. */
  readonly paced: boolean;
  readonly breath: Breath;
  /** Undefined at the end, however often it is asked. */
  draw(): T | undefined;
  start(tick: T): Promise<Ran<R>>;
  /** Nothing may be in flight behind this tick, because its reactions read what it committed. */
  barrier(tick: T): boolean;
  /** The device is halted and idle: resume it. `later` are the ticks that it skipped, in order. */
  rewind(later: readonly T[]): void;
  /** In order of the ticks. `stop` ends the loop. */
  settle(tick: T, result: R): Promise<"go" | "stop">;
  /** After a settled tick with nothing in flight; true in `wants` stops new ticks until then. */
  wants?(): boolean;
  between?(): Promise<"go" | "stop">;
  /** True ends the loop after the tick, also in a pause and before the first tick. */
  leaves?(): boolean;
  /** In a pause, before the loop waits, with nothing in flight. */
  idle?(): Promise<void>;
  /** Each time the loop gives way. */
  breathe?(): Promise<void> | void;
}

/** Emits each settled tick; completes at the end, at `stop`, or when the gate is stopped. */
export function ticks<T, R>(loop: TickLoop<T, R>): Observable<T> {
  return new Observable((subscriber) => {
    drive(
      loop,
      (tick) => subscriber.next(tick),
      () => subscriber.closed,
    ).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
}

/** A tick in flight. Its error is kept as a value: the loop meets it in order, and none goes unhandled. */
interface Flight<T, R> {
  readonly tick: T;
  readonly ran: Promise<{ readonly ran: Ran<R> } | { readonly error: unknown }>;
}

async function drive<T, R>(loop: TickLoop<T, R>, emit: (tick: T) => void, closed: () => boolean): Promise<void> {
  const flight: Flight<T, R>[] = [];
  const again: T[] = [];
  let room = Infinity;

  const shut = () => loop.gate.stopped || closed();
  const draw = async (): Promise<T | undefined> => {
    while (!shut() && !loop.leaves?.() && loop.paced && !loop.gate.take()) {
      // What is in flight must settle before a pause holds the clock.
      if (flight.length > 0) return undefined;
      await loop.breathe?.();
      await loop.idle?.();
      await loop.gate.wait();
    }
    return shut() || loop.leaves?.() ? undefined : (again.shift() ?? loop.draw());
  };
  const start = (tick: T): Flight<T, R> => ({
    tick,
    ran: loop.start(tick).then(
      (ran) => ({ ran }),
      (error: unknown) => ({ error }),
    ),
  });

  for (;;) {
    let last = flight.at(-1);
    while (
      flight.length < Math.min(loop.credit, Math.floor(room)) &&
      !(last && (loop.barrier(last.tick) || loop.wants?.()))
    ) {
      const tick = await draw();
      if (tick === undefined) break;
      last = start(tick);
      flight.push(last);
    }
    const head = flight.shift();
    if (!head) return;
    try {
      const outcome = await head.ran;
      if ("error" in outcome) throw outcome.error;
      let { ran } = outcome;
      room += GROWTH;
      if (ran.halted) {
        room = 1;
        const later = flight.splice(0);
        await Promise.all(later.map((each) => each.ran));
        again.unshift(...later.map((each) => each.tick));
        loop.rewind(later.map((each) => each.tick));
        while (ran.rest) {
          ran = await ran.rest();
          if (ran.halted) loop.rewind([]);
        }
      }
      let verdict = await loop.settle(head.tick, ran.result);
      emit(head.tick);
      if (verdict === "go" && flight.length === 0 && loop.wants?.()) verdict = (await loop.between?.()) ?? "go";
      if (verdict === "stop") {
        await Promise.all(flight.map((each) => each.ran));
        return;
      }
    } catch (error) {
      await Promise.all(flight.map((each) => each.ran));
      throw error;
    }
    if (loop.breath.due) {
      await loop.breathe?.();
      await loop.breath.take();
    }
  }
}
