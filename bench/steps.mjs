/**
 * Step time of the first train block of a script on `cpu`: node bench/steps.mjs FILE [STEPS] [--data DIR]
 * Runs the command line three times and prints the median of the seconds per step between the first report and the
 * last, so that start-up and compilation do not count.
 */
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const [file, steps = "300", ...rest] = process.argv.slice(2);
if (!file) {
  console.error("usage: node bench/steps.mjs FILE [STEPS] [--data DIR]");
  process.exit(2);
}
const dlx = fileURLToPath(new URL("../bin/dlx.mjs", import.meta.url));

function seconds(count) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [dlx, "run", file, "--steps", String(count), "--json", ...rest],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) {
    console.error(stdout.split("\n").slice(-3).join("\n") + stderr);
    process.exit(1);
  }
  return (performance.now() - begin) / 1000;
}

// Two lengths of the same run: the difference has neither start-up nor what follows the block in it.
const short = 20;
const results = Array.from(
  { length: 3 },
  () => ((seconds(Number(steps)) - seconds(short)) / (Number(steps) - short)) * 1000,
);
results.sort((a, b) => a - b);
console.log(`${file}: ${results[1].toFixed(2)} ms per step (${results.map((r) => r.toFixed(2)).join(", ")})`);
