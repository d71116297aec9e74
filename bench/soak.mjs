/**
 * Whether the playground holds on to memory: npm run soak [-- --minutes 10] [--edits 200] [--device cpu,webgpu] [--keep]
 * A person edits a script that trains, for a long time. Megabytes after a collection, by part of the page and by process;
 * flat is what grows by less than a tenth once it is warm.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { begin, turn } from "./playground/edits.mjs";
import { devices, launch, serve, stepOf } from "./playground/site.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    edits: { type: "string", default: "200" },
    device: { type: "string", default: devices.join() },
    keep: { type: "boolean" },
  },
});
const [minutes, edits] = [Number(values.minutes), Number(values.edits)];
const SAMPLES = 10;
/** Part of the run that is not judged. */
const WARM = 0.35;
/** Of its mean, and megabytes: what a column may grow by from warm to the end. */
const [PART, FREE] = [0.1, 4];

const MB = (n) => n / 2 ** 20;

/** Which part of the page a measure of memory is of. */
const partOf = ({ attribution: [from], types }) => {
  if (from?.scope === "Window") return "page";
  if (from?.scope !== "DedicatedWorkerGlobalScope") return types.includes("DOM") ? "page" : undefined;
  return "workers";
};

/** Of the parts of the page: the browser answers when it next collects, up to a minute later, and nobody waits for it. */
async function heaps(page) {
  const memory = await page.evaluate(() => performance.measureUserAgentSpecificMemory());
  const bytes = { page: 0, workers: 0 };
  for (const each of memory.breakdown) {
    const part = partOf(each);
    if (part) bytes[part] += each.bytes;
  }
  return { "page MB": MB(bytes.page), "workers MB": MB(bytes.workers) };
}

async function sample(page, control) {
  // of several renderers the page's is the largest
  const { processInfo } = await control.send("SystemInfo.getProcessInfo");
  const resident = (type) =>
    Math.max(
      ...processInfo
        .filter((each) => each.type === type)
        .map(({ id }) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1] ?? 0)),
    );
  const { nodes, listeners } = await counts(page);
  return {
    "renderer MB": MB(resident("renderer")),
    "GPU process MB": MB(resident("GPU")),
    "DOM nodes": nodes,
    listeners,
  };
}

const sessions = new WeakMap();
async function counts(page) {
  if (!sessions.has(page)) {
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    sessions.set(page, session);
  }
  // what nobody holds any more does not count
  await sessions.get(page).send("HeapProfiler.collectGarbage");
  const { metrics } = await sessions.get(page).send("Performance.getMetrics");
  const of = (name) => metrics.find((each) => each.name === name).value;
  return { nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

/** What a line through the values of a warm page grows by until the end, and whether that is flat. */
function growth(list) {
  const warm = list.slice(Math.floor(WARM * list.length));
  const [n, mean] = [warm.length, warm.reduce((a, b) => a + b, 0) / warm.length];
  const middle = (n - 1) / 2;
  const over = warm.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0);
  const slope = over / warm.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  const grown = slope * (n - 1);
  return { grown, flat: grown <= PART * mean + FREE };
}

async function soak(device, url) {
  const browser = await launch(device);
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.addInitScript((chosen) => localStorage.setItem("dlx.device", chosen), device);
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
    await page.goto(url);
    await begin(page);
    const control = await browser.newBrowserCDPSession();
    const rows = [];
    const start = Date.now();
    const lasts = 60_000 * minutes;
    for (let i = 1; i <= edits; i++) {
      await turn(page, i);
      await page.waitForTimeout(Math.max(0, start + (i * lasts) / edits - Date.now()));
      if (Math.floor((i * SAMPLES) / edits) > Math.floor(((i - 1) * SAMPLES) / edits)) {
        const now = { minute: (Date.now() - start) / 60_000, edit: i, step: await stepOf(page) };
        const seen = await sample(page, control);
        console.error(
          Object.values({ ...now, ...seen })
            .map((value) => value.toFixed(1))
            .join("  "),
        );
        rows.push(heaps(page).then((own) => ({ ...now, ...own, ...seen })));
      }
    }
    return { rows: await Promise.all(rows), errors };
  } finally {
    await browser.close();
  }
}

function tableOf(device, { rows, errors }) {
  const names = Object.keys(rows[0]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const judged = names.slice(3).map((name) => ({ name, ...growth(rows.map((row) => row[name])) }));
  const bad = judged.filter(({ flat }) => !flat);
  const verdict =
    bad.length === 0
      ? "flat"
      : `**grows**: ${bad.map(({ name, grown }) => `${name} by ${grown.toFixed(1)}`).join(", ")}`;
  return [
    `## ${device}: ${verdict}${errors.length > 0 ? `; ${errors.length} errors: ${errors[0]}` : ""}`,
    "",
    line(names),
    line(names.map(() => "--:")),
    ...rows.map((row) =>
      line(names.map((name) => row[name].toFixed(name.endsWith("MB") || name === "minute" ? 1 : 0))),
    ),
    line(["grown", "", "", ...judged.map(({ grown }) => grown.toFixed(1))]),
    "",
  ].join("\n");
}

const site = await serve();
const tables = [];
let grows = false;
try {
  for (const device of values.device.split(",")) {
    const table = tableOf(device, await soak(device, site.url));
    console.log(table);
    grows ||= !/: flat$/m.test(table);
    tables.push(table);
  }
} finally {
  site.close();
}
const today = new Date().toISOString().slice(0, 10);
if (values.keep) {
  const file = fileURLToPath(new URL(`results/${today}-soak.md`, import.meta.url));
  writeFileSync(
    file,
    `# Memory of the playground over ${edits} edits in ${minutes} minutes, ${today}\n\n${tables.join("\n")}`,
  );
}
process.exitCode = grows ? 1 : 0;
