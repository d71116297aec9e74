/**
 * PNG images of 8 bits a channel, not interlaced: grey, colour or a palette, with or without alpha (which is left out).
 * Filters as in the specification (W3C, Portable Network Graphics, third edition).
 */
import { Damaged } from "./disk.ts";
import { joined, unzlib } from "./unpack.ts";

export interface Png {
  readonly width: number;
  readonly height: number;
  /** 1 (grey) or 3 (colour), one plane behind another: [C, H, W]. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}
export type PngSize = Pick<Png, "width" | "height" | "channels">;

/** What a file says that cannot be read, in words. */
export class PngError extends Error {}

/** Samples of a pixel by colour type. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Bytes that tell the size. */
export const HEADER = 33;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

interface Header extends PngSize {
  readonly type: number;
}

export function pngSize(bytes: Uint8Array): PngSize {
  const { width, height, channels } = headerOf(bytes);
  return { width, height, channels };
}

function headerOf(bytes: Uint8Array): Header {
  if (bytes.length < HEADER || SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw new PngError("it is no PNG file");
  const view = viewOf(bytes);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, type, interlace] = [bytes[24], bytes[25] ?? -1, bytes[28]];
  if (depth !== 8) throw new PngError(`it has ${depth} bits a channel, and dlx reads 8`);
  if (interlace !== 0) throw new PngError("it is interlaced");
  if (!(type in samplesOf) || width === 0 || height === 0) throw new PngError("its header is damaged");
  return { width, height, type, channels: type === 0 || type === 4 ? 1 : 3 };
}

export function decodePng(bytes: Uint8Array): Png {
  const header = headerOf(bytes);
  const { width, height, type, channels } = header;
  const view = viewOf(bytes);
  const packed: Uint8Array[] = [];
  let palette = new Uint8Array(0);
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (content.length < length) throw new PngError("it ends too early");
    if (kind === "IDAT") packed.push(content);
    if (kind === "PLTE") palette = Uint8Array.from(content);
    if (kind === "IEND") break;
    at += 12 + length;
  }
  const samples = samplesOf[type]!;
  const lines = unfiltered(unzipped(joined(packed), (width * samples + 1) * height), width * samples, height, samples);
  const data = new Uint8Array(channels * height * width);
  for (let p = 0; p < height * width; p++) {
    for (let c = 0; c < channels; c++) {
      data[c * height * width + p] = type === 3 ? (palette[3 * lines[p]! + c] ?? 0) : lines[p * samples + c]!;
    }
  }
  return { width, height, channels, data };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function unzipped(packed: Uint8Array, size: number): Uint8Array {
  try {
    return unzlib(packed, size);
  } catch (thrown) {
    if (thrown instanceof Damaged) throw new PngError(`it cannot be unpacked: ${thrown.message}`);
    throw thrown;
  }
}

/** Each line begins with its filter; a sample is predicted from the ones left, above and between. */
function unfiltered(raw: Uint8Array, width: number, height: number, samples: number): Uint8Array {
  if (raw.length < (width + 1) * height) throw new PngError("it ends too early");
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width + 1)]!;
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = x >= samples ? out[at - samples]! : 0;
      const above = y > 0 ? out[at - width]! : 0;
      const between = x >= samples && y > 0 ? out[at - width - samples]! : 0;
      out[at] = raw[y * (width + 1) + 1 + x]! + predicted(filter, left, above, between);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, between: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const guess = left + above - between;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - between)];
      return a <= b && a <= c ? left : b <= c ? above : between;
    }
    default:
      throw new PngError(`it has a line with filter ${filter}`);
  }
}
