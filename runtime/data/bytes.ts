/** Files read whole, unpacked where they are gzipped (told by the content, not by the name), and where folders of data lie. */
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { stringArg } from "../../lang/check/sources.ts";
import { UserError } from "../../lang/diagnostic.ts";
import { damagedGzip, truncatedFile } from "../../lang/errors/data.ts";
import type { SourceRef } from "../../lang/program.ts";
import type { Span } from "../../lang/source.ts";
import { type DataWhere, readingFailed } from "./disk.ts";

const unzip = promisify(gunzip);

/** `file` is its name as the user wrote it. */
export async function unpacked(span: Span, path: string, file = basename(path)): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    throw await readingFailed(thrown, span, file, path);
  }
  if (!isPacked(bytes)) return bytes;
  try {
    return await unzip(bytes);
  } catch (thrown) {
    throw gzipFailed(thrown, span, file);
  }
}

export function isPacked(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** zlib names a file that was cut Z_BUF_ERROR; its other codes mean wrong bytes. */
export function gzipFailed(thrown: unknown, span: Span, file: string): unknown {
  if (
    !(thrown instanceof Error) ||
    !("code" in thrown) ||
    typeof thrown.code !== "string" ||
    !thrown.code.startsWith("Z_")
  ) {
    return thrown;
  }
  return new UserError(
    thrown.code === "Z_BUF_ERROR"
      ? truncatedFile(span, file, undefined, undefined)
      : damagedGzip(span, file, thrown.message),
  );
}

/** Where a source with a `dir` may lie. In each folder the subfolders go first: they say which set it is. */
export function foldersOf(ref: SourceRef, where: DataWhere, subfolders: readonly string[]): string[] {
  const dir = stringArg(ref, "dir");
  const named =
    dir !== ""
      ? [resolve(where.scriptFolder, dir)]
      : [where.dataFolder, where.env].filter((f) => f !== undefined && f !== "");
  return named.flatMap((folder) => [...subfolders, ""].map((sub) => join(resolve(folder as string), sub)));
}
