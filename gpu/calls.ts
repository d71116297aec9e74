/**
 * Calls of single kernels, and the parameters of one kernel that makes several of them: a tensor that several calls name
 * is named once, and products may share the largest scratch.
 */
import { scratchOf } from "./kernel.ts";
import type { DotKernel, GroupMember, Kernel, Param, RowsKernel } from "./kernel.ts";
import type { Buffer } from "./program.ts";

export interface Call {
  readonly kernel: RowsKernel | DotKernel;
  readonly args: readonly number[];
}

/** The calls that a call stands for; none where it is of another kind. */
export function callsOf(kernel: Kernel, args: readonly number[]): readonly Call[] | undefined {
  if (kernel.kind === "rows" || kernel.kind === "dot") return [{ kernel, args }];
  if (kernel.kind !== "group") return undefined;
  return kernel.members.map((own) => ({ kernel: own.kernel, args: own.params.map((p) => args[p] as number) }));
}

export interface Joined {
  readonly params: readonly Param[];
  readonly args: readonly number[];
  readonly members: readonly GroupMember[];
  readonly scratch?: number;
}

/** Gives each tensor a parameter, one for all calls: written where any of them writes it. */
export function placeOf(params: Param[], args: number[]): (id: number, param: Param) => number {
  const places = new Map<number, number>();
  return (id, param) => {
    let at = places.get(id);
    if (at === undefined) {
      args.push(id);
      at = params.push(param) - 1;
      places.set(id, at);
    } else if (param.access === "write") params[at] = param;
    return at;
  };
}

export function joined(calls: readonly Call[], buffers: readonly Buffer[], sharedScratch: boolean): Joined {
  const params: Param[] = [];
  const args: number[] = [];
  const place = placeOf(params, args);
  const size = (id: number | undefined) => (id === undefined ? -1 : (buffers[id]?.size ?? 0));
  let shared: number | undefined;
  for (const { kernel, args: own } of calls) {
    const at = sharedScratch ? scratchOf(kernel) : undefined;
    if (at !== undefined && size(own[at]) > size(shared)) shared = own[at];
  }
  const members = calls.map(({ kernel, args: own }): GroupMember => {
    const params = kernel.params.map((param, i) => {
      if (shared === undefined || i !== scratchOf(kernel)) return place(own[i] as number, param);
      return place(shared, { ...param, size: size(shared) });
    });
    return { kernel, params };
  });
  const scratch = shared === undefined ? undefined : args.indexOf(shared);
  return { params, args, members, ...(scratch === undefined ? {} : { scratch }) };
}
