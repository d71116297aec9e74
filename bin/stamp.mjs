/**
 * What was built, and from what: a stamp beside each result tells whether its sources changed since. The stamp goes last, so
 * a build that was cut off is made again.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const dist = join(root, "dist");

function sourceFiles(rooms) {
  const files = [];
  const walk = (path) => {
    if (!statSync(path).isDirectory()) files.push(path);
    else for (const name of readdirSync(path)) walk(join(path, name));
  };
  for (const room of rooms) walk(join(root, room));
  return files.sort();
}

function hashOf(files, tell) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(tell(file))
      .update("\0");
  return hash.digest("hex");
}
/** Cheap: names, sizes and times. A checkout or a touch changes it though no text changed. */
const signature = (files) =>
  hashOf(files, (file) => {
    const { size, mtimeMs } = statSync(file);
    return `${size} ${mtimeMs}`;
  });
const contentHash = (files) => hashOf(files, (file) => readFileSync(file));

function read(stampFile) {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch (error) {
    // No build yet, or a stamp that cannot be read: both mean that there is nothing to trust.
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function write(stampFile, stamp) {
  const part = `${stampFile}.${process.pid}`;
  writeFileSync(part, JSON.stringify(stamp));
  renameSync(part, stampFile);
}

/** `{ name, from, result, make }`: `make` writes `result` from the files and folders `from`. */
export async function build({ name, from, make }) {
  // Taken before: an edit made meanwhile makes the stamp stale, never the result.
  const files = sourceFiles(from);
  const stamp = { signature: signature(files), hash: contentHash(files) };
  await make();
  write(join(dist, `${name}.stamp.json`), stamp);
}

/** `hash`: of what the result was made from; undefined when it was never built here. */
export const stampOf = ({ name }) => read(join(dist, `${name}.stamp.json`));

/** Builds what is not made from the present sources. A published package has no sources and is as built. */
export async function ensure(target) {
  const { name, from, result } = target;
  if (!existsSync(join(root, from[0]))) return;
  const stampFile = join(dist, `${name}.stamp.json`);
  const files = sourceFiles(from);
  const stamp = existsSync(result) ? read(stampFile) : undefined;
  const now = signature(files);
  if (stamp?.signature === now) return;
  if (stamp?.hash !== contentHash(files)) return build(target);
  try {
    write(stampFile, { ...stamp, signature: now });
  } catch (error) {
    // Only the next start is slower for it.
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
  }
}
