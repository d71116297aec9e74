/** The answers of `npm run bench:gpu` as a page: steps and products beside PyTorch, what aims ask, the questions, kernels. */

/** Milliseconds of a step, and TFLOP/s of the largest product: what dlx is to reach on an H100. */
const AIMS = { w2: 0.035, w3: 0.06, w5: 0.6 };
const AIM_PRODUCT = 25;
/** Kernels of a workload that are told. */
const TOP = 10;

const number = (x, digits = 3) => (Number.isFinite(x) ? x.toPrecision(digits) : "–");
const line = (cells) => `| ${cells.join(" | ")} |`;
const head = (...cells) => [line(cells), line(cells.map(() => "---"))];
const missing = (found) => found?.failed ?? found?.missing;

function steps({ dlx = {}, torch = {} }) {
  const names = Object.keys(dlx);
  if (names.length === 0) return [];
  const of = (mode, name) => torch[mode]?.[name]?.ms;
  return [
    "## A step, in milliseconds",
    "",
    ...head("", "dlx", "aim", "PyTorch eager", "torch.compile", "CUDA graph", "eager / dlx", "graph / dlx", "losses"),
    ...names.map((name) => {
      const { ms, lossesRight } = dlx[name];
      const [eager, compiled, graph] = ["eager", "compile", "graph"].map((mode) => of(mode, name));
      const losses = lossesRight === undefined ? "–" : lossesRight ? "right" : "wrong";
      return line([name, number(ms), AIMS[name] ?? "–", ...[eager, compiled, graph, eager / ms, graph / ms].map((x) => number(x)), losses]); // prettier-ignore
    }),
    "",
  ];
}

function products({ gemm, torch = {} }) {
  if (!gemm) return [];
  const rate = (size) => (2 * size ** 3) / (torch.eager?.[`gemm${size}`]?.ms ?? NaN) / 1e9;
  const largest = Math.max(...Object.keys(gemm).map(Number));
  return [
    `## Products of square matrices, f32, in TFLOP/s (aim at 4096: ${AIM_PRODUCT})`,
    "",
    ...head("", "dlx", "PyTorch", "dlx / PyTorch", ""),
    ...Object.entries(gemm).map(
      ([size, { tflops, failed }]) =>
      line([size, number(tflops), number(rate(Number(size))), number(tflops / rate(Number(size))), failed ?? (Number(size) === largest && largest >= 4096 ? (tflops >= AIM_PRODUCT ? "aim reached" : "aim missed") : "")]), // prettier-ignore
    ),
    "",
  ];
}

/** Leaves of an answer as `path value`. */
function leaves(value, path = []) {
  if (value === null || typeof value !== "object") return [[path.join("."), value]];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key]));
}

function questions({ questions: both }) {
  if (!both) return [];
  const told = new Map();
  for (const [kind, answers] of Object.entries(both)) {
    for (const [key, value] of leaves({ ...answers, features: answers.features?.join(" "), flags: undefined })) {
      const row = told.get(key) ?? {};
      row[kind] = typeof value === "number" && !Number.isInteger(value) ? number(value) : value;
      told.set(key, row);
    }
  }
  const cell = (x) => (x === undefined ? "–" : String(x).replaceAll("|", "\\|").split("\n")[0]);
  return [
    "## What Dawn and the driver cost",
    "",
    ...head("", "plain", "fast flags"),
    ...[...told].map(([key, { plain, fast }]) => line([key, cell(plain), cell(fast)])),
    "",
  ];
}

function kernels({ dlx = {} }) {
  return Object.entries(dlx).flatMap(([name, { kernels: rows, kernelsMissing, profileFailed }]) => {
    if (!rows) return [`${name}: no times of kernels (${kernelsMissing ?? profileFailed ?? "not asked"})`, ""];
    const all = rows.reduce((sum, { ms }) => sum + ms, 0);
    return [
      `## Kernels of ${name}`,
      "",
      ...head("part", "µs", "GFLOP/s", "GB/s", "kernel"),
      ...rows.slice(0, TOP).map(({ ms, calls, flops, bytes, least, text }) => line([`${number((100 * ms) / all)} %`, number((1000 * ms) / Math.max(1, calls)), number(flops / least / 1e6), number(bytes / least / 1e6), cellOf(text)])), // prettier-ignore
      "",
    ];
  });
}
const cellOf = (text) => text.split("\n")[0].replaceAll("|", "\\|").slice(0, 100);

export function tableOf(found) {
  const { date, adapter, driver, node, commit, rehearsal, torch } = found;
  const reason = missing(torch);
  return [
    `# ${date.slice(0, 16).replace("T", " ")} UTC, ${adapter}`,
    "",
    `Driver: ${driver}. Node ${node}, dlx ${commit}${torch?.version ? `, PyTorch ${torch.version} with CUDA ${torch.cuda}, strict f32` : ""}.`,
    ...(reason ? ["", `PyTorch: ${reason}.`] : []),
    ...(rehearsal ? ["", "**A rehearsal on a software adapter: nothing here says anything about a graphics processor.**"] : []), // prettier-ignore
    "",
    ...steps(found),
    ...products(found),
    ...kernels(found),
    ...questions(found),
  ].join("\n");
}
