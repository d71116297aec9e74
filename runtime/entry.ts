/** What goes on from one program to the next, and the way through the next one to where the run stands. */
import { matchSlots, partText, programText } from "../lang/index.ts";
import type { Action, Output, Program, Segment, Train } from "../lang/program.ts";
import { inputsBelow, namesFrom } from "./inputs.ts";
import type { TrainPosition } from "./position.ts";

/** What a program has of the one before it. */
export interface Kept {
  /** Those that have a value: by path, the path in the old program. */
  readonly slots: ReadonlyMap<string, string>;
  /** Of the old program, with a value or without. */
  readonly matched: ReadonlySet<string>;
}

/**
 * How a program is entered that goes on from another: train blocks before are skipped, `inside` goes on where it stood.
 * Until then the top level only computes, and slots that were kept are not made again.
 */
export interface Entry {
  readonly skip: ReadonlySet<string>;
  /** The block at which the run goes on; undefined: after all that are skipped. */
  readonly until?: string;
  readonly inside?: TrainPosition;
  readonly kept: ReadonlySet<string>;
}

/** `has`: which slots of the old program have a value. */
export function keptOf(before: Program, program: Program, has: (path: string) => boolean): Kept {
  if (program === before || programText(program) === programText(before)) {
    const own = Object.keys(before.slots).filter(has);
    return { slots: new Map(own.map((path) => [path, path])), matched: new Set(own) };
  }
  const matches = matchSlots(before, program);
  const slots = new Map([...matches].filter(([, old]) => has(old)));
  // What the top level computed is still right where the same is computed from the same.
  const computed = new Set(commits(before.body).map(partText));
  for (const output of commits(program.body)) {
    const { path } = output.role;
    if (program.slots[path]?.kind !== "value" || !computed.has(partText(output)) || !has(path)) continue;
    const reads = namesFrom(inputsBelow([output.node]), "state");
    if (reads.every((read) => slots.has(read) || program.slots[read]?.init !== undefined)) slots.set(path, path);
  }
  return { slots, matched: new Set(matches.values()) };
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

export function trainsOf(actions: readonly Action[]): string[] {
  return actions.flatMap((action) =>
    action.kind === "train" ? [action.name] : action.kind === "run" ? trainsOf(action.body) : [],
  );
}

/** `train`: the block that the run stands in. */
export function entryOf(
  program: Program,
  done: ReadonlySet<string>,
  train: string | undefined,
  kept: ReadonlySet<string>,
): Entry {
  const names = trainsOf(program.body);
  const skip = new Set(names.filter((name) => done.has(name)));
  if (train !== undefined && names.includes(train)) return { skip, until: train, kept };
  if (skip.size > 0) return { skip, kept };
  // The block is gone: the first one begins, with what was kept.
  return { skip, until: names[0], kept };
}

/** What is left to compute of a segment at top level when some slots were kept; undefined when that is nothing. */
export function restOf(segment: Segment, kept: ReadonlySet<string>): Segment | undefined {
  const outputs = segment.outputs.filter(({ role }) => role.kind !== "commit" || !kept.has(role.path));
  if (!outputs.some(({ role }) => role.kind === "commit")) return undefined;
  if (outputs.length === segment.outputs.length) return segment;
  const key = outputs.map((output) => segment.outputs.indexOf(output)).join();
  const known = rests.get(segment) ?? new Map<string, Segment>();
  rests.set(segment, known);
  const rest = known.get(key) ?? { ...segment, outputs };
  known.set(key, rest);
  return rest;
}
/** By segment and what is left of it: asked again, it is the one that was made ready. */
const rests = new WeakMap<Segment, Map<string, Segment>>();

export interface WayIn {
  /** What is computed on the way to the block, in order. */
  readonly before: readonly Segment[];
  readonly block?: Train;
  /** Of the pass that the block stands in, or of the program. */
  readonly seed: number;
}

export function wayIn(program: Program, { until, kept }: Entry): WayIn {
  const before: Segment[] = [];
  const walk = (actions: readonly Action[], seed: number): { block: Train; seed: number } | undefined => {
    for (const action of actions) {
      if (action.kind === "train" && action.name === until) return { block: action, seed };
      const found = action.kind === "run" ? walk(action.body, action.seed) : undefined;
      if (found) return found;
      const rest = action.kind === "compute" ? restOf(action.segment, kept) : undefined;
      if (rest) before.push(rest);
    }
    return undefined;
  };
  const found = walk(program.body, program.seed);
  return found ? { before, ...found } : { before: [], seed: program.seed };
}
