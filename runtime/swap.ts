/**
 * Another program in the place of the running one, between two ticks. What the new program has in common with the old
 * one (params, optimizer slots, states, counters, the place in the data) goes on; the rest is made anew. A snapshot of
 * the old one can be gone back to, as if it had never been left.
 */
import type { Numbers } from "../gpu/device.ts";
import { programText } from "../lang/index.ts";
import type { Program, Slot } from "../lang/program.ts";
import type { Coming } from "./ahead.ts";
import type { Context } from "./context.ts";
import type { SwapReport } from "./events.ts";
import { entryOf, keptOf, type Entry } from "./entry.ts";
import { copyOfMemories, type TrainPosition } from "./position.ts";
import { typeText } from "./state.ts";
import { HostValues } from "./values.ts";
import type { Memory } from "./watches.ts";
import type { Values } from "./windows.ts";

/** All that a run depends on between two ticks. */
export interface Snapshot {
  readonly program: Program;
  readonly slots: ReadonlyMap<string, Numbers>;
  readonly at: Context["at"];
  readonly steps: number;
  readonly pass: Context["pass"];
  readonly done: ReadonlySet<string>;
  readonly train?: TrainPosition;
  readonly metrics: ReadonlyMap<string, Values>;
  readonly memories: ReadonlyMap<string, ReadonlyMap<string, Memory>>;
  readonly counters: Context["counters"];
}

export async function snapshotOf(context: Context): Promise<Snapshot> {
  const { program, state, at, total, pass, done, standing, values, memories, counters } = context;
  const known = Object.keys(program.slots).filter((path) => !state.waits([path]));
  // all at once: on a graphics adapter each comes back on a way of its own
  const read = await Promise.all(known.map(async (path) => [path, await state.read(path)] as const));
  const slots = new Map<string, Numbers>(read);
  return {
    program,
    slots,
    at: { ...at },
    steps: total.steps,
    pass: { ...pass },
    done: new Set(done),
    train: standing.train,
    metrics: new Map(values.metrics),
    memories: new Map([...memories].map(([name, each]) => [name, copyOfMemories(each)])),
    counters: new Map([...counters].map(([name, each]) => [name, { ...each }])),
  };
}

/**
 * The context of what comes, which goes on where the snapshot stands. `there`: slots whose cells have the values of the
 * snapshot now, and keep them.
 */
export function goOn(
  context: Context,
  from: Snapshot,
  there: ReadonlySet<string>,
  coming: Coming,
): { context: Context; report: SwapReport } {
  const { program } = coming;
  const kept = keptOf(from.program, program, (path) => from.slots.has(path));
  const values = new Map([...kept.slots].map(([path, old]) => [path, from.slots.get(old) as Numbers]));
  const changed = programText(program) !== programText(context.program);
  const found = entryOf(program, from.done, from.train?.name, new Set(values.keys()));
  const entry = found.until === from.train?.name ? { ...found, inside: from.train } : found;
  const isThere = ([path, old]: readonly [string, string]) =>
    path === old && there.has(path) && isOneCell(context.program.slots[path], program.slots[path]);
  const standing = new Set([...kept.slots].filter(isThere).map(([path]) => path));
  context.segments.release();
  context.state.drop(standing);
  const next = rebuilt(context, from, entry, coming);
  next.state.create(values, standing);
  const moving = Object.values(program.slots).filter(({ kind }) => kind !== "value");
  const made = moving.flatMap(({ path }) => (values.has(path) ? [] : [path]));
  const dropped = Object.values(from.program.slots).flatMap(({ path, kind }) =>
    kind === "value" || kept.matched.has(path) ? [] : [path],
  );
  return { context: next, report: { changed, kept: moving.length - made.length, made, dropped } };
}

/** What the host keeps is on the device only as far as something there reads it. */
const isOneCell = (one: Slot | undefined, other: Slot | undefined): boolean =>
  one !== undefined && other !== undefined && !one.host && !other.host && typeText(one.type) === typeText(other.type);

function rebuilt(context: Context, from: Snapshot, entry: Entry, coming: Coming): Context {
  const { math, data, inputs$ } = context;
  const { program, state: table } = coming;
  data.use(program.plans);
  const declared = Object.fromEntries(program.inputs.map(({ name, value }) => [name, value]));
  const known = Object.entries(inputs$.value).filter(([name]) => name in declared);
  const live = new Set(program.inputs.flatMap(({ kind, name }) => (kind === "live" ? [name] : [])));
  // An input that shapes the program has the value that it was checked with.
  inputs$.next({ ...declared, ...Object.fromEntries(known.filter(([name]) => live.has(name))) });
  return {
    ...context,
    ...coming,
    values: new HostValues(table, math, new Map(from.metrics)),
    at: { ...from.at },
    total: { steps: from.steps },
    pass: { ...from.pass, seed: from.pass.run === undefined ? program.seed : from.pass.seed },
    memories: new Map([...from.memories].map(([name, each]) => [name, copyOfMemories(each)])),
    counters: new Map([...from.counters].map(([name, each]) => [name, { ...each }])),
    done: new Set(from.done),
    present: new Map(),
    ran: new Set(),
    passes: { begun: 0 },
    leave: { asked: false },
    standing: {},
    entry: { now: entry },
  };
}
