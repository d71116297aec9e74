/**
 * A program that comes next, made ready beside the one that runs: when it takes the place, the kernels of what it begins
 * with are there, and nobody waits for them.
 */
import type { Program } from "../lang/program.ts";
import { readyParts } from "./block.ts";
import type { Context } from "./context.ts";
import { entryOf, keptOf, trainsOf, wayIn } from "./entry.ts";
import { Segments } from "./segments.ts";
import { elements, StateTable } from "./state.ts";

/** Bytes of slots: a program that keeps more may not fit, and its kernels are made when it does. */
const MOST = 2 ** 30;

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
  const kept = Object.values(program.slots).reduce((sum, { type }) => sum + 4 * elements(type), 0);
  if (kept > MOST) return;
  const { state, present, data, done } = context;
  const goingOn = keptOf(context.program, program, (path) => !state.waits([path]));
  const trains = trainsOf(context.program.body);
  const here = [...present.keys()].findLast((name) => trains.includes(name) && !done.has(name));
  const { before, block, seed } = wayIn(program, entryOf(program, done, here, new Set(goingOn.slots.keys())));
  await Promise.all([
    block && readyParts({ segments, data }, seed, block),
    ...before.map((segment) => segments.ready(segment)),
  ]);
}
