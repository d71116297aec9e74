/**
 * All that a machine with a graphics processor and without a network needs to measure, as one archive beside a script that
 * unpacks and starts it: the scripts, the built command line, Dawn, Node and the loader of Vulkan, where they are found
 * here. The driver and PyTorch are that machine's own.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs"; // prettier-ignore
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "../install.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LOADER = "libvulkan.so.1";
const ARCHIVE = "parts.tar.xz";

/** Unpacks beside itself, once; Python unpacks where tar knows no xz. Results go to the folder `results` beside it. */
const MEASURE = `#!/bin/sh
set -e
here=$(cd "$(dirname "$0")" && pwd)
parts="\${DLX_PARTS:-\${TMPDIR:-/tmp}/dlx-gpu-parts}"
if [ ! -x "$parts/node" ]; then
  mkdir -p "$parts"
  tar -xJf "$here/${ARCHIVE}" -C "$parts" 2>/dev/null ||
    python3 -c "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])" "$here/${ARCHIVE}" "$parts"
fi
# the loader that was packed comes last: a machine with a driver has its own
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$parts/lib"
exec "$parts/node" "$parts/bench/gpu.mjs" --results "$here/results" "$@"
`;

/** The loader as the linker of this machine finds it: by the environment, or by the linker's table. */
function loader() {
  const folders = (process.env.LD_LIBRARY_PATH ?? "").split(":").filter(Boolean);
  const found = folders.map((each) => join(each, LOADER)).find((each) => existsSync(each));
  if (found) return found;
  const listed = spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout ?? "";
  return listed.split("\n").find((line) => line.trim().startsWith(LOADER))?.split("=> ")[1]; // prettier-ignore
}

export function pack(folder, tell) {
  const { platform, arch } = process;
  const parts = mkdtempSync(join(tmpdir(), "dlx-pack-"));
  try {
    const builds = /[\\/]dist[\\/][^\\/]+-[^\\/]+/;
    const copied = (path, filter = () => true) =>
      cpSync(join(root, path), join(parts, path), { recursive: true, dereference: true, filter });
    for (const each of ["dist", "bin", "stdlib"]) copied(each);
    copied("bench", (path) => !path.includes(".peers") && !path.includes(`bench/results`));
    copied("node_modules/webgpu", (path) => !builds.test(path) || path.includes(`${platform}-${arch}`));
    copied("node_modules/fflate");
    copyFileSync(join(root, "package.json"), join(parts, "package.json"));
    const { node24 = process.execPath } = install(["node24"], tell);
    copyFileSync(realpathSync(node24), join(parts, "node"));
    chmodSync(join(parts, "node"), 0o755);
    const vulkan = loader();
    mkdirSync(join(parts, "lib"));
    if (vulkan) copyFileSync(realpathSync(vulkan), join(parts, "lib", LOADER));
    else tell(`there is no ${LOADER} here: the other machine must have it`);
    mkdirSync(folder, { recursive: true });
    const { status, stderr } = spawnSync("tar", ["-cJf", join(folder, ARCHIVE), "-C", parts, "."], { encoding: "utf8", env: { ...process.env, XZ_OPT: "-3 -T0" } }); // prettier-ignore
    if (status !== 0) throw new Error(`expected tar to pack, got ${stderr}`);
    writeFileSync(join(folder, "measure.sh"), MEASURE, { mode: 0o755 });
    const size = Math.round(statSync(join(folder, ARCHIVE)).size / 2 ** 20);
    tell(`packed ${size} MiB into ${folder}; there: sh measure.sh`);
  } finally {
    rmSync(parts, { recursive: true, force: true });
  }
}
