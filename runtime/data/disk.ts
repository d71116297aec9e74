/** Where data lies, and what the system says when a file cannot be had, in words and as a user's mistake. */
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../../lang/diagnostic.ts";
import { noSuchFile, unreadable } from "../../lang/errors/data.ts";
import type { Span } from "../../lang/source.ts";

export interface DataWhere {
  /** Paths in a script count from here. */
  readonly scriptFolder: string;
  /** --data */
  readonly dataFolder?: string;
  /** $DLX_DATA */
  readonly env?: string;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk can only be read",
  ENOSPC: "the disk is full",
  EFBIG: "the file would be larger than this system allows",
  EIO: "the disk reports a failure",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EDQUOT: "the disk quota is used up",
  EMFILE: "too many open files",
};

/** The reason of a system error; undefined for any other thrown thing, which is not the user's mistake. */
export function reasonOf(thrown: unknown): string | undefined {
  const code = codeOf(thrown);
  if (code === undefined) return undefined;
  return reasons[code] ?? code;
}

/** What to throw instead of what reading `path` threw; `file` is its name as the user wrote it. */
export async function readingFailed(
  thrown: unknown,
  span: Span | undefined,
  file: string,
  path: string,
): Promise<unknown> {
  const reason = reasonOf(thrown);
  if (reason === undefined) return thrown;
  if (codeOf(thrown) !== "ENOENT") return new UserError(unreadable(span, file, reason));
  return new UserError(noSuchFile(span, file, path, await filesIn(dirname(path))));
}

/** Names in a folder; none where there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (reasonOf(thrown) === undefined) throw thrown;
    return [];
  }
}

/** System errors carry their code and the name of the call; those of zlib and of other libraries do not. */
function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || !("syscall" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
