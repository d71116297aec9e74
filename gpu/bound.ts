/**
 * The bytes that a segment cannot do without moving, given what it keeps: every input read once, every slot read and
 * written once, and what lives at the fullest moment (saved activations) written and read once. In a loop what every
 * tick reads anew, as the weights of a recurrence, counts for each tick.
 */
import type { Plan } from "./plan.ts";
import type { Buffer, Lowered, Step } from "./program.ts";

/** `reached` is how many elements of a buffer the kernels touch: of a data set only the rows of the batch. */
export function boundOf(lowered: Lowered, plan: Plan, reached: ReadonlyMap<number, number>): number {
  const { buffers } = lowered;
  const outside = buffers.reduce((sum, { place, size }, id) => {
    const moved = place.kind !== "temp" && place.kind !== "slice" && place.kind !== "swap";
    return moved ? sum + Math.min(size, reached.get(id) ?? 0) : sum;
  }, 0);
  return 4 * (outside + 2 * mostSaved(buffers, plan) + again(lowered, lowered.tape));
}

/** Elements of temporaries that live at the fullest moment. */
function mostSaved(buffers: readonly Buffer[], plan: Plan): number {
  const changes = new Map<number, number>();
  const change = (at: number, by: number): void => void changes.set(at, (changes.get(at) ?? 0) + by);
  plan.lives.forEach((life, id) => {
    const buffer = buffers[id]!;
    if (!life || buffer.place.kind !== "temp") return;
    change(life.start, buffer.size);
    change(life.end + 1, -buffer.size);
  });
  let [now, most] = [0, 0];
  for (const at of [...changes.keys()].sort((a, b) => a - b)) {
    now += changes.get(at)!;
    most = Math.max(most, now);
  }
  return most;
}

/** What the ticks of loops move beyond the first: all that a tick touches but for its part of a stack. */
function again({ buffers }: Lowered, steps: readonly Step[]): number {
  let sum = 0;
  for (const step of steps) {
    if (step.kind !== "loop") continue;
    const touched = new Set(step.body.flatMap((inner) => (inner.kind === "kernel" ? inner.args : [])));
    let tick = 0;
    for (const id of touched) {
      const { place, size } = buffers[id]!;
      // a carry is written by one tick and read by the next
      if (place.kind === "swap") tick += size;
      else if (place.kind !== "slice" && place.kind !== "scalar" && place.kind !== "temp") tick += size;
    }
    sum += (step.count - 1) * tick + step.count * again({ buffers } as Lowered, step.body);
  }
  return sum;
}
