/**
 * Products in a loop whose right operand the loop does not change (the weights of a recurrence): a kernel before the loop
 * packs it once, and the products of all ticks read that. The panels are those that each product would make for itself.
 */
import { callsOf, joined } from "./calls.ts";
import type { Call } from "./calls.ts";
import { kernelText } from "./kernel-text.ts";
import { scratchOf } from "./kernel.ts";
import type { DotKernel, Kernel, Operand, PackKernel, Param } from "./kernel.ts";
import { below } from "./program.ts";
import type { Buffer, Lowered, Step } from "./program.ts";
import { packs } from "./wasm/blocks.ts";
import { packedSize } from "./wasm/packed.ts";

type LoopStep = Extract<Step, { readonly kind: "loop" }>;

/** The kernel that packs a product's right operand, and what it reads. */
function packOf({ kernel, args }: Call & { readonly kernel: DotKernel }): { kernel: PackKernel; reads: number[] } {
  const { b, n, k } = kernel;
  const params: Param[] = [];
  const reads: number[] = [];
  const moved = (param: number): number => {
    reads.push(args[param] as number);
    return params.push(kernel.params[param] as Param) - 1;
  };
  const offsets = (o: Operand["k"]) => (o.kind === "table" ? { ...o, param: moved(o.param) } : o);
  const operand = { ...b, param: moved(b.param), outer: offsets(b.outer), k: offsets(b.k) };
  params.push({ dtype: "f32", size: packedSize(n, k), access: "write" });
  return { kernel: { kind: "pack", params, n, k, b: operand }, reads };
}

/** The product that reads panels in the place of its right operand. */
function reading({ kernel, args }: Call & { readonly kernel: DotKernel }, panels: number): Call {
  const size = packedSize(kernel.n, kernel.k);
  const none = { kind: "stride", stride: 0 } as const;
  const { param } = kernel.b;
  return {
    kernel: {
      ...kernel,
      params: kernel.params.with(param, { dtype: "f32", size, access: "read" }),
      b: { param, base: 0, g: none, outer: none, k: none },
      packed: true,
    },
    args: args.with(param, panels),
  };
}

const isDot = (call: Call): call is Call & { readonly kernel: DotKernel } => call.kernel.kind === "dot";

export function prepacked(lowered: Lowered): Lowered {
  const buffers: Buffer[] = [...lowered.buffers];
  const kernels: Kernel[] = [];
  const spans: Lowered["spans"][number][] = [];
  const known = new Map<string, number>();
  const add = (kernel: Kernel, own: Lowered["spans"][number]): number => {
    const text = kernelText(kernel);
    const id = known.get(text) ?? kernels.push(kernel) - 1;
    if (!known.has(text)) spans.push(own);
    known.set(text, id);
    return id;
  };

  const loop = (step: LoopStep): Step[] => {
    const made = new Set<number>();
    for (const own of step.body) {
      const kernel = own.kind === "kernel" ? lowered.kernels[own.kernel] : undefined;
      if (own.kind !== "kernel" || !kernel) return [kept(step)];
      own.args.forEach((id, i) => {
        const writes = i !== scratchOf(kernel) && kernel.params[i]?.access === "write";
        if (writes) for (const of of below(buffers, id)) made.add(of);
      });
    }
    const first: Step[] = [];
    const panels = new Map<string, number>();
    const packed = (call: Call, own: Lowered["spans"][number]): Call => {
      if (!isDot(call) || call.kernel.g !== 1 || !packs(call.kernel)) return call;
      const source = call.args[call.kernel.b.param] as number;
      const { place } = buffers[source] as Buffer;
      if (place.kind === "slice" || place.kind === "swap" || made.has(source)) return call;
      const { kernel, reads } = packOf(call);
      const key = `${kernelText(kernel)} ${reads.join()}`;
      let id = panels.get(key);
      if (id === undefined) {
        id = buffers.push({ dtype: "f32", size: packedSize(kernel.n, kernel.k), place: { kind: "temp" } }) - 1;
        panels.set(key, id);
        first.push({ kind: "kernel", kernel: add(kernel, own), args: [...reads, id] });
      }
      return reading(call, id);
    };
    const body = step.body.map((own): Step => {
      if (own.kind !== "kernel") return own;
      const kernel = lowered.kernels[own.kernel] as Kernel;
      const from = lowered.spans[own.kernel] ?? [];
      const calls = callsOf(kernel, own.args);
      const now = calls?.map((call) => packed(call, from));
      if (!calls || !now || now.every((call, i) => call === calls[i])) return kept(own);
      const [first] = now;
      if (now.length === 1 && first) return { kind: "kernel", kernel: add(first.kernel, from), args: first.args };
      const { args, ...group } = joined(now, buffers, true);
      return { kind: "kernel", kernel: add({ kind: "group", ...group }, from), args };
    });
    return [...first, { ...step, holds: [...step.holds, ...panels.values()], body }];
  };
  const kept = (step: Step): Step => {
    if (step.kind === "kernel") {
      const kernel = lowered.kernels[step.kernel] as Kernel;
      return { ...step, kernel: add(kernel, lowered.spans[step.kernel] ?? []) };
    }
    return step.kind === "loop" ? { ...step, body: step.body.map(kept) } : step;
  };
  const tape = lowered.tape.flatMap((step) => (step.kind === "loop" && step.count > 1 ? loop(step) : [kept(step)]));
  return { ...lowered, buffers, kernels, spans, tape };
}
