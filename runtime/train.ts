/**
 * A train block: draws ticks until its limit, and after each one that committed runs what reacts to it, always in this
 * order: the step's event, the sinks of the body, reactions by steps, the epoch's event, reactions by epochs, by seconds.
 */
import { lastValueFrom } from "rxjs";
import { UserError, type Diagnostic } from "../lang/diagnostic.ts";
import { firstNotFinite } from "../lang/errors/finite.ts";
import { noWholeBatch, notFinite } from "../lang/errors/running.ts";
import type { Node } from "../lang/graph/node.ts";
import { partText } from "../lang/program-text.ts";
import type { Action, Reaction, Train } from "../lang/program.ts";
import { runActions } from "./actions.ts";
import { blame } from "./blame.ts";
import { Block, type Failed, type Tick, type TickResult } from "./block.ts";
import { slices, ticksPerEpoch, type Slice } from "./batches.ts";
import { Stopwatch, ticks } from "./clock.ts";
import { inRun, sampleInputs, scopeOf, type Context } from "./context.ts";
import type { Frame, Metrics } from "./events.ts";
import { inputsOf, namesFrom } from "./inputs.ts";
import { metricsOf, readsState, type Scope } from "./values.ts";
import { copyOfMemories, copyOfWindows, type Standing, type TrainPosition, type Windows } from "./position.ts";
import { Present } from "./present.ts";
import { memories } from "./watches.ts";
import { Window, type Reading } from "./windows.ts";

/** `from`: where a block of another program stood that this one goes on from. */
export async function runTrain(context: Context, train: Train, from?: TrainPosition): Promise<"go" | "leave"> {
  const { gate, values } = context;
  const { step: behind, epoch: firstEpoch, seconds } = from ?? { step: 0, epoch: 1, seconds: 0 };
  const watch = new Stopwatch(gate, context.now, seconds);
  // A screen shows the block before its first step is compiled.
  context.frames$.next(frame(context, train, { step: behind, epoch: firstEpoch, seconds, metrics: {} }));
  await context.breath.take();

  const block = await Block.open(context, train, (halts) => creditOf(context, train, halts), from?.walks);
  const { data } = train;
  const perEpoch = data && block.rows ? ticksPerEpoch(data, block.rows.count) : undefined;
  if (data && perEpoch === 0) throw new UserError(noWholeBatch(block.rows?.count ?? 0, data.size, train.span));
  const total = totalTicks(context, train, perEpoch);

  const seen = memories(train.watches, from && copyOfMemories(from.seen));
  const measures = partText([train.folds, train.report, train.reactions.map(({ clock }) => clock)]);
  const same = from?.measures === measures;
  const windows: Windows = same ? copyOfWindows(from.windows) : newWindows(train);
  const timed = new Map<Reaction, number>(
    train.reactions.flatMap((each, i) =>
      each.clock.unit === "seconds" ? [[each, (same ? from.timed[i] : undefined) ?? seconds]] : [],
    ),
  );
  const overdue = (each: Reaction) => watch.seconds - (timed.get(each) ?? 0) >= each.clock.every;
  const scope = (window: Window): Scope => scopeOf(context, window, seen);

  const gather = (readings: readonly Reading[], firstOfEpoch: boolean) => {
    if (firstOfEpoch) windows.epoch.reset();
    windows.tick.reset();
    windows.tick.add(readings);
    windows.latest.replace(readings);
    windows.epoch.add(readings);
    for (const window of windows.reactions) window.add(readings);
  };
  const react = async (due: (reaction: Reaction) => boolean): Promise<"go" | "stop"> => {
    for (const [i, reaction] of train.reactions.entries()) {
      const window = windows.reactions[i];
      if (!window || !due(reaction)) continue;
      if (timed.has(reaction)) timed.set(reaction, watch.seconds);
      const flow = await runActions(context, reaction.body, scope(window));
      window.reset();
      if (flow === "stop") return flow;
    }
    return "go";
  };
  const emit = async (window: Window, fold?: "epoch") => {
    const metrics = metricsOf(await values.report(train.report, scope(window)));
    const { step, epoch } = context.at;
    context.events$.next(
      inRun(context, { event: "train" as const, name: train.name, step, epoch, ...(fold ? { fold } : {}), metrics }),
    );
  };
  const scalars = train.report.filter(({ value }) => value.type.shape.length === 0 && !readsState([value]));
  const tellTick = async () => {
    const metrics: Record<string, number> = {};
    for (const { name, value } of scalars) {
      // Most are a fold as it is, which needs no waiting.
      const number = isFold(value)
        ? windows.tick.value(String(value.attrs.name))?.[0]
        : await values.number(value, scope(windows.tick));
      if (number !== undefined) metrics[name] = number;
    }
    const { step, epoch } = context.at;
    context.metrics$.next(inRun(context, { name: train.name, step, epoch, metrics }));
  };
  const showFrame = async () => {
    if (!context.frames$.observed) return;
    // A state may have moved on since this tick; only what the tick itself gave is shown.
    const entries = train.report.filter(({ value }) => !readsState([value]));
    const metrics = metricsOf(await values.report(entries, scope(windows.latest)));
    context.frames$.next(frame(context, train, { ...context.at, seconds: watch.seconds, metrics, total }));
  };

  const start = from && { ...from, taken: takenOf(from, data) };
  const present = new Present(
    train.name,
    block,
    (name) => windows.latest.value(name),
    () => tickNow(context, train, block, start),
  );
  context.present.delete(train.name);
  context.present.set(train.name, present);
  context.probes.touch();

  const looks = readsState(train.report.map(({ value }) => value));
  let epochSeen = from?.epoch ?? 0;
  let last: Tick | undefined;
  const settle = async (tick: Tick, result: TickResult): Promise<"go" | "stop"> => {
    const { step, epoch } = tick;
    const { failed } = result;
    // Also of a tick that failed: its probes show what it met.
    present.tick = tick;
    context.probes.touch();
    if (failed) throw new UserError(await explain(context, tick, failed));
    Object.assign(context.at, { step, epoch, tick: step - 1 });
    context.total.steps++;
    last = tick;
    gather(result.readings, epoch !== epochSeen);
    epochSeen = epoch;
    if (context.metrics$.observed) await tellTick();
    if (step % context.every === 0) await emit(windows.latest);
    if ((await runActions(context, train.sinks, scope(windows.tick))) === "stop") return "stop";
    if ((await react(({ clock }) => clock.unit === "steps" && step % clock.every === 0)) === "stop") return "stop";
    if (!tick.slice?.last) return "go";
    await emit(windows.epoch, "epoch");
    return react(({ clock }) => clock.unit === "epochs" && epoch % clock.every === 0);
  };

  const drawn = draw(context, train, block, watch, start);
  let stopped = false;
  const clock = ticks<Tick, TickResult>({
    get credit() {
      return block.inFlight;
    },
    gate,
    paced: true,
    breath: context.breath,
    draw: () => drawn.next().value ?? undefined,
    start: (tick) => block.start(tick),
    barrier: ({ step, slice }) =>
      (looks && slice?.last === true) ||
      step % context.every === 0 ||
      train.reactions.some(({ clock }) =>
        clock.unit === "steps" ? step % clock.every === 0 : clock.unit === "epochs" && slice?.last === true,
      ),
    rewind: (later) => block.rewind(later),
    settle: async (tick, result) => {
      const flow = await settle(tick, result);
      stopped ||= flow === "stop";
      return flow;
    },
    wants: () => context.leave.asked || context.probes.wants || [...timed.keys()].some(overdue),
    leaves: () => context.leave.asked,
    between: async () => {
      const flow = await react((reaction) => timed.has(reaction) && overdue(reaction));
      stopped ||= flow === "stop";
      await context.probes.refresh(context);
      return flow;
    },
    idle: () => context.probes.refresh(context, true),
    breathe: showFrame,
  });
  Object.assign(context.at, { step: behind, epoch: firstEpoch, tick: Math.max(0, behind - 1) });
  context.drawn.step = behind;
  try {
    await lastValueFrom(clock, { defaultValue: undefined });
    await showFrame();
  } finally {
    watch.dispose();
  }
  if (context.leave.asked && !stopped && !gate.stopped) {
    const standing = last ? standingOf(last) : { epoch: firstEpoch, taken: start?.taken ?? 0 };
    context.standing.train = {
      name: train.name,
      step: context.at.step,
      ...standing,
      size: data?.size,
      seconds: watch.seconds,
      measures,
      windows: copyOfWindows(windows),
      seen: copyOfMemories(seen),
      timed: train.reactions.map((each) => timed.get(each) ?? 0),
      walks: (last && block.standing(last)) ?? from?.walks ?? new Map(),
    };
    return "leave";
  }

  const after = await values.report(train.report, scope(windows.epoch));
  for (const [name, { values: value }] of after) if (value) values.metrics.set(`${train.name}.${name}`, value);
  for (const { name } of train.folds) {
    const value = windows.epoch.value(name);
    if (value) values.metrics.set(name, value);
  }
  context.probes.touch();
  return "go";
}

const isFold = ({ op, attrs }: Node): boolean => op === "input" && attrs.source === "fold";

function newWindows({ folds, reactions }: Train): Windows {
  const window = () => new Window(folds);
  return { tick: window(), latest: window(), epoch: window(), reactions: reactions.map(window) };
}

const standingOf = ({ epoch, slice }: Tick): Standing => ({ epoch, taken: slice ? slice.place + 1 : 0 });

/** Batches of another size: the rows that are behind stay behind. */
function takenOf({ taken, size }: TrainPosition, data: Train["data"]): number {
  return data && size ? Math.floor((taken * size) / data.size) : taken;
}

/** Names the operation that began it, where it can be found. */
async function explain(context: Context, tick: Tick, failed: Failed): Promise<Diagnostic> {
  const found = await blame(context, failed);
  const { what, span } = failed;
  return found ? firstNotFinite(what, tick, span, found.cause, found.user) : notFinite(what, tick, span);
}

/** The last tick of a block that goes on, else the one that it begins with, as far as its batch is known. */
function tickNow(context: Context, { data }: Train, { rows }: Block, from: (Standing & { step: number }) | undefined) {
  const step = Math.max(1, from?.step ?? 0);
  const at = { epoch: from?.epoch ?? 1, taken: Math.max(0, (from?.taken ?? 0) - 1) };
  const [slice] = data && rows ? slices(data, rows, 1, at) : [undefined];
  const epoch = slice?.epoch ?? at.epoch;
  const scalars = { ...sampleInputs(context), step, epoch, tick: step - 1, seed: context.pass.seed };
  return { step, epoch, slice, scalars };
}

function* draw(
  context: Context,
  train: Train,
  block: Block,
  watch: Stopwatch,
  from: (Standing & { readonly step: number }) | undefined,
): Generator<Tick, undefined> {
  const { limit, data } = train;
  const steps = Math.min(context.maxSteps, limit.unit === "steps" ? limit.count : Infinity);
  const seconds = limit.unit === "seconds" ? limit.count : Infinity;
  const epochs = limit.unit === "epochs" ? limit.count : Infinity;
  if (!data && limit.unit === "epochs") throw new Error(`${train.name}: expected data for a limit in epochs`);
  const left = epochs - (from ? from.epoch - 1 : 0);
  const source: Iterator<Slice | undefined> = data && block.rows ? slices(data, block.rows, left, from) : endless();
  for (let step = 1 + (from?.step ?? 0); step <= steps && watch.seconds < seconds; step++) {
    const { value: slice, done } = source.next();
    if (done) return;
    const epoch = slice?.epoch ?? 1;
    const scalars = { ...sampleInputs(context), step, epoch, tick: step - 1, seed: context.pass.seed };
    context.drawn.step = step;
    yield { step, epoch, slice, scalars };
  }
}

function* endless(): Generator<undefined> {
  for (;;) yield undefined;
}

function totalTicks(context: Context, { limit }: Train, perEpoch: number | undefined): number | undefined {
  const own = limit.unit === "steps" ? limit.count : limit.unit === "epochs" ? limit.count * (perEpoch ?? 0) : Infinity;
  const total = Math.min(own, context.maxSteps);
  return Number.isFinite(total) ? total : undefined;
}

function frame(
  context: Context,
  { name, limit }: Train,
  at: { step: number; epoch: number; seconds: number; metrics: Metrics; total?: number },
): Frame {
  const { step, epoch, seconds, metrics, total } = at;
  return inRun(context, { name, limit, step, epoch, seconds, metrics, total });
}

/**
 * Sinks of the step clock that act, or look at slots, must meet them as their own tick left them. A `when` whose
 * condition the device knows too raises its halt flag; otherwise only one tick may be in flight.
 */
function creditOf(context: Context, train: Train, halts: boolean): number {
  const free = (action: Action): boolean => {
    if ("items" in action) return !readsState(nodesOf(action));
    if (action.kind !== "when") return false;
    return halts && namesFrom(inputsOf(action.cond), "watch").length === 0 && !readsState([action.cond]);
  };
  return train.sinks.every(free) ? context.credit : 1;
}

function nodesOf(action: Extract<Action, { readonly items: unknown }>) {
  const values =
    action.kind === "print"
      ? action.items.flat().flatMap((part) => (typeof part === "string" ? [] : [part.value]))
      : action.items.map((item) => item.value);
  const nodes: Parameters<typeof readsState>[0][number][] = [];
  for (let value = values.pop(); value; value = values.pop()) {
    if (value.kind === "node") nodes.push(value.node);
    else if (value.kind === "list") values.push(...value.items);
    else if (value.kind === "record") values.push(...Object.values(value.fields));
  }
  return nodes;
}
