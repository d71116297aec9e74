/**
 * Counts of a lowered segment, exact on any machine: dispatches, distinct bytes that kernels touch (an element once per
 * dispatch, however often it is read), arithmetic. A loop's body counts once per tick.
 */
import { boundOf } from "./bound.ts";
import type { Stats } from "./device.ts";
import { bytesOf, scratchOf } from "./kernel.ts";
import type { Access, Kernel, RowsKernel } from "./kernel.ts";
import type { Plan } from "./plan.ts";
import type { Lowered, Step } from "./program.ts";
import { dependencies } from "./wasm/schedule.ts";
import { shareOf } from "./triangle.ts";

const FREE: ReadonlySet<string> = new Set(["const", "axis", "load", "acc", "cast"]);

function rowsFlops(kernel: RowsKernel): number {
  const depends = dependencies(kernel);
  const over = (axes: Iterable<number>) => {
    let n = 1;
    for (const axis of axes) n *= kernel.axes[axis] ?? 1;
    return n;
  };
  let flops = 0;
  kernel.values.forEach((value, v) => {
    if (!FREE.has(value.op) && value.dtype === "f32") flops += over(depends[v] ?? []);
  });
  for (const stage of kernel.stages) {
    flops += stage.accs.length * over([...kernel.axes.keys()].slice(0, kernel.grid)) * over(stage.axes);
  }
  return flops;
}

export function flopsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case "rows":
      return rowsFlops(kernel);
    case "dot":
      return (
        Math.round(2 * kernel.g * kernel.m * kernel.n * kernel.k * shareOf(kernel)) +
        (kernel.epilogue ? rowsFlops(kernel.epilogue.rows) : 0)
      );
    case "cumsum":
    case "scatter":
      return kernel.outer * kernel.count * kernel.inner;
    case "solve":
      return kernel.outer * (Math.round((2 / 3) * kernel.n ** 3) + 2 * kernel.n ** 2 * kernel.m);
    case "argsort":
      return kernel.outer * kernel.count * Math.ceil(Math.log2(Math.max(2, kernel.count)));
    case "cholesky":
      return kernel.outer * Math.round(kernel.n ** 3 / 3);
    case "pack":
      return 0;
    case "eigh":
      return 60 * kernel.outer * kernel.n ** 3;
    case "group":
    case "chain":
    case "strand":
      return kernel.members.reduce((n, member) => n + flopsOf(member.kernel), 0);
  }
}

/** Scratch is neither read nor written in this count; a product that its epilogue alone reads is scratch. */
const isScratch = (kernel: Kernel, param: number) =>
  param === scratchOf(kernel) ||
  (kernel.kind === "dot" && param === kernel.out && !kernel.stored) ||
  (kernel.kind === "solve" && param === 3) ||
  ((kernel.kind === "argsort" || kernel.kind === "eigh") && param === 2);

/** Elements of each parameter that a `rows` kernel touches: what its accesses reach, never more than the tensor has. */
function touchedByRows(kernel: RowsKernel): number[] {
  const depends = dependencies(kernel);
  const places = kernel.params.map(() => new Map<string, number>());
  const add = (access: Access) => {
    const axes = new Set(access.terms.map(([axis]) => axis));
    for (const [v] of access.dynamic) for (const axis of depends[v] ?? []) axes.add(axis);
    let n = 1;
    for (const axis of axes) n *= kernel.axes[axis] ?? 1;
    // stages walk the same places along axes of their own
    const steps = access.terms.map(([axis, coef]) => `${coef}:${kernel.axes[axis]}`).sort();
    places[access.param]?.set(`${access.base} ${steps.join()} ${access.dynamic.join()}`, n);
  };
  for (const value of kernel.values) if (value.op === "load") add(value.access);
  for (const stage of kernel.stages) for (const store of stage.stores) add(store.access);
  return kernel.params.map((param, i) => {
    const reached = [...(places[i]?.values() ?? [])].reduce((a, b) => a + b, 0);
    return Math.min(param.size, reached);
  });
}

/** Distinct elements of each parameter that a dispatch reads or writes. */
function touched(kernel: Kernel): number[] {
  if (kernel.kind === "rows") return touchedByRows(kernel);
  const sizes = kernel.params.map((param, i) => (isScratch(kernel, i) ? 0 : param.size));
  if (kernel.kind === "dot") {
    const { g, m, n, k } = kernel;
    const reads = kernel.params.map(() => 0);
    const reach = (param: number, n: number) => void (reads[param] = (reads[param] ?? 0) + n);
    reach(kernel.a.param, g * m * k);
    reach(kernel.b.param, g * n * k);
    for (const o of [kernel.a, kernel.b]) {
      for (const offsets of [o.g, o.outer, o.k]) if (offsets.kind === "table") reach(offsets.param, Infinity);
    }
    if (kernel.stored) reach(kernel.out, g * m * n);
    if (kernel.epilogue) {
      const { params, rows } = kernel.epilogue;
      touchedByRows(rows).forEach((n, i) => {
        if (params[i] !== kernel.out) reach(params[i] ?? 0, n);
      });
    }
    return sizes.map((size, i) => Math.min(size, reads[i] ?? 0));
  }
  if (kernel.kind !== "group" && kernel.kind !== "chain" && kernel.kind !== "strand") return sizes;
  const sums = kernel.params.map(() => 0);
  for (const { kernel: own, params } of kernel.members) {
    touched(own).forEach((n, i) => {
      const at = params[i] ?? 0;
      // a local of a chain is no parameter
      if (at < sums.length) sums[at] = (sums[at] ?? 0) + n;
    });
  }
  return sizes.map((size, i) => Math.min(size, sums[i] ?? 0));
}

/** Bytes of one call; a tensor that is an argument twice counts once. */
function moved(kernel: Kernel, counts: readonly number[], args: readonly number[]): { read: number; written: number } {
  const read = new Map<number, number>();
  const written = new Map<number, number>();
  kernel.params.forEach((param, i) => {
    const into = param.access === "read" ? read : written;
    const id = args[i] ?? -1;
    into.set(id, Math.min(bytesOf(param.size, param), (into.get(id) ?? 0) + bytesOf(counts[i] ?? 0, param)));
  });
  const total = (map: ReadonlyMap<number, number>) => [...map.values()].reduce((a, b) => a + b, 0);
  return { read: total(read), written: total(written) };
}

/** Bytes that a call with these arguments reads and writes. */
export function callBytes(
  kernel: Kernel,
  args: readonly number[],
): { readonly read: number; readonly written: number } {
  return moved(kernel, touched(kernel), args);
}

/** Bytes of one call whose arguments are all different. */
export function kernelBytes(kernel: Kernel): number {
  return touched(kernel).reduce((sum, n, i) => sum + bytesOf(n, kernel.params[i] ?? {}), 0);
}

/** Bytes outside of the arena: the cells of each slot that the segment has, and constants. */
function bytesOutside(lowered: Lowered): number {
  const places = new Map<string, number>();
  lowered.buffers.forEach(({ place, size }, id) => {
    if (place.kind === "slot" || place.kind === "stage") places.set(`slot ${place.path}`, 4 * size);
    if (place.kind === "stage") places.set(`stage ${place.path}`, 4 * size);
    if (place.kind === "data") places.set(`data ${id}`, 4 * size);
  });
  return [...places.values()].reduce((a, b) => a + b, 0);
}

export function statsOf(lowered: Lowered, plan: Plan): Stats {
  const flops = lowered.kernels.map(flopsOf);
  const counts = lowered.kernels.map(touched);
  let dispatches = 0;
  let bytesRead = 0;
  let bytesWritten = 0;
  let total = 0;
  const reached = new Map<number, number>();
  const walk = (steps: readonly Step[], times: number): void => {
    for (const step of steps) {
      if (step.kind === "loop") walk(step.body, times * step.count);
      else if (step.kind === "copy") {
        const bytes = 4 * (lowered.buffers[step.to]?.size ?? 0) * times;
        bytesRead += bytes;
        bytesWritten += bytes;
      } else {
        const own = counts[step.kernel] ?? [];
        const bytes = moved(lowered.kernels[step.kernel] as Kernel, own, step.args);
        step.args.forEach((id, i) => reached.set(id, Math.max(reached.get(id) ?? 0, own[i] ?? 0)));
        dispatches += times;
        total += (flops[step.kernel] ?? 0) * times;
        bytesRead += bytes.read * times;
        bytesWritten += bytes.written * times;
      }
    }
  };
  walk(lowered.tape, 1);
  const outside = bytesOutside(lowered);
  return {
    dispatches,
    bytesRead,
    bytesWritten,
    boundBytes: boundOf(lowered, plan, reached),
    flops: total,
    peakBytes: plan.bytes + outside,
    liveBytes: plan.live + outside,
  };
}
