/**
 * How a product is cut: into blocks that stay in the caches, the blocks' rows into tiles, the whole into parts for
 * threads. Parts run along the batch, the rows or the columns, wherever least is packed twice; an element's sum runs
 * over the same depths in the same order whatever the part, so the bits do not depend on it.
 */
import { coalesce } from "../coalesce.ts";
import { byBatch } from "./batches.ts";
import type { Batches } from "./batches.ts";
import { byColumns } from "./columns.ts";
import { directOf } from "./direct-plan.ts";
import type { Direct } from "./direct-plan.ts";
import type { DotKernel, RowsKernel } from "../kernel.ts";
import { outerSteps } from "./rows.ts";
import { winogradOf, winogradScratch } from "./winograd-plan.ts";
import type { Winograd } from "./winograd-plan.ts";

/** Most depth and columns of a block. */
const KC = 320;
export const NC = 768;
/** Rows of a block: whole tiles, with and without fused multiply-add; a block's results fit the first cache. */
const MC = 24;
/** Columns of a tile: two vectors. */
export const NR = 8;
/** Rows of a tile of a convolution without panels. */
export const DIRECT_ROWS = 2;
/** Columns of a part: whole vectors, and panels that are packed at once. */
export const COLUMNS = 32;

/** Rows of a block; fewer than two blocks are one. */
export const blockRows = (m: number): number => (m < 2 * MC ? m : MC);

/** Depth of a block: all are alike, whatever runs of the depth they cut. */
export function blockDepth(k: number): number {
  if (k <= KC) return k;
  const blocks = Math.ceil(k / KC);
  return Math.min(KC, 8 * Math.ceil(k / blocks / 8));
}

/** Most elements of scratch that a product needs. */
const SCRATCH = KC * (NC + 2 * MC);

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: { readonly m: number; readonly n: number; readonly k: number }): number {
  const panels = blockDepth(sizes.k) * (packedColumns(sizes.n) + Math.min(2 * MC, sizes.m));
  return Math.max(panels, winogradScratch(sizes.m, sizes.n, sizes.k, SCRATCH));
}

/** How a product is done as a convolution of 3×3, if it is one and that is quicker. */
export const asWinograd = (kernel: DotKernel): Winograd | undefined => winogradOf(kernel, SCRATCH);

/** How a product is done as a convolution without panels. */
export const asDirect = (kernel: DotKernel): Direct | undefined =>
  asWinograd(kernel) === undefined ? directOf(kernel) : undefined;

/** Whether a product packs its operands into panels. */
export const packs = (kernel: DotKernel): boolean => !asWinograd(kernel) && !asDirect(kernel);

/** Columns that the panels of a block have room for. */
export const packedColumns = (n: number): number => Math.min(NC, Math.ceil(n / NR) * NR);

/** Columns that the panels of a whole operand have room for, side by side for each block of depths. */
export const wholeColumns = (n: number): number => Math.ceil(n / NR) * NR;

export interface Cut {
  readonly axis: "g" | "m" | "n";
  readonly count: number;
  readonly unit: number;
}

/** A product's epilogue, and when places of its outermost loop are done. */
export interface Finish {
  readonly rows: RowsKernel;
  /** Of the outermost loop. */
  readonly places: number;
  /** Along the batches, the rows or the columns of a product that is not batched; the whole where the order differs. */
  readonly after: Cut["axis"] | "all";
  /** `needs` batches, rows or columns make `each` places; parts are multiples of `step` of them. One of the first two is 1. */
  readonly each: number;
  readonly needs: number;
  readonly step: number;
  /** What borders between places are multiples of. */
  readonly unit: number;
  /** As it runs on one batch, where that is a part of a place. */
  readonly batches?: Batches;
}

/** How a product is cut if its epilogue may be cut with it; `byRows`: who asks cuts rows. */
function wanted(kernel: DotKernel, byRows: boolean): Cut {
  const { g, m, n } = kernel;
  if (byRows) return { axis: "m", count: m, unit: blockRows(m) };
  const winograd = asWinograd(kernel);
  if (winograd?.kind === "forward") return { axis: "n", count: n, unit: winograd.unit };
  if (winograd) return { axis: "m", count: m, unit: winograd.unit };
  if (g > 1 && (kernel.epilogue || g >= 4)) return { axis: "g", count: g, unit: 1 };
  const direct = asDirect(kernel);
  if (direct?.kind === "forward") return { axis: "n", count: n, unit: direct.pixels };
  if (direct) return { axis: "m", count: m, unit: DIRECT_ROWS };
  if (n <= m) return { axis: "m", count: m, unit: blockRows(m) };
  // parts of columns that an epilogue runs over are even
  const unit = kernel.epilogue ? evenColumns(n) : COLUMNS;
  return unit === undefined ? { axis: "m", count: m, unit: blockRows(m) } : { axis: "n", count: n, unit };
}

export function finishOf(kernel: DotKernel, byRows = false): Finish | undefined {
  if (!kernel.epilogue) return undefined;
  const { axis: after, count: along, unit: least } = wanted(kernel, byRows);
  const whole = coalesce(kernel.epilogue.rows);
  const split = after === "n" ? byColumns(kernel.epilogue.rows, kernel.m, kernel.n, least) : whole;
  const rows = split ?? whole;
  const { count: places, unit, axis } = outerSteps(rows);
  // the grid is the axes that are cut, some of them joined or split: the first is batches, or batches and rows, …
  const even = split !== undefined && axis === 0 && (places % along === 0 || along % places === 0);
  const batches = even && after === "g" && places < along ? byBatch(kernel, rows) : undefined;
  if (batches) return { rows, places, each: 1, needs: 1, step: 1, unit, after, batches };
  const [each, needs] = even ? [Math.max(1, places / along), Math.max(1, along / places)] : [1, 1];
  const step = multiple(least, needs);
  // a border of a part is one of the epilogue's vectors too
  const uneven = !even || ((step / needs) * each) % unit !== 0;
  return { rows, places, each, needs, step, unit, after: uneven ? "all" : after };
}

/** Columns of a part that parts of all columns consist of. */
function evenColumns(n: number): number | undefined {
  for (let unit = COLUMNS; unit <= NC; unit += NR) if (n % unit === 0) return unit;
  return undefined;
}

/** The least common one. */
function multiple(a: number, b: number): number {
  let out = a;
  while (out % b !== 0) out += a;
  return out;
}

export function cutOf(kernel: DotKernel): Cut {
  const finish = finishOf(kernel);
  if (finish?.after === "all") return { axis: "m", count: kernel.m, unit: kernel.m };
  const cut = wanted(kernel, false);
  return finish ? { ...cut, unit: finish.step } : cut;
}
