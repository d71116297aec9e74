/**
 * A session runs one checked program on one device: play, pause, one step, live inputs, stop. What happens is told on
 * `events$` (every line of `dlx run --json`) and, for people who watch, on `frames$` and `points$`; subscribe before
 * `play`. A user's mistake while running ends the program as `failed` with its message; ours rejects `done`.
 */
import { BehaviorSubject, firstValueFrom, Subject, type Observable } from "rxjs";
import { SOFTWARE, type Device, type Numbers } from "../gpu/device.ts";
import { UserError } from "../lang/diagnostic.ts";
import { shapesGraph } from "../lang/errors/running.ts";
import type { Program } from "../lang/program.ts";
import { comingOf, makeReady, type Coming } from "./ahead.ts";
import { runActions, savedFiles, type Flow } from "./actions.ts";
import { DataTables } from "./batches.ts";
import { Breath, Gate, type Mode } from "./clock.ts";
import { scopeOf, type Context } from "./context.ts";
import type { EndEvent, Frame, Inputs, InputValue, Point, RunEvent, SwapReport, TickMetrics } from "./events.ts";
import type { Host, HostMath } from "./host.ts";
import { Interrupted } from "./interrupted.ts";
import { kernelsOf, Profiling, viewedDevice, type SegmentKernels } from "./inspect/index.ts";
import { fullOfSlots } from "./memory.ts";
import { Probes, type ProbeOptions, type ProbeSpec, type ProbeState } from "./probes.ts";
import { Segments } from "./segments.ts";
import { parameterCount, StateTable } from "./state.ts";
import { goOn, snapshotOf, type Snapshot } from "./swap.ts";
import { HostValues } from "./values.ts";

export interface SessionOptions {
  readonly program: Program;
  /** Opened and disposed by the caller. */
  readonly device: Device;
  readonly host: Host;
  readonly math: HostMath;
  /** Checks the script again with other values of its inputs; undefined when it does not check. */
  readonly recompile?: (inputs: Inputs) => Promise<Program | undefined>;
  /** Values of inputs that differ from the script's. */
  readonly inputs?: Inputs;
  /** At most so many steps in each train block. */
  readonly maxSteps?: number;
  /** A train event each so many steps: 100. */
  readonly every?: number;
  /** Ticks in flight; by default what suits the device. */
  readonly credit?: number;
  /** Milliseconds after which the loop gives way to what else the thread has to do: 50. */
  readonly breath?: number;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** Ticks in flight, whatever the device says. */
const MOST_IN_FLIGHT = 96;

/** How many swaps can be undone; each holds a copy of the state. */
const SNAPSHOTS = 16;

interface Change {
  /** Undefined: back to the last snapshot. */
  readonly program: Program | undefined;
  /** In the place of those that slots have now. */
  readonly values?: ReadonlyMap<string, Numbers>;
  readonly done: (report: SwapReport | undefined) => void;
}

export function createSession(options: SessionOptions): Session {
  return new Session(options);
}

export class Session {
  /** Resolves with the end event. */
  readonly done: Promise<EndEvent>;
  private context: Context;
  private readonly options: SessionOptions;
  /** What waits for the end of the tick, in the order it was asked for. */
  private readonly changes: Change[] = [];
  private readonly snapshots: Snapshot[] = [];
  private coming: Coming | undefined;
  /** Lets the steps go on that wait until it is made ready. */
  private go = () => {};
  private finished!: { resolve: (end: EndEvent) => void; reject: (error: unknown) => void };
  private begun = false;
  private ended = false;
  /** Behind the end: the last look at what is probed. */
  private looked: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.options = options;
    this.context = contextOf(options);
    this.done = new Promise((resolve, reject) => (this.finished = { resolve, reject }));
  }

  get events$(): Observable<RunEvent> {
    return this.context.events$;
  }
  get frames$(): Observable<Frame> {
    return this.context.frames$;
  }
  get points$(): Observable<Point> {
    return this.context.points$;
  }
  /** The scalar metrics of every tick. */
  get metrics$(): Observable<TickMetrics> {
    return this.context.metrics$;
  }
  get mode$(): Observable<Mode> {
    return this.context.gate.mode$;
  }
  get inputs$(): Observable<Inputs> {
    return this.context.inputs$;
  }

  play(): void {
    this.context.gate.to("playing");
    this.begin();
  }
  pause(): void {
    this.context.gate.to("paused");
  }
  /** One tick of a train block with all that reacts to it, then paused. */
  step(): void {
    this.context.gate.step();
    this.begin();
  }
  /** At most so many ticks a second while playing; Infinity is as fast as it goes. */
  pace(perSecond: number): void {
    this.context.gate.pace(perSecond);
  }
  /** Finishes the current tick, then ends. */
  stop(): void {
    this.context.gate.to("stopped");
  }

  get program(): Program {
    return this.context.program;
  }

  /**
   * A live input is sampled by the next tick. One that shapes the program has it checked again and swapped in; without
   * `recompile`, or when it does not check, there is a warning and nothing changes.
   */
  async set(name: string, value: InputValue): Promise<SwapReport | undefined> {
    const { program, inputs$, events$ } = this.context;
    const input = program.inputs.find((each) => each.name === name);
    if (!input) throw new Error(`expected an input of the program, got ${name}`);
    if (input.kind === "live") {
      inputs$.next({ ...inputs$.value, [name]: value });
      if (this.begun) events$.next({ event: "input", step: this.context.drawn.step + 1, name, value });
      this.context.probes.touch();
      this.lookAgain();
      return undefined;
    }
    const next = await this.options.recompile?.({ ...inputs$.value, [name]: value });
    if (next) return this.swap(next);
    events$.next({ event: "warning", diagnostic: shapesGraph(name, input.span) });
    return undefined;
  }

  /**
   * A program that may be the next: what it begins with is made ready beside the run, which changes nothing of it. What
   * goes wrong here goes wrong again when it is swapped in, and is told then.
   */
  async ahead(program: Program): Promise<void> {
    if (!this.begun || this.ended || this.coming?.program === program) return;
    this.abandon();
    const { context } = this;
    const coming = (this.coming = comingOf(context, program));
    // there the processors compute the steps too, and shaders are compiled twice as fast without them
    const go = context.device.info.features.includes(SOFTWARE) ? context.gate.hold() : () => undefined;
    this.go = go;
    try {
      await makeReady(context, coming);
    } catch {
      // it may need room that the program before it still has
      if (this.coming === coming) this.abandon();
    } finally {
      go();
    }
  }

  /** What was made ready does not come. */
  private abandon(): void {
    this.go();
    this.coming?.segments.release();
    this.coming = undefined;
  }

  /** What was made ready for this program, or nothing yet. */
  private take(program: Program): Coming {
    const { coming } = this;
    if (coming?.program !== program) return comingOf(this.context, program);
    this.go();
    this.coming = undefined;
    return coming;
  }

  /**
   * Puts another program in the place of this one after the tick that runs now, also in a pause. Undefined when the
   * program ended first.
   */
  swap(program: Program): Promise<SwapReport | undefined> {
    void this.ahead(program);
    return this.change(program);
  }

  /** Back to where the last swap left, as if it had not been; undefined when there is nothing to go back to. */
  undo(): Promise<SwapReport | undefined> {
    return this.change(undefined);
  }

  /**
   * Gives slots other values after the tick that runs now, also in a pause and before the first tick; `undo` takes them
   * back. Undefined when the program ended first.
   */
  write(values: ReadonlyMap<string, Numbers>): Promise<SwapReport | undefined> {
    this.begin();
    return this.change(this.context.program, values);
  }

  /**
   * The value of a place of the script, or of slots, while somebody listens: at most every so many milliseconds, at once in
   * a pause and behind the end. Never an error; completes when the session is disposed of.
   */
  probe(spec: ProbeSpec, options: ProbeOptions = {}): Observable<ProbeState> {
    return this.context.probes.watch(spec, options, () => this.lookAgain());
  }

  /** The values of slots as they are at the next moment between two ticks. */
  peek(paths: readonly string[], options: ProbeOptions = {}): Promise<ProbeState> {
    return firstValueFrom(this.probe({ slots: paths }, options));
  }

  private lookAgain(): void {
    const { probes, gate } = this.context;
    if (!probes.isWatched) return;
    if (!this.ended) return gate.wake();
    this.looked = this.looked.then(() => {
      // the last tick may have failed
      this.context.device.resume();
      return probes.refresh(this.context, true);
    });
  }

  /** The committed value of a slot; between ticks, so pause first. */
  read(path: string): Promise<Numbers> {
    return this.context.state.read(path);
  }

  /** The kernels of every segment, of those that ran as they ran: their texts are those of the times of `measure`. */
  kernels(): SegmentKernels[] {
    const { program, device, segments } = this.context;
    return kernelsOf(program, viewedDevice(device.info), segments.onDevice);
  }

  /** Times of kernels from now on, until it is stopped. */
  measure(): Profiling {
    return new Profiling(this.options.device, () => this.context.total.steps);
  }

  async dispose(): Promise<void> {
    this.stop();
    const { probes } = this.context;
    if (!this.begun) return probes.close();
    try {
      await this.done;
    } finally {
      await this.looked;
      probes.close();
      this.abandon();
      this.context.segments.release();
      this.context.state.drop();
      this.context.data.drop();
    }
  }

  private change(program: Program | undefined, values?: Change["values"]): Promise<SwapReport | undefined> {
    if (this.ended) return Promise.resolve(undefined);
    if (!this.begun) {
      if (program) this.context = inPlaceOf(this.context, contextOf({ ...this.options, program }, this.context.probes));
      return Promise.resolve(undefined);
    }
    return new Promise((done) => {
      this.changes.push({ program, values, done });
      this.context.leave.asked = true;
      this.context.gate.wake();
    });
  }

  /**
   * Between two ticks, with nothing under way. One at a time: only when a program has come to its place is there what the
   * next change goes on from.
   */
  private async makeChange(): Promise<void> {
    const change = this.changes.shift();
    if (change) await this.make(change);
    this.context.leave.asked = this.changes.length > 0;
  }

  private async make({ program, values, done }: Change): Promise<void> {
    const before = program ? await snapshotOf(this.context) : this.snapshots.pop();
    if (!before) {
      // Nothing to go back to: the program goes on as it is.
      const now = await snapshotOf(this.context);
      this.context = this.goOn(now, new Set(now.slots.keys()), this.take(now.program), done).context;
      return done(undefined);
    }
    const from = values ? { ...before, slots: new Map([...before.slots, ...values]) } : before;
    const next = program ?? before.program;
    const there = new Set(program ? [...from.slots.keys()].filter((path) => !values?.has(path)) : []);
    const { context, report: found } = this.goOn(from, there, this.take(next), done);
    const report = values ? { ...found, changed: true } : found;
    this.context = context;
    if (program && report.changed) this.snapshots.push(before);
    if (this.snapshots.length > SNAPSHOTS) this.snapshots.shift();
    context.probes.touch();
    const undone = program ? {} : ({ undone: true } as const);
    context.events$.next({ event: "swap", step: before.at.step, ...report, ...undone });
    done(report);
  }

  private goOn(from: Snapshot, there: ReadonlySet<string>, coming: Coming, done: Change["done"]) {
    try {
      return goOn(this.context, from, there, coming);
    } catch (error) {
      coming.segments.release();
      coming.state.drop();
      done(undefined);
      throw fullIn(coming.program, this.context.device, error);
    }
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.context.probes.begin();
    this.run().then(this.finished.resolve, this.finished.reject);
  }

  private createSlots(): void {
    const { state, program, device } = this.context;
    try {
      state.create();
    } catch (error) {
      throw fullIn(program, device, error);
    }
  }

  private async run(): Promise<EndEvent> {
    const { events$, frames$, points$, metrics$, gate, now, program, device, inputs$ } = this.context;
    const start = now();
    const end = (status: EndEvent["status"]): EndEvent => {
      const { steps } = this.context.total;
      const event = { event: "end" as const, status, steps, seconds: (now() - start) / 1000 };
      events$.next(event);
      return event;
    };
    try {
      // the program before this one on the device may have failed
      device.resume();
      this.createSlots();
      const parameters = parameterCount(program.slots);
      events$.next({ event: "start", device: device.info, seed: program.seed, parameters, inputs: inputs$.value });
      await this.context.state.needAllBut(savedFiles(program.body));
      let flow: Flow;
      do {
        const { context } = this;
        flow = await runActions(context, context.program.body, scopeOf(context));
        if (flow === "leave") await this.makeChange();
      } while (flow === "leave");
      return end(flow === "stop" && gate.stopped ? "stopped" : "done");
    } catch (error) {
      if (error instanceof Interrupted && gate.stopped) return end("stopped");
      if (error instanceof UserError) events$.next({ event: "error", diagnostic: error.diagnostic });
      const failed = end("failed");
      if (error instanceof UserError) return failed;
      throw error;
    } finally {
      this.ended = true;
      this.lookAgain();
      await this.looked;
      for (const { done } of this.changes.splice(0)) done(undefined);
      for (const stream of [events$, frames$, points$, metrics$]) stream.complete();
    }
  }
}

/** The user's mistake, where slots do not fit; else the error as it is. */
function fullIn(program: Program, device: Device, error: unknown): unknown {
  const full = fullOfSlots(program, device.info.name, error);
  return full ? new UserError(full) : error;
}

function contextOf(options: SessionOptions, probes?: Probes): Context {
  const { program, device, host, math } = options;
  const now = options.now ?? (() => performance.now());
  const gate = new Gate();
  const state = new StateTable(device, program.slots, host);
  const data = new DataTables(host, program.plans, device);
  const declared = Object.fromEntries(program.inputs.map(({ name, value }) => [name, value]));
  return {
    program,
    device,
    host,
    math,
    state,
    data,
    segments: new Segments(device, state, math),
    values: new HostValues(state, math, new Map()),
    gate,
    breath: new Breath(options.breath),
    now,
    inputs$: new BehaviorSubject<Inputs>({ ...declared, ...options.inputs }),
    events$: new Subject(),
    frames$: new Subject(),
    points$: new Subject(),
    metrics$: new Subject(),
    maxSteps: options.maxSteps ?? Infinity,
    every: options.every ?? 100,
    credit: options.credit ?? creditFor(device),
    at: { step: 0, epoch: 0, tick: 0 },
    drawn: { step: 0 },
    total: { steps: 0 },
    pass: { seed: program.seed },
    memories: new Map(),
    counters: new Map(),
    present: new Map(),
    ran: new Set(),
    passes: { begun: 0 },
    probes: probes ?? new Probes(now),
    leave: { asked: false },
    done: new Set(),
    standing: {},
    entry: {},
  };
}

/** Nothing has run yet: who listens already goes on listening, and inputs that both have stay as they were set. */
function inPlaceOf(before: Context, context: Context): Context {
  const { gate, inputs$, events$, frames$, points$, metrics$ } = before;
  const both = Object.entries(inputs$.value).filter(([name]) => name in context.inputs$.value);
  const live = new Set(context.program.inputs.flatMap(({ kind, name }) => (kind === "live" ? [name] : [])));
  inputs$.next({ ...context.inputs$.value, ...Object.fromEntries(both.filter(([name]) => live.has(name))) });
  return { ...context, gate, inputs$, events$, frames$, points$, metrics$ };
}

/** A device that computes while it is called gains nothing from a second tick in flight; another tells how many. */
function creditFor(device: Device): number {
  return device.inFlight === undefined ? 1 : MOST_IN_FLIGHT;
}
