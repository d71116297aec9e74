/** Actions in the order of the script: computing, blocks, passes, and sinks. A sink shows the last committed tick. */
import { UserError } from "../lang/diagnostic.ts";
import { notFinite } from "../lang/errors/running.ts";
import { tickSegments } from "../lang/program.ts";
import type { Action, Assert, Run, Segment, Train } from "../lang/program.ts";
import type { Context } from "./context.ts";
import { inRun, scalars, scopeOf } from "./context.ts";
import { runEval } from "./eval.ts";
import type { Metric, ShownItem, Side } from "./events.ts";
import { formatValue } from "./format.ts";
import type { FileTensor } from "./host.ts";
import { fullMemory } from "./memory.ts";
import { restOf, type Entry } from "./entry.ts";
import type { TrainPosition } from "./position.ts";
import { runTrain } from "./train.ts";
import { metricOf, shown, type Scope } from "./values.ts";

/** `stop` ends the innermost train block, or outside of one the program; `leave` makes way for another program. */
export type Flow = "go" | "stop" | "leave";

export async function runActions(context: Context, actions: readonly Action[], scope: Scope): Promise<Flow> {
  const passes = new Map<number, number>();
  for (const action of actions) {
    if (context.gate.stopped) return "stop";
    let flow: Flow;
    if (action.kind === "run") {
      const pass = (passes.get(action.span.start) ?? 0) + 1;
      passes.set(action.span.start, pass);
      flow = await runPass(context, action, pass);
    } else flow = await runAction(context, action, scope);
    if (flow !== "go") return flow;
  }
  return "go";
}

async function runAction(context: Context, action: Exclude<Action, Run>, scope: Scope): Promise<Flow> {
  try {
    return await act(context, action, scope);
  } catch (error) {
    const computes = action.kind === "compute" || action.kind === "train" || action.kind === "eval";
    const full = computes ? await fullMemory(context, action, error) : undefined;
    throw full ? new UserError(full) : error;
  }
}

async function act(context: Context, action: Exclude<Action, Run>, scope: Scope): Promise<Flow> {
  if (context.entry.now) return enter(context, action, context.entry.now);
  switch (action.kind) {
    case "compute":
      await compute(context, action.segment);
      return "go";
    case "train":
      return train(context, action);
    case "eval":
      return runEval(context, action, scope);
    case "print":
      await print(context, action, scope);
      return "go";
    case "plot":
      await plot(context, action, scope);
      return "go";
    case "show":
      await show(context, action, scope);
      return "go";
    case "record":
      await record(context, action, scope);
      return "go";
    case "save":
      await save(context, action);
      return "go";
    case "assert":
      await assert(context, action, scope);
      return "go";
    case "stop":
      return "stop";
    case "when":
      return (await context.values.holds(action.cond, scope)) ? runActions(context, action.body, scope) : "go";
  }
}

async function train(context: Context, block: Train, from?: TrainPosition): Promise<Flow> {
  const flow = await runTrain(context, block, from);
  if (flow === "leave") return flow;
  context.done.add(block.name);
  return context.gate.stopped ? "stop" : context.leave.asked ? "leave" : "go";
}

/** The way to the place where the run goes on: what is kept is not made again, what is behind is not done again. */
async function enter(context: Context, action: Exclude<Action, Run>, entry: Entry): Promise<Flow> {
  if (action.kind === "compute") {
    const rest = restOf(action.segment, entry.kept);
    if (rest) await compute(context, rest);
    context.ran.add(action.segment.name);
    return "go";
  }
  if (action.kind !== "train") return "go";
  const here = action.name === entry.until;
  const last = entry.until === undefined && [...entry.skip].at(-1) === action.name;
  if (here || last) context.entry.now = undefined;
  return here ? train(context, action, entry.inside) : "go";
}

async function compute(context: Context, segment: Segment): Promise<void> {
  const { state, data, device } = context;
  await data.openColumns([segment], context.pass.seed);
  const ready = await context.segments.ready(segment);
  await state.need(ready.reads);
  const run = context.segments.start(ready, scalars(context));
  const result = await run.result;
  if (result.failed) {
    state.restore(run.before);
    throw new UserError(notFinite(result.failed.what, context.at, result.failed.span));
  }
  if (result.halted) device.resume();
  context.ran.add(segment.name);
  context.probes.touch();
  // What this segment made for the first time may come from a file.
  await state.need(ready.commits);
  if (context.breath.due) await context.breath.take();
}

// ---------------------------------------------------------------- passes of a top-level `for`

/** The slots of a pass are its own (the checker gives each pass its paths), so it begins fresh by running its segments. */
async function runPass(context: Context, run: Run, pass: number): Promise<Flow> {
  const before = { ...context.pass };
  Object.assign(context.pass, { run: pass, nth: ++context.passes.begun, seed: run.seed });
  if (!context.entry.now) Object.assign(context.at, { step: 0, epoch: 0, tick: 0 });
  try {
    return await runActions(context, run.body, scopeOf(context));
  } finally {
    Object.assign(context.pass, { run: before.run, nth: before.nth, seed: before.seed });
  }
}

/** Every segment below these actions. */
export function segmentsOf(actions: readonly Action[]): Segment[] {
  return actions.flatMap((action): Segment[] => {
    switch (action.kind) {
      case "compute":
        return [action.segment];
      case "train":
      case "eval": {
        const own = [...tickSegments(action.step), ...tickSegments(action.short)];
        const reactions = action.kind === "train" ? action.reactions.flatMap(({ body }) => segmentsOf(body)) : [];
        return [...own, ...segmentsOf(action.sinks), ...reactions];
      }
      case "run":
      case "when":
        return segmentsOf(action.body);
      default:
        return [];
    }
  });
}

/** Files that these actions save. */
export function savedFiles(actions: readonly Action[]): Set<string> {
  const all = actions.flatMap((action): string[] => {
    switch (action.kind) {
      case "save":
        return [action.file];
      case "train":
        return [...savedFiles(action.sinks), ...action.reactions.flatMap(({ body }) => [...savedFiles(body)])];
      case "eval":
        return [...savedFiles(action.sinks)];
      case "run":
      case "when":
        return [...savedFiles(action.body)];
      default:
        return [];
    }
  });
  return new Set(all);
}

// ---------------------------------------------------------------- sinks

async function print(context: Context, action: Extract<Action, { kind: "print" }>, scope: Scope): Promise<void> {
  const items: string[] = [];
  for (const parts of action.items) {
    let text = "";
    for (const part of parts) {
      if (typeof part === "string") text += part;
      else text += formatValue(await shown(part.value, context.values, scope), part.format);
    }
    items.push(text);
  }
  context.events$.next(inRun(context, { event: "print" as const, text: items.join(" ") }));
}

type Items = Extract<Action, { kind: "plot" | "show" | "record" }>;

/** Values without a shape (lists, text) are shown as `print` shows them. */
async function show(context: Context, { items }: Items, scope: Scope): Promise<void> {
  const found: ShownItem[] = [];
  for (const { label, value } of items) {
    const each = await shown(value, context.values, scope);
    if (each.kind === "tensor") found.push({ label, shape: each.shape, values: Array.from(each.values) });
    else context.events$.next(inRun(context, { event: "print" as const, text: `${label} ${formatValue(each)}` }));
  }
  if (found.length > 0) context.events$.next(inRun(context, { event: "show" as const, items: found }));
}

async function record(context: Context, { items }: Items, scope: Scope): Promise<void> {
  const metrics: Record<string, Metric> = {};
  for (const { label, value } of items) metrics[label] = metricOf(await shown(value, context.values, scope));
  const { step, epoch } = context.at;
  context.events$.next(inRun(context, { event: "record" as const, step, epoch, metrics }));
}

async function plot(context: Context, action: Items, scope: Scope): Promise<void> {
  // Curves are for people: without one who looks nothing is computed.
  if (!context.points$.observed) return;
  for (const { label, value } of action.items) {
    const found = await shown(value, context.values, scope);
    const y = found.kind === "tensor" && found.values.length === 1 ? found.values[0] : undefined;
    if (y !== undefined) context.points$.next(inRun(context, { label, step: context.at.step, value: y }));
  }
}

async function save(context: Context, action: Extract<Action, { kind: "save" }>): Promise<void> {
  const tensors = new Map<string, FileTensor>();
  for (const { name, path } of action.entries) {
    const { type } = context.state.slot(path);
    tensors.set(name, { ...type, data: await context.state.read(path) });
  }
  const path = await context.host.save(action.file, tensors, action.span);
  context.events$.next(inRun(context, { event: "saved" as const, path }));
}

async function assert(context: Context, action: Assert, scope: Scope): Promise<void> {
  const cond = await shown(action.cond, context.values, scope);
  const holds = cond.kind === "tensor" && cond.values[0] === 1;
  const sides: Side[] = [];
  for (const { value, span } of action.sides) sides.push({ value: await shown(value, context.values, scope), span });
  context.events$.next({ event: "assert", holds, span: action.span, sides });
}
