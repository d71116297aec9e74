/**
 * How a product is cut into work: by its shape and the schedule of the adapter alone, so that results do not depend on
 * the moment. Large products have tiles that a workgroup shares; others blocks that an invocation keeps to itself. Where
 * there are few of them and the depth is long, the depth is cut into pieces.
 */
import type { Schedule } from "./schedule.ts";

/** Invocations of a workgroup along either side of a tile. */
export const SIDE = 16;
/** Fewest steps along the depth that a piece is worth: of blocks, and of tiles. */
const SHORT = 64;
const SHORT_OF_TILES = 512;

export interface Sizes {
  readonly g: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export interface Plan {
  readonly tiled: boolean;
  /** Sums of an invocation: rows and columns. */
  readonly tm: number;
  readonly tn: number;
  /** Blocks of invocations (tiles of workgroups) along rows and columns. */
  readonly blocksM: number;
  readonly blocksN: number;
  readonly pieces: number;
  readonly depth: number;
}

/** The block that wastes least: loads fall with its size, sums outside of the product grow. */
function block(size: number, most: number): number {
  let best = 1;
  const cost = (t: number) => Math.ceil(size / t) * t * (1 + 1 / t);
  for (let t = 2; t <= most; t++) if (cost(t) <= cost(best)) best = t;
  return best;
}

/** Tiles of 128 × 128 where they keep the adapter busy, else of 64 × 64. */
function tilesOf({ g, m, n, k }: Sizes, { together, tiles: busy }: Schedule): Plan | undefined {
  if (!together || Math.min(m, n, k) < 4 * SIDE) return undefined;
  const of = (t: number) => ({ tm: t, tn: t, blocksM: Math.ceil(m / (t * SIDE)), blocksN: Math.ceil(n / (t * SIDE)) });
  const count = ({ blocksM, blocksN }: { blocksM: number; blocksN: number }) => g * blocksM * blocksN;
  const [large, small] = [of(8), of(4)];
  if (count(small) < busy) return undefined;
  const taken = Math.min(m, n) >= 8 * SIDE && count(large) >= 2 * busy ? large : small;
  const wanted = Math.max(1, Math.min(Math.floor((4 * busy) / count(taken)), Math.floor(k / SHORT_OF_TILES)));
  // whole turns of a tile
  const depth = Math.ceil(k / wanted / SIDE) * SIDE;
  const pieces = Math.ceil(k / depth);
  return { tiled: true, ...taken, pieces, depth: pieces === 1 ? k : depth };
}

export function planOf(sizes: Sizes, schedule: Schedule): Plan {
  const tiles = tilesOf(sizes, schedule);
  if (tiles) return tiles;
  const { g, m, n, k } = sizes;
  const { threads: busy, block: most } = schedule;
  const blocks = (most: number) => {
    const [tm, tn] = [block(m, most), block(n, most)];
    return { tm, tn, blocksM: Math.ceil(m / tm), blocksN: Math.ceil(n / tn) };
  };
  let plan = blocks(most);
  for (let less = most / 2; less >= 2 && g * plan.blocksM * plan.blocksN < busy / 4; less /= 2) plan = blocks(less);
  const threads = g * plan.blocksM * plan.blocksN;
  const wanted = Math.max(1, Math.min(64, Math.floor(busy / threads), Math.floor(k / SHORT)));
  const depth = Math.ceil(k / wanted);
  return { tiled: false, ...plan, pieces: Math.ceil(k / depth), depth };
}

/** Elements of scratch that a product needs. */
export function dotScratch(sizes: Sizes, schedule: Schedule): number {
  const { pieces } = planOf(sizes, schedule);
  return pieces > 1 ? pieces * sizes.g * sizes.m * sizes.n : 1;
}

/** Large products have workgroups of a form of their own. */
export const isTiled = (sizes: Sizes, schedule: Schedule): boolean => planOf(sizes, schedule).tiled;
export const inPieces = (sizes: Sizes, schedule: Schedule): boolean => planOf(sizes, schedule).pieces > 1;
