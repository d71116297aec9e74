/**
 * A chain as WGSL: a workgroup for each unit. Its lanes share each member's work on the unit and wait for each other
 * before the next member; locals are windows in workgroup memory.
 */
import type { Link, OuterLoop } from "../chain.ts";
import type { ChainKernel } from "../kernel.ts";
import { branched } from "./branches.ts";
import { productOfUnit, withParams } from "./dot.ts";
import { rowsOfUnit } from "./rows.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Words of workgroup memory that every device has. */
export const WINDOWS = 4096;
/** Invocations of a workgroup. */
const SIZE = 128;

export function outerLoop(kernel: Link): OuterLoop | undefined {
  if (kernel.kind === "rows") {
    const [count] = kernel.axes;
    return kernel.grid === 0 || count === undefined ? undefined : { count, unit: 1, rows: kernel, axis: 0 };
  }
  const { g, epilogue } = kernel;
  return epilogue ? { count: g, unit: 1, rows: epilogue.rows, axis: 0 } : { count: g, unit: 1 };
}

export function chainShader(kernel: ChainKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { params, members, units, locals } = kernel;
  const w = new Writer(params, banks, schedule, locals);
  const write = (unit: string): void => {
    locals.forEach((size, i) => w.line(`let from${i} = ${unit} * ${size}u;`));
    members.forEach(({ kernel: own, params: places }, i) => {
      if (i > 0) {
        w.line("workgroupBarrier();");
        w.line("storageBarrier();");
      }
      if (own.kind === "dot") {
        productOfUnit(w, withParams(own, places), SIZE, `${unit} * ${own.g / units}u`, own.g / units);
        return;
      }
      const points = own.axes.slice(0, own.grid).reduce((a, b) => a * b, 1) / units;
      rowsOfUnit(w, own, (p) => places[p] ?? p, SIZE, `${unit} * ${points}u`, points);
    });
  };
  const shared = new Map(locals.map((size, i) => [`${i}`, `var<workgroup> local${i}: array<u32, ${size}>;`]));
  return branched(w, SIZE, [{ groups: units, write }], shared);
}
