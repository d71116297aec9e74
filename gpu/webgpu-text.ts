/**
 * What webgpu makes of a segment, told without a device: kernels and shaders as text, and counts. It is planned for the
 * base limits of WebGPU (8 storage buffers, 128 MiB each), so it is the same on any machine; software adapters are
 * given another schedule.
 */
import { planArenas } from "./arenas.ts";
import type { ArenasPlan } from "./arenas.ts";
import { optimize } from "../lang/graph/index.ts";
import type { Segment } from "../lang/program.ts";
import type { Stats } from "./device.ts";
import type { Lowered } from "./program.ts";
import { loweredText } from "./kernel-text.ts";
import { sizeOf } from "./space.ts";
import { statsOf } from "./stats.ts";
import { lowerForShaders } from "./webgpu-lower.ts";
import { outputsOf } from "./webgpu-outputs.ts";
import { FIRST_TEMP, GIVEN, NEXT, STEERING, TEMPS } from "./webgpu-memory.ts";
import { TapeWriter } from "./webgpu-tape.ts";
import { hardware } from "./wgsl/index.ts";
import type { Schedule } from "./wgsl/index.ts";

/** Bytes of the largest tensor under base limits. */
export const BASE_BINDING = 2 ** 27;

export function loweredForWebGpu(segment: Segment, schedule: Schedule, disable: readonly string[] = []) {
  const outputs = outputsOf(segment, optimize(segment.outputs.map((o) => o.node)));
  return { outputs, lowered: lowerForShaders(outputs.wanted, new Set(disable), schedule) };
}

export function segmentKernels(segment: Segment): string {
  return loweredText(loweredForWebGpu(segment, hardware).lowered);
}

/** The bank of each buffer, while each kind of content has one. */
function banksOf({ buffers }: Lowered, { arenas }: ArenasPlan, fetched: ReadonlyMap<string, number>): number[] {
  const bankOf = (id: number): number => {
    const { place } = buffers[id]!;
    if (place.kind === "slice") return bankOf(place.of);
    if (place.kind === "swap") return bankOf(place.even);
    if (place.kind === "temp") return FIRST_TEMP + arenas[id]!;
    if (place.kind === "stage") return fetched.has(place.path) ? STEERING : NEXT;
    return GIVEN;
  };
  return buffers.map((_, id) => bankOf(id));
}

function shadersIn(segment: Segment, schedule: Schedule, disable?: readonly string[]) {
  const { outputs, lowered } = loweredForWebGpu(segment, schedule, disable);
  const plan = planArenas(lowered, TEMPS);
  const banks = banksOf(lowered, plan, outputs.places);
  const layout = {
    buffer: (id: number) => ({ bank: banks[id]!, at: 0 }),
    tick: () => ({ bank: GIVEN, at: 0 }),
    table: 0,
  };
  const { dispatches } = new TapeWriter(lowered, layout, schedule).write({
    status: 0,
    commits: segment.outputs.flatMap(({ role, node }) =>
      role.kind === "commit"
        ? [{ from: { bank: NEXT, at: 0 }, to: { bank: GIVEN, at: 0 }, size: sizeOf(node.type.shape) }]
        : [],
    ),
    checks: outputs.checks.map(({ at, counted }) => ({ at, counted })),
    halts: outputs.halts,
  });
  return { lowered, plan, dispatches };
}

/** Each shader once, with how often kernels of the segment use it. */
export function segmentWgsl(segment: Segment): string {
  const users = new Map<string, Set<number>>();
  for (const { code, of } of shadersIn(segment, hardware).dispatches) {
    if (typeof of === "number") users.set(code, (users.get(code) ?? new Set()).add(of));
  }
  return [...users]
    .map(([code, { size }], i) => `// shader ${i}, of ${size} kernel${size === 1 ? "" : "s"}\n${code}`)
    .join("\n");
}

/** Every dispatch of one run counts, those that commit and check too. `disable`: fusion rules to leave out. */
export function segmentStats(segment: Segment, schedule: Schedule = hardware, disable?: readonly string[]): Stats {
  const { lowered, plan, dispatches } = shadersIn(segment, schedule, disable);
  return { ...statsOf(lowered, plan), dispatches: dispatches.length };
}

/** Storage bindings of all dispatches of a run, and how many of them are for reading alone. */
export function segmentBindings(segment: Segment): { readonly bindings: number; readonly readOnly: number } {
  let [bindings, readOnly] = [0, 0];
  for (const { writes } of shadersIn(segment, hardware).dispatches) {
    bindings += writes.length;
    readOnly += writes.filter((written) => !written).length;
  }
  return { bindings, readOnly };
}
