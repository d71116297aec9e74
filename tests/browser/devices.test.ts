/**
 * The same devices in a browser: a script is compiled and trained in a page of Chromium, on `navigator.gpu` (its software
 * adapter) and on WebAssembly, and gives the numbers that Node gives. Skips with one line where there is no Chromium.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CpuDevice } from "../../gpu/cpu.ts";
import { ReferenceDevice } from "../../gpu/reference.ts";
import type { RunEvent } from "../../runtime/index.ts";
import { runText } from "../run-script.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(executablePath);
if (!found) console.warn(`skipped: no browser (install Debian's chromium, or name one in CHROMIUM)`);

const script = `seed 3
let x = normal([64, 2])
let y = i32(x[.., 0] * x[.., 1] > 0)
let net = [Linear(16), tanh, Dropout(0.1), Linear(2)]
train for 20 steps {
  let z = net(x)
  let loss = cross_entropy(z, y)
  minimize loss over net with clip_norm(1.0) |> Adam(3e-2)
  plot loss
}
print accuracy(net(x), y)
`;

const losses = (events: readonly unknown[]): unknown[] =>
  (events as RunEvent[]).flatMap((e) => (e.event === "train" && !e.fold ? [e.metrics.loss] : []));

describe.skipIf(!found)("in a browser", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "page.ts")],
      bundle: true,
      write: false,
      format: "iife",
      platform: "browser",
      loader: { ".dlx": "text", ".md": "text" },
      logLevel: "error",
    });
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
    });
    page = await browser.newPage();
    // WebGPU asks for a secure page; nothing leaves this process.
    await page.route("https://dlx.test/**", (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>dlx</title>" }),
    );
    await page.goto("https://dlx.test/");
    await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
  }, 60_000);
  afterAll(async () => browser?.close());

  const inPage = (kind: string): Promise<{ name: string; events: unknown[] }> =>
    page.evaluate(
      ([text, kind]) =>
        (globalThis as never as { run: (a: unknown, b: unknown) => Promise<{ name: string; events: unknown[] }> }).run(
          text,
          kind,
        ),
      [script, kind],
    );

  test("WebAssembly gives the bits of Node", async () => {
    const { events, name } = await inPage("cpu");
    expect(name).toMatch(/^cpu \(WebAssembly/);
    const relaxed = name.includes("relaxed");
    const own = await runText(script, new CpuDevice(relaxed ? {} : { relaxed }));
    expect(losses(events)).toHaveLength(20);
    // Relaxed products may round in two ways; Node may be without them.
    const digits = relaxed ? 5 : 12;
    losses(events).forEach((loss, i) => expect(loss).toBeCloseTo(losses(own.events)[i] as number, digits));
  });

  test("navigator.gpu trains as the reference does", async () => {
    const { events, name } = await inPage("webgpu");
    expect(name).toMatch(/^webgpu \(/);
    const oracle = await runText(script, new ReferenceDevice());
    expect(losses(events)).toHaveLength(20);
    losses(events).forEach((loss, i) => expect(loss).toBeCloseTo(losses(oracle.events)[i] as number, 3));
    expect((events as RunEvent[]).at(-1)).toMatchObject({ event: "end", status: "done" });
  });

  test("the same seed gives the same bits", async () => {
    expect(losses((await inPage("webgpu")).events)).toEqual(losses((await inPage("webgpu")).events));
  });
});
