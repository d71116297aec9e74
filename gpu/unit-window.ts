/**
 * Whether a unit of a chain keeps to its own window of a tensor. Units cut the outermost loops of a kernel in row-major
 * order: whole turns of the first ones, blocks of the next. Where loops and windows fall on the same units is read off
 * strides.
 */
import type { Access, DotKernel, Operand, RowsKernel } from "./kernel.ts";

/** What units may cut of a kernel, as its renderer runs it. */
export interface OuterLoops {
  /** Extents of these loops, outermost first. */
  readonly counts: readonly number[];
  /** Borders of blocks are multiples of it. */
  readonly unit: number;
  /** The kernel's `rows`, or what a product's epilogue is run as, and which of its axes these loops are. */
  readonly rows?: RowsKernel;
  readonly axes?: readonly number[];
  /** Units cut these axes of an epilogue, whatever it touches. */
  readonly even?: true;
}

export type Link = RowsKernel | DotKernel;

/** A loop, and how far it steps in a tensor. */
type Loop = readonly [count: number, coef: number];

/** Turns of each loop in a unit; undefined where units do not come out even. */
export function turnsOf(counts: readonly number[], units: number): readonly number[] | undefined {
  let left = units;
  const turns: number[] = [];
  for (const count of counts) {
    const parts = Math.min(left, count);
    if (left % parts !== 0 || count % parts !== 0) return undefined;
    turns.push(count / parts);
    left /= parts;
  }
  return left === 1 ? turns : undefined;
}

/** Whether units of `unit` places at least come out even. */
function comesOut({ counts, unit }: Pick<OuterLoops, "counts" | "unit">, units: number): boolean {
  const turns = turnsOf(counts, units);
  return turns !== undefined && (unit === 1 || turns.reduce((a, b) => a * b, 1) % unit === 0);
}

/** Whether the u-th of the units reaches nothing but [u · window, (u + 1) · window) from `base` on. */
function inWindow(loops: readonly Loop[], units: number, window: number, base: number): boolean {
  let [lo, hi] = [base, base];
  let left = units;
  for (const [count, coef] of loops) {
    const parts = Math.min(left, count);
    const turns = count / parts;
    left /= parts;
    if (parts > 1 && coef * turns !== window * left) return false;
    const reach = coef * (turns - 1);
    if (reach < 0) lo += reach;
    else hi += reach;
  }
  return lo >= 0 && hi < window;
}

function accessInWindow(
  rows: RowsKernel,
  { base, terms, dynamic }: Access,
  outer: readonly number[],
  units: number,
  window: number,
): boolean {
  if (dynamic.length > 0) return false;
  const coefs = new Map(terms);
  const inner = [...rows.axes.keys()].filter((axis) => !outer.includes(axis));
  const loops = [...outer, ...inner].map((axis): Loop => [rows.axes[axis] ?? 1, coefs.get(axis) ?? 0]);
  return inWindow(loops, units, window, base);
}

const rowsInWindow = (
  rows: RowsKernel,
  outer: readonly number[],
  param: number,
  units: number,
  window: number,
): boolean =>
  [
    ...rows.values.flatMap((value) => (value.op === "load" ? [value.access] : [])),
    ...rows.stages.flatMap(({ stores }) => stores.map(({ access }) => access)),
  ].every((access) => access.param !== param || accessInWindow(rows, access, outer, units, window));

/** Along the rows and columns that are not its own an operand stands still. */
function operandInWindow(
  { g, m, n, k }: DotKernel,
  operand: Operand,
  side: "a" | "b",
  units: number,
  window: number,
): boolean {
  const { base, g: batch, outer, k: depth } = operand;
  if (batch.kind === "table" || outer.kind === "table" || depth.kind === "table") return false;
  const [ofRows, ofColumns] = side === "a" ? [outer.stride, 0] : [0, outer.stride];
  return inWindow([[g, batch.stride], [m, ofRows], [n, ofColumns], [k, depth.stride]], units, window, base); // prettier-ignore
}

/** Whether each unit of a kernel touches only its own window of a parameter. */
export function keepsToWindow(kernel: Link, outer: OuterLoops, param: number, units: number): boolean {
  const size = kernel.params[param]?.size ?? 0;
  if (size % units !== 0 || !comesOut(outer, units)) return false;
  const window = size / units;
  const { rows, axes = [], even } = outer;
  if (kernel.kind === "rows") return rowsInWindow(kernel, axes, param, units, window);
  const { g, m, n, a, b, out, epilogue } = kernel;
  if (a.param === param && !operandInWindow(kernel, a, "a", units, window)) return false;
  if (b.param === param && !operandInWindow(kernel, b, "b", units, window)) return false;
  if (out === param && g * m * n !== size) return false;
  if (!epilogue || !rows || !(even || epilogue.params.includes(param))) return true;
  const counts = axes.map((axis) => rows.axes[axis] ?? 1);
  return (
    comesOut({ counts, unit: 1 }, units) &&
    epilogue.params.every((own, i) => own !== param || rowsInWindow(rows, axes, i, units, window))
  );
}
