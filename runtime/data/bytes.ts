/** Files read whole, unpacked where they are gzipped (told by the content, not by the name), and where folders of data lie. */
import { stringArg } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { damagedGzip, truncatedFile } from "../../lang/errors/data.ts";
import type { SourceRef } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { Damaged, type DataWhere, type Disk, readingFailed } from "./disk.ts";
import { isPacked } from "./unpack.ts";

/** `file` is its name as the user wrote it. */
export async function unpacked(
  disk: Disk,
  span: Span,
  path: string,
  file = disk.paths.basename(path),
): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.read(path);
  } catch (thrown) {
    throw await readingFailed(disk, thrown, span, file, path);
  }
  if (!isPacked(bytes)) return bytes;
  try {
    return await disk.gunzip(bytes);
  } catch (thrown) {
    throw gzipFailed(thrown, span, file);
  }
}

export function gzipFailed(thrown: unknown, span: Span, file: string): unknown {
  if (!(thrown instanceof Damaged)) return thrown;
  return new UserError(
    thrown.cut ? truncatedFile(span, file, undefined, undefined) : damagedGzip(span, file, thrown.message),
  );
}

/** Where a source with a `dir` may lie. In each folder the subfolders go first: they say which set it is. */
export function foldersOf(ref: SourceRef, where: DataWhere, subfolders: readonly string[]): string[] {
  const { resolve, join } = where.disk.paths;
  const dir = stringArg(ref, "dir");
  const named =
    dir !== ""
      ? [resolve(where.scriptFolder, dir)]
      : [where.dataFolder, where.env].flatMap((folder) => (folder ? [resolve("", folder)] : []));
  return named.flatMap((folder) => [...subfolders.map((sub) => join(folder, sub)), folder]);
}
