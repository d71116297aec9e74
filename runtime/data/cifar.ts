/**
 * CIFAR-10 in its binary form: records of a label and 3 × 32 × 32 bytes (red, green, blue planes). Files that are called
 * `data_batch_1.bin` (or have `train` in their name) are the train rows, `test_batch.bin` (or `test`) the test rows.
 */
import { UserError } from "../../lang/diagnostic.ts";
import { byCodePoint } from "../../lang/check/tokenizers.ts";
import { labelTooLarge, noDataSet, notRecords } from "../../lang/errors/data.ts";
import type { Facts, SourceRef } from "../../lang/program.ts";
import { foldersOf, unpacked } from "./bytes.ts";
import { type DataWhere, type Disk, readingFailed, withFile } from "./disk.ts";
import { joinTables, type Table } from "./table.ts";
import { isPacked } from "./unpack.ts";

const shape = [3, 32, 32];
const pixels = 3072;
const record = 1 + pixels;
const classes = 10;

type Part = "train" | "test";
export type CifarFiles = Readonly<Record<Part, readonly string[]>>;

const patterns: Readonly<Record<Part, RegExp>> = {
  train: /^(data_batch_\d+|.*train.*)\.bin(\.gz)?$/,
  test: /^(test_batch|.*test.*)\.bin(\.gz)?$/,
};

export async function findCifar(ref: SourceRef, where: DataWhere): Promise<CifarFiles> {
  const { disk } = where;
  const folders = foldersOf(ref, where, ["cifar10", "cifar-10-batches-bin"]);
  let missing = "data_batch_1.bin";
  for (const folder of folders) {
    const names = (await disk.list(folder)).sort(byCodePoint);
    const pick = (part: Part) =>
      names.filter((name) => patterns[part].test(name)).map((name) => disk.paths.join(folder, name));
    const files = { train: pick("train"), test: pick("test") };
    if (files.train.length > 0 && files.test.length > 0) return files;
    if (files.train.length > 0) missing = "test_batch.bin";
  }
  throw new UserError(noDataSet(ref, missing, folders));
}

export async function cifarFacts(ref: SourceRef, { disk }: DataWhere, files: CifarFiles): Promise<Facts> {
  const count = async (paths: readonly string[]): Promise<number> => {
    let rows = 0;
    for (const path of paths) rows += rowsIn(disk, ref, path, await sizeOfFile(disk, ref, path));
    return rows;
  };
  const parts = { train: await count(files.train), test: await count(files.test) };
  return {
    fields: { image: { dtype: "f32", shape }, label: { dtype: "i32", shape: [], classes } },
    rows: parts.train + parts.test,
    parts,
  };
}

export async function readCifar(ref: SourceRef, { disk }: DataWhere, files: CifarFiles, part: Part): Promise<Table> {
  const tables: Table[] = [];
  for (const path of files[part]) {
    const bytes = await unpacked(disk, ref.span, path);
    const rows = rowsIn(disk, ref, path, bytes.length);
    const data = new Uint8Array(rows * pixels);
    const label = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      label[row] = bytes[row * record]!;
      if (label[row]! >= classes)
        throw new UserError(labelTooLarge(ref.span, disk.paths.basename(path), row + 1, label[row]!, classes));
      data.set(bytes.subarray(row * record + 1, (row + 1) * record), row * pixels);
    }
    tables.push({ rows, columns: { image: { data, shape, scale: 1 / 255 }, label: { data: label, shape: [] } } });
  }
  return tables.reduce(joinTables);
}

function rowsIn(disk: Disk, ref: SourceRef, path: string, size: number): number {
  if (size === 0 || size % record !== 0)
    throw new UserError(notRecords(ref.span, disk.paths.basename(path), record, size));
  return size / record;
}

/** Of a packed file the last word: its unpacked size. */
async function sizeOfFile(disk: Disk, ref: SourceRef, path: string): Promise<number> {
  try {
    return await withFile(disk, path, async (file) => {
      if (file.size < 4 || !isPacked(await file.read(0, 2))) return file.size;
      const end = await file.read(file.size - 4, 4);
      return new DataView(end.buffer).getUint32(0, true);
    });
  } catch (thrown) {
    throw await readingFailed(disk, thrown, ref.span, disk.paths.basename(path), path);
  }
}
