/**
 * Two ways to run a tape that show mistakes of the memory plan and of the order: `poison` fills whatever holds no value
 * (the fresh arena, and each buffer after its last reader) with NaN, `permute` shuffles steps that do not depend on each
 * other, and the members of groups. Right kernels give the same bits either way.
 */
import type { Action } from "./cpu-tape.ts";
import { itemsOf } from "./dependences.ts";
import type { Item } from "./dependences.ts";
import type { Kernel } from "./kernel.ts";
import type { Plan } from "./plan.ts";
import type { Lowered, Step } from "./program.ts";

/** A NaN that no arithmetic makes; as an index it is far outside. */
export const POISON = 0x7fc0dead;

type Random = (below: number) => number;

function randomFrom(seed: number): Random {
  let s = (seed * 2654435761 + 12345) >>> 0;
  return (below) => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.floor((s / 2 ** 32) * below);
  };
}

function taken<T>(from: T[], random: Random): T {
  const [one] = from.splice(random(from.length), 1);
  if (one === undefined) throw new Error("expected something to take, got nothing");
  return one;
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const rest = [...list];
  return list.map(() => taken(rest, random));
}

/** The same program in another order that its dependences allow. */
export function permuted(lowered: Lowered, seed: number): Lowered {
  const random = randomFrom(seed);
  const reorder = (tape: readonly Step[]): Step[] => {
    const items = itemsOf(
      tape.map((step) =>
        step.kind === "kernel"
          ? { kind: "kernel", kernel: lowered.kernels[step.kernel] as Kernel, args: step.args, spans: [] }
          : step,
      ),
      lowered.buffers,
    );
    const steps = new Map<Item, Step>(items.map((item, i) => [item, tape[i] as Step]));
    const ready = items.filter((item) => item.waits === 0);
    const out: Step[] = [];
    while (ready.length > 0) {
      const item = taken(ready, random);
      const step = steps.get(item) as Step;
      out.push(step.kind === "loop" ? { ...step, body: reorder(step.body) } : step);
      for (const next of item.after) if (--next.waits === 0) ready.push(next);
    }
    return out;
  };
  const kernels = lowered.kernels.map((kernel): Kernel =>
    kernel.kind === "group" ? { ...kernel, members: shuffled(kernel.members, random) } : kernel,
  );
  return { ...lowered, kernels, tape: reorder(lowered.tape) };
}

/** `actions` of each step, each followed by the poisoning of what was read for the last time. */
export function poisoned(lowered: Lowered, plan: Plan, actions: (step: Step) => readonly Action[]): Action[] {
  const length = (steps: readonly Step[]): number =>
    steps.reduce((n, s) => n + (s.kind === "loop" ? length(s.body) + 2 : 1), 0);
  let now = 1;
  return lowered.tape.flatMap((step): Action[] => {
    const end = now + length([step]) - 1;
    const over = plan.lives.flatMap((life, id) =>
      life && life.end >= now && life.end <= end ? [{ id, words: lowered.buffers[id]?.size ?? 0 }] : [],
    );
    now = end + 1;
    return [...actions(step), { kind: "poison", buffers: over }];
  });
}
