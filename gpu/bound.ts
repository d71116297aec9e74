/**
 * The bytes that a segment cannot do without moving, given what it keeps: every input read once, every slot read and
 * written once, and what lives at the fullest moment (saved activations) written and read once. In a loop what every
 * tick reads anew, as the weights of a recurrence, counts for each tick.
 */
import { bytesOf } from "./kernel.ts";
import { mostLive } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Buffer, Lowered, Step } from "./program.ts";

/** `reached` is how many elements of a buffer the kernels touch: of a data set only the rows of the batch. */
export function boundOf(lowered: Lowered, plan: Plan, reached: ReadonlyMap<number, number>): number {
  const { buffers } = lowered;
  const outside = buffers.reduce((sum, { place, size }, id) => {
    const moved = place.kind !== "temp" && place.kind !== "slice" && place.kind !== "swap";
    return moved ? sum + 4 * Math.min(size, reached.get(id) ?? 0) : sum;
  }, 0);
  return outside + 2 * mostSaved(buffers, plan) + again(buffers, lowered.tape);
}

/** Bytes of temporaries that live at the fullest moment. */
function mostSaved(buffers: readonly Buffer[], plan: Plan): number {
  return mostLive(
    plan.lives.flatMap((range, id) => {
      const { place, size, ...width } = buffers[id]!;
      return range && place.kind === "temp" ? [{ size: bytesOf(size, width), range }] : [];
    }),
  );
}

/** In memory of the tick itself, or its part of a stack. A carry is written by one tick and read by the next. */
const OWN: ReadonlySet<string> = new Set(["slice", "scalar", "temp"]);

/** What the ticks of loops move beyond the first: all that a tick touches and does not own. */
function again(buffers: readonly Buffer[], steps: readonly Step[]): number {
  let sum = 0;
  for (const step of steps) {
    if (step.kind !== "loop") continue;
    let tick = 0;
    for (const id of new Set(step.body.flatMap((inner) => (inner.kind === "kernel" ? inner.args : [])))) {
      const { place, size, ...width } = buffers[id]!;
      if (!OWN.has(place.kind)) tick += bytesOf(size, width);
    }
    sum += (step.count - 1) * tick + step.count * again(buffers, step.body);
  }
  return sum;
}
