/**
 * A chain as one function `(begin, end, pointers…)` over its units: the members' functions one after the other on one
 * unit. A member knows nothing of windows: the pointer of a local lies so far before its window in scratch that the
 * unit's own places fall into it.
 */
import { whole } from "../chain.ts";
import type { InMemory } from "../chain.ts";
import type { ChainKernel } from "../kernel.ts";
import type { Link, OuterLoops } from "../unit-window.ts";
import { Fn } from "./assembler.ts";
import { asWinograd, cutOf, finishOf } from "./blocks.ts";
import type { Shared } from "./finish.ts";
import { linkSteps, memberFunction } from "./group.ts";
import type { Helpers } from "./operations.ts";
import { outerSteps } from "./rows.ts";

/** How a kernel would be cut into units; a product along its batches alone. */
export function outerLoops(kernel: Link): OuterLoops | undefined {
  if (kernel.kind === "rows") {
    const { count, unit, axis } = outerSteps(kernel);
    return axis === undefined ? undefined : { counts: [count], unit, rows: kernel, axes: [axis] };
  }
  const { axis, count, unit } = cutOf(kernel);
  if (axis !== "g") return undefined;
  const finish = finishOf(kernel);
  return { counts: [count], unit, ...(finish ? { rows: finish.rows, axes: [0] } : {}) };
}

/** Elements of scratch that a kernel needs beside windows. */
export const scratchElements = (kernel: Link): number =>
  kernel.kind === "dot" ? (kernel.params[kernel.scratch]?.size ?? 0) : 0;

/** The same where units are blocks of a batch's rows: they cut the outermost loops, in whatever order these run. */
function outerLoopsByRows(kernel: Link): OuterLoops | undefined {
  const own = kernel.kind === "rows" ? kernel : kernel.epilogue?.rows;
  const axes = own ? [...own.axes.keys()].slice(0, own.grid) : [];
  if (kernel.kind === "rows") {
    const counts = axes.map((axis) => kernel.axes[axis] ?? 1);
    return axes.length === 0 ? undefined : { counts, unit: 1, rows: kernel, axes };
  }
  const { g, m } = kernel;
  if (g === 1 || asWinograd(kernel)) return undefined;
  return { counts: [g, m], unit: 1, ...(own ? { rows: own, axes, even: true } : {}) };
}

/**
 * Each thread has a slice. Of the room that scores of a batch have, blocks of their rows take so little that a core's cache
 * holds most of what a unit passes on; longer rows take what they need.
 */
export const inSlices = (room: number): InMemory => ({
  outer: outerLoopsByRows,
  beside: scratchElements,
  longest: room / 4,
  room: (row) => Math.max(room / 32, row),
  slices: () => 1,
});

/** Elements of scratch before the locals. */
const productsOf = (kernel: ChainKernel): number =>
  (kernel.params[kernel.scratch ?? -1]?.size ?? 0) - kernel.locals.reduce((sum, size) => sum + whole(size), 0);

export function chainFunction(kernel: ChainKernel, madd: boolean, shared: Shared, helpers: Helpers): Fn {
  const { params, members, units, locals, scratch = 0, slices } = kernel;
  const byRows = slices === undefined ? undefined : units;
  const f = new Fn(["i32", "i32", ...params.map(() => "i32" as const)]);
  const unit = f.local("i32");
  let at = productsOf(kernel);
  const windows = locals.map((size) => {
    const from = at;
    at += whole(size);
    return { from, size };
  });
  const pointer = (param: number): void => {
    const window = windows[param - params.length];
    if (!window) return void f.get(2 + param);
    f.get(2 + scratch)
      .i32(4 * window.from)
      .op("i32.add");
    f.get(unit)
      .i32(4 * window.size)
      .op("i32.mul", "i32.sub");
  };
  f.get(0).set(unit);
  f.get(unit)
    .get(1)
    .op("i32.lt_s")
    .if(() => {
      f.loop(() => {
        for (const { kernel: own, params: places } of members) {
          const steps = byRows ? 1 : linkSteps(own).count / units;
          f.get(unit).i32(steps).op("i32.mul");
          f.get(unit).i32(1).op("i32.add").i32(steps).op("i32.mul");
          places.forEach(pointer);
          f.call(memberFunction(own, madd, shared, helpers, byRows));
        }
        f.get(unit).i32(1).op("i32.add").tee(unit).get(1).op("i32.lt_s").brIf(0);
      });
    });
  return f;
}
