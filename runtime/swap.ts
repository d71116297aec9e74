/**
 * Another program in the place of the running one, between two ticks. What the new program has in common with the old
 * one (params, optimizer slots, states, counters, the place in the data) goes on; the rest is made anew. A snapshot of
 * the old one can be gone back to, as if it had never been left.
 */
import type { Numbers } from "../gpu/device.ts";
import { matchSlots, partText, programText } from "../lang/index.ts";
import type { Action, Output, Program } from "../lang/program.ts";
import type { Context } from "./context.ts";
import type { SwapReport } from "./events.ts";
import { inputsBelow, namesFrom } from "./inputs.ts";
import { copyOfMemories, type Entry, type TrainPosition } from "./position.ts";
import { Segments } from "./segments.ts";
import { StateTable } from "./state.ts";
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
  const slots = new Map<string, Numbers>();
  for (const path of Object.keys(program.slots)) if (!state.waits([path])) slots.set(path, await state.read(path));
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

/** The context of `program` that goes on where the snapshot stands. */
export function goOn(context: Context, from: Snapshot, program: Program): { context: Context; report: SwapReport } {
  const text = programText(program);
  const same = program === from.program || text === programText(from.program);
  const matches = same ? undefined : matchSlots(from.program, program);
  const values = matches ? keptValues(from, program, matches) : from.slots;
  const changed = text !== programText(context.program);
  const entry = entryOf(program, from, new Set(values.keys()));
  const next = rebuilt(context, from, program, entry);
  next.state.create(values);
  const moving = Object.values(program.slots).filter(({ kind }) => kind !== "value");
  const made = moving.flatMap(({ path }) => (values.has(path) ? [] : [path]));
  const old = matches ? new Set(matches.values()) : values;
  const dropped = Object.values(from.program.slots).flatMap(({ path, kind }) =>
    kind === "value" || old.has(path) ? [] : [path],
  );
  return { context: next, report: { changed, kept: moving.length - made.length, made, dropped } };
}

function rebuilt(context: Context, from: Snapshot, program: Program, entry: Entry): Context {
  const { device, host, math, data, segments, state, inputs$ } = context;
  segments.release();
  state.drop();
  data.use(program.plans);
  const declared = Object.fromEntries(program.inputs.map(({ name, value }) => [name, value]));
  const known = Object.entries(inputs$.value).filter(([name]) => name in declared);
  const live = new Set(program.inputs.flatMap(({ kind, name }) => (kind === "live" ? [name] : [])));
  // An input that shapes the program has the value that it was checked with.
  inputs$.next({ ...declared, ...Object.fromEntries(known.filter(([name]) => live.has(name))) });
  const table = new StateTable(device, program.slots, host);
  return {
    ...context,
    program,
    state: table,
    segments: new Segments(device, table, math),
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

// ---------------------------------------------------------------- what goes on

/** Values of the new program's slots that the old one has. */
function keptValues(from: Snapshot, program: Program, matches: ReadonlyMap<string, string>): Map<string, Numbers> {
  const kept = new Map<string, Numbers>();
  const keep = (path: string, old: string) => {
    const value = from.slots.get(old);
    if (value) kept.set(path, value);
  };
  for (const [path, old] of matches) keep(path, old);
  // What the top level computed is still right where the same is computed from the same.
  const before = new Set(commits(from.program.body).map(partText));
  for (const output of commits(program.body)) {
    const { path } = output.role;
    if (program.slots[path]?.kind !== "value" || !before.has(partText(output))) continue;
    const reads = namesFrom(inputsBelow([output.node]), "state");
    if (reads.every((read) => kept.has(read) || program.slots[read]?.init !== undefined)) keep(path, path);
  }
  return kept;
}

type Commit = Output & { readonly role: { readonly kind: "commit" } };

/** Of the segments at top level, in order. */
function commits(actions: readonly Action[]): Commit[] {
  return actions.flatMap((action): Commit[] => {
    if (action.kind === "run") return commits(action.body);
    if (action.kind !== "compute") return [];
    return action.segment.outputs.filter((output): output is Commit => output.role.kind === "commit");
  });
}

// ---------------------------------------------------------------- where it goes on

function trainsOf(actions: readonly Action[]): string[] {
  return actions.flatMap((action) =>
    action.kind === "train" ? [action.name] : action.kind === "run" ? trainsOf(action.body) : [],
  );
}

function entryOf(program: Program, { done, train }: Snapshot, kept: ReadonlySet<string>): Entry {
  const names = trainsOf(program.body);
  const skip = new Set(names.filter((name) => done.has(name)));
  if (train && names.includes(train.name)) return { skip, until: train.name, inside: train, kept };
  if (skip.size > 0) return { skip, kept };
  // The block is gone: the first one begins, with what was kept.
  return { skip, until: names[0], kept };
}
