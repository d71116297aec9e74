/**
 * The tape of the cpu device as actions with everything looked up, and the calling thread's walk over them.
 * A wave may be shared with worker threads, `piece` by piece; everything else runs here, in order.
 */
import { POISON } from "./debug.ts";
import type { Heap } from "./heap.ts";
import type { Lowered, Step } from "./program.ts";
import { cuts } from "./threads-waves.ts";
import type { Outer } from "./threads-waves.ts";

export type KernelFunction = (...args: number[]) => void;

export interface Call {
  readonly kind: "call";
  readonly run: KernelFunction;
  /** begin, end, then pointers, refreshed before each call. */
  readonly argv: number[];
  readonly buffers: readonly number[];
}
export interface Wave {
  readonly kind: "wave";
  /** Its number for the workers; -1 when it is not worth them. */
  readonly number: number;
  readonly pieces: readonly (() => void)[];
}
export type Action =
  | Call
  | Wave
  | { readonly kind: "poison"; readonly buffers: readonly { readonly id: number; readonly words: number }[] }
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly bytes: number }
  | {
      readonly kind: "loop";
      readonly count: number;
      readonly reverse: boolean;
      readonly tick: number;
      readonly slices: readonly { readonly id: number; readonly of: number; readonly bytes: number }[];
      readonly swaps: readonly { readonly id: number; readonly even: number; readonly odd: number }[];
      readonly body: readonly Action[];
    };

export interface Kernels {
  readonly functions: readonly KernelFunction[];
  readonly outer: readonly Outer[];
  /** Calls that each kernel is cut into. */
  readonly pieces: number;
}

export function actionsOf(lowered: Lowered, tape: readonly Step[], kernels: Kernels): Action[] {
  return tape.flatMap((step): Action[] => {
    if (step.kind === "kernel") {
      const { args: buffers } = step;
      const [outer, run] = [kernels.outer[step.kernel], kernels.functions[step.kernel]];
      if (!outer || !run) throw new Error(`expected kernel ${step.kernel} in the module`);
      return cuts(outer.count, outer.unit, kernels.pieces).map(([begin, end]) => ({
        kind: "call",
        run,
        argv: [begin, end, ...buffers],
        buffers,
      }));
    }
    if (step.kind === "copy") {
      return [{ kind: "copy", from: step.from, to: step.to, bytes: 4 * (lowered.buffers[step.to]?.size ?? 0) }];
    }
    const slices: { id: number; of: number; bytes: number }[] = [];
    const swaps: { id: number; even: number; odd: number }[] = [];
    lowered.buffers.forEach(({ place }, id) => {
      if (place.kind === "slice" && place.loop === step.loop)
        slices.push({ id, of: place.of, bytes: 4 * place.stride });
      if (place.kind === "swap" && place.loop === step.loop) swaps.push({ id, even: place.even, odd: place.odd });
    });
    const { count, reverse, tick } = step;
    return [{ kind: "loop", count, reverse, tick, slices, swaps, body: actionsOf(lowered, step.body, kernels) }];
  });
}

function call({ run, argv, buffers }: Call, addresses: Uint32Array): void {
  for (let i = 0; i < buffers.length; i++) argv[i + 2] = addresses[buffers[i] as number] as number;
  run(...argv);
}

/** Everything on the calling thread. */
export function execute(action: Action, addresses: Uint32Array, heap: Heap): void {
  switch (action.kind) {
    case "call":
      return call(action, addresses);
    case "wave":
      for (const run of action.pieces) run();
      return;
    case "poison":
      for (const { id, words } of action.buffers) {
        const at = (addresses[id] ?? 0) / 4;
        heap.i32.fill(POISON, at, at + words);
      }
      return;
    case "copy": {
      const from = addresses[action.from] ?? 0;
      heap.bytes.copyWithin(addresses[action.to] ?? 0, from, from + action.bytes);
      return;
    }
    case "loop":
      for (let n = 0; n < action.count; n++) {
        const tick = action.reverse ? action.count - 1 - n : n;
        heap.i32[(addresses[action.tick] ?? 0) / 4] = tick;
        for (const { id, even, odd } of action.swaps) addresses[id] = addresses[n % 2 === 0 ? even : odd] ?? 0;
        for (const { id, of, bytes } of action.slices) addresses[id] = (addresses[of] ?? 0) + tick * bytes;
        for (const each of action.body) execute(each, addresses, heap);
      }
  }
}
