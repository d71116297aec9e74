/** `images(dir)`: a class for each subfolder, its PNG files in the order of names. All images have one size. */
import { byCodePoint } from "../../lang/check/tokenizers.ts";
import { stringArg } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { badImage, noImages, unequalImages } from "../../lang/errors/data.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import { type DataWhere, type Disk, readingFailed, withFile } from "./disk.ts";
import { decodePng, HEADER, PngError, pngSize, type PngSize } from "./png.ts";
import type { Table } from "./table.ts";

export interface ImageFiles {
  readonly dir: string;
  readonly classes: readonly string[];
  /** Names below the folder, and their classes. */
  readonly files: readonly { readonly name: string; readonly label: number }[];
}

export async function findImages(ref: SourceRef, where: DataWhere): Promise<ImageFiles> {
  const { paths } = where.disk;
  const dir = paths.resolve(where.scriptFolder, stringArg(ref, "dir"));
  const classes: string[] = [];
  const files: { name: string; label: number }[] = [];
  for (const folder of (await where.disk.list(dir)).sort(byCodePoint)) {
    const names = (await where.disk.list(paths.join(dir, folder)))
      .filter((name) => /\.png$/i.test(name))
      .sort(byCodePoint);
    if (names.length === 0) continue;
    for (const name of names) files.push({ name: `${folder}/${name}`, label: classes.length });
    classes.push(folder);
  }
  if (files.length === 0) throw new UserError(noImages(ref.span, stringArg(ref, "dir"), dir));
  return { dir, classes, files };
}

/** From the headers of all files. */
export async function imageFacts(ref: SourceRef, { disk }: DataWhere, found: ImageFiles): Promise<Facts> {
  const { name: first } = found.files[0]!;
  const shape = shapeOf(await decoded(disk, ref, found.dir, first, headOf, pngSize));
  for (const { name } of found.files) {
    const other = shapeOf(await decoded(disk, ref, found.dir, name, headOf, pngSize));
    if (String(other) !== String(shape)) throw new UserError(unequalImages(ref.span, first, shape, name, other));
  }
  const label = { dtype: "i32", shape: [], classes: found.classes.length } as const;
  return { fields: { image: { dtype: "f32", shape }, label }, rows: found.files.length };
}

export async function readImages(
  ref: SourceRef,
  { disk }: DataWhere,
  { dir, classes, files }: ImageFiles,
): Promise<Table> {
  const first = await decoded(disk, ref, dir, files[0]!.name, wholeOf, decodePng);
  const size = first.data.length;
  const data = new Uint8Array(files.length * size);
  for (const [row, { name }] of files.entries()) {
    const image = await decoded(disk, ref, dir, name, wholeOf, decodePng);
    if (String(shapeOf(image)) !== String(shapeOf(first)))
      throw new UserError(unequalImages(ref.span, files[0]!.name, shapeOf(first), name, shapeOf(image)));
    data.set(image.data, row * size);
  }
  return {
    rows: files.length,
    columns: {
      image: { data, shape: shapeOf(first), scale: 1 / 255 },
      label: { data: Int32Array.from(files, ({ label }) => label), shape: [], names: classes },
    },
  };
}

function shapeOf({ width, height, channels }: PngSize): number[] {
  return channels === 1 ? [height, width] : [channels, height, width];
}

type ReadPng = (disk: Disk, path: string) => Promise<Uint8Array>;
const wholeOf: ReadPng = (disk, path) => disk.read(path);
const headOf: ReadPng = (disk, path) => withFile(disk, path, (file) => file.read(0, HEADER));

async function decoded<T>(
  disk: Disk,
  ref: SourceRef,
  dir: string,
  name: string,
  read: ReadPng,
  decode: (bytes: Uint8Array) => T,
): Promise<T> {
  const path = disk.paths.join(dir, name);
  let bytes: Uint8Array;
  try {
    bytes = await read(disk, path);
  } catch (thrown) {
    throw await readingFailed(disk, thrown, ref.span, name, path);
  }
  try {
    return decode(bytes);
  } catch (thrown) {
    throw thrown instanceof PngError ? new UserError(badImage(ref.span, name, thrown.message)) : thrown;
  }
}
