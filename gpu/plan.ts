/**
 * Places of temporaries in one arena: lifetimes on the linear tape, then the largest buffer first into the lowest gap
 * among those that live at the same time. A buffer that a loop's body reads from outside lives until the loop ends.
 */
import { replacements } from "./in-place.ts";
import { bytesOf } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import type { Buffer, Step } from "./program.ts";

/** Bytes; vectors load whole. */
const ALIGN = 16;

export interface Plan {
  /** Byte offset in the arena by buffer; -1 for buffers that live elsewhere. */
  readonly offsets: readonly number[];
  readonly bytes: number;
  /** The most bytes that live at one time: what no plan can do without. */
  readonly live: number;
  /** By buffer: first and last place on the tape (a loop counts its body and both ends); none where another's place serves. */
  readonly lives: readonly (Range | undefined)[];
}

export interface Range {
  readonly start: number;
  readonly end: number;
}
interface Touch {
  readonly at: number;
  readonly loops: readonly Range[];
}

const inArena = (b: Buffer) => b.place.kind === "temp" || b.place.kind === "scalar" || b.place.kind === "batch";

/** First and last position of every buffer on the tape. */
export function lifetimes(
  buffers: readonly Buffer[],
  tape: readonly Step[],
  kept: readonly number[],
): (Range | undefined)[] {
  const touches: Touch[][] = buffers.map(() => []);
  let now = 1;
  const touch = (id: number, loops: readonly Range[], at = now): void => {
    const place = buffers[id]?.place;
    if (place?.kind === "slice") touch(place.of, loops, at);
    else if (place?.kind === "swap") [place.even, place.odd].forEach((of) => touch(of, loops, at));
    else touches[id]?.push({ at, loops });
  };
  const length = (steps: readonly Step[]): number =>
    steps.reduce((n, s) => n + (s.kind === "loop" ? length(s.body) + 2 : 1), 0);
  const walk = (steps: readonly Step[], loops: readonly Range[]): void => {
    for (const step of steps) {
      if (step.kind === "kernel") step.args.forEach((id) => touch(id, loops));
      else if (step.kind === "copy") [step.from, step.to].forEach((id) => touch(id, loops));
      else {
        const range = { start: now, end: now + length(step.body) + 1 };
        for (const id of [...step.holds, step.tick]) {
          touch(id, loops, range.start);
          touch(id, loops, range.end);
        }
        now++;
        walk(step.body, [...loops, range]);
      }
      now++;
    }
  };
  walk(tape, []);
  const end = now;
  buffers.forEach((b, id) => {
    // feeds are written before the first step
    if (inArena(b) && b.place.kind !== "temp" && (touches[id]?.length ?? 0) > 0)
      touches[id]?.push({ at: 0, loops: [] });
  });
  for (const id of kept) {
    touch(id, [], end);
    if (buffers[id]?.place.kind !== "temp") touch(id, [], 0);
  }
  return touches.map((list) => {
    if (list.length === 0) return undefined;
    const start = Math.min(...list.map((t) => t.at));
    const last = list.map((t) => Math.max(t.at, ...t.loops.filter((l) => l.start > start).map((l) => l.end)));
    return { start, end: Math.max(...last) };
  });
}

/**
 * By buffer: the one whose place it takes, or itself. Both must end and begin at one call, outside of other lives:
 * a buffer that is kept, fed or held by a loop stays its own.
 */
function placesTaken(
  buffers: readonly Buffer[],
  tape: readonly Step[],
  ranges: (Range | undefined)[],
  kernels: readonly Kernel[],
): number[] {
  const taken = buffers.map((_, id) => id);
  const from = (id: number): number => {
    let at = id;
    while (taken[at] !== at) at = taken[at] as number;
    return at;
  };
  const temp = (id: number) => buffers[id]?.place.kind === "temp";
  const walk = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") walk(step.body);
      if (step.kind !== "kernel") continue;
      const kernel = kernels[step.kernel];
      if (!kernel) continue;
      const used = new Set<number>();
      for (const [input, output] of replacements(kernel, step.args)) {
        const [a, b] = [ranges[from(input)], ranges[output]];
        if (!a || !b || used.has(input) || taken[output] !== output || !temp(input) || !temp(output)) continue;
        if (buffers[input]?.size !== buffers[output]?.size || a.end !== b.start) continue;
        used.add(input);
        taken[output] = from(input);
        ranges[from(input)] = { start: a.start, end: b.end };
      }
    }
  };
  walk(tape);
  return taken.map((_, id) => from(id));
}

/** What a buffer needs in an arena, and when. */
export interface Sized {
  readonly id: number;
  readonly size: number;
  readonly range: Range;
}

/** Bytes. */
export const sizeIn = (b: Buffer): number => Math.ceil(bytesOf(b.size, b) / ALIGN) * ALIGN;

/** By buffer its offset, and bytes of them all. */
export function placed(all: readonly Sized[]): {
  readonly places: ReadonlyMap<number, number>;
  readonly bytes: number;
} {
  const places = new Map<number, number>();
  // in the order of their places
  const taken: { readonly from: number; readonly to: number; readonly start: number; readonly end: number }[] = [];
  let bytes = 0;
  for (const { id, size, range } of [...all].sort((a, b) => b.size - a.size || a.id - b.id)) {
    const { start, end } = range;
    // best fit: the smallest gap that is large enough, else behind all
    let at = 0;
    let best = -1;
    let bestGap = Infinity;
    for (let i = 0; i < taken.length; i++) {
      const p = taken[i]!;
      if (p.end < start || end < p.start) continue;
      const gap = p.from - at;
      if (gap >= size && gap < bestGap) {
        best = at;
        bestGap = gap;
      }
      at = Math.max(at, p.to);
    }
    const from = best >= 0 ? best : at;
    places.set(id, from);
    const behind = taken.findIndex((p) => p.from > from);
    taken.splice(behind < 0 ? taken.length : behind, 0, { from, to: from + size, start, end });
    bytes = Math.max(bytes, from + size);
  }
  return { places, bytes };
}

/** `kept` are read after the tape has run. With the kernels at hand, results take the places of inputs that end there. */
export function planArena(
  buffers: readonly Buffer[],
  tape: readonly Step[],
  kept: readonly number[],
  kernels: readonly Kernel[] = [],
): Plan {
  const ranges = lifetimes(buffers, tape, kept);
  const owner = placesTaken(buffers, tape, ranges, kernels);
  const alone = buffers.flatMap((b, id): Sized[] => {
    const range = ranges[id];
    return range && owner[id] === id && inArena(b) ? [{ id, size: sizeIn(b), range }] : [];
  });
  const { places, bytes } = placed(alone);
  const offsets = buffers.map((_, id) => places.get(id) ?? -1);
  owner.forEach((of, id) => {
    if (of !== id) offsets[id] = offsets[of] ?? -1;
  });
  const lives = ranges.map((range, id) => (owner[id] === id && (offsets[id] ?? -1) >= 0 ? range : undefined));
  return { offsets, bytes, live: mostLive(alone), lives };
}

/** The greatest sum of the sizes that live at one time. */
export function mostLive(all: readonly { readonly size: number; readonly range: Range }[]): number {
  const changes = new Map<number, number>();
  const change = (at: number, by: number) => void changes.set(at, (changes.get(at) ?? 0) + by);
  for (const { size, range } of all) {
    change(range.start, size);
    change(range.end + 1, -size);
  }
  let live = 0;
  let most = 0;
  for (const at of [...changes.keys()].sort((a, b) => a - b)) {
    live += changes.get(at) ?? 0;
    most = Math.max(most, live);
  }
  return most;
}
