/**
 * IDX files, as MNIST and Fashion-MNIST are handed out: big-endian magic and sizes, then bytes; gzipped or not (told by
 * the content, not by the name). Facts come from headers alone; for a packed file the size in its last four bytes shows
 * whether it is whole. Only unsigned bytes are read, in one dimension (labels) or three (images).
 */
import { stringArg } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { labelTooLarge, noDataSet, truncatedFile, unequalRows, wrongMagic } from "../../lang/errors/data.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { foldersOf, gzipFailed, unpacked } from "./bytes.ts";
import { type DataWhere, type Disk, readingFailed, withFile } from "./disk.ts";
import type { Table } from "./table.ts";
import { headOf, isPacked } from "./unpack.ts";

const classes = 10;
const magic = { images: 0x803, labels: 0x801 } as const;
type Kind = keyof typeof magic;
type Part = "train" | "test";

/** Subfolders in which a set may lie, in the folder that was named. */
const subfolders: Readonly<Record<string, readonly string[]>> = {
  mnist: ["mnist"],
  fashion_mnist: ["fashion-mnist", "fashion_mnist"],
};

const stems: Readonly<Record<Part, Readonly<Record<Kind, readonly [stem: string, dimensions: string]>>>> = {
  train: { images: ["train-images", "idx3-ubyte"], labels: ["train-labels", "idx1-ubyte"] },
  test: { images: ["t10k-images", "idx3-ubyte"], labels: ["t10k-labels", "idx1-ubyte"] },
};

/** Paths of the four files. */
export type IdxFiles = Readonly<Record<Part, Readonly<Record<Kind, string>>>>;

/** Paths of the files that `idx` names. */
export interface IdxPair {
  readonly images: string;
  readonly labels?: string;
}

export function isIdx(name: string): boolean {
  return name in subfolders;
}

// ---------------------------------------------------------------- finding

export async function findIdx(ref: SourceRef, where: DataWhere): Promise<IdxFiles> {
  const { disk } = where;
  const folders = foldersOf(ref, where, subfolders[ref.name] ?? []);
  let missing = { file: "train-images-idx3-ubyte", among: 5 };
  for (const folder of folders) {
    const names = new Set(await disk.list(folder));
    const absent: string[] = [];
    const pick = (part: Part, kind: Kind): string => {
      const [stem, dimensions] = stems[part][kind];
      const spellings = [`${stem}-${dimensions}`, `${stem}.${dimensions}`].flatMap((name) => [name, `${name}.gz`]);
      const found = spellings.find((name) => names.has(name));
      if (found === undefined) absent.push(`${stem}-${dimensions}`);
      return disk.paths.join(folder, found ?? "");
    };
    const files = {
      train: { images: pick("train", "images"), labels: pick("train", "labels") },
      test: { images: pick("test", "images"), labels: pick("test", "labels") },
    };
    if (absent.length === 0) return files;
    if (absent.length < missing.among) missing = { file: absent[0] ?? "", among: absent.length };
  }
  throw new UserError(noDataSet(ref, missing.file, folders));
}

export function idxPair(ref: SourceRef, { disk, scriptFolder }: DataWhere): IdxPair {
  const at = (param: string) => disk.paths.resolve(scriptFolder, stringArg(ref, param));
  return { images: at("path"), labels: stringArg(ref, "labels") === "" ? undefined : at("labels") };
}

// ---------------------------------------------------------------- headers

interface Header {
  readonly sizes: readonly number[];
  /** Bytes before the first number. */
  readonly length: number;
}

export async function idxFacts(ref: SourceRef, { disk }: DataWhere, files: IdxFiles): Promise<Facts> {
  const shapes = {} as Record<Part, readonly number[]>;
  for (const part of ["train", "test"] as const) {
    const images = await headerOf(disk, ref.span, files[part].images, "images");
    const labels = await headerOf(disk, ref.span, files[part].labels, "labels");
    checkRows(disk, ref.span, files[part], images, labels);
    shapes[part] = images.sizes;
  }
  const [train = 0, ...shape] = shapes.train;
  const [test = 0] = shapes.test;
  return {
    fields: { image: { dtype: "f32", shape }, label: { dtype: "i32", shape: [], classes } },
    rows: train + test,
    parts: { train, test },
  };
}

export async function idxFileFacts(ref: SourceRef, where: DataWhere): Promise<Facts> {
  const { disk } = where;
  const pair = idxPair(ref, where);
  const images = await headerOf(disk, ref.span, pair.images, "images");
  const [rows = 0, ...shape] = images.sizes;
  const image = { dtype: "f32", shape } as const;
  if (pair.labels === undefined) return { fields: { image }, rows };
  const { header, column } = await labelsOf(disk, ref.span, pair.labels);
  checkRows(disk, ref.span, { images: pair.images, labels: pair.labels }, images, header);
  const most = column.reduce((a, b) => Math.max(a, b), 0);
  return { fields: { image, label: { dtype: "i32", shape: [], classes: most + 1 } }, rows };
}

/** Whether these are the first bytes of such a file, packed or not, and what it says of itself. */
export function idxHead(start: Uint8Array): { readonly kind: Kind; readonly sizes: readonly number[] } | undefined {
  const bytes = isPacked(start) ? headOf(start) : start;
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const kind = (["images", "labels"] as const).find((each) => magic[each] === view.getUint32(0));
  const dimensions = view.getUint32(0) & 255;
  if (!kind || bytes.length < 4 + 4 * dimensions) return undefined;
  return { kind, sizes: Array.from({ length: dimensions }, (_, d) => view.getUint32(4 + 4 * d)) };
}

async function headerOf(disk: Disk, span: Span, path: string, kind: Kind): Promise<Header> {
  const file = disk.paths.basename(path);
  const { start, end, size } = await ends(disk, span, path);
  if (!isPacked(start)) return parseHeader(span, file, kind, start, size);
  let first: Uint8Array;
  try {
    first = headOf(start);
  } catch (thrown) {
    throw gzipFailed(thrown, span, file);
  }
  // The last word of a gzip file is its unpacked size, modulo 2^32; a file that was cut ends in other bytes.
  const header = parseHeader(span, file, kind, first, undefined);
  const expected = header.length + header.sizes.reduce((a, b) => a * b, 1);
  if (end.length < 4 || viewOf(end).getUint32(0, true) !== expected % 2 ** 32) {
    throw new UserError(truncatedFile(span, file, undefined, undefined));
  }
  return header;
}

async function ends(
  disk: Disk,
  span: Span,
  path: string,
): Promise<{ readonly start: Uint8Array; readonly end: Uint8Array; readonly size: number }> {
  try {
    return await withFile(disk, path, async (file) => {
      const { size } = file;
      const start = await file.read(0, Math.min(size, 4096));
      return { start, end: await file.read(Math.max(0, size - 4), Math.min(size, 4)), size };
    });
  } catch (thrown) {
    throw await readingFailed(disk, thrown, span, disk.paths.basename(path), path);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `held` is how many bytes the whole file has, if that is known. */
function parseHeader(span: Span, file: string, kind: Kind, bytes: Uint8Array, held: number | undefined): Header {
  if (bytes.length < 4) throw new UserError(truncatedFile(span, file, undefined, undefined));
  const view = viewOf(bytes);
  const found = view.getUint32(0);
  if (found !== magic[kind]) throw new UserError(wrongMagic(span, file, magic[kind], found));
  const dimensions = found & 255;
  const length = 4 + 4 * dimensions;
  if (bytes.length < length) throw new UserError(truncatedFile(span, file, length, held));
  const sizes = Array.from({ length: dimensions }, (_, d) => view.getUint32(4 + 4 * d));
  const expected = length + sizes.reduce((a, b) => a * b, 1);
  if (held !== undefined && held < expected) throw new UserError(truncatedFile(span, file, expected, held));
  return { sizes, length };
}

function checkRows(disk: Disk, span: Span, files: IdxFiles[Part], images: Header, labels: Header): void {
  const [imageRows = 0] = images.sizes;
  const [labelRows = 0] = labels.sizes;
  if (imageRows === labelRows) return;
  const { basename } = disk.paths;
  throw new UserError(unequalRows(span, basename(files.images), imageRows, basename(files.labels), labelRows));
}

// ---------------------------------------------------------------- rows

export async function readIdx(ref: SourceRef, where: DataWhere, files: IdxFiles, part: Part): Promise<Table> {
  const table = await readPair(ref, where, files[part]);
  const label = table.columns.label?.data ?? [];
  const wrong = label.findIndex((value) => value >= classes);
  const { basename } = where.disk.paths;
  if (wrong >= 0)
    throw new UserError(labelTooLarge(ref.span, basename(files[part].labels), wrong + 1, label[wrong] ?? 0, classes));
  return table;
}

export function readIdxFile(ref: SourceRef, where: DataWhere): Promise<Table> {
  return readPair(ref, where, idxPair(ref, where));
}

async function readPair({ span }: SourceRef, { disk }: DataWhere, pair: IdxPair): Promise<Table> {
  const bytes = await unpacked(disk, span, pair.images);
  const images = parseHeader(span, disk.paths.basename(pair.images), "images", bytes, bytes.length);
  const [rows = 0, ...shape] = images.sizes;
  const size = shape.reduce((a, b) => a * b, rows);
  const image = { data: bytes.subarray(images.length, images.length + size), shape, scale: 1 / 255 };
  if (pair.labels === undefined) return { rows, columns: { image } };
  const { header, column } = await labelsOf(disk, span, pair.labels);
  checkRows(disk, span, { images: pair.images, labels: pair.labels }, images, header);
  return { rows, columns: { image, label: { data: column, shape: [] } } };
}

async function labelsOf(disk: Disk, span: Span, path: string): Promise<{ header: Header; column: Int32Array }> {
  const bytes = await unpacked(disk, span, path);
  const header = parseHeader(span, disk.paths.basename(path), "labels", bytes, bytes.length);
  const [rows = 0] = header.sizes;
  return { header, column: Int32Array.from(bytes.subarray(header.length, header.length + rows)) };
}
