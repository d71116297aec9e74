/** The real command line in a process of its own, in a folder of its own. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const bin = new URL("../../bin/dlx.mjs", import.meta.url).pathname;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function workplace() {
  const path = mkdtempSync(join(tmpdir(), "dlx-cli-"));
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  /** `before` goes in front of the command, in a shell. */
  const start = (args: readonly string[], before?: string): ChildProcessWithoutNullStreams => {
    const env = { ...process.env, DLX_DATA: "", NO_COLOR: "1" };
    if (before === undefined) return spawn(process.execPath, [bin, ...args], { cwd: path, env });
    return spawn("sh", ["-c", `${before}; exec "$0" "$@"`, process.execPath, bin, ...args], { cwd: path, env });
  };
  const run = (args: readonly string[], before?: string): Promise<Ended> => ended(start(args, before));
  return { path, write, start, run, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece) => (out += String(piece)));
  child.stderr.on("data", (piece) => (err += String(piece)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

/** Until a word was written; ends with an error when the process does. */
export function said(child: ChildProcessWithoutNullStreams, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (piece) => String(piece).includes(word) && resolve());
    child.on("close", (code) => reject(new Error(`expected "${word}", got an end with ${code}`)));
  });
}
