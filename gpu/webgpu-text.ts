/**
 * What webgpu makes of a segment, told without a device: kernels and shaders as text, and counts. It is planned for the
 * base limits of WebGPU (8 storage buffers, 128 MiB each), so it is the same on any machine; software adapters are
 * given another schedule.
 */
import { optimize } from "../lang/graph/index.ts";
import type { Segment } from "../lang/program.ts";
import type { Stats } from "./device.ts";
import { loweredText } from "./kernel-text.ts";
import { planArena } from "./plan.ts";
import { sizeOf } from "./space.ts";
import { statsOf } from "./stats.ts";
import { lowerForShaders } from "./webgpu-lower.ts";
import { outputsOf } from "./webgpu-outputs.ts";
import { planned } from "./webgpu-prepared.ts";
import { TapeWriter } from "./webgpu-tape.ts";
import { hardware, shadersOf } from "./wgsl/index.ts";
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

/** Each shader once, with how often kernels of the segment use it. All operands are shown in the first bank of tensors. */
export function segmentWgsl(segment: Segment): string {
  const counts = new Map<string, number>();
  for (const kernel of loweredForWebGpu(segment, hardware).lowered.kernels) {
    const banks = kernel.params.map(() => 1);
    for (const { code } of shadersOf(kernel, banks, hardware)) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, n], i) => `// shader ${i}, of ${n} kernel${n === 1 ? "" : "s"}\n${code}`).join("\n");
}

/** Every dispatch of one run counts, those that commit and check too. `disable`: fusion rules to leave out. */
export function segmentStats(segment: Segment, schedule: Schedule = hardware, disable?: readonly string[]): Stats {
  const { outputs, lowered: low } = loweredForWebGpu(segment, schedule, disable);
  const plan = planArena(low.buffers.map(planned), low.tape, low.outputs);
  const anywhere = { bank: 1, at: 0 };
  const tape = new TapeWriter(low, { buffer: () => anywhere, tick: () => anywhere, table: 0 }, schedule).write({
    status: 0,
    commits: segment.outputs.flatMap(({ role, node }) =>
      role.kind === "commit" ? [{ from: anywhere, to: anywhere, size: sizeOf(node.type.shape) }] : [],
    ),
    checks: outputs.checks.map(({ at, counted }) => ({ at, counted })),
    halts: outputs.halts,
  });
  return { ...statsOf(low, plan), dispatches: tape.dispatches.length };
}
