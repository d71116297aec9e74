/**
 * Builds dist/dlx.mjs, the command line in one file. The bundle is made in a folder of its own and renamed into place,
 * so two builds at once never leave half a file; the stamp, which says what it was made from, goes last.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const stampFile = join(dist, "stamp.json");

/** What the bundle is made from. */
const rooms = ["lang", "gpu", "runtime", "stdlib"];
const single = ["package.json", "bin/build.mjs"];

function sourceFiles() {
  const files = single.map((file) => join(root, file));
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(ts|dlx|md)$/.test(entry.name)) files.push(path);
    }
  };
  for (const room of rooms) walk(join(root, room));
  return files.sort();
}

/** Cheap: names, sizes and times. A checkout or a touch changes it though no text changed. */
function signature(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function contentHash(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

/** `hash`: of what the bundle was made from. */
export function readStamp() {
  try {
    statSync(join(dist, "dlx.mjs"));
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch (error) {
    // No build yet, or a stamp that cannot be read: both mean that there is nothing to trust.
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeStamp(stamp, folder) {
  const part = join(folder, `stamp.${process.pid}.json`);
  writeFileSync(part, JSON.stringify(stamp));
  renameSync(part, stampFile);
}

/** Makes sure that dist/dlx.mjs is made from the present sources. A published package has no sources and is as built. */
export async function ensureBuilt() {
  try {
    statSync(join(root, "runtime"));
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  const files = sourceFiles();
  const stamp = readStamp();
  const now = signature(files);
  if (stamp?.signature === now) return;
  if (stamp && stamp.hash === contentHash(files)) {
    try {
      writeStamp({ ...stamp, signature: now }, dist);
    } catch (error) {
      // Only the next start is slower for it.
      if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
    }
    return;
  }
  await build();
}

export async function build() {
  const files = sourceFiles();
  // Taken before bundling: an edit made meanwhile makes the stamp stale, never the bundle.
  const stamp = { signature: signature(files), hash: contentHash(files) };
  const part = join(dist, `.part-${process.pid}`);
  const esbuild = await import("esbuild");
  const options = {
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    loader: { ".dlx": "text", ".md": "text" },
    legalComments: "none",
    logLevel: "silent",
  };
  /** The parser as bundled reads the standard library, so that no start of the command line has to. */
  const treesOfLibrary = {
    name: "trees of the standard library",
    setup: (to) =>
      to.onLoad({ filter: /[\\/]stdlib[\\/]trees\.ts$/ }, async () => {
        const outfile = join(part, "parse.mjs");
        const contents = 'export { parsePrelude } from "./lang/index.ts"; export { prelude } from "./stdlib/index.ts";';
        await esbuild.build({ ...options, stdin: { contents, resolveDir: root, loader: "ts" }, outfile });
        const { parsePrelude, prelude } = await import(pathToFileURL(outfile).href);
        const trees = parsePrelude(prelude).map(({ source, file }) => [source.file, JSON.stringify(file)]);
        return { contents: `export const trees = ${JSON.stringify(Object.fromEntries(trees))};` };
      }),
  };
  try {
    mkdirSync(part, { recursive: true });
    await esbuild.build({
      ...options,
      entryPoints: [join(root, "runtime/cli/main.ts")],
      outfile: join(part, "dlx.mjs"),
      // Bundled CommonJS packages ask for node: modules through require.
      banner: {
        js: 'import { createRequire as dlxRequire } from "node:module"; const require = dlxRequire(import.meta.url);',
      },
      plugins: [treesOfLibrary],
    });
    renameSync(join(part, "dlx.mjs"), join(dist, "dlx.mjs"));
    writeStamp(stamp, part);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
