/** What the JavaScript peers share: their packages, found in the folder they were installed to, and the clock. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const LOSSES = [1, 2, 4];
const installed = createRequire(fileURLToPath(new URL("../.peers/package.json", import.meta.url)));

export const load = (name) => installed(name);
export const pathOf = (name) => installed.resolve(name);

/**
 * Runs `step`, which resolves with the loss, and prints what it took; the first three warm up. A step above two seconds
 * is measured as it comes: three of them in all.
 */
export async function timed(seconds, step) {
  const losses = [];
  const one = async () => {
    const begin = performance.now();
    losses.push(await step());
    return performance.now() - begin;
  };
  const firstMs = await one();
  const slow = (await one()) > 2000;
  if (!slow) await one();
  const times = [];
  const begin = performance.now();
  while (times.length < (slow ? 2 : 5) || performance.now() - begin < 1000 * seconds) times.push(await one());
  times.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      ms: times[times.length >> 1],
      least: times[0],
      steps: times.length,
      firstMs,
      losses: LOSSES.map((at) => losses[at - 1] ?? null),
    }),
  );
  process.exit(0);
}
