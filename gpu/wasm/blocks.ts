/**
 * How a product is cut: into blocks that stay in the caches, the blocks' rows into tiles, the whole into parts for
 * threads. Parts run along the batch, the rows or the columns, wherever least is packed twice; an element's sum runs
 * over the same depths in the same order whatever the part, so the bits do not depend on it.
 */
import { coalesce } from "../coalesce.ts";
import type { DotKernel, RowsKernel } from "../kernel.ts";
import { outerSteps } from "./rows.ts";
import { winogradOf, winogradScratch } from "./winograd.ts";
import type { Winograd } from "./winograd.ts";

/** Most depth and columns of a block. */
const KC = 320;
export const NC = 768;
/** Rows of a block: whole tiles, with and without fused multiply-add; a block's results fit the first cache. */
const MC = 24;
/** Columns of a tile: two vectors. */
export const NR = 8;
/** Columns of a part: whole vectors, and panels that are packed at once. */
export const COLUMNS = 32;

/** Rows of a tile: what sixteen registers hold with and without fused multiply-add. */
const tileRows = (madd: boolean) => (madd ? 6 : 4);

/** `rows` as tiles, as alike as can be: small ones do not fill the processor. */
export function tilesOf(rows: number, madd: boolean): readonly number[] {
  const count = Math.ceil(rows / tileRows(madd));
  return Array.from({ length: count }, (_, i) => Math.floor((rows + count - 1 - i) / count));
}

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
  if (sizes.k === Infinity) return SCRATCH;
  const panels = blockDepth(sizes.k) * (packedColumns(sizes.n) + Math.min(2 * MC, sizes.m));
  return Math.max(panels, winogradScratch(sizes.n, sizes.k, SCRATCH));
}

/** The time of such a convolution, of that of the plain product. */
export const WINOGRAD_SHARE = 0.5;

/** How a product is done as a convolution of 3×3, if it is one and that is quicker. */
export const asWinograd = (kernel: DotKernel): Winograd | undefined => winogradOf(kernel, SCRATCH);

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
  /** Along the batches, or along the rows of a product that is not batched; the whole product where the order differs. */
  readonly after: "g" | "m" | "all";
  /** `needs` batches or rows make `each` places; parts are multiples of `step` batches or rows. One of the first two is 1. */
  readonly each: number;
  readonly needs: number;
  readonly step: number;
  /** What borders between places are multiples of. */
  readonly unit: number;
}

export function finishOf(kernel: DotKernel): Finish | undefined {
  if (!kernel.epilogue) return undefined;
  const rows = coalesce(kernel.epilogue.rows);
  const { count: places, unit, axis } = outerSteps(rows);
  const after = kernel.g > 1 ? "g" : "m";
  const along = kernel[after];
  // the grid is the product's axes in order, some of them joined or split: the first is batches, or batches and rows, …
  const even = axis === 0 && (places % along === 0 || along % places === 0);
  const [each, needs] = [Math.max(1, places / along), Math.max(1, along / places)];
  const step = after === "g" ? needs : multiple(stepOf(kernel), needs);
  // a border of a part is one of the epilogue's vectors too
  const whole = !even || ((step / needs) * each) % unit !== 0;
  return { rows, places, each, needs, step, unit, after: whole ? "all" : after };
}

/** Rows that are made at once. */
const stepOf = (kernel: DotKernel): number => asWinograd(kernel)?.unit ?? blockRows(kernel.m);

/** The least common one. */
function multiple(a: number, b: number): number {
  let out = a;
  while (out % b !== 0) out += a;
  return out;
}

export function cutOf(kernel: DotKernel): Cut {
  const { g, m, n } = kernel;
  const finish = finishOf(kernel);
  if (finish?.after === "all") return { axis: "m", count: m, unit: m };
  if (finish?.after === "g") return { axis: "g", count: g, unit: finish.step };
  if (finish) return { axis: "m", count: m, unit: finish.step };
  if (g >= 4) return { axis: "g", count: g, unit: 1 };
  if (n > m && !asWinograd(kernel)) return { axis: "n", count: n, unit: COLUMNS };
  return { axis: "m", count: m, unit: stepOf(kernel) };
}
