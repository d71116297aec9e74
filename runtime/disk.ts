/** Node's disk, as `data/disk.ts` asks for one. What the system says is put in words. */
import { createReadStream } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parse } from "csv-parse";
import { csvOptions, Damaged, type Disk, DiskError, type OpenFile } from "./data/disk.ts";
import { replaceFile } from "./replace.ts";

const unzip = promisify(gunzip);

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

export const nodeDisk: Disk = {
  paths: { resolve, join, dirname, basename },
  read: (path) => inWords(() => readFile(path)),
  open: (path) => inWords(() => openFile(path)),
  write: (path, parts) => inWords(() => replaceFile(path, parts)),
  list: async (folder) => {
    try {
      return await readdir(folder);
    } catch (thrown) {
      if (codeOf(thrown) === undefined) throw thrown;
      return [];
    }
  },
  stateOf: (path) =>
    inWords(async () => {
      const { size, mtimeMs } = await stat(path);
      return `${size}:${mtimeMs}`;
    }),
  gunzip: async (packed) => {
    try {
      return await unzip(packed);
    } catch (thrown) {
      const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
      if (!code.startsWith("Z_")) throw thrown;
      // A file that was cut is named so; the other codes mean wrong bytes.
      throw new Damaged((thrown as Error).message, code === "Z_BUF_ERROR");
    }
  },
  rows: (path, visit) => inWords(() => streamRows(path, visit)),
};

async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    return {
      size,
      read: (position, length) =>
        inWords(async () => {
          const bytes = new Uint8Array(length);
          let done = 0;
          while (done < length) {
            const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
            if (bytesRead === 0) return bytes.slice(0, done);
            done += bytesRead;
          }
          return bytes;
        }),
      close: () => handle.close(),
    };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

async function streamRows(path: string, visit: (cells: readonly string[], line: number) => void): Promise<void> {
  const parser = parse({ ...csvOptions, info: true });
  const input = createReadStream(path);
  // `pipe` does not hand errors on, and `pipeline` would hide what `visit` throws behind an AbortError.
  input.on("error", (thrown) => parser.destroy(thrown));
  input.pipe(parser);
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: { lines: number } };
      visit(record, info.lines);
    }
  } finally {
    input.destroy();
  }
}

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const code = codeOf(thrown);
    throw code === undefined ? thrown : new DiskError(reasons[code] ?? code, code === "ENOENT");
  }
}

/** System errors carry their code and the name of the call; those of zlib and of other libraries do not. */
function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || !("syscall" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
