/**
 * gzip (RFC 1952) and zlib (RFC 1950) without a host. What fflate leaves out is here: the sums and lengths behind the
 * data are checked, and mistakes are said in the words of zlib, which a host may use instead.
 */
import { Gunzip, gzipSync, unzlibSync } from "fflate";
import { Damaged } from "./disk.ts";

/** Bytes handed over at once. */
const PIECE = 2 ** 20;
const nothing = gzipSync(new Uint8Array(0));

export function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What the first bytes of a packed file unpack to, as far as they go. */
export function headOf(packed: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  inWordsOfZlib(() => new Gunzip((part) => parts.push(part)).push(packed, false));
  return joined(parts);
}

/**
 * A file may have several members one behind another, which are one content. One more is handed over after the last: where
 * that does not begin at the end of the file, the file was cut.
 */
export function gunzip(packed: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const starts = [{ at: 0, part: 0 }];
  const stream = new Gunzip((part) => parts.push(part));
  stream.onmember = (at) => starts.push({ at, part: parts.length });
  inWordsOfZlib(() => {
    for (let at = 0; at < packed.length; at += PIECE) stream.push(packed.subarray(at, at + PIECE));
  });
  try {
    stream.push(nothing);
  } catch (thrown) {
    if (!isOfFflate(thrown)) throw thrown;
  }
  if (starts.length === 1 || starts.at(-1)?.at !== packed.length) throw cut();
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  starts.slice(1).forEach(({ at: end, part }, m) => {
    const content = parts.slice(starts[m]!.part, part);
    const length = content.reduce((sum, { length }) => sum + length, 0);
    if (view.getUint32(end - 8, true) !== crc32(content)) throw new Damaged("incorrect data check");
    if (view.getUint32(end - 4, true) !== length % 2 ** 32) throw new Damaged("incorrect length check");
  });
  return joined(parts);
}

/** `size`: how many bytes come out. */
export function unzlib(packed: Uint8Array, size: number): Uint8Array {
  if (packed.length < 6) throw cut();
  const bytes = inWordsOfZlib(() => unzlibSync(packed, { out: new Uint8Array(size) }));
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (view.getUint32(packed.length - 4) !== adler32(bytes)) throw new Damaged("incorrect data check");
  return bytes;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const cut = () => new Damaged("unexpected end of file", true);

/** By the code of fflate. */
const words: Readonly<Record<number, string>> = {
  2: "invalid literal/length code",
  3: "invalid distance code",
  6: "incorrect header check",
};

function inWordsOfZlib<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!isOfFflate(thrown)) throw thrown;
    throw thrown.code === 0 ? cut() : new Damaged(words[thrown.code] ?? thrown.message);
  }
}

const isOfFflate = (thrown: unknown): thrown is Error & { readonly code: number } =>
  thrown instanceof Error && "code" in thrown && typeof thrown.code === "number";

const crcs = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(parts: readonly Uint8Array[]): number {
  let crc = -1;
  for (const part of parts) for (const byte of part) crc = (crc >>> 8) ^ crcs[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

/** Most bytes whose sums stay below 2^32. */
const ADLER = 5552;

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let at = 0; at < bytes.length; at += ADLER) {
    for (const byte of bytes.subarray(at, at + ADLER)) b += a += byte;
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
