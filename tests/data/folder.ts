/** A folder for the files of one test file, and small IDX files to put there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { gzipSync } from "node:zlib";
import type { DataArg, SourceRef } from "../../lang/program.ts";
import { type Diagnostic, UserError } from "../../lang/diagnostic.ts";

export function tempFolder(): { readonly path: string; write(name: string, content: string | Uint8Array): string } {
  const path = mkdtempSync(join(tmpdir(), "dlx-data-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

export const span = { file: "script.dlx", start: 11, end: 17 };

/** `args` may hold lists of strings, which the type of plans does not name. */
export function source(
  name: string,
  args: Record<string, DataArg | readonly string[]> = {},
  part?: "train" | "test",
): SourceRef {
  return { name, args: args as Record<string, DataArg>, part, span };
}

/** The diagnostic of a failure. */
export async function mistake(work: Promise<unknown>): Promise<Diagnostic> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof UserError) return thrown.diagnostic;
    throw thrown;
  }
  throw new Error("expected a user error, got none");
}

/** Title, notes and help as one text, for patterns. */
export function words({ title, notes, help }: Diagnostic): string {
  return [title, ...notes, help ?? ""].join("\n");
}

export function idx(magic: number, sizes: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(magic, 0);
  sizes.forEach((size, d) => header.writeUInt32BE(size, 4 + 4 * d));
  return Buffer.concat([header, values]);
}

/** Image r is filled with r * 7; label r is r mod 10. */
export function images(rows: number): Buffer {
  return idx(
    0x803,
    [rows, 28, 28],
    Uint8Array.from({ length: rows * 784 }, (_, i) => Math.floor(i / 784) * 7),
  );
}
export function labels(rows: number): Buffer {
  return idx(
    0x801,
    [rows],
    Uint8Array.from({ length: rows }, (_, i) => i % 10),
  );
}

/** The four files, with some of them changed. */
export function idxSet(packed: boolean, changed: Record<string, Uint8Array> = {}): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {
    "train-images-idx3-ubyte": images(12),
    "train-labels-idx1-ubyte": labels(12),
    "t10k-images-idx3-ubyte": images(5),
    "t10k-labels-idx1-ubyte": labels(5),
  };
  if (!packed) return { ...files, ...changed };
  const zipped = Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)] as const);
  return { ...Object.fromEntries(zipped), ...changed };
}
