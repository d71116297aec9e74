/**
 * Writing a file whole or not at all: it is written beside its place, flushed to the disk, and renamed; the folder is
 * flushed too, so that a crash shows the old file or the new one. What a killed process left beside it is removed by the
 * next that writes there.
 */
import { rmSync } from "node:fs";
import { lstat, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DiskError } from "./data/disk.ts";

let count = 0;
/** Being written now. */
const unfinished = new Set<string>();
let listening = false;

export async function replaceFile(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const target = await placeOf(file);
  const folder = dirname(target);
  // In the same folder, since a rename is atomic only within one disk.
  const beside = join(folder, `.${basename(target)}.${process.pid}.${count++}.tmp`);
  const handle = await open(beside, "wx");
  if (!listening) process.on("exit", () => unfinished.forEach((path) => rmSync(path, { force: true })));
  listening = true;
  unfinished.add(beside);
  try {
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  } finally {
    unfinished.delete(beside);
  }
  await flushFolder(folder);
  await removeLeft(folder, basename(target));
}

/** Through links, to what they name. */
async function placeOf(file: string): Promise<string> {
  try {
    const found = await lstat(file);
    if (found.isSymbolicLink()) return await placeOf(await realpath(file));
    if (found.isDirectory()) throw new DiskError("it is a folder");
    if (!found.isFile()) throw new DiskError("it is a device or a pipe, not a file");
    return file;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return file;
    throw thrown;
  }
}

async function flushFolder(folder: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === "win32") return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files that a process began beside this one and did not live to rename. */
async function removeLeft(folder: string, name: string): Promise<void> {
  for (const other of await readdir(folder)) {
    if (!other.startsWith(`.${name}.`)) continue;
    const pid = /^(\d+)\.\d+\.tmp$/.exec(other.slice(name.length + 2))?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, other), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives, under another user
    return thrown instanceof Error && "code" in thrown && thrown.code !== "ESRCH";
  }
}
