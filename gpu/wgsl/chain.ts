/**
 * A chain as WGSL: a workgroup for each unit. Its lanes share each member's work on the unit and wait for each other
 * before the next member; locals are windows in workgroup memory.
 */
import type { ChainKernel, RowsKernel } from "../kernel.ts";
import type { Link, OuterLoops } from "../unit-window.ts";
import { branched } from "./branches.ts";
import { productOfUnit, withParams } from "./dot.ts";
import { rowsOfUnit, wordsOfUnit } from "./rows.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Words of workgroup memory that every device has. */
export const WINDOWS = 4096;
/** Invocations of a workgroup. */
const SIZE = 128;

/** Rows are cut along all of their grid, products along batches and then rows; a product without batches has better plans. */
export function outerLoops(kernel: Link): OuterLoops | undefined {
  if (kernel.kind === "rows") {
    const axes = [...kernel.axes.keys()].slice(0, kernel.grid);
    const counts = axes.map((axis) => kernel.axes[axis] ?? 1);
    return axes.length === 0 ? undefined : { counts, unit: 1, rows: kernel, axes };
  }
  const { g, m, epilogue } = kernel;
  const rows = epilogue?.rows;
  return { counts: g > 1 ? [g, m] : [g], unit: 1, ...(rows ? { rows, axes: [...rows.axes.keys()] } : {}) };
}

const rowsIn = ({ axes, grid }: RowsKernel, units: number): number =>
  axes.slice(0, grid).reduce((a, b) => a * b, 1) / units;

/** Words of workgroup memory that a kernel needs beside windows. */
export const besideWindows = (kernel: Link, units: number): number =>
  kernel.kind === "rows" ? wordsOfUnit(kernel, rowsIn(kernel, units), SIZE) : 0;

export function chainShader(kernel: ChainKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { params, members, units, locals } = kernel;
  const w = new Writer(params, banks, schedule, locals);
  const shared = new Map(locals.map((size, i) => [`${i}`, `var<workgroup> local${i}: array<u32, ${size}>;`]));
  const write = (unit: string): void => {
    locals.forEach((size, i) => w.line(`let from${i} = ${unit} * ${size}u;`));
    members.forEach(({ kernel: own, params: places }, i) => {
      if (i > 0) {
        w.line("workgroupBarrier();");
        w.line("storageBarrier();");
      }
      if (own.kind === "dot") {
        productOfUnit(w, withParams(own, places), SIZE, unit, units);
        return;
      }
      const count = rowsIn(own, units);
      rowsOfUnit(w, own, (p) => places[p] ?? p, SIZE, shared, `${unit} * ${count}u`, count);
    });
  };
  return branched(w, SIZE, [{ groups: units, write }], shared);
}
