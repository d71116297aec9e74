/**
 * Which products are convolutions of 3×3 that go by Winograd, and how they are cut into blocks of tiles:
 *   forward   y[o, p] = Σ_c Σ_w weights[o, c, w] · image[c, p + w]     tiles of results, weights transformed once
 *   weights   dw[o, c, w] = Σ_p g[o, p] · image[c, p + w]              tiles of g, sums stay transformed to the end
 * Both have the windows on the right, stepping by one pixel over lines that tiles fill. A tile of 4×4 pixels takes 36
 * multiplications where the plain product has 144, one of 2×2 takes 16 where that has 36.
 */
import type { DotKernel, Offsets } from "../kernel.ts";

/** Least channels in and out, and pixels, that are worth the transforms. */
const CHANNELS = 16;
const PIXELS = 512;
/** Pixels along a side of a tile, what is quicker first, and the time of a product of that of the plain one. */
const SIDES = [
  { side: 4, forward: 0.33, weights: 0.42 },
  { side: 2, forward: 0.5, weights: 0.6 },
] as const;
/** Tiles of a block: as few as fill the processor, and not more than fit into its caches. */
const LEAST_TILES = 16;
const MOST_TILES = 64;
/** Of weight gradients, the most output channels of a part. */
const PART = 16;
/** Taps of a window along one axis. */
export const TAPS = 3;
/** Elements between two points' shares of a block, so that these do not fall on the same lines of the cache. */
const GAP = 16;

export interface Winograd {
  readonly kind: "forward" | "weights";
  /** Pixels along a side of a tile, and inputs: its products are that squared. */
  readonly side: number;
  readonly size: number;
  readonly channels: number;
  /** Output channels of a round: what is kept of one round fits into scratch. */
  readonly outputs: number;
  /** Tiles of a block: so many lines of tiles, so many tiles of each. */
  readonly lines: number;
  readonly across: number;
  /** Pixels in a line of the image. */
  readonly width: number;
  /** Of the input, in elements: from line to line and from channel to channel. */
  readonly line: number;
  readonly channel: number;
  /** The same of g, whose tiles take the weights' place. */
  readonly g: { readonly line: number; readonly channel: number } | undefined;
  /** Steps of the product that are made at once: pixels of `lines` lines of tiles, or output channels. */
  readonly unit: number;
  readonly share: number;
}

/** Elements from one point to the next of a matrix that has this many. */
export const pitch = (rows: number, columns: number): number => rows * columns + GAP;

/** Of what is kept of the whole, of the image and of the left operand's or the results' tiles. */
const scratchFor = (size: number, channels: number, outputs: number, tiles: number): number =>
  size ** 2 * (pitch(channels, outputs) + pitch(tiles, channels) + pitch(tiles, outputs));

/** The most output channels of a round, of those that divide all. */
function outputsOf(all: number, limit: number, fits: (outputs: number) => boolean): number | undefined {
  for (let outputs = Math.min(all, limit); outputs >= Math.min(8, limit); outputs--)
    if (all % outputs === 0 && outputs % 4 === 0 && fits(outputs)) return outputs;
  return undefined;
}

/** Elements of scratch that a product of these sizes may need as such a convolution; `most` are to be had. */
export function winogradScratch(m: number, n: number, k: number, most: number): number {
  const channels = k % 9 === 0 ? k / 9 : n % 9 === 0 ? n / 9 : 0;
  return m < CHANNELS || channels < CHANNELS ? 0 : most;
}

/** The least blocks of tiles that fill the processor, else the largest. */
function blockOf(width: number, height: number): readonly [lines: number, across: number] {
  let best: readonly [number, number] = [1, 1];
  const better = (tiles: number): boolean => {
    const now = best[0] * best[1];
    return now < LEAST_TILES ? tiles > now : tiles >= LEAST_TILES && tiles < now;
  };
  for (let across = 1; across <= width; across++) {
    // several lines at once only where a block holds them whole
    for (let lines = 1; lines <= (across === width ? height : 1) && lines * across <= MOST_TILES; lines++)
      if (width % across === 0 && height % lines === 0 && better(lines * across)) best = [lines, across];
  }
  return best;
}

/** From line to line where offsets walk lines of `width` pixels side by side, `height` of them evenly. */
function lineOf(o: Offsets, width: number, height: number): number | undefined {
  if (o.kind === "stride") return o.stride === 1 ? width : undefined;
  const [across, down] = o.runs;
  if (across?.stride !== 1 || across.length % width !== 0) return undefined;
  if (across.length > width) return across.length % (width * height) === 0 ? width : undefined;
  return down && down.length % height === 0 ? down.stride : undefined;
}

/** From one to the next of four neighbours, wherever four begin. */
function laneOf(o: Offsets): number | undefined {
  if (o.kind === "stride") return o.stride;
  return o.runs[0] && o.runs[0].length % 4 === 0 ? o.runs[0].stride : undefined;
}

interface Image {
  readonly width: number;
  readonly height: number;
  readonly line: number;
  readonly channels: number;
  readonly channel: number;
}

/** An image seen through windows: offsets of its pixels and of what a window covers. */
function imageOf(pixels: Offsets, windows: Offsets, count: number): Image | undefined {
  if (pixels.kind !== "table" || windows.kind !== "table") return undefined;
  const [across, down] = pixels.runs;
  const [x, y, channel, none] = windows.runs;
  if (!across || !down || !x || !y || !channel || none) return undefined;
  const taps = x.length === TAPS && y.length === TAPS && TAPS ** 2 * channel.length === count;
  const steps = across.stride === 1 && x.stride === 1 && down.stride === y.stride;
  if (!taps || !steps || channel.length < CHANNELS || channel.length % 4 !== 0) return undefined;
  return {
    width: across.length,
    height: down.length,
    line: down.stride,
    channels: channel.length,
    channel: channel.stride,
  };
}

export function winogradOf({ g, m, n, k, a, b }: DotKernel, most: number): Winograd | undefined {
  if (g !== 1 || m < CHANNELS) return undefined;
  const forward = n >= PIXELS && k % 9 === 0 ? imageOf(b.outer, b.k, k) : undefined;
  const image = forward ?? (k >= PIXELS && n % 9 === 0 ? imageOf(b.k, b.outer, n) : undefined);
  if (!image) return undefined;
  const { width, height, line, channels, channel } = image;
  const [own, lane] = [lineOf(a.k, width, height), laneOf(a.outer)];
  const left = forward || own === undefined || lane === undefined ? undefined : { line: own, channel: lane };
  if (!forward && !left) return undefined;
  for (const { side, ...shares } of SIDES) {
    if (width % side !== 0 || height % side !== 0) continue;
    const size = side + TAPS - 1;
    const [lines, across] = blockOf(width / side, height / side);
    const fits = (outputs: number) => scratchFor(size, channels, outputs, lines * across) <= most;
    const outputs = outputsOf(m, forward ? m : PART, fits);
    if (outputs === undefined) continue;
    const unit = forward ? side * lines * width : outputs;
    const kind = forward ? "forward" : "weights";
    const share = shares[kind];
    return { kind, side, size, channels, outputs, lines, across, width, line, channel, g: left, unit, share };
  }
  return undefined;
}
