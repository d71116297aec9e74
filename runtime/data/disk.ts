/**
 * What the readers of data ask of the place they run in: bytes by path, and the two kinds of unpacking that a place may
 * have a quicker way for. Node's disk and the memory of a page are two of them; a reader knows neither.
 */
import { UserError } from "../../lang/diagnostic.ts";
import { noSuchFile, unreadable } from "../../lang/errors/data.ts";
import type { Span } from "../../lang/source.ts";

export interface Disk {
  readonly paths: Paths;
  read(path: string): Promise<Uint8Array>;
  /** For those who need only parts. */
  open(path: string): Promise<OpenFile>;
  /** Writes a file whole or not at all. */
  write(path: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Another text when the content is another. */
  stateOf(path: string): Promise<string>;
  /** All of what was packed by gzip; throws `Damaged`. */
  gunzip(packed: Uint8Array): Promise<Uint8Array>;
  /** The rows of a text with commas, each with the line where it ends, from 1; throws the errors of csv-parse. */
  rows(path: string, visit: (cells: readonly string[], line: number) => void): Promise<void>;
}

export interface Paths {
  /** An absolute path stays as it is. */
  resolve(folder: string, path: string): string;
  join(folder: string, name: string): string;
  dirname(path: string): string;
  basename(path: string): string;
}

export interface OpenFile {
  readonly size: number;
  /** Fewer bytes only where the file ends; in an array whose buffer is its own. */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export interface DataWhere {
  readonly disk: Disk;
  /** Paths in a script count from here. */
  readonly scriptFolder: string;
  /** --data */
  readonly dataFolder?: string;
  /** $DLX_DATA */
  readonly env?: string;
}

/** A file cannot be had, or cannot be written; the message is the reason, to be read behind a colon. */
export class DiskError extends Error {
  /** There is nothing at its path. */
  readonly missing: boolean;
  constructor(reason: string, missing = false) {
    super(reason);
    this.missing = missing;
  }
}

/** Bytes that are no gzip, or not all of it. */
export class Damaged extends Error {
  /** What is there is right as far as it goes. */
  readonly cut: boolean;
  constructor(reason: string, cut = false) {
    super(reason);
    this.cut = cut;
  }
}

/** How csv-parse sets its rows apart. */
export const csvOptions = { bom: true, trim: true, relax_column_count: true, skip_empty_lines: true } as const;

/** What to throw instead of what reading `path` threw; `file` is its name as the user wrote it. */
export async function readingFailed(
  disk: Disk,
  thrown: unknown,
  span: Span | undefined,
  file: string,
  path: string,
): Promise<unknown> {
  if (!(thrown instanceof DiskError)) return thrown;
  if (!thrown.missing) return new UserError(unreadable(span, file, thrown.message));
  return new UserError(noSuchFile(span, file, path, await disk.list(disk.paths.dirname(path))));
}

export async function withFile<T>(disk: Disk, path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await disk.open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
