/**
 * The whole suite: types, lint, format, then every test; ends with one line of counts.
 * Packages of the system are installed only when CI or DLX_TEST_INSTALL is set; otherwise one line says what was left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const only = process.argv.slice(2);

function run(title, command, args, options = {}) {
  if (title) console.log(`\n# ${title}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  return status ?? 1;
}

function has(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** The package belongs to the system's own Python, which need not be the first on the path. */
const torch = () => ["python3", "/usr/bin/python3"].some((python) => has(python, ["-c", "import torch"]));
/** chromium brings a software driver, with which WebGPU runs where there is no graphics processor. */
const driver = () =>
  existsSync("/usr/lib/chromium/vk_swiftshader_icd.json") || process.env.VK_ICD_FILENAMES !== undefined;
const extras = [
  {
    there: torch,
    packages: ["python3-torch", "libopenblas0-openmp"],
    what: "the values kept from PyTorch are not computed again",
  },
  {
    there: driver,
    packages: ["chromium"],
    what: "the webgpu device is not tested unless there is a graphics processor",
  },
];
const mayInstall = Boolean(process.env.CI || process.env.DLX_TEST_INSTALL);
const wanted = extras.filter(({ there }) => !there()).flatMap(({ packages }) => packages);
if (mayInstall && wanted.length > 0) {
  const quiet = {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  run(`installing ${wanted.join(" ")}`, "apt-get", ["-qq", "update"], quiet);
  run("", "apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...wanted], quiet);
}
const absent = extras.filter(({ there }) => !there());
if (absent.length > 0) {
  const packages = absent.flatMap((e) => e.packages).join(" ");
  console.log(`left out: ${absent.map((e) => e.what).join("; ")} (${packages}); to do it: DLX_TEST_INSTALL=1 npm test`);
}

const bin = (name) => join(root, "node_modules", ".bin", name);
let failures = 0;
if (only.length === 0) {
  for (const [title, name, args] of [
    ["types", "tsc", ["--noEmit"]],
    [
      "types of the playground",
      "svelte-check",
      ["--workspace", "playground", "--tsconfig", "./tsconfig.json", "--fail-on-warnings"],
    ],
    ["lint", "eslint", [".", "--max-warnings", "0"]],
    ["format", "prettier", ["--check", "--log-level", "warn", "."]],
  ]) {
    const status = run(title, bin(name), args);
    console.log(status === 0 ? `${title}: clean` : `${title}: failed`);
    if (status !== 0) failures++;
  }
}

const folder = mkdtempSync(join(tmpdir(), "dlx-test-"));
const report = join(folder, "report.json");
const status = run("tests", bin("vitest"), [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--reporter=${join(root, "tests", "patience.mjs")}`,
  `--outputFile.json=${report}`,
  ...only,
]);
let passed = 0;
let failed = status === 0 ? 0 : 1;
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, "utf8"));
  passed = result.numPassedTests;
  failed = Math.max(failed, result.numFailedTests);
  skipped = result.numPendingTests + result.numTodoTests;
  // Where packages may be installed, these have no excuse.
  for (const [suite, file] of [
    ["webgpu", "/tests/webgpu/samples.test.ts"],
    ["browser", "/tests/browser/devices.test.ts"],
  ]) {
    const tests = result.testResults.filter(({ name }) => name.endsWith(file));
    const ran = tests.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === "passed");
    if (!mayInstall || only.length > 0 || ran.length > 0) continue;
    console.log(`the ${suite} suite did not run, although what it needs could be installed`);
    failures++;
  }
} catch (error) {
  console.log(`the test report cannot be read: ${error.message}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`\ntests: ${passed} passed, ${failed + failures} failed, ${skipped} skipped`);
process.exit(failed + failures > 0 ? 1 : 0);
