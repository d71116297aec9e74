/** An eval block: one pass over its rows in eval mode. It writes nothing; its metrics are there under its name afterwards. */
import { lastValueFrom } from "rxjs";
import { UserError } from "../lang/diagnostic.ts";
import { notFinite } from "../lang/errors/running.ts";
import type { Eval } from "../lang/program.ts";
import { runActions, type Flow } from "./actions.ts";
import { Block, type Tick, type TickResult } from "./block.ts";
import { slices } from "./batches.ts";
import { ticks } from "./clock.ts";
import { inRun, sampleInputs, scopeOf, type Context } from "./context.ts";
import { metricsOf, type Scope } from "./values.ts";
import { Present } from "./present.ts";
import { memories } from "./watches.ts";
import { Window } from "./windows.ts";

export async function runEval(context: Context, block: Eval, parent?: Scope): Promise<Flow> {
  const { gate, values, at } = context;
  const opened = await Block.open(context, block, () => context.credit);
  const counter = context.counters.get(block.name) ?? { ticks: 0, passes: 0 };
  context.counters.set(block.name, counter);
  counter.passes++;
  const seen = memories(block.watches, context.memories.get(block.name));
  context.memories.set(block.name, seen);
  const window = new Window(block.folds);

  const present = new Present(block.name, opened, (name) => window.value(name));
  context.present.delete(block.name);
  context.present.set(block.name, present);

  const inputs = sampleInputs(context);
  const drawn = draw();
  function* draw(): Generator<Tick, undefined> {
    const source =
      block.data && opened.rows ? slices(block.data, opened.rows, 1, { epoch: counter.passes, taken: 0 }) : [undefined];
    let step = 0;
    for (const slice of source) {
      const scalars = { ...inputs, step: at.step, epoch: at.epoch, tick: counter.ticks++, seed: context.pass.seed };
      yield { step: ++step, epoch: at.epoch, slice, scalars };
    }
  }
  const settle = async (tick: Tick, { readings, failed }: TickResult): Promise<"go"> => {
    present.tick = tick;
    context.probes.touch();
    if (failed) throw new UserError(notFinite(failed.what, at, failed.span));
    window.add(readings);
    return "go";
  };
  const clock = ticks<Tick, TickResult>({
    get credit() {
      return opened.inFlight;
    },
    gate,
    paced: false,
    breath: context.breath,
    draw: () => drawn.next().value ?? undefined,
    start: (tick) => opened.start(tick),
    barrier: () => false,
    rewind: (later) => opened.rewind(later),
    settle,
    wants: () => context.probes.wants,
    between: async () => {
      await context.probes.refresh(context);
      return "go";
    },
  });
  await lastValueFrom(clock, { defaultValue: undefined });
  // Half a pass is no result.
  if (gate.stopped) return "stop";

  const scope = scopeOf(context, window, seen, parent);
  const reported = await values.report(block.report, scope);
  for (const [name, { values: value }] of reported) {
    if (value) values.metrics.set(`${block.name}.${name}`, value);
    else values.metrics.delete(`${block.name}.${name}`);
  }
  context.probes.touch();
  const { step, epoch } = at;
  context.events$.next(
    inRun(context, { event: "eval" as const, name: block.name, step, epoch, metrics: metricsOf(reported) }),
  );
  return runActions(context, block.sinks, scope);
}
