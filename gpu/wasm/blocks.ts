/**
 * How a product is cut: into blocks that stay in the caches, the blocks' rows into tiles, the whole into parts for
 * threads. Parts run along the batch, the rows or the columns, wherever least is packed twice; an element's sum runs
 * over the same depths in the same order whatever the part, so the bits do not depend on it.
 */
import { coalesce } from "../coalesce.ts";
import type { DotKernel, RowsKernel } from "../kernel.ts";
import { outerSteps } from "./rows.ts";

/** Most depth and columns of a block. */
const KC = 320;
export const NC = 768;
/** Rows of a block: whole tiles, with and without fused multiply-add; a block's results fit the first cache. */
export const MC = 24;
/** Columns of a tile: two vectors. */
export const NR = 8;
/** Columns of a part: whole vectors, and panels that are packed at once. */
const COLUMNS = 32;

/** Rows of a tile: what sixteen registers hold with and without fused multiply-add. */
const tileRows = (madd: boolean) => (madd ? 6 : 4);

/** `rows` as tiles, as alike as can be: small ones do not fill the processor. */
export function tilesOf(rows: number, madd: boolean): readonly number[] {
  const count = Math.ceil(rows / tileRows(madd));
  return Array.from({ length: count }, (_, i) => Math.floor((rows + count - 1 - i) / count));
}

/** Depth of a block: all are alike, whatever runs of the depth they cut. */
export function blockDepth(k: number): number {
  if (k <= KC) return k;
  const blocks = Math.ceil(k / KC);
  return Math.min(KC, 8 * Math.ceil(k / blocks / 8));
}

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: { readonly m: number; readonly n: number; readonly k: number }): number {
  const depth = sizes.k === Infinity ? KC : blockDepth(sizes.k);
  return depth * (packedColumns(sizes.n) + Math.min(MC, sizes.m));
}

/** Columns that the panels of a block have room for. */
export const packedColumns = (n: number): number => Math.min(NC, Math.ceil(n / NR) * NR);

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
  /** After which batches, or which rows of a product that is not batched; the whole product where the order differs. */
  readonly after: "g" | "m" | "all";
}

export function finishOf(kernel: DotKernel): Finish | undefined {
  if (!kernel.epilogue) return undefined;
  const rows = coalesce(kernel.epilogue.rows);
  const { count: places, unit, axis } = outerSteps(rows);
  // the grid is the product's axes in order, some of them joined or split: the first is batches, or batches and rows, …
  const along = kernel.g > 1 ? kernel.g : kernel.m;
  // a border of a part is one of the epilogue's vectors too
  const whole = axis !== 0 || places % along !== 0 || (kernel.g > 1 && (places / along) % unit !== 0);
  return { rows, places, after: whole ? "all" : kernel.g > 1 ? "g" : "m" };
}

export function cutOf(kernel: DotKernel): Cut {
  const { g, m, n } = kernel;
  const after = finishOf(kernel)?.after;
  if (after === "all") return { axis: "m", count: m, unit: m };
  if (after === "g" || (after === undefined && g >= 4)) return { axis: "g", count: g, unit: 1 };
  if (after === undefined && n > m) return { axis: "n", count: n, unit: COLUMNS };
  return { axis: "m", count: m, unit: MC };
}
