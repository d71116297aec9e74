/**
 * IDX files, as MNIST and Fashion-MNIST are handed out: big-endian magic and sizes, then bytes; gzipped or not (told by
 * the content, not by the name). Facts come from headers alone; for a packed file the size in its last four bytes shows
 * whether it is whole. Only unsigned bytes are read, in one dimension (labels) or three (images).
 */
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

export async function readIdx(ref: SourceRef, { disk }: DataWhere, files: IdxFiles, part: Part): Promise<Table> {
  const { span } = ref;
  const { basename } = disk.paths;
  const pair = files[part];
  const [imageBytes, labelBytes] = await Promise.all([
    unpacked(disk, span, pair.images),
    unpacked(disk, span, pair.labels),
  ]);
  const images = parseHeader(span, basename(pair.images), "images", imageBytes, imageBytes.length);
  const labels = parseHeader(span, basename(pair.labels), "labels", labelBytes, labelBytes.length);
  checkRows(disk, span, pair, images, labels);
  const [rows = 0, ...shape] = images.sizes;
  const label = Int32Array.from(labelBytes.subarray(labels.length, labels.length + rows));
  const wrong = label.findIndex((value) => value >= classes);
  if (wrong >= 0)
    throw new UserError(labelTooLarge(span, basename(pair.labels), wrong + 1, label[wrong] ?? 0, classes));
  const size = shape.reduce((a, b) => a * b, rows);
  return {
    rows,
    columns: {
      image: { data: imageBytes.subarray(images.length, images.length + size), shape, scale: 1 / 255 },
      label: { data: label, shape: [] },
    },
  };
}
