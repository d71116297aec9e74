/**
 * A page without a disk: generated data, files that were dropped on it, what it saves, and the device that it gets with
 * the reason. Skips with one line where there is no Chromium.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import type { RunEvent } from "../../runtime/index.ts";
import { idxSet } from "../data/folder.ts";
import { runText } from "../run-script.ts";
import type { Asked, Told } from "./page-web.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(executablePath);
if (!found) console.warn(`skipped: no browser (install Debian's chromium, or name one in CHROMIUM)`);

const here = import.meta.dirname;
const digits = readFileSync(join(here, "../../examples/digits.dlx"), "utf8");
const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes as Uint8Array).toString("base64");

const bundle = async (file: string): Promise<string> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    metafile: true,
    format: "iife",
    platform: "browser",
    loader: { ".dlx": "text", ".md": "text" },
    logLevel: "error",
  });
  const outside = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  expect(outside).toEqual([]);
  return outputFiles[0]!.text;
};

const metric = (told: Pick<Told, "events">, name: string): unknown[] =>
  (told.events as RunEvent[]).flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics[name]] : []));

/** No `blob:`, and of code made from text only WebAssembly. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

describe.skipIf(!found)("a page without a disk", () => {
  let browser: Browser;
  /** Of a cross-origin isolated page, of one that is not, and of one that is not secure. */
  let isolated: Page;
  let open: Page;
  let insecure: Page;

  beforeAll(async () => {
    const [app, thread] = await Promise.all([
      bundle(join(here, "page-web.ts")),
      bundle(join(here, "../../runtime/thread-web.ts")),
    ]);
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
    });
    const pageOf = async (origin: string, headers: Record<string, string>): Promise<Page> => {
      const page = await browser.newPage();
      await page.route(`${origin}/**`, (route) => {
        const script = { "/app.js": app, "/thread.js": thread }[new URL(route.request().url()).pathname];
        return route.fulfill({
          headers: { "Cross-Origin-Resource-Policy": "same-origin", ...headers },
          contentType: script === undefined ? "text/html" : "text/javascript",
          body: script ?? '<!doctype html><title>dlx</title><script src="/app.js"></script>',
        });
      });
      await page.goto(`${origin}/`);
      return page;
    };
    isolated = await pageOf("https://isolated.test", {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Content-Security-Policy": policy,
    });
    open = await pageOf("https://open.test", {});
    insecure = await pageOf("http://insecure.test", {});
  }, 60_000);
  afterAll(async () => browser?.close());

  const train = (page: Page, asked: Asked): Promise<Told> =>
    page.evaluate(
      (given) => (globalThis as never as { train: (a: unknown) => Promise<unknown> }).train(given),
      asked as unknown,
    ) as Promise<Told>;

  test("examples/digits.dlx trains as in Node, with threads from a file under a strict policy", async () => {
    const told = await train(isolated, { text: digits, prefer: "cpu", threads: 2, steps: 8, threadFile: "/thread.js" });
    expect(told.messages).toEqual([]);
    expect(told.name).toMatch(/2 threads/);
    expect(told.reason).toBeUndefined();
    const own = await runText(digits, new CpuDevice(), { steps: 8 });
    const losses = metric(told, "loss");
    expect(losses).toHaveLength(8);
    // Relaxed products may round in two ways.
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(metric(own, "loss")[i] as number, 3));
  }, 60_000);

  test("a table that was dropped on the page; what is saved is there to load again", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i / 10},${40 - i},${(0.5 * i) / 10 + 1}`);
    const files = { "line.csv": base64(`a,b,price\n${rows.join("\n")}\n`) };
    const text = (more: string) => `let rows = csv("line.csv", target: "price", columns: "a")
let f = Linear(1)
train (x, y) in batches(rows, 8) for 40 epochs {
  let loss = mse(squeeze(f(x), -1), y)
  minimize loss over f with SGD(2e-2)
  plot loss
}
${more}`;
    const told = await train(open, { text: text('save f to "out/f.safetensors"'), prefer: "cpu", files });
    expect(told.messages).toEqual([]);
    const losses = metric(told, "loss") as number[];
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 10);
    expect(told.events).toContainEqual({ event: "saved", path: "out/f.safetensors" });
    const loading = 'let f = Linear(1) |> load("out/f.safetensors")\nprint "{sum(f(zeros([1, 1]))):.1f}"\n';
    const again = await train(open, { text: loading, prefer: "cpu", files: told.saved });
    expect(again.messages).toEqual([]);
    expect(again.events).toContainEqual(
      expect.objectContaining({ event: "print", text: expect.stringMatching(/1\.0/) }),
    );
  }, 60_000);

  test("packed IDX files", async () => {
    const set = idxSet(true);
    const files = Object.fromEntries(Object.entries(set).map(([name, bytes]) => [`mnist/${name}`, base64(bytes)]));
    const text = `let data = mnist()
eval all (image, label) in batches(data.train, 5) { metric m = mean(image) }
print shape(data.train.image)
`;
    const told = await train(open, { text, prefer: "cpu", files });
    expect(told.messages).toEqual([]);
    expect(told.events).toContainEqual(expect.objectContaining({ event: "print", text: "[12, 28, 28]" }));
  }, 60_000);

  test("a file that is not there is named with those that are", async () => {
    const text = 'let rows = csv("irs.csv")\nlet x = rows.x\nprint shape(x)\n';
    const { messages } = await train(open, { text, prefer: "cpu", files: { "iris.csv": base64("a\n1\n") } });
    expect(messages).toEqual([
      "DLX0501 | there is no file `irs.csv` | the page has `iris.csv` | did you mean `iris.csv`, in the same folder?",
    ]);
    const none = await train(open, { text: 'let x = csv("a.csv.gz").x\nprint x\n', prefer: "cpu" });
    expect(none.messages[0]).toMatch(/the page has no files \| drop it on the page, or add it under Data/);
    const cut = { "t.txt": base64(gzipSync("some text").subarray(0, 20)) };
    const damaged = await train(open, {
      text: 'let t = text("t.txt") |> chars\nprint t.vocab\n',
      prefer: "cpu",
      files: cut,
    });
    expect(damaged.messages[0]).toMatch(/^DLX0511 \| `t.txt` ends too early/);
  }, 60_000);

  const tiny = "let x = sum(ones([4]))\nprint x\n";
  test.each([
    ["auto", "open", /^cpu/, /^The processor computes with one thread, .*: the graphics adapter .* is software, .*\.$/],
    ["webgpu", "open", /^webgpu \(.*software\)$/, undefined],
    [
      "cpu",
      "open",
      /^cpu .*1 thread\)/,
      /^The processor computes with one thread, because .* not cross-origin isolated .*\.$/,
    ],
    ["auto", "insecure", /^cpu/, /: this browser has no WebGPU\.$/],
    ["webgpu", "insecure", /^cpu/, /: this browser has no WebGPU\.$/],
  ] as const)("%s on a page that is %s", async (prefer, which, name, reason) => {
    const told = await train({ open, insecure }[which], { text: tiny, prefer, threads: 2 });
    expect(told.name).toMatch(name);
    if (reason) expect(told.reason).toMatch(reason);
    else expect(told.reason).toBeUndefined();
    expect(told.events).toContainEqual({ event: "print", text: "4" });
  });
});
