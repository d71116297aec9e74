/**
 * A program that comes next, made ready beside the one that runs: when it takes the place, the kernels of what it begins
 * with are there, and nobody waits for them.
 */
import type { Program } from "../lang/program.ts";
import { readyParts } from "./block.ts";
import type { Context } from "./context.ts";
import { entryOf, keptOf, trainsOf, wayIn } from "./entry.ts";
import { Segments } from "./segments.ts";
import { StateTable } from "./state.ts";

export interface Coming {
  readonly program: Program;
  /** Its cells are made when it takes the place. */
  readonly state: StateTable;
  readonly segments: Segments;
}

export function comingOf({ device, host, math }: Context, program: Program): Coming {
  const state = new StateTable(device, program.slots, host);
  return { program, state, segments: new Segments(device, state, math) };
}

/** The segments between here and its first tick. Columns of data are the running program's until then. */
export async function makeReady(context: Context, { program, segments }: Coming): Promise<void> {
  const { state, present, data, done } = context;
  const kept = keptOf(context.program, program, (path) => !state.waits([path]));
  const trains = trainsOf(context.program.body);
  const here = [...present.keys()].findLast((name) => trains.includes(name) && !done.has(name));
  const { before, block, seed } = wayIn(program, entryOf(program, done, here, new Set(kept.slots.keys())));
  await Promise.all([
    block && readyParts({ segments, data }, seed, block),
    ...before.map((segment) => segments.ready(segment)),
  ]);
}
