/**
 * A chain as WGSL: a workgroup for each unit. Its lanes share each member's work on the unit and wait for each other
 * before the next member; locals are windows in workgroup memory. Rows that are too long for that have them in memory:
 * as many workgroups as there are slices of it take one unit after the other.
 */
import { whole } from "../chain.ts";
import type { InMemory } from "../chain.ts";
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

/**
 * Words of a slice for each workgroup of those that keep a large adapter busy: four rows of two windows of 2048 keys, so
 * that a lane has its block of rows, and all slices stay in a cache of 16 MiB.
 */
const SLICE = 2 ** 14;
const GROUPS = 256;
/** Longer rows have fewer workgroups; a row that leaves room for fewer than these is too long. */
const FEWEST = 16;
/** Units of a workgroup at least: all slices are no more than such a part of all scores. */
const EACH = 8;

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

/** Windows in memory. */
export function inSlices({ slices: words = GROUPS * SLICE }: Schedule): InMemory {
  return {
    outer: outerLoops,
    beside: () => 0,
    longest: words / FEWEST,
    room: (row) => Math.max(words / GROUPS, row),
    slices: (units, room) => Math.min(Math.ceil(units / EACH), GROUPS, Math.floor(words / room)),
  };
}

export function chainShader(kernel: ChainKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { params, members, units, locals, scratch, slices } = kernel;
  const w = new Writer(params, banks, schedule, locals, scratch);
  const shared = new Map<string, string>();
  if (!slices) locals.forEach((size, i) => shared.set(`${i}`, `var<workgroup> local${i}: array<u32, ${size}>;`));
  const barrier = (): void => {
    w.line("workgroupBarrier();");
    w.line("storageBarrier();");
  };
  const write = (unit: string): void => {
    locals.forEach((size, i) => w.line(`let from${i} = ${unit} * ${size}u;`));
    members.forEach(({ kernel: own, params: places }, i) => {
      if (i > 0) barrier();
      if (own.kind === "dot") {
        productOfUnit(w, withParams(own, places), SIZE, unit, units);
        return;
      }
      const count = rowsIn(own, units);
      rowsOfUnit(w, own, (p) => places[p] ?? p, SIZE, shared, `${unit} * ${count}u`, count);
    });
  };
  if (!slices) return branched(w, SIZE, [{ groups: units, write }], shared);
  const slice = locals.reduce((sum, size) => sum + whole(size), 0);
  const turns = (group: string): void => {
    let at = 0;
    locals.forEach((size, i) => {
      w.line(`let slice${i} = p${scratch} + ${group} * ${slice}u + ${at}u;`);
      at += whole(size);
    });
    w.loop("round", Math.ceil(units / slices), () => {
      w.line(`let unit = ${group} + round * ${slices}u;`);
      if (units % slices !== 0) w.line(`if (unit >= ${units}u) { break; }`);
      write("unit");
      barrier();
    });
  };
  return branched(w, SIZE, [{ groups: slices, write: turns }], shared);
}
