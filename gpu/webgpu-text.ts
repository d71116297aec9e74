/** The shaders of a segment as text, for `dlx graph --wgsl`: what a device would run, written without one. */
import { optimize } from "../lang/graph/index.ts";
import type { Segment } from "../lang/program.ts";
import { lower } from "./lower.ts";
import { outputsOf } from "./webgpu-outputs.ts";
import { lowerOptions, shadersOf } from "./wgsl/index.ts";

/** Each shader once, with how often kernels of the segment use it. All operands are shown in the first bank of tensors. */
export function segmentWgsl(segment: Segment): string {
  const { wanted } = outputsOf(segment, optimize(segment.outputs.map((o) => o.node)));
  const { kernels } = lower(wanted, lowerOptions(new Set()));
  const counts = new Map<string, number>();
  for (const kernel of kernels) {
    const banks = kernel.params.map(() => 1);
    for (const { code } of shadersOf(kernel, banks)) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, n], i) => `// shader ${i}, of ${n} kernel${n === 1 ? "" : "s"}\n${code}`).join("\n");
}
