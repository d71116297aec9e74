/**
 * safetensors files: eight bytes with the length of a JSON header, the header (name → dtype, shape, place), the numbers.
 * Half precisions and doubles are read as f32; whole numbers
 * of 64 bits as i32 where they fit. Files beyond memory are not a concern here.
 */
import type { DType } from "../lang/graph/node.ts";
import { UserError } from "../lang/diagnostic.ts";
import { cannotWrite, foreignDtype, notSafetensors, truncatedSafetensors } from "../lang/errors/data.ts";
import type { Span } from "../lang/source.ts";
import type { Numbers } from "../gpu/device.ts";
import { type Disk, DiskError, type OpenFile, readingFailed, withFile } from "./data/disk.ts";
import type { FileTensor } from "./host.ts";

interface Format {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, count: number) => Numbers;
}

/** By the name in the file. All little-endian. */
const formats: Readonly<Record<string, Format>> = {
  F32: {
    bytes: 4,
    dtype: "f32",
    read: (v, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(4 * i, true)),
  },
  F64: {
    bytes: 8,
    dtype: "f32",
    read: (v, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat64(8 * i, true)),
  },
  F16: {
    bytes: 2,
    dtype: "f32",
    read: (v, n) => Float32Array.from({ length: n }, (_, i) => half(v.getUint16(2 * i, true))),
  },
  BF16: { bytes: 2, dtype: "f32", read: (v, n) => brainFloats(v, n) },
  I32: { bytes: 4, dtype: "i32", read: (v, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(4 * i, true)) },
  I64: {
    bytes: 8,
    dtype: "i32",
    read: (v, n) => Int32Array.from({ length: n }, (_, i) => Number(v.getBigInt64(8 * i, true))),
  },
  U32: { bytes: 4, dtype: "u32", read: (v, n) => Uint32Array.from({ length: n }, (_, i) => v.getUint32(4 * i, true)) },
  BOOL: { bytes: 1, dtype: "bool", read: (v, n) => Int32Array.from({ length: n }, (_, i) => v.getUint8(i)) },
};
const written: Readonly<Record<DType, string>> = { f32: "F32", i32: "I32", u32: "U32", bool: "BOOL" };

/** The format's own bound on the header. */
const longestHeader = 100_000_000;

// ---------------------------------------------------------------- writing

export async function writeSafetensors(
  disk: Disk,
  file: string,
  tensors: ReadonlyMap<string, FileTensor>,
  metadata: Readonly<Record<string, string>> = {},
  span?: Span,
): Promise<void> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    if (count !== tensor.data.length) {
      throw new Error(`${name}: expected ${count} numbers for [${tensor.shape.join(", ")}], got ${tensor.data.length}`);
    }
    if (name === "__metadata__") throw new Error("expected the name of a tensor, got __metadata__");
    const bytes = bytesOf(tensor);
    header[name] = { dtype: written[tensor.dtype], shape: tensor.shape, data_offsets: [offset, offset + bytes.length] };
    parts.push(bytes);
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces until the numbers begin at a multiple of eight.
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  try {
    await disk.write(file, [length, padded, ...parts]);
  } catch (thrown) {
    throw thrown instanceof DiskError ? new UserError(cannotWrite(span, file, thrown.message)) : thrown;
  }
}

function bytesOf({ dtype, data }: FileTensor): Uint8Array {
  if (dtype === "bool") return Uint8Array.from(data, (value) => (value ? 1 : 0));
  // Host arrays are little-endian wherever this runs; a copy is made only of arrays of another kind.
  const exact =
    dtype === "f32" ? kind(Float32Array, data) : dtype === "i32" ? kind(Int32Array, data) : kind(Uint32Array, data);
  return new Uint8Array(exact.buffer, exact.byteOffset, exact.byteLength);
}

function kind<A extends Numbers>(make: { new (from: ArrayLike<number>): A }, data: Numbers): A {
  return data instanceof make ? data : new make(data);
}

// ---------------------------------------------------------------- reading

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}
interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Offsets in entries count from here. */
  readonly base: number;
}

export async function readSafetensors(disk: Disk, file: string, span?: Span): Promise<ReadonlyMap<string, FileTensor>> {
  return reading(disk, file, span, async (open) => {
    const { entries, base } = await readHeader(open, file, span);
    const tensors = new Map<string, FileTensor>();
    for (const { name, dtype, shape, start, end } of entries) {
      const format = formats[dtype];
      if (!format) throw new UserError(foreignDtype(span, file, name, dtype, Object.keys(formats)));
      const count = shape.reduce((a, b) => a * b, 1);
      if (end - start !== count * format.bytes) {
        throw new UserError(
          notSafetensors(
            span,
            file,
            `\`${name}\` has ${end - start} bytes, but [${shape.join(", ")}] in ${dtype} takes ${count * format.bytes}`,
          ),
        );
      }
      const bytes = await readAt(open, base + start, end - start);
      if (dtype === "I64" && !fitsInt32(bytes)) {
        throw new UserError(foreignDtype(span, file, name, "I64 with numbers beyond 32 bits", Object.keys(formats)));
      }
      tensors.set(name, { dtype: format.dtype, shape, data: format.read(new DataView(bytes.buffer), count) });
    }
    return tensors;
  });
}

/** The words that a file carries beside its tensors. */
export async function readMetadata(disk: Disk, file: string, span?: Span): Promise<Readonly<Record<string, string>>> {
  return reading(disk, file, span, async (open) => (await readHeader(open, file, span)).metadata);
}

async function reading<T>(
  disk: Disk,
  file: string,
  span: Span | undefined,
  use: (open: OpenFile) => Promise<T>,
): Promise<T> {
  try {
    return await withFile(disk, file, use);
  } catch (thrown) {
    throw await readingFailed(disk, thrown, span, file, file);
  }
}

async function readHeader(open: OpenFile, file: string, span: Span | undefined): Promise<Header> {
  const fail = (reason: string) => new UserError(notSafetensors(span, file, reason));
  const { size } = open;
  if (size < 8) throw fail(`it has only ${size} bytes`);
  const first = await readAt(open, 0, 8);
  const length = Number(new DataView(first.buffer).getBigUint64(0, true));
  if (length > longestHeader) throw fail("it does not begin with the length of a header");
  const base = 8 + length;
  // A header begins with a brace, so a foreign file is not taken for one that was cut.
  const [brace] = await readAt(open, 8, Math.min(1, size - 8));
  if (brace !== 0x7b) throw fail("its header is not JSON");
  if (base > size) throw new UserError(truncatedSafetensors(span, file, base, size));
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await readAt(open, 8, length)));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw fail("its header is not JSON");
    throw thrown;
  }
  if (!isRecord(json)) throw fail("its header is not a JSON object");

  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__" && isRecord(value)) {
      metadata = Object.fromEntries(Object.entries(value).map(([key, word]) => [key, String(word)]));
      continue;
    }
    const entry = entryOf(name, value);
    if (!entry) throw fail(`its header says nothing clear about \`${name}\``);
    entries.push(entry);
  }
  const end = base + entries.reduce((most, entry) => Math.max(most, entry.end), 0);
  if (end > size) throw new UserError(truncatedSafetensors(span, file, end, size));
  const wrong = misplaced(entries);
  if (wrong !== undefined) throw fail(wrong);
  if (end < size) throw fail(`${size - end} bytes follow its last tensor`);
  return { entries, metadata, base };
}

/** The format wants every byte to belong to one tensor; a tensor of another size is named where it is read. */
function misplaced(entries: readonly Entry[]): string | undefined {
  const inOrder = [...entries].sort((a, b) => a.start - b.start || a.end - b.end);
  let before: Entry | undefined;
  for (const entry of inOrder) {
    const expected = before?.end ?? 0;
    if (before && entry.start < expected) return `\`${before.name}\` and \`${entry.name}\` overlap`;
    if (entry.start > expected) return `${entry.start - expected} bytes before \`${entry.name}\` belong to no tensor`;
    before = entry;
  }
  return undefined;
}

function entryOf(name: string, value: unknown): Entry | undefined {
  if (!isRecord(value) || typeof value.dtype !== "string") return undefined;
  const shape = counts(value.shape);
  const [start, end, ...more] = counts(value.data_offsets) ?? [];
  if (!shape || start === undefined || end === undefined || more.length > 0 || start > end) return undefined;
  return { name, dtype: value.dtype, shape, start, end };
}

function counts(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: unknown[] = value;
  return items.every((item) => typeof item === "number" && Number.isSafeInteger(item) && item >= 0)
    ? (items as number[])
    : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fitsInt32(bytes: Uint8Array<ArrayBuffer>): boolean {
  return new BigInt64Array(bytes.buffer).every((number) => BigInt.asIntN(32, number) === number);
}

async function readAt(open: OpenFile, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await open.read(position, length);
  if (bytes.length === length) return bytes;
  throw new Error(`expected ${length} bytes at ${position}, got ${bytes.length}: the file changed while it was read`);
}

// ---------------------------------------------------------------- narrow floats

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of an f32. */
function brainFloats(view: DataView, count: number): Float32Array {
  const bits = Uint32Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true) << 16);
  return new Float32Array(bits.buffer);
}
