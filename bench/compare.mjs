/**
 * `dlx bench`: the scripts of this folder beside the same training in PyTorch, TensorFlow.js and jax-js, each run a process
 * of its own. A machine's speed drifts within minutes, so the programs take turns in rounds, the fastest run's median
 * counts, and a matrix product that nothing here improves stands beside it. What cannot be had is said and left out.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";
import { workloads, writeStart } from "./workloads.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dlx = here("../bin/dlx.mjs");

export const names = Object.keys(workloads);
/** By device, those that are taken when none is named: software adapters take minutes for others. */
export const usual = { cpu: names, webgpu: ["w2", "w3", "w5"] };
/**
 * By device of dlx, what stands beside it. `node24` is dlx on that Node; where it is installed, the JavaScript peers run on
 * it too. On webgpu all run in the same Dawn on the same adapter.
 */
export const peers = {
  cpu: ["dlx", "node24", "torch", "tfjs", "jax"],
  webgpu: ["dlx", "tfjs-webgpu", "jax-webgpu"],
};

/** Of a run, in milliseconds; what takes longer has failed, or is a peer that is left out from then on. */
const LONGEST = { cpu: 300_000, webgpu: 120_000 };
/** Losses of two programs that do the same work differ by less. */
const TOLERANCE = 1e-4;
/** What a peer cannot do, or not in bearable time. */
const beyond = {
  tfjs: { w3: "no gradient of a convolution's kernel", w4: "no gradient of a convolution's kernel" },
  jax: { w4: "about a minute a step" },
  "tfjs-webgpu": { w4: "batch norm is not written there" },
  "jax-webgpu": { w4: "about a minute a step" },
};

/** The programs that take turns: a label, which peer it is, and how it is started for a workload. */
function runnersOf(device, chosen, { python, node24, packages }, seconds, folder) {
  const own = (node, threads, ...more) => ({
    product: [node, [dlx, "bench", here("gemm.dlx"), "--set", "steps=1000000", ...common(threads), ...more], {}],
    command: (name) => {
      const sets = ["given=true", "steps=1000000", ...(workloads[name].sets ?? [])].flatMap((each) => ["--set", each]);
      return [node, [dlx, "bench", join(folder, `${name}.dlx`), ...sets, ...common(threads), ...more], {}];
    },
  });
  const common = (threads) => [
    ...["--json", "--no-cache", "--device", device],
    ...["--threads", String(threads), "--seconds", String(seconds)],
  ];
  const torch = (threads) => {
    const command = (name) => [
      python,
      [here("peers/torch_step.py"), name, String(threads), String(seconds), folder],
      { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
    ];
    return { product: command("gemm"), command };
  };
  const script = (node, peer, backend = "wasm") => ({
    script: true,
    command: (name) => [node, [here(`peers/${peer}.mjs`), name, String(seconds), backend], {}],
  });
  const nodes = nodesOf(node24);
  const rows = [];
  const add = (peer, label, runner) => chosen.includes(peer) && rows.push({ peer, label, ...runner });
  if (device === "webgpu") {
    const version = nodeVersion();
    add("dlx", `dlx, ${version}`, own(process.execPath, 1));
    if (packages) {
      add("tfjs-webgpu", `TensorFlow.js webgpu, ${version}`, script(process.execPath, "tfjs", "webgpu"));
      add("jax-webgpu", `jax-js webgpu, ${version}`, script(process.execPath, "jax", "webgpu"));
    }
    return rows;
  }
  for (const [peer, title, node] of nodes) {
    for (const threads of [1, 2]) {
      add(peer, `dlx, ${title}, ${threadsText(threads)}`, own(node, threads));
      add(peer, `dlx without relaxed SIMD, ${title}, ${threadsText(threads)}`, {
        ...own(node, threads, "--plain"),
        plain: true,
      });
    }
  }
  if (python) for (const threads of [1, 2]) add("torch", `PyTorch, ${threadsText(threads)}`, torch(threads));
  if (packages) {
    for (const [, title, node] of nodes) {
      add("tfjs", `TensorFlow.js wasm, ${title}`, script(node, "tfjs"));
      add("jax", `jax-js wasm, ${title}`, script(node, "jax"));
    }
  }
  return rows;
}

const nodeVersion = () => `Node ${process.versions.node.split(".")[0]}`;

/** The peer that dlx on a Node stands for, its name, its program. */
export function nodesOf(node24) {
  return [["dlx", nodeVersion(), process.execPath], ...(node24 ? [["node24", "Node 24", node24]] : [])];
}

export const threadsText = (n) => (n === 1 ? "1 thread" : `${n} threads`);

/** One run; its numbers, or in a word why there are none. */
export function ran([command, argv, env], longest = LONGEST.cpu) {
  return new Promise((done) => {
    const child = spawn(command, argv, { env: { ...process.env, ...env }, timeout: longest, killSignal: "SIGKILL" });
    let [out, err] = ["", ""];
    child.stdout.on("data", (part) => (out += part));
    child.stderr.on("data", (part) => (err += part));
    child.on("error", (error) => done({ failed: error.message }));
    child.on("close", (code, signal) => {
      const line = out.split("\n").findLast((each) => each.startsWith("{"));
      if (code === 0 && line) return done(JSON.parse(line));
      const said = err.split("\n").find((each) => /error|dlx:/i.test(each));
      if (signal) done({ failed: `no result within ${longest / 1000} s`, late: true });
      else done({ failed: (said ?? `exit code ${code}`).trim() });
    });
  });
}

export async function compare({ device, only, peers: chosen, rounds, seconds, keep, tell }) {
  const python = chosen.includes("torch") ? pythonWithTorch() : undefined;
  if (chosen.includes("torch") && !python) {
    tell("PyTorch is left out: no python3 here has it (Debian: apt-get install python3-torch libopenblas0-openmp)");
  }
  const installed = install(chosen, tell);
  const folder = mkdtempSync(join(tmpdir(), "dlx-bench-"));
  try {
    for (const name of only) writeStart(name, folder);
    const runners = runnersOf(device, chosen, { python, ...installed }, seconds, folder);
    const best = new Map();
    const notes = [];
    const note = (text) => notes.includes(text) || (notes.push(text), tell(text));
    const late = new Set();
    const take = (key, label, result, wanted, script) => {
      // its first round says that it takes too long
      if (result.late && script) {
        late.add(`${key} ${label}`);
        return note(`${label}, ${key}: ${result.failed}, left out`);
      }
      if (result.failed !== undefined) return note(`${label}, ${key}: ${result.failed}`);
      if (wanted && !wanted.every((loss, i) => result.losses[i] === null || near(result.losses[i], loss))) {
        return note(`${label}, ${key}: losses ${result.losses.join(" ")}, expected ${wanted.join(" ")}`);
      }
      const at = `${key} ${label}`;
      const before = best.get(at);
      if (!before || result.ms < before.ms) best.set(at, { ...result, runs: (before?.runs ?? 0) + 1 });
      else before.runs++;
    };
    const loads = [loadavg()[0]];
    // A round takes minutes, so that the runs of one program lie far apart.
    for (let round = 1; round <= rounds; round++) {
      for (const key of ["gemm", ...only]) {
        for (const { label, peer, product, command, script } of runners) {
          if (late.has(`${key} ${label}`)) continue;
          const reason = beyond[peer]?.[key];
          if (reason !== undefined) note(`${label}, ${key}: ${reason}, left out`);
          else if (key !== "gemm")
            take(key, label, await ran(command(key), LONGEST[device]), workloads[key].losses, script);
          else if (product) take(key, label, await ran(product, LONGEST[device]));
        }
        loads.push(loadavg()[0]);
        tell(`round ${round} of ${rounds}: ${key} done`);
      }
    }
    const table = tableOf({ device, only, runners, best, notes, rounds, loads });
    if (keep) keepTable(device === "cpu" ? "" : `${device}-`, table, tell);
    return { table, whole: notes.every((text) => text.endsWith("left out")), results: Object.fromEntries(best), notes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const near = (a, b) => Math.abs(a - b) <= TOLERANCE;

function pythonWithTorch() {
  return ["python3", "/usr/bin/python3"].find((each) => spawnSync(each, ["-c", "import torch"]).status === 0);
}

// ---------------------------------------------------------------- the table

/** Under the day, after what it is of. */
export function keepTable(prefix, table, tell) {
  mkdirSync(here("results"), { recursive: true });
  const file = here(`results/${prefix}${new Date().toISOString().slice(0, 10)}.md`);
  writeFileSync(file, table);
  tell(`written to ${file}`);
}

export const line = (cells) => `| ${cells.join(" | ")} |`;
export const head = (title, ...more) => [line([title, ...more]), line([title, ...more].map(() => "---"))];

/** When, where and what was measured. */
export const machine = () => [
  `# ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
  "",
  `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}; commit ${commit()}.`,
];

const digits = (ms) => (ms === undefined ? "–" : ms < 10 ? ms.toFixed(ms < 1 ? 3 : 2) : ms.toFixed(0));

function tableOf({ device, only, runners, best, notes, rounds, loads }) {
  const ms = (key, { label }) => best.get(`${key} ${label}`)?.ms;
  const least = (key, which) => Math.min(...runners.filter(which).map((each) => ms(key, each) ?? Infinity));
  const ratio = (key, above, below) => {
    const value = least(key, above) / least(key, below);
    return Number.isFinite(value) ? value.toFixed(2) : "–";
  };
  const [fused, plain] = [
    ({ product, peer, plain }) => product && peer !== "torch" && !plain,
    ({ plain }) => plain === true,
  ];
  const [torch, script] = [({ peer }) => peer === "torch", ({ script }) => script === true];
  const gflops = (each) => {
    const product = ms("gemm", each);
    return product === undefined ? "–" : ((2 * 512 ** 3) / product / 1e6).toFixed(0);
  };
  const rows = runners.map((each) => line([each.label, gflops(each), ...only.map((key) => digits(ms(key, each)))]));
  const compared = (title, above, below) =>
    runners.some(above) && runners.some(below)
      ? [line([title, "", ...only.map((key) => ratio(key, above, below))])]
      : [];
  // The run itself holds as many processors as it has threads.
  const busy = Math.max(...loads) > cpus().length + 1;
  const first = (key, each) => {
    const found = best.get(`${key} ${each.label}`);
    return found === undefined ? "–" : digits((found.compileMs ?? 0) + found.firstMs);
  };
  const adapters = new Set(
    [...best.values()].flatMap((each) => (device === "webgpu" && each.device ? [each.device] : [])),
  );
  return [
    ...machine(),
    ...[...adapters].map((each) => `All programs run on ${each}, in the same Dawn.`),
    `Load (runnable processes of all programs) ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; each of ${rounds} rounds runs every program once.`,
    ...(busy ? ["", "**Other programs held the processors: no claim rests on these times.**"] : []),
    "",
    ...only.map((key) => `- ${key}: ${workloads[key].title}`),
    "",
    "Milliseconds of a step, the median of the fastest run; 512³ is that matrix product in GFLOP/s.",
    "",
    ...head("program", "512³", ...only),
    ...rows,
    ...compared("best dlx / best PyTorch", fused, torch),
    ...compared("best dlx without relaxed SIMD / best PyTorch", plain, torch),
    ...compared("best dlx / best JavaScript", fused, script),
    "",
    "Milliseconds until the end of the first step (dlx: the check of the script included).",
    "",
    ...head("program", ...only),
    ...runners.map((each) => line([each.label, ...only.map((key) => first(key, each))])),
    "",
    ...notes.map((text) => `- ${text}`),
    "",
  ].join("\n");
}

function commit() {
  const git = (...argv) => spawnSync("git", ["-C", here(".."), ...argv], { encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "--short", "HEAD");
  if (status !== 0) return "unknown";
  return git("status", "--porcelain").stdout.trim() === "" ? stdout.trim() : `${stdout.trim()} with changes`;
}
