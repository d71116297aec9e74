/** The process: signals, pipes that close, the exit code. Everything else is in `command`. */
import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { command } from "./command.ts";
import { cacheFolder, diskStore } from "./disk-store.ts";
import type { Io } from "./io.ts";
import { endsStart, optimizeLater } from "./tiers.ts";

/** Whether this engine knows relaxed SIMD: a module of one function, `(v128 v128 v128) -> f32x4.relaxed_madd`. */
const PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0,
  10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11,
); // prettier-ignore

const windowSize = () => (process.stdout.isTTY ? process.stdout.getWindowSize() : [0, 0]);

/** A step that lasts longer is not waited for. */
const GRACE_MS = 500;

const io: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  isTTY: process.stdout.isTTY === true,
  color: process.stderr.isTTY === true && !process.env.NO_COLOR,
  // Asked each time: a signal of a new size comes later than the size.
  columns: () => windowSize()[0] || 80,
  rows: () => windowSize()[1] || 24,
  onInterrupt: (listener) => {
    let late: NodeJS.Timeout | undefined;
    // A second call leaves at once.
    const heard = () => {
      listener();
      late ??= setTimeout(listener, GRACE_MS);
    };
    process.on("SIGINT", heard);
    return () => {
      clearTimeout(late);
      process.off("SIGINT", heard);
    };
  },
  watch: watchFiles,
  exit: (code) => process.exit(code),
};

/** The folders are watched: editors put a new file in the place of the old one. */
function watchFiles(files: readonly string[], listener: () => void): () => void {
  const folders = new Map<string, Set<string>>();
  for (const file of files) {
    const names = folders.get(dirname(file)) ?? new Set();
    folders.set(dirname(file), names.add(basename(file)));
  }
  const watchers = [...folders].map(([folder, names]) =>
    watch(folder, (_, name) => {
      if (name === null || names.has(name)) listener();
    }),
  );
  return () => watchers.forEach((each) => each.close());
}

export async function main(argv: readonly string[], version: string, build?: string): Promise<void> {
  // The reader of a pipe went away (`dlx run .. | head`): there is no one left to tell.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  optimizeLater();
  // Before any module is compiled; later the flag does nothing.
  if (!WebAssembly.validate(PROBE)) setFlagsFromString("--experimental-wasm-relaxed-simd");
  const { tools } = await import("./tools.ts");
  const { interruptibleDevice, interruptibleHost } = await import("../interruptible.ts");
  const store = build === undefined ? undefined : diskStore(cacheFolder(process.env), build);
  process.on("exit", () => store?.flush());
  const code = await command(argv, io, {
    ...tools,
    openDevice: async (...given) => endsStart(interruptibleDevice(await tools.openDevice(...given))),
    host: async (...given) => interruptibleHost(await tools.host(...given)),
    store,
    version,
  });
  // Workers of a device may still be closing down; what was written must be out first.
  process.stdout.write("", () => process.exit(code));
}
