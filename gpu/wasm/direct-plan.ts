/**
 * Which products are convolutions of few channels that are quicker without panels: vectors of pixels are read where they
 * lie, at distances that are known when the code is written.
 *   forward   y[o, p] = Σ_w weights[o, w] · image[p + w]     lanes along pixels
 *   weights   dw[o, w] = Σ_p g[o, p] · image[p + w]          lanes along pixels too, added up at the end
 * Pixels come in groups that lie alike wherever one begins: a part of a line, or a few whole lines.
 */
import type { DotKernel, Offsets, Runs } from "../kernel.ts";

/** Most rows: with more of them panels are read often enough to be worth it. */
const ROWS = 32;
/** Most weights of a convolution: they stay in the first cache beside what a group reads. */
const WEIGHTS = 4096;
/** Most taps of a line of windows; of several short lines, of which sums are made together. */
const TAPS = 7;
const TOGETHER = 10;
/** Most pixels of a group, and least of all. */
const GROUP = 64;
const PIXELS = 256;
/** Most vectors, or taps, of a tile of two rows: the sums and what they read fill the registers. */
const ACROSS = 5;

/** Where four pixels of a group begin, in elements; the last two of them elsewhere where a line ends between. */
export interface Four {
  readonly at: number;
  readonly rest?: number;
}

export interface Direct {
  readonly kind: "forward" | "weights";
  /** Pixels of a group. */
  readonly pixels: number;
  readonly image: readonly Four[];
  /** Of weight gradients, the same pixels of the left operand. */
  readonly left: readonly Four[];
  /** The taps: of a line of a window, then its lines, then channels. */
  readonly windows: Runs;
  /** Of weight gradients, how far from the first of them the taps are of which sums are made together. */
  readonly taps: readonly number[];
}

/** `count` as parts of at most `ACROSS`, as alike as can be. */
export function partsOf(count: number): readonly number[] {
  const parts = Math.ceil(count / ACROSS);
  return Array.from({ length: parts }, (_, i) => Math.floor((count + parts - 1 - i) / parts));
}

const countOf = (runs: Runs): number => runs.reduce((n, { length }) => n * length, 1);

/** Whether groups of `pixels` offsets lie alike. */
function alike(runs: Runs, pixels: number): boolean {
  let left = pixels;
  for (const { length } of runs) {
    if (length % left === 0) return true;
    if (left % length !== 0) return false;
    left /= length;
  }
  return false;
}

/** An offset of the first group. */
function offsetOf(runs: Runs, i: number): number {
  let [left, offset] = [i, 0];
  for (const { length, stride } of runs) {
    offset += (left % length) * stride;
    left = Math.floor(left / length);
  }
  return offset;
}

/** The vectors of a group, if its pixels come at least two by two and never go back. */
function foursOf(o: Offsets, pixels: number): readonly Four[] | undefined {
  const runs = o.kind === "table" ? o.runs : [{ length: pixels, stride: o.stride }];
  if (!alike(runs, pixels) || runs.some(({ stride }) => stride < 0)) return undefined;
  const out: Four[] = [];
  for (let i = 0; i < pixels; i += 4) {
    const [a = 0, b, c = 0, d] = [0, 1, 2, 3].map((lane) => offsetOf(runs, i + lane));
    if (b !== a + 1 || d !== c + 1 || c < a || a < (out.at(-1)?.at ?? 0)) return undefined;
    out.push(c === a + 2 ? { at: a } : { at: a, rest: c });
  }
  return out;
}

/** The taps of a line, or of some short ones that follow each other. */
function tapsOf(windows: Runs): readonly number[] {
  let count = 1;
  for (const { length } of windows) {
    const follows = offsetOf(windows, count) > offsetOf(windows, count - 1);
    if (count > 1 && (count * length > TOGETHER || !follows)) break;
    count *= length;
  }
  return Array.from({ length: count }, (_, i) => offsetOf(windows, i));
}

/** Groups whose vectors make the fullest tiles; of those the smallest. */
function grouped(image: Offsets, left: Offsets | undefined): Pick<Direct, "pixels" | "image" | "left"> | undefined {
  let best: Pick<Direct, "pixels" | "image" | "left"> | undefined;
  const fill = (pixels: number) => pixels / partsOf(pixels / 4).length;
  for (let pixels = 4; pixels <= GROUP; pixels += 4) {
    const [own, other] = [foursOf(image, pixels), left ? foursOf(left, pixels) : []];
    if (own && other && (!best || fill(pixels) > fill(best.pixels))) best = { pixels, image: own, left: other };
  }
  return best;
}

/** Whether steps along an operand are of one size and never back. */
const isAhead = (o: Offsets): boolean => o.kind === "stride" && o.stride >= 0;

export function directOf({ m, n, k, a, b }: DotKernel): Direct | undefined {
  if (m > ROWS || b.outer.kind !== "table" || b.k.kind !== "table" || !isAhead(a.outer)) return undefined;
  for (const kind of ["forward", "weights"] as const) {
    const forward = kind === "forward";
    const [pixels, taps] = forward ? [b.outer, b.k] : [b.k, b.outer];
    const [along, count] = forward ? [n, k] : [k, n];
    const windows = taps.runs;
    const line = windows[0]?.length ?? 1;
    if (along < PIXELS || line < 2 || line > TAPS) continue;
    if (countOf(windows) !== count || countOf(pixels.runs) !== along) continue;
    if (windows.some(({ stride }) => stride < 0) || (forward && (m * k > WEIGHTS || !isAhead(a.k)))) continue;
    const group = grouped(pixels, forward ? undefined : a.k);
    if (group) return { kind, ...group, windows, taps: forward ? [] : tapsOf(windows) };
  }
  return undefined;
}
