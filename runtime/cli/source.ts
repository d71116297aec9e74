/** A script from the disk, or why it cannot be read. What is no text stays untouched. */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import type { Source } from "../../lang/source.ts";

/** Bytes. */
const LARGEST_SCRIPT = 2e6;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file, not a folder",
  EACCES: "permission denied",
};

export async function readSource(file: string): Promise<Source | { readonly reason: string }> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > LARGEST_SCRIPT)
      return {
        reason: `it has ${(bytes.length / 1e6).toFixed(1)} MB, and a script at most 2; data stand in files of their own`,
      };
    if (!isUtf8(bytes)) return { reason: "it is not a text in UTF-8" };
    return { file, text: bytes.toString("utf8") };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { reason: reasons[String(error.code)] ?? error.message };
  }
}
