/**
 * The kernels of a segment as data for a screen: what runs in which order, what each kernel reads, writes and computes,
 * the places in the script that it does the work of, and the code of the device. Nothing is run, nothing is opened.
 */
import type { Segment } from "../lang/program.ts";
import type { Span } from "../lang/source.ts";
import { loweredForCpu } from "./cpu-segment.ts";
import type { Stats } from "./device.ts";
import type { Kernel } from "./kernel.ts";
import { bufferText, kernelText } from "./kernel-text.ts";
import { mergeRules } from "./merge.ts";
import { planArena } from "./plan.ts";
import type { Lowered, Step } from "./program.ts";
import { callBytes, flopsOf, statsOf } from "./stats.ts";
import { hasRelaxedSimd } from "./wasm/assembler.ts";
import { kernelModule } from "./wasm/module.ts";
import { moduleText } from "./wasm/text.ts";
import { loweredForWebGpu, segmentStats } from "./webgpu-text.ts";
import { hardware, shadersOf, software } from "./wgsl/index.ts";

/** Every rule that makes fewer kernels of a graph; without them an operation is a kernel. */
export const fusionRules: readonly string[] = [
  "inline",
  "parts",
  "factor",
  "split",
  "batches",
  ...mergeRules,
  "group",
  "chain",
  "triangle",
];

/** What a segment is seen for: the processor, or a graphics adapter, which may be software. */
export type ViewedDevice = "cpu" | "webgpu" | "webgpu software";

export interface KernelView {
  readonly kind: Kernel["kind"];
  /** As `dlx graph --kernels` writes it; times of a profile have the same text. */
  readonly text: string;
  readonly spans: readonly Span[];
  /** Of one call. */
  readonly flops: number;
  /** Kernels that share its dispatch: the members of a group or a chain. */
  readonly members: readonly { readonly kind: Kernel["kind"]; readonly text: string }[];
  /** On webgpu: a shader for each of its dispatches. */
  readonly wgsl: readonly string[];
  /** On cpu: a WebAssembly module that holds it alone, with the helpers that it calls. */
  readonly wasm: { readonly bytes: number; readonly text: string } | undefined;
}

/** One step of the tape. */
export interface CallView {
  /** Its place in `kernels`; undefined for a copy. */
  readonly kernel: number | undefined;
  /** By parameter: `net.w`, `net.w'` (its next value), `batch:x`, `t7`. */
  readonly args: readonly string[];
  /** In one run. */
  readonly times: number;
  /** Of one of them. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface SegmentView {
  readonly kernels: readonly KernelView[];
  readonly calls: readonly CallView[];
}

const loweredFor = (segment: Segment, device: ViewedDevice): Lowered =>
  device === "cpu" ? loweredForCpu(segment) : loweredForWebGpu(segment, scheduleOf(device)).lowered;

const scheduleOf = (device: ViewedDevice) => (device === "webgpu" ? hardware : software);

export function segmentView(segment: Segment, device: ViewedDevice): SegmentView {
  const lowered = loweredFor(segment, device);
  const kernels = lowered.kernels.map((kernel, i): KernelView => {
    const members = kernel.kind === "group" || kernel.kind === "chain" ? kernel.members : [];
    return {
      kind: kernel.kind,
      text: kernelText(kernel),
      spans: lowered.spans[i] ?? [],
      flops: flopsOf(kernel),
      members: members.map(({ kernel: own }) => ({ kind: own.kind, text: kernelText(own) })),
      wgsl: device === "cpu" ? [] : shaders(kernel, device),
      wasm: device === "cpu" ? wasmOf(kernel) : undefined,
    };
  });
  return { kernels, calls: callsOf(lowered) };
}

/** All operands are shown in the first bank of tensors. */
function shaders(kernel: Kernel, device: ViewedDevice): string[] {
  const banks = kernel.params.map(() => 1);
  return shadersOf(kernel, banks, scheduleOf(device)).map(({ code }) => code);
}

function wasmOf(kernel: Kernel): NonNullable<KernelView["wasm"]> {
  const memory = { initial: 1, maximum: 65536, shared: true };
  const bytes = kernelModule([kernel], { memory, madd: hasRelaxedSimd() });
  return { bytes: bytes.length, text: moduleText(bytes) };
}

function callsOf({ tape, kernels, buffers }: Lowered): CallView[] {
  const walk = (steps: readonly Step[], times: number): CallView[] =>
    steps.flatMap((step): CallView[] => {
      if (step.kind === "loop") return walk(step.body, times * step.count);
      if (step.kind === "copy") {
        const bytes = 4 * (buffers[step.to]?.size ?? 0);
        const args = [bufferText(buffers, step.from), bufferText(buffers, step.to)];
        return [{ kernel: undefined, args, times, bytesRead: bytes, bytesWritten: bytes }];
      }
      const { read, written } = callBytes(kernels[step.kernel] as Kernel, step.args);
      const args = step.args.map((id) => bufferText(buffers, id));
      return [{ kernel: step.kernel, args, times, bytesRead: read, bytesWritten: written }];
    });
  return walk(tape, 1);
}

/** Counts of one run; without fusion each operation is a kernel and its result lies in memory. */
export function segmentCounts(segment: Segment, device: ViewedDevice, fused: boolean): Stats {
  const disable = fused ? [] : fusionRules;
  if (device !== "cpu") return segmentStats(segment, scheduleOf(device), disable);
  const lowered = loweredForCpu(segment, new Set(disable));
  return statsOf(lowered, planArena(lowered.buffers, lowered.tape, lowered.outputs, lowered.kernels));
}
