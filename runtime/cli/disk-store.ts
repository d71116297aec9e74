/**
 * A store in the user's folder for caches, one file for each key. A file that is not whole is no file, and a folder that
 * cannot be written keeps nothing: whoever asks makes the value again. Files are written when the start is over, or by
 * `flush`, and the ones that were longest not wanted go when there are too many.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { Store } from "../../lang/store.ts";

/** Bytes of all files. */
const MOST = 256 * 2 ** 20;
/** Milliseconds from the first value on, until it is written. */
const LATER = 5_000;

const hash = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest();
const DIGEST = hash().length;

export const cacheFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "dlx");

/** `build` names all code that has a part in the values. */
export function diskStore(folder: string, build: string, most = MOST): Store & { flush(): void } {
  const waiting = new Map<string, unknown>();
  const fileOf = (key: string) => join(folder, hash(`${build} ${process.versions.v8}\n`, key).toString("hex"));
  const flush = (): void => {
    if (waiting.size === 0) return;
    const entries = [...waiting];
    waiting.clear();
    orNothing(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const [file, value] of entries) write(file, serialize(value));
      trim(folder, most);
    });
  };
  return {
    flush,
    get: (key) =>
      orNothing(() => {
        const file = fileOf(key);
        const bytes = readFileSync(file);
        const body = bytes.subarray(DIGEST);
        if (!hash(body).equals(bytes.subarray(0, DIGEST))) return undefined;
        const value: unknown = deserialize(body);
        orNothing(() => utimesSync(file, new Date(), new Date()));
        return value;
      }),
    put(key, value) {
      if (waiting.size === 0) setTimeout(flush, LATER).unref();
      waiting.set(fileOf(key), value);
    },
  };
}

/** Nothing that is kept, or cannot be, is worth a command that fails. */
function orNothing<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** A reader sees the whole file or none. */
function write(file: string, body: Buffer): void {
  const part = `${file}.${process.pid}`;
  try {
    writeFileSync(part, Buffer.concat([hash(body), body]), { mode: 0o600 });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

function trim(folder: string, most: number): void {
  const files = readdirSync(folder).map((name) => {
    const file = join(folder, name);
    const { size, mtimeMs } = statSync(file);
    return { file, size, mtimeMs };
  });
  let bytes = 0;
  for (const { file, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    bytes += size;
    if (bytes > most) rmSync(file, { force: true });
  }
}
