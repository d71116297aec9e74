/**
 * How a product is cut into work: by its shape and the schedule of the adapter alone, so that results do not depend on
 * the moment; the schedule may hold choices that were measured once and kept. Large products have tiles that a workgroup shares; others blocks that an invocation keeps to itself. Where
 * there are few of them and the depth is long, the depth is cut into pieces.
 */
import type { Offsets, Operand } from "../kernel.ts";
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

/** How operands lie is known of kernels. */
export interface Product extends Sizes {
  readonly a?: Operand;
  readonly b?: Operand;
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

type Blocks = Omit<Plan, "tiled" | "pieces" | "depth">;

const tilesOf = ({ m, n }: Sizes, t: number): Blocks => ({
  tm: t,
  tn: t,
  blocksM: Math.ceil(m / (t * SIDE)),
  blocksN: Math.ceil(n / (t * SIDE)),
});

function blocksOf({ m, n }: Sizes, most: number): Blocks {
  const [tm, tn] = [block(m, most), block(n, most)];
  return { tm, tn, blocksM: Math.ceil(m / tm), blocksN: Math.ceil(n / tn) };
}

const count = ({ g }: Sizes, { blocksM, blocksN }: Blocks): number => g * blocksM * blocksN;

/** In about so many pieces; those of tiles are whole turns. */
function cut(blocks: Blocks, tiled: boolean, { k }: Sizes, wanted: number): Plan {
  const turn = tiled ? SIDE : 1;
  const depth = Math.ceil(k / wanted / turn) * turn;
  const pieces = Math.ceil(k / depth);
  return { tiled, ...blocks, pieces, depth: pieces === 1 ? k : depth };
}

/** Tiles of 128 × 128 where they keep the adapter busy, else of 64 × 64. */
function byTiles(sizes: Sizes, { together, tiles: busy }: Schedule): Plan | undefined {
  const { m, n, k } = sizes;
  if (!together || Math.min(m, n, k) < 4 * SIDE) return undefined;
  const [large, small] = [tilesOf(sizes, 8), tilesOf(sizes, 4)];
  if (count(sizes, small) < busy) return undefined;
  const taken = Math.min(m, n) >= 8 * SIDE && count(sizes, large) >= 2 * busy ? large : small;
  const most = Math.floor((4 * busy) / count(sizes, taken));
  return cut(taken, true, sizes, Math.max(1, Math.min(most, Math.floor(k / SHORT_OF_TILES))));
}

function byBlocks(sizes: Sizes, { threads: busy, block: most }: Schedule): Plan {
  let blocks = blocksOf(sizes, most);
  for (let less = most / 2; less >= 2 && count(sizes, blocks) < busy / 4; less /= 2) blocks = blocksOf(sizes, less);
  const wanted = Math.min(64, Math.floor(busy / count(sizes, blocks)), Math.floor(sizes.k / SHORT));
  return cut(blocks, false, sizes, Math.max(1, wanted));
}

/** By what was measured for it (`tuned`), else by rule. */
export function planOf(product: Product, schedule: Schedule): Plan {
  const choice = schedule.tuned?.get(keyOf(product) ?? "");
  if (choice !== undefined) return planBy(product, choice);
  return byTiles(product, schedule) ?? byBlocks(product, schedule);
}

/** Elements of scratch that a product needs. */
export function dotScratch(product: Product, schedule: Schedule): number {
  const { pieces } = planOf(product, schedule);
  return pieces > 1 ? pieces * product.g * product.m * product.n : 1;
}

/** Large products have workgroups of a form of their own. */
export const isTiled = (product: Product, schedule: Schedule): boolean => planOf(product, schedule).tiled;
export const inPieces = (product: Product, schedule: Schedule): boolean => planOf(product, schedule).pieces > 1;

// ---------------------------------------------------------------- choices

/** A way to cut a product that was measured to be quick: tiles or blocks, sums along a side, pieces; as in `t8p2`. */
export type Choice = `${"t" | "b"}${number}p${number}`;

const CHOICE = /^([tb])(2|4|8)p([1-9]\d?)$/;
export const isChoice = (text: unknown): text is Choice =>
  typeof text === "string" && CHOICE.test(text) && !text.startsWith("t2");

function planBy(sizes: Sizes, choice: Choice): Plan {
  const [, form, size, pieces] = CHOICE.exec(choice) ?? [];
  if (size === undefined) throw new Error(`expected a choice such as t8p2, got ${choice}`);
  const blocks = form === "t" ? tilesOf(sizes, Number(size)) : blocksOf(sizes, Number(size));
  return cut(blocks, form === "t", sizes, Number(pieces));
}

/** The stride of a role: along the memory, apart, or none where it has a table. */
const strideOf = (o: Offsets): string => (o.kind === "table" ? "" : o.stride === 1 ? "1" : o.stride === 0 ? "0" : "s");

/** What the time of a product depends on: its shape and how its operands lie; none where that is told by tables. */
export function keyOf({ g, m, n, k, a, b }: Product): string | undefined {
  if (!a || !b) return undefined;
  const lies = [a, b].map(({ outer, k: deep }) => [strideOf(outer), strideOf(deep)]);
  if (lies.flat().includes("")) return undefined;
  return `${g}x${m}x${n}x${k} ${lies.map((each) => each.join("")).join(" ")}`;
}

/** A handful of choices for a product, that by rule first. */
export function choicesOf(product: Product, schedule: Schedule): readonly Choice[] {
  const { m, n, k } = product;
  const rule = planOf(product, { ...schedule, tuned: undefined });
  const nameOf = ({ tiled, tm, tn, pieces }: Plan): Choice => {
    const size = Math.max(tm, tn);
    return `${tiled ? "t" : "b"}${size <= 2 ? 2 : size <= 4 ? 4 : 8}p${pieces}`;
  };
  const found = new Map<string, Choice>();
  const add = (plan: Plan) => {
    const { tiled, tm, tn, pieces } = plan;
    const text = `${tiled} ${tm} ${tn} ${pieces}`;
    if (!found.has(text)) found.set(text, nameOf(plan));
  };
  add(rule);
  const fewest = schedule.together ? schedule.tiles : 1;
  for (const t of [8, 4]) {
    if (Math.min(m, n) < (t * SIDE) / 2) continue;
    const tiles = tilesOf(product, t);
    for (const pieces of [1, 2, 4, 8]) {
      const busy = count(product, tiles) * pieces;
      if (pieces > 1 && (k / pieces < 8 * SIDE || busy > 8 * fewest)) continue;
      add(cut(tiles, true, product, pieces));
    }
  }
  for (const most of [8, 4]) add(cut(blocksOf(product, most), false, product, 1));
  return [...found.values()].slice(0, MOST_CHOICES);
}
const MOST_CHOICES = 8;
