/** Many random graphs on all columns of tests/gpu/columns.ts: npm run fuzz:graphs -- [RUNS] [SEED] */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [runs = "20000", seed = String(Date.now() % 1_000_000_007)] = process.argv.slice(2);
console.log(`${runs} graphs, seed ${seed}`);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const folder = mkdtempSync(join(tmpdir(), "dlx-fuzz-"));
const report = join(folder, "report.json");
const { status } = spawnSync(process.execPath, [vitest, "run", "tests/gpu/fuzz.test.ts"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, DLX_FUZZ_RUNS: runs, DLX_FUZZ_SEED: seed, DLX_FUZZ_REPORT: report },
});
const { graphs, columns } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { graphs: 0, columns: [] };
rmSync(folder, { recursive: true, force: true });
const again = `npm run fuzz:graphs -- ${runs} ${seed}`;
const without = columns.includes("webgpu") ? "" : " (no webgpu: there is no adapter)";
console.log(
  `seed ${seed}: ${graphs} graphs in float64 and on ${columns.join(", ")}${without}: ` +
    (status === 0 ? "all agree" : `a difference; to see it again: ${again}`),
);
process.exit(status ?? 1);
