/**
 * `npm run bench:gpu`: all that is to be known on a machine with a graphics processor: what Dawn and the driver cost
 * (`gpu/questions.mjs`, with plain flags and with fast ones), dlx on webgpu for the workloads and matrix products, and
 * PyTorch on CUDA beside it, eager, compiled and as one graph. Works without a network; writes
 * `results/<date>-<card>.json` and `.md` after each part. On a software adapter it is a rehearsal of small sizes.
 *   `-- --pack FOLDER` packs what such a machine needs, Node too; there: `sh FOLDER/measure.sh`
 *   `-- --only questions,w2,gemm,torch` does a part of it and keeps what the files of the same day hold of the others
 *   `-- --seconds N` is the time of each run (3), `-- --results FOLDER` where the files go
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pack } from "./gpu/pack.mjs";
import { tableOf } from "./gpu/table.mjs";
import { workloads, writeStart } from "./workloads.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    pack: { type: "string" },
    only: { type: "string" },
    seconds: { type: "string" },
    results: { type: "string", default: here("results") },
  },
});

const FAST = [
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,disable_robustness,skip_validation,disable_workgroup_init,disable_polyfills_on_integer_div_and_mod",
  "disable-dawn-features=timestamp_quantization,lazy_clear_resource_on_first_use",
];
const NETS = ["w2", "w3", "w5", "w6"];
const MODES = ["eager", "compile", "graph"];
const PARTS = ["questions", ...NETS, "gemm", "torch"];
const SIZES = { card: [512, 1024, 2048, 4096], rehearsal: [128, 256] };
const SECONDS = { card: "3", rehearsal: "1" };
/** Of a process, in milliseconds. */
const LONGEST = 120_000;
const TOLERANCE = 1e-4;

const tell = (part) => process.stderr.write(`${part}\n`);

/** The last line of JSON that a process prints, or why there is none. */
function asked(command, argv, env = {}) {
  const options = { encoding: "utf8", timeout: LONGEST, killSignal: "SIGKILL", env: { ...process.env, ...env } };
  const { stdout, stderr, status, error } = spawnSync(command, argv, options);
  const line = (stdout ?? "").split("\n").findLast((each) => each.startsWith("{"));
  if (status === 0 && line) return JSON.parse(line);
  const said = (stderr ?? "").trim().split("\n").at(-1);
  const late = error?.code === "ETIMEDOUT" ? `no result within ${LONGEST / 1000} s` : error?.message;
  return { failed: late ?? (said || `exit code ${status}`) };
}

function right(name, losses) {
  const wanted = workloads[name].losses;
  return losses?.every((loss, i) => loss === null || Math.abs(loss - wanted[i]) <= TOLERANCE * Math.max(1, wanted[i]));
}

/** The card and its driver: as the driver's own tool names them, else as Dawn does. */
function cardOf({ adapter, failed }) {
  if (!adapter) throw new Error(`expected an adapter, got none: ${failed}`);
  const name = [adapter.device, adapter.description, adapter.architecture].find((each) => each) ?? "unnamed";
  const tool = spawnSync("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"], { encoding: "utf8" }); // prettier-ignore
  const [card, driver] = tool.status === 0 ? tool.stdout.trim().split("\n")[0].split(", ") : [];
  if (adapter.software || !card) return { adapter: name, driver: adapter.description || "unknown", rehearsal: adapter.software }; // prettier-ignore
  return { adapter: card, driver, rehearsal: false };
}

function commit() {
  const { status, stdout } = spawnSync("git", ["-C", here(".."), "rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : JSON.parse(readFileSync(here("../package.json"), "utf8")).version;
}

function measure() {
  const only = values.only?.split(",") ?? PARTS;
  const wrong = only.find((each) => !PARTS.includes(each));
  if (wrong !== undefined) throw new Error(`expected parts of ${PARTS.join(", ")}, got ${wrong}`);
  const about = cardOf(asked(process.execPath, [here("gpu/questions.mjs"), "--about"]));
  const date = new Date().toISOString();
  const name = `${date.slice(0, 10)}-${about.adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")}`;
  const file = join(values.results, name);
  mkdirSync(values.results, { recursive: true });
  const before = existsSync(`${file}.json`) ? JSON.parse(readFileSync(`${file}.json`, "utf8")) : {};
  const found = { ...before, date, ...about, node: process.version, commit: commit() };
  const kind = about.rehearsal ? "rehearsal" : "card";
  const seconds = values.seconds ?? SECONDS[kind];
  const keep = () => {
    writeFileSync(`${file}.json`, `${JSON.stringify(found, undefined, 1)}\n`);
    writeFileSync(`${file}.md`, tableOf(found));
  };
  const folder = mkdtempSync(join(tmpdir(), "dlx-gpu-"));
  const dlx = (script, ...more) =>
    asked(process.execPath, [here("../bin/dlx.mjs"), "bench", script, "--device", "webgpu", "--seconds", seconds, "--json", ...more]); // prettier-ignore
  const sets = (list) => list.flatMap((each) => ["--set", each]);
  const parts = {
    questions: () => {
      const answers = (...flags) => asked(process.execPath, [here("gpu/questions.mjs"), ...flags]);
      found.questions = { plain: answers(), fast: answers(...FAST) };
    },
    gemm: () => {
      found.gemm = {};
      for (const size of SIZES[kind]) {
        const of = sets([`m=${size}`, `n=${size}`, `k=${size}`, "steps=1000000"]);
        const timed = dlx(here("gemm.dlx"), ...of, "--profile");
        const product = timed.kernels?.find(({ text }) => text.includes("dot "));
        const rate = product && { ms: product.least, tflops: product.flops / product.least / 1e9 };
        found.gemm[size] = { ...rate, failed: timed.failed ?? timed.kernelsMissing };
      }
    },
    torch: () => {
      found.torch = torch(SIZES[kind], folder, seconds);
    },
  };
  for (const name of NETS) {
    parts[name] = () => {
      const script = writeStart(name, folder);
      const given = sets(["given=true", "steps=1000000", ...(workloads[name].sets ?? [])]);
      const timed = dlx(script, ...given);
      const { kernels, kernelsMissing, failed } = timed.failed ? timed : dlx(script, ...given, "--profile");
      // metrics of steps that share a submit come together: a first frame may be later than step 4
      found.dlx = { ...found.dlx, [name]: { ...timed, lossesRight: right(name, timed.losses), kernels, kernelsMissing, profileFailed: failed } }; // prettier-ignore
    };
  }
  try {
    for (const part of only) {
      tell(part);
      parts[part]();
      keep();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(readFileSync(`${file}.md`, "utf8"));
  tell(`written to ${file}.json and .md`);
}

/** The same workloads and products in PyTorch on the same card, strict f32. */
function torch(sizes, folder, seconds) {
  const probe = "import json, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.version.cuda, 'card': torch.cuda.get_device_name(0) if torch.cuda.is_available() else None}))"; // prettier-ignore
  const tried = ["python3", "/usr/bin/python3"].map((python) => ({ python, ...asked(python, ["-c", probe]) }));
  const about = tried.find(({ card }) => card);
  if (!about) return { missing: "no python3 here has PyTorch with CUDA: the comparison is left out" };
  const { python, ...found } = about;
  for (const name of NETS) writeStart(name, folder);
  for (const mode of MODES) {
    found[mode] = {};
    for (const name of [...NETS, ...(mode === "eager" ? sizes.map((size) => `gemm${size}`) : [])]) {
      tell(`PyTorch, ${mode}, ${name}`);
      const env = { DLX_TORCH_DEVICE: "cuda", DLX_TORCH_MODE: mode };
      found[mode][name] = asked(python, [here("peers/torch_step.py"), name, "1", seconds, folder], env);
    }
  }
  return found;
}

if (values.pack !== undefined) pack(values.pack, tell);
else measure();
