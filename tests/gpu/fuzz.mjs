/** Many random graphs on all columns of tests/gpu/columns.ts: npm run fuzz:graphs -- [RUNS] [SEED] */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [runs = "20000", seed = String(Date.now() % 1_000_000_007)] = process.argv.slice(2);
console.log(`${runs} graphs, seed ${seed}`);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", "tests/gpu/fuzz.test.ts"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, DLX_FUZZ_RUNS: runs, DLX_FUZZ_SEED: seed },
});
console.log(
  `seed ${seed}: ${status === 0 ? "all agree" : "a difference; to see it again: npm run fuzz:graphs -- " + runs + " " + seed}`,
);
process.exit(status ?? 1);
