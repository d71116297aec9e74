/**
 * Loops whose rows are apart: where every kernel of the body treats the rows of what the loop makes one by one (the
 * batch of a recurrence, forward and backward), a range of rows runs through all ticks without a word to the others.
 * Such a loop becomes a loop of one kernel, `strand`, and threads share its rows instead of each kernel of each tick.
 * The rows are found by structure alone: a common divisor of the outermost loops that fits every access.
 */
import { callsOf, joined } from "./calls.ts";
import type { Call } from "./calls.ts";
import { scratchOf } from "./kernel.ts";
import type { Access, GroupMember, Kernel, RowsKernel, StrandKernel, StrandMember } from "./kernel.ts";
import { below } from "./program.ts";
import type { Buffer, Lowered, Step } from "./program.ts";
import { STRAND_GRAINS, costOf } from "./threads-waves.ts";
import { finishOf, packs } from "./wasm/blocks.ts";
import { outerSteps } from "./wasm/rows.ts";

type LoopStep = Extract<Step, { readonly kind: "loop" }>;

/** The kernels of a body in order, groups by member; none where it holds anything else. */
function bodyOf(loop: LoopStep, kernels: readonly Kernel[]): readonly Call[] | undefined {
  const out: Call[] = [];
  for (const step of loop.body) {
    const calls = step.kind === "kernel" ? callsOf(kernels[step.kernel] as Kernel, step.args) : undefined;
    if (!calls) return undefined;
    out.push(...calls);
  }
  return out;
}

// ---------------------------------------------------------------- rows

/** Places of the loop that is cut, and what cuts must be multiples of. */
function outerOf(kernel: Call["kernel"]): { readonly count: number; readonly unit: number } | undefined {
  if (kernel.kind === "rows") return outerSteps(kernel);
  if (kernel.g !== 1 || !packs(kernel)) return undefined;
  const finish = finishOf(kernel, true);
  const even = !finish || (finish.after === "m" && finish.needs === 1 && finish.each % finish.unit === 0);
  return even ? { count: kernel.m, unit: 1 } : undefined;
}

/** Whether `each` places along an axis stay inside of their own `block` of the tensor, the first ones in the first. */
function apart(kernel: RowsKernel, axis: number | undefined, access: Access, each: number, block: number): boolean {
  if (access.dynamic.length > 0) return false;
  let [low, high, along] = [access.base, access.base, 0];
  for (const [a, coef] of access.terms) {
    const reach = coef * ((a === axis ? each : (kernel.axes[a] ?? 1)) - 1);
    if (a === axis) along = coef;
    low += Math.min(0, reach);
    high += Math.max(0, reach);
  }
  return along * each === block && low >= 0 && high < block;
}

/** Whether each row of `made` parameters is touched by its own places only. */
function rowsApart(kernel: RowsKernel, rows: number, made: (param: number) => boolean): boolean {
  const { axis, count } = outerSteps(kernel);
  const accesses = [
    ...kernel.values.flatMap((v) => (v.op === "load" ? [v.access] : [])),
    ...kernel.stages.flatMap((stage) => stage.stores.map((store) => store.access)),
  ];
  return accesses.every((access) => {
    const size = kernel.params[access.param]?.size ?? 0;
    return !made(access.param) || (size % rows === 0 && apart(kernel, axis, access, count / rows, size / rows));
  });
}

function callApart({ kernel, args }: Call, rows: number, made: ReadonlySet<number>, buffers: readonly Buffer[]) {
  const varies = (param: number) => below(buffers, args[param] as number).some((id) => made.has(id));
  if (kernel.kind === "rows") return rowsApart(kernel, rows, varies);
  const { a, b, m, k, epilogue } = kernel;
  if (varies(b.param)) return false;
  if (varies(a.param)) {
    const size = kernel.params[a.param]?.size ?? 0;
    if (a.outer.kind !== "stride" || a.k.kind !== "stride") return false;
    const reach = a.base + a.outer.stride * (m / rows - 1) + a.k.stride * (k - 1);
    if (a.outer.stride * m !== size || a.k.stride < 0 || reach >= size / rows) return false;
  }
  const finish = finishOf(kernel, true);
  return !epilogue || !finish || rowsApart(finish.rows, rows, (param) => varies(epilogue.params[param] as number));
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

interface Rows {
  readonly rows: number;
  /** What borders between ranges of rows are multiples of. */
  readonly step: number;
}

/** The rows that all calls keep apart, if there are any. */
function commonRows(calls: readonly Call[], buffers: readonly Buffer[]): Rows | undefined {
  const outer = calls.map(({ kernel }) => outerOf(kernel));
  const rows = outer.reduce((all, own) => divisor(all, own?.count ?? 1), 0);
  let step = 1;
  for (const own of outer) {
    if (!own || rows < 2) return undefined;
    const least = own.unit / divisor(own.unit, own.count / rows);
    step *= least / divisor(step, least);
  }
  const made = new Set<number>();
  for (const { kernel, args } of calls) {
    const scratch = scratchOf(kernel);
    args.forEach((id, i) => {
      if (i !== scratch && kernel.params[i]?.access === "write") for (const own of below(buffers, id)) made.add(own);
    });
  }
  return calls.every((call) => callApart(call, rows, made, buffers)) ? { rows, step } : undefined;
}

// ---------------------------------------------------------------- the lowered loop

/** The calls as one kernel. */
function strandOf(calls: readonly Call[], buffers: readonly Buffer[], rows: number, part: number) {
  const { args, members, ...rest } = joined(calls, buffers, true);
  const each = ({ kernel }: GroupMember) => (kernel.kind === "rows" ? outerSteps(kernel).count : kernel.m) / rows;
  const apart = members.map((member): StrandMember => ({ ...member, each: each(member) }));
  const kernel: StrandKernel = { kind: "strand", ...rest, members: apart, rows, part };
  return { kernel, args: [...args] };
}

/** The same program whose loops of much work run by ranges of rows, one for each thread. */
export function stranded(lowered: Lowered, threads: number, grain: number): Lowered {
  const buffers = [...lowered.buffers];
  const added: { kernel: StrandKernel; spans: Lowered["spans"][number] }[] = [];
  const loop = (step: LoopStep): Step => {
    const calls = bodyOf(step, lowered.kernels);
    const found = calls && commonRows(calls, buffers);
    if (!calls || !found) return step;
    const work = step.count * calls.reduce((sum, { kernel }) => sum + costOf(kernel), 0);
    const part = found.step * Math.ceil(found.rows / found.step / threads);
    if (work < STRAND_GRAINS * grain || part >= found.rows) return step;
    const { kernel, args } = strandOf(calls, buffers, found.rows, part);
    const spans = step.body.flatMap((own) => (own.kind === "kernel" ? (lowered.spans[own.kernel] ?? []) : []));
    added.push({ kernel, spans });
    // each range is at a tick of its own: the cell that holds the tick becomes a place in a table of all ticks
    const at = args.indexOf(step.tick);
    if (at >= 0) {
      const data = Int32Array.from({ length: step.count }, (_, i) => i);
      const of = buffers.push({ dtype: "i32", size: step.count, place: { kind: "data", data } }) - 1;
      args[at] = buffers.push({ dtype: "i32", size: 1, place: { kind: "slice", of, loop: step.loop, stride: 1 } }) - 1;
    }
    return { ...step, body: [{ kind: "kernel", kernel: lowered.kernels.length + added.length - 1, args }] };
  };
  const tape = lowered.tape.map((step) => (step.kind === "loop" ? loop(step) : step));
  if (added.length === 0) return lowered;
  return compact({
    ...lowered,
    buffers,
    tape,
    kernels: [...lowered.kernels, ...added.map(({ kernel }) => kernel)],
    spans: [...lowered.spans, ...added.map(({ spans }) => spans)],
  });
}

/** Without the kernels that nothing calls any more. */
function compact(lowered: Lowered): Lowered {
  const numbers = new Map<number, number>();
  const renumber = (steps: readonly Step[]): readonly Step[] =>
    steps.map((step): Step => {
      if (step.kind === "loop") return { ...step, body: renumber(step.body) };
      if (step.kind !== "kernel") return step;
      const kernel = numbers.get(step.kernel) ?? numbers.size;
      numbers.set(step.kernel, kernel);
      return { ...step, kernel };
    });
  const tape = renumber(lowered.tape);
  const kept = [...numbers.keys()];
  return {
    ...lowered,
    tape,
    kernels: kept.map((id) => lowered.kernels[id] as Kernel),
    spans: kept.map((id) => lowered.spans[id] ?? []),
  };
}
