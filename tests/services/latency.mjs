/**
 * How long a person waits: `node tests/services/latency.mjs [lines]` prints the time from a text to its messages for a
 * cold open and for every key of lines that are typed and taken away again at random places; `node --expose-gc
 * tests/services/latency.mjs --memory` prints what is alive after 10 000 edits instead. Times are those of the clock and of the processor: on a busy machine the second is the one
 * to compare.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const outfile = join(root, `dist/.latency-${process.pid}.mjs`);
await build({
  stdin: {
    contents: `export { LanguageService } from "./lang/services/index.ts"; export { prelude } from "./stdlib/index.ts";
      export { knownFacts } from "./lang/check/sources.ts"; export { longScript } from "./tests/services/script.ts";`,
    resolveDir: root,
    loader: "ts",
  },
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  loader: { ".dlx": "text", ".md": "text" },
  logLevel: "error",
});
const { LanguageService, prelude, knownFacts, longScript } = await import(pathToFileURL(outfile).href).finally(() =>
  rmSync(outfile),
);

const host = {
  prelude,
  facts: async (ref) => knownFacts(ref),
  readModule: async () => undefined,
  pause: () => new Promise((done) => setImmediate(done)),
};

/** The same numbers in each run. */
let state = 1;
const random = (n) => (state = (state * 48271) % 2147483647) % n;

async function timed(act) {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: performance.now() - wall, cpu: (user + system) / 1000 };
}

function row(name, times) {
  const at = (which, part) => {
    const sorted = times.map((t) => t[which]).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1).padStart(7);
  };
  console.log(
    `${name.padEnd(34)} ${String(times.length).padStart(5)}  wall p50${at("wall", 0.5)} p95${at("wall", 0.95)} max${at("wall", 1)}   cpu p50${at("cpu", 0.5)} p95${at("cpu", 0.95)} max${at("cpu", 1)} ms`,
  );
}

/** What is typed, by where: each key is an edit. */
const typed = {
  "  let": "\n  let extra = relu(x)",
  "  ": "\n  # a remark",
  model: "\n# a remark",
  let: "\nlet extra = 3 * 4",
  train: "\n  let more = mean(x)",
};

async function keys(service, file, text, places) {
  const times = [];
  for (let i = 0; i < places; i++) {
    const lines = text.split("\n");
    const at = random(lines.length);
    const line = lines[at];
    const insert = typed[Object.keys(typed).find((start) => line.startsWith(start)) ?? "  "];
    const offset = lines.slice(0, at + 1).join("\n").length;
    for (let k = 1; k <= insert.length; k++) {
      const now = text.slice(0, offset) + insert.slice(0, k) + text.slice(offset);
      times.push(await timed(() => service.update(file, now)));
    }
    times.push(await timed(() => service.update(file, text)));
  }
  return times;
}

const wanted = process.argv
  .slice(2)
  .filter((a) => /^\d+$/.test(a))
  .map(Number);
const isMemory = process.argv.includes("--memory");
for (const lines of isMemory ? [] : wanted.length > 0 ? wanted : [500, 2000]) {
  const models = Math.round(((lines / 576) * 40) / 4) * 4;
  for (const shape of ["blocks", "one block"]) {
    let text = longScript(models);
    if (shape === "one block") {
      // All models are trained together: every edit touches the one block.
      const names = [...text.matchAll(/^let (net\d+) = /gm)].map((m) => m[1]);
      text = `${text.replace(/^train [^]*?^}\n/gm, "")}train all (image, label) in batches(shuffle(data.train), 100) for 1 epochs {\n  let x = norm(image)\n  let z = ${names.map((n) => `${n}(x)`).join(" + ")}\n  let loss = cross_entropy(z, label)\n  minimize loss over (${names.join(", ")}) with Adam(lr)\n}\n`;
    }
    const title = `${text.split("\n").length} lines, ${models} models, ${shape}`;
    const service = new LanguageService(host);
    row(`${title}: open`, [await timed(() => service.update("a.dlx", text))]);
    const found = await service.diagnostics("a.dlx");
    if (found.some((d) => d.severity === "error"))
      throw new Error(`expected a script without mistakes, got ${found[0].title}`);
    await keys(service, "a.dlx", text, 4);
    row(`${title}: key`, await keys(service, "a.dlx", text, shape === "blocks" ? 24 : 6));
  }
}

if (isMemory) {
  const service = new LanguageService(host);
  const text = longScript(8);
  await service.update("a.dlx", text);
  const used = () => {
    globalThis.gc?.();
    return (process.memoryUsage().heapUsed / 2 ** 20).toFixed(1);
  };
  for (let edits = 0; edits <= 10_000; edits++) {
    await service.update(
      "a.dlx",
      text
        .replace("Linear(84)", `Linear(${edits % 2 === 0 ? 84 : 100 + edits})`)
        .replace("Network number 2", `Network number ${edits}`),
    );
    if (edits % 2000 === 0)
      console.log(`${edits} edits: ${used()} MiB${globalThis.gc ? "" : " (run with --expose-gc for what is alive)"}`);
  }
}
