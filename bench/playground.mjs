/**
 * How quick the playground is: npm run playground:measure [-- --device cpu,webgpu] [--rounds N] [--keep]
 * The built page in headless Chromium, on the processor and on the software adapter of WebGPU: what was asked of it beside
 * what was measured. `--keep` writes the table to results/.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { heard, listen } from "./playground/ear.mjs";
import { cursorBehind, devices, editorOf, launch, openExample, serve, untilStep, write } from "./playground/site.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    device: { type: "string", default: devices.join() },
    rounds: { type: "string", default: "5" },
    keep: { type: "boolean" },
  },
});
const rounds = Number(values.rounds);
let version = "";

/** What is measured, in the order of the table: at most so much was asked, of the middle one or of 95 in 100. */
const rows = {
  cold: { what: "opened → curve moving, nothing cached", unit: "ms", most: 3000 },
  warm: { what: "opened → curve moving, again", unit: "ms", most: 1500 },
  squiggle: { what: "key → squiggle, while training, 95 of 100", unit: "ms", most: 100, by: 0.95 },
  swap: { what: "last key → LeNet-5 changed and stepping", unit: "ms", most: 400 },
  swapWork: { what: "the same without the pause of 200 ms", unit: "ms", most: 200 },
  moved: { what: "slider → the step that uses it, behind the last one", unit: "steps", most: 1 },
  movedMs: { what: "slider → that step's numbers on the page", unit: "ms" },
  task: { what: "longest task of the page while training", unit: "ms", most: 50 },
  without: { what: "first download, brotli, without Monaco", unit: "kB", most: 2000 },
  whole: { what: "first download, brotli, with Monaco", unit: "kB", most: 4500 },
  wholeGzip: { what: "the same, gzip", unit: "kB", most: 4500 },
  link: { what: "link of a script of 60 lines", unit: "bytes", most: 2000 },
};

/** Milliseconds: what takes longer is broken, not slow. */
const PATIENCE = 60_000;

const sorted = (list) => [...list].sort((a, b) => a - b);
/** The value that this part of the list lies below. */
const at = (list, part) => sorted(list)[Math.min(list.length - 1, Math.floor(part * list.length))];

/** A page of a person who was never here, with ears, that trains on this device from the start. */
async function visit(browser, url, device) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(listen);
  await context.addInitScript((chosen) => localStorage.setItem("dlx.device", chosen), device);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => console.error(`playground:measure: ${error.stack ?? error.message}`));
  return { context, page, open: () => page.goto(url) };
}

/** Milliseconds until the curve has been drawn twice. */
async function untilMoving(page) {
  await page.waitForFunction(() => self.__heard.drawn.length >= 2);
  return (await heard(page)).drawn[1];
}

async function opening(browser, url, device) {
  const [cold, warm] = [[], []];
  for (let i = 0; i < rounds; i++) {
    const { context, page, open } = await visit(browser, url, device);
    await open();
    cold.push(await untilMoving(page));
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForTimeout(500);
    await open();
    warm.push(await untilMoving(page));
    await context.close();
  }
  return { cold, warm };
}

/** From the first step: the first script ends after some seconds at full speed. */
async function restart(page) {
  // the focus stays where it is
  await page.getByRole("button", { name: "Restart" }).dispatchEvent("click");
  await untilStep(page, 5);
}

async function squiggles(page) {
  const squiggle = [];
  await editorOf(page);
  await cursorBehind(page, "cross_entropy");
  for (let i = 0; i < 12 * rounds; i++) {
    if (i % 8 === 0) await restart(page);
    const before = (await heard(page)).squiggles.length;
    await page.keyboard.type("x");
    await page.waitForFunction((n) => self.__heard.squiggles.length > n, before);
    const { keys, squiggles } = await heard(page);
    squiggle.push(squiggles.at(-1) - keys.at(-1));
    await page.keyboard.press("Backspace");
    await page.waitForFunction(() => !document.querySelector(".squiggly-error"));
    await page.waitForTimeout(100 + 37 * (i % 5));
  }
  return { squiggle };
}

/** A layer that grows by a unit each time. */
async function swaps(page) {
  const swap = [];
  await openExample(page, "06-lenet.dlx");
  // it does not end while it is edited
  await cursorBehind(page, "for 3");
  await page.keyboard.type("00");
  await page.waitForTimeout(1000);
  await cursorBehind(page, "Linear(84");
  for (let i = 0; i <= rounds; i++) {
    const from = (await heard(page)).lab.length;
    await page.keyboard.press("Backspace");
    await page.keyboard.type(String((4 + i + 1) % 10));
    await page.waitForFunction((from) => {
      const lab = self.__heard.lab.slice(from);
      const swapped = lab.findLast(({ swapped }) => swapped !== undefined)?.swapped;
      return swapped !== undefined && lab.some(({ step }) => step > swapped);
    }, from);
    const { keys, lab } = await heard(page);
    const told = lab.slice(from);
    const { swapped } = told.findLast((each) => each.swapped !== undefined);
    swap.push(told.find(({ step }) => step > swapped).at - keys.at(-1));
  }
  // the first also warms up what compiles
  return { swap, swapWork: swap.map((ms) => ms - 200) };
}

/** A move at a pace; which step used it behind the last one that was told, and when the page had that step's numbers. */
async function moves(page, pace, count) {
  await page.getByLabel("Speed").selectOption(pace);
  const found = [];
  for (let i = 0; i < count; i++) {
    if (i % 8 === 0) await restart(page);
    const from = (await heard(page)).lab.length;
    await page.getByRole("slider").fill(String(300 + 20 * i));
    await page.waitForFunction((from) => {
      const lab = self.__heard.lab.slice(from);
      const used = lab.find(({ inputs }) => inputs?.length > 0)?.inputs[0];
      return used !== undefined && lab.some(({ step }) => step >= used);
    }, from);
    const { lab, moved } = await heard(page);
    const [used] = lab.slice(from).find(({ inputs }) => inputs?.length > 0).inputs;
    const since = moved.at(-1);
    const before = lab.findLast(({ at, step }) => at < since && step !== undefined).step;
    found.push({ steps: used - before, ms: lab.slice(from).find(({ step }) => step >= used).at - since });
    await page.waitForTimeout(50);
  }
  return found;
}

/** Steps at three a second, where each is told by itself; milliseconds at full speed. */
async function slider(page) {
  const moved = (await moves(page, "3", rounds)).map(({ steps }) => steps);
  const movedMs = (await moves(page, "Infinity", 4 * rounds)).map(({ ms }) => ms);
  return { moved, movedMs };
}

/** The first script at full speed, from its first step to its last. */
async function tasks(page) {
  await editorOf(page);
  await page.waitForTimeout(1000);
  await restart(page);
  const from = await page.evaluate(() => performance.now());
  await page.waitForTimeout(5000);
  const long = (await heard(page)).tasks.filter(({ at }) => at >= from);
  // the observer tells of nothing below 50
  return { task: [Math.max(50, ...long.map(({ ms }) => ms))] };
}

/** What a page asks for until it is at work, as a static host sends it. */
async function download(browser, url) {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  const files = new Set();
  page.on("request", (request) => files.add(new URL(request.url()).pathname));
  await page.goto(url);
  await editorOf(page);
  await untilStep(page, 5);
  await context.close();
  const bytes = [...files].flatMap((path) => {
    if (path === "/file") return [];
    const text = readFileSync(join(here("../dist/playground"), path === "/" ? "index.html" : path));
    const isMonaco = /Monaco|codicon|editor\.worker/.test(path);
    return [{ isMonaco, brotli: brotliCompressSync(text).length, gzip: gzipSync(text, { level: 9 }).length }];
  });
  const sum = (how, all) => bytes.reduce((n, each) => n + (all || !each.isMonaco ? each[how] : 0), 0) / 1000;
  return { without: [sum("brotli", false)], whole: [sum("brotli", true)], wholeGzip: [sum("gzip", true)] };
}

/** Of two scripts of the gallery under each other, cut at 60 lines. */
async function link(page) {
  const text = ["06-lenet.dlx", "08-recurrence.dlx"].map((file) => readFileSync(here(`../examples/${file}`), "utf8"));
  await write(page, text.join("").split("\n").slice(0, 60).join("\n"));
  await page.getByRole("button", { name: "Share" }).click();
  return { link: [(await page.getByTestId("link").inputValue()).length] };
}

/** What does not depend on the device is measured with the first. */
async function measure(device, url, isFirst) {
  const browser = await launch(device);
  version = browser.version();
  try {
    const found = await opening(browser, url, device);
    const { page, open } = await visit(browser, url, device);
    await open();
    await untilMoving(page);
    for (const part of [tasks, squiggles, slider, swaps, ...(isFirst ? [link] : [])])
      Object.assign(found, await part(page));
    return isFirst ? { ...found, ...(await download(browser, url)) } : found;
  } finally {
    await browser.close();
  }
}

const number = (value) => (value === undefined ? "" : value.toFixed(0));
function tableOf(device, found) {
  const lines = Object.entries(rows).flatMap(([name, { what, unit, most, by = 0.5 }]) => {
    const list = found[name];
    if (!list) return [];
    const value = at(list, by);
    const asked = most === undefined ? "" : `≤ ${most} ${unit}`;
    const verdict = most === undefined ? "" : value <= most ? "yes" : "**no**";
    const spread = list.length > 1 ? [at(list, 0), at(list, 0.5), at(list, 0.95), at(list, 1)] : [];
    return [`| ${[what, asked, `${number(value)} ${unit}`, verdict, spread.map(number).join(" / ")].join(" | ")} |`];
  });
  return [
    `## ${device}`,
    "",
    "| | asked | measured | holds | least / middle / 95 % / greatest |",
    "|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

const site = await serve();
const began = { at: Date.now(), load: loadavg()[0] };
const tables = [];
try {
  for (const [i, device] of values.device.split(",").entries()) {
    tables.push(tableOf(device, await measure(device, site.url, i === 0)));
    console.log(tables.at(-1));
  }
} finally {
  site.close();
}
const today = new Date().toISOString().slice(0, 10);
const about = [
  `# The playground, ${today}`,
  "",
  `\`npm run playground:measure\` in ${Math.round((Date.now() - began.at) / 1000)} s: headless Chromium ${version}, ${cpus().length} × ${cpus()[0].model}, load ${began.load.toFixed(1)} at the beginning.`,
  `${rounds} visits for each opening, ${12 * rounds} keys, ${rounds + 1} edits, on a script that trains at full speed.`,
  "",
  "",
].join("\n");
if (values.keep) {
  const file = here(`results/${today}-playground.md`);
  writeFileSync(file, about + tables.join("\n"));
  console.log(`kept in ${file}`);
}
