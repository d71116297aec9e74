/**
 * `npm run bench:gpu`: all that is to be known on a machine with a graphics processor, as one JSON object: what Dawn and
 * the driver cost (`gpu/questions.mjs`, with plain flags and with fast ones), dlx on webgpu for the workloads and matrix
 * products, and PyTorch on CUDA beside it where there is one. Works offline.
 *   `-- --pack FOLDER` copies what such a machine needs into a folder, Node too; there: `sh FOLDER/measure.sh`
 *   `-- --only questions,w2,gemm,torch` does a part of it; `-- --seconds N` is the time of each run (3)
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { workloads, writeStart } from "./workloads.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: { pack: { type: "string" }, only: { type: "string" }, seconds: { type: "string", default: "3" } },
});

const FAST = [
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,disable_robustness,skip_validation,disable_workgroup_init,disable_polyfills_on_integer_div_and_mod",
  "disable-dawn-features=timestamp_quantization,lazy_clear_resource_on_first_use",
];
const NETS = ["w2", "w3", "w5", "w6"];
const SIZES = [512, 1024, 2048, 4096];
const MODES = ["eager", "compile", "graph"];
const PARTS = ["questions", ...NETS, "gemm", "torch"];
/** Of a process, in milliseconds. */
const LONGEST = 120_000;
const TOLERANCE = 1e-4;

/** The last line of JSON that a process prints, or why there is none. */
function asked(command, argv, env = {}) {
  const options = { encoding: "utf8", timeout: LONGEST, killSignal: "SIGKILL", env: { ...process.env, ...env } };
  const { stdout, stderr, status, error } = spawnSync(command, argv, options);
  const line = (stdout ?? "").split("\n").findLast((each) => each.startsWith("{"));
  if (status === 0 && line) return JSON.parse(line);
  const said = (stderr ?? "").trim().split("\n").at(-1);
  return {
    failed: error?.code === "ETIMEDOUT" ? `no result within ${LONGEST / 1000} s` : said || `exit code ${status}`,
  };
}

function right(name, losses) {
  const wanted = workloads[name].losses;
  return losses?.every((loss, i) => loss === null || Math.abs(loss - wanted[i]) <= TOLERANCE * Math.max(1, wanted[i]));
}

function measure() {
  const only = values.only?.split(",") ?? PARTS;
  const wrong = only.find((each) => !PARTS.includes(each));
  if (wrong !== undefined) throw new Error(`expected parts of ${PARTS.join(", ")}, got ${wrong}`);
  const { seconds } = values;
  const found = { date: new Date().toISOString(), host: hostname(), node: process.version };
  const tell = (part) => process.stderr.write(`${part}\n`);
  const folder = mkdtempSync(join(tmpdir(), "dlx-gpu-"));
  const dlx = (file, ...more) =>
    asked(process.execPath, [here("../bin/dlx.mjs"), "bench", file, "--device", "webgpu", "--seconds", seconds, "--json", ...more]); // prettier-ignore
  try {
    if (only.includes("questions")) {
      tell("questions");
      found.questions = { plain: asked(process.execPath, [here("gpu/questions.mjs")]), fast: asked(process.execPath, [here("gpu/questions.mjs"), ...FAST]) }; // prettier-ignore
    }
    const nets = NETS.filter((name) => only.includes(name));
    found.dlx = {};
    for (const name of nets) {
      tell(`dlx ${name}`);
      const script = writeStart(name, folder);
      const sets = ["given=true", "steps=1000000", ...(workloads[name].sets ?? [])].flatMap((each) => ["--set", each]);
      const timed = dlx(script, ...sets);
      const { kernels, kernelsMissing, failed } = dlx(script, ...sets, "--profile");
      // metrics of steps that share a submit come together: a first frame may be later than step 4
      found.dlx[name] = { ...timed, lossesRight: right(name, timed.losses), kernels, kernelsMissing, profileFailed: failed }; // prettier-ignore
    }
    if (only.includes("gemm")) {
      found.gemm = {};
      for (const size of SIZES) {
        tell(`dlx product of ${size}`);
        const sets = [`m=${size}`, `n=${size}`, `k=${size}`, "steps=1000000"].flatMap((each) => ["--set", each]);
        const timed = dlx(here("gemm.dlx"), ...sets, "--profile");
        const product = timed.kernels?.find(({ text }) => text.includes("dot "));
        const rate = product && { ms: product.least, tflops: product.flops / product.least / 1e9 };
        found.gemm[size] = { ...rate, failed: timed.failed ?? timed.kernelsMissing };
      }
    }
    if (only.includes("torch")) found.torch = torch(nets, folder, seconds, tell);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** The same workloads and products in PyTorch on the same card, strict f32. */
function torch(nets, folder, seconds, tell) {
  const probe = "import json, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.version.cuda, 'card': torch.cuda.get_device_name(0) if torch.cuda.is_available() else None}))"; // prettier-ignore
  for (const python of ["python3", "/usr/bin/python3"]) {
    const about = asked(python, ["-c", probe]);
    if (!about.card) continue;
    const found = { ...about };
    for (const mode of MODES) {
      found[mode] = {};
      for (const name of [...nets, ...SIZES.map((size) => `gemm${size}`)]) {
        tell(`PyTorch, ${mode}, ${name}`);
        const env = { DLX_TORCH_DEVICE: "cuda", DLX_TORCH_MODE: mode };
        found[mode][name] = asked(python, [here("peers/torch_step.py"), name, "1", seconds, folder], env);
      }
    }
    return found;
  }
  return { missing: "no python3 here has PyTorch with CUDA: the comparison is left out" };
}

function pack(folder) {
  const root = here("..");
  mkdirSync(folder, { recursive: true });
  for (const each of ["dist", "bin", "bench", "stdlib"]) {
    cpSync(join(root, each), join(folder, each), { recursive: true, filter: (path) => !path.includes("node_modules") });
  }
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  const { platform, arch } = process;
  cpSync(join(root, "node_modules/webgpu"), join(folder, "node_modules/webgpu"), {
    recursive: true,
    dereference: true,
    filter: (path) => !/dist[\\/][^\\/]+-[^\\/]+/.test(path) || path.includes(`${platform}-${arch}`),
  });
  cpSync(join(root, "node_modules/fflate"), join(folder, "node_modules/fflate"), {
    recursive: true,
    dereference: true,
  });
  copyFileSync(process.execPath, join(folder, "node"));
  chmodSync(join(folder, "node"), 0o755);
  writeFileSync(join(folder, "measure.sh"), '#!/bin/sh\ncd "$(dirname "$0")" && exec ./node bench/gpu.mjs "$@"\n');
  process.stderr.write(`packed into ${folder}; there: sh measure.sh > answers.json\n`);
}

if (values.pack !== undefined) pack(values.pack);
else measure();
