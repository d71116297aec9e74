/**
 * Many mutants of the scripts of the repository: npm run fuzz -- [RUNS] [SEED]. They run in pieces, each in a worker, so
 * that one that never ends or exhausts the memory is found too. The last line has the counts.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [runs = 200_000, seed = Date.now() % 1_000_000_007] = process.argv.slice(2).map(Number);
const PIECE = 10_000;
/** Of the programs that check, one in so many is run on two devices. */
const RUN_ONE_IN = 8;
/** Seconds of the processor without a new text: for a check and two runs. */
const PATIENCE = 60;
/** Of the mutants, the part that must run on both devices. */
const LEAST_RAN = 1 / 100;

// Two folders below the root, as the sources are: they find the scripts from where they stand.
const folder = join(root, "dist", `fuzz-${process.pid}`);
const worker = join(folder, "worker.mjs");
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [join(root, "tests/fuzz/worker.ts")],
  outfile: worker,
  bundle: true,
  platform: "node",
  format: "esm",
  loader: { ".dlx": "text", ".md": "text" },
  banner: { js: 'import { createRequire as madeHere } from "node:module"; const require = madeHere(import.meta.url);' },
  sourcemap: "inline",
  logLevel: "error",
});

const counts = { mutants: 0, parsed: 0, checked: 0, ran: 0 };
const kinds = new Map();

function found({ index, kind, message, text }) {
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  if (text === undefined || kinds.get(kind) > 1) return;
  console.log(`\n--- ${kind} (seed ${seed}, mutant ${index})\n${message}\n--- script\n${text}\n---`);
  if (process.env.DLX_FUZZ_FOUND) {
    mkdirSync(process.env.DLX_FUZZ_FOUND, { recursive: true });
    writeFileSync(join(process.env.DLX_FUZZ_FOUND, `${seed}-${index}.dlx`), text);
  }
}

/** A mutant whose worker cannot tell it any more. */
function textOf(index) {
  const thread = new Worker(worker, {
    workerData: { seed, from: index, to: index, only: "text", at: new SharedArrayBuffer(8) },
  });
  return new Promise((done) =>
    thread
      .once("message", ({ text }) => done(text))
      .once("error", ({ message }) => done(`(cannot be made: ${message})`)),
  );
}

/** Resolves with the index to go on from. */
function piece(from, to) {
  const at = new SharedArrayBuffer(8);
  const now = new Int32Array(at);
  now[0] = from;
  return new Promise((done) => {
    const thread = new Worker(worker, {
      workerData: { seed, from, to, runs: RUN_ONE_IN, at },
      // As a main thread has it.
      resourceLimits: { stackSizeMb: 1, maxOldGenerationSizeMb: 3000 },
      execArgv: ["--enable-source-maps"],
    });
    let last = -1;
    let since = process.cpuUsage();
    const ended = (next) => {
      clearInterval(watch);
      void thread.terminate();
      done(next);
    };
    const watch = setInterval(() => {
      if (now[1] !== last) [last, since] = [now[1], process.cpuUsage()];
      const { user, system } = process.cpuUsage(since);
      if ((user + system) / 1e6 > PATIENCE) {
        clearInterval(watch);
        const index = now[0];
        void textOf(index)
          .then((text) => found({ index, kind: "never ends", message: `more than ${PATIENCE} s`, text }))
          .then(() => ended(index + 1));
      }
    }, 1000);
    thread.on("message", (message) => {
      if (!message.counts) return found(message);
      for (const name of Object.keys(counts)) counts[name] += message.counts[name];
      ended(to);
    });
    thread.on("error", (error) => {
      const index = now[0];
      void textOf(index)
        .then((text) => found({ index, kind: `crash ${error.code ?? ""}`, message: error.stack, text }))
        .then(() => ended(index + 1));
    });
  });
}

const started = Date.now();
try {
  console.log(`${runs} mutants, seed ${seed}`);
  for (let from = 0; from < runs;) {
    const next = await piece(from, Math.min(runs, from - (from % PIECE) + PIECE));
    if (next % PIECE === 0) console.log(`${next} mutants after ${Math.round((Date.now() - started) / 1000)} s`);
    from = next;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (counts.ran < runs * LEAST_RAN)
  found({ index: 0, kind: "few programs ran", message: `${counts.ran} of ${runs}`, text: "(none)" });
const failures = [...kinds.values()].reduce((a, b) => a + b, 0);
for (const [kind, times] of kinds) console.log(`${times} times: ${kind}`);
console.log(
  `seed ${seed}: ${counts.mutants} mutants, ${counts.parsed} parse, ${counts.checked} check, ${counts.ran} ran on cpu and ` +
    `reference: ${failures === 0 ? "no failure" : `${failures} failures of ${kinds.size} kinds`}`,
);
process.exit(failures === 0 ? 0 : 1);
