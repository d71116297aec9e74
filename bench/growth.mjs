/**
 * How cost grows: node bench/growth.mjs [--only depth,width] [--seconds N] [--keep]
 * One size of a script after another, each in a process of its own: what the compiler counts, the processor's time until
 * the first step is done, the time of a step, the memory of the process. The last column is by how much a step grows when
 * the size doubles: 2 is linear.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What grows, from where to where, and what stays as it is. The rows of one table go by `sizes` of the input `grows`. */
const small = { width: 64, batch: 4, tokens: 32, layers: 2 };
const tables = {
  depth: { file: "w5.dlx", grows: "layers", sizes: [2, 4, 8, 16, 32, 64], fixed: small },
  width: { file: "w5.dlx", grows: "width", sizes: [32, 64, 128, 256, 512, 1024], fixed: small },
  batch: { file: "w5.dlx", grows: "batch", sizes: [1, 4, 16, 64, 256], fixed: small },
  sequence: { file: "w5.dlx", grows: "tokens", sizes: [16, 32, 64, 128, 256, 512], fixed: small },
  recurrence: { file: "w6.dlx", grows: "tokens", sizes: [16, 64, 256, 1024], fixed: { batch: 4 } },
  parameters: {
    file: "w2.dlx",
    grows: "width",
    sizes: [256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 20480],
    fixed: {},
  },
};

const { values } = parseArgs({
  options: { only: { type: "string" }, seconds: { type: "string", default: "1" }, keep: { type: "boolean" } },
});
const chosen = values.only?.split(",") ?? Object.keys(tables);
const unknown = chosen.find((name) => !Object.hasOwn(tables, name));
if (unknown !== undefined) {
  console.error(`growth: there is no ${unknown}; there are ${Object.keys(tables).join(", ")}`);
  process.exit(2);
}

function dlx(...argv) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [here("../bin/dlx.mjs"), ...argv, "--json"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1));
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return { failed: lines.find((line) => /^error|^dlx:/.test(line)) ?? lines[0] ?? `exit code ${status}` };
}

function measured({ file, grows, fixed }, size) {
  const inputs = { ...fixed, [grows]: size };
  const sets = Object.entries(inputs).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const counted = dlx("graph", here(file), "--stats", ...sets);
  if (counted.failed !== undefined) return counted;
  const [block] = counted.programs;
  const timed = dlx(
    "bench",
    here(file),
    "--device",
    "cpu",
    "--no-cache",
    "--seconds",
    values.seconds,
    "--set",
    "steps=100000",
    ...sets,
  );
  return timed.failed !== undefined ? { failed: timed.failed, ...block } : { ...block, ...timed };
}

const number = (x) => (x === undefined ? "–" : x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
const line = (cells) => `| ${cells.join(" | ")} |`;

function tableText(name) {
  const table = tables[name];
  const { file, grows, sizes, fixed } = table;
  const kept = Object.entries(fixed).flatMap(([input, value]) => (input === grows ? [] : [`${input} ${value}`]));
  const head = [
    grows,
    "params",
    "dispatches",
    "peak MB",
    "check ms",
    "CPU ms to first step",
    "step ms",
    "memory MB",
    "× a doubling",
  ];
  const rows = [];
  let before;
  for (const size of sizes) {
    const found = measured(table, size);
    console.error(`${name}: ${grows} ${size}${found.failed === undefined ? "" : `: ${found.failed}`}`);
    const factor = before && found.ms ? (found.ms / before.ms) ** (1 / Math.log2(size / before.size)) : undefined;
    rows.push(
      line([
        size,
        found.parameters ?? "–",
        found.dispatches ?? "–",
        number(found.peakBytes && found.peakBytes / 1e6),
        number(found.compileMs),
        number(found.cpuMs),
        found.failed ?? number(found.ms),
        number(found.memoryMB),
        number(factor),
      ]),
    );
    if (found.failed !== undefined) break;
    before = { ms: found.ms, size };
  }
  const title = `## ${name}: ${file}${kept.length > 0 ? `, ${kept.join(", ")}` : ""}`;
  return [title, "", line(head), line(head.map(() => "---:")), ...rows, ""].join("\n");
}

const day = new Date().toISOString().slice(0, 10);
const text = [
  `# How cost grows, ${day}`,
  "",
  `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)} at the start.`,
  "Peak MB is what the compiler counts for one step; memory MB is the whole process at its largest. A size that does not run",
  "ends its table, with what was said.",
  "",
  ...chosen.map(tableText),
].join("\n");
console.log(text);
if (values.keep) {
  mkdirSync(here("results"), { recursive: true });
  const file = here(`results/growth-${day}.md`);
  writeFileSync(file, `${text}\n`);
  console.error(`written to ${file}`);
}
