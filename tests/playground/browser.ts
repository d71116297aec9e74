/** The built page, served as `dlx playground` serves it, in Chromium: what a person sees and does. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { hasBrowser, launch, stepOf } from "../../bench/playground/site.mjs";
import { site } from "../../bin/build.mjs";
import { ensure } from "../../bin/stamp.mjs";
import { servePlayground, type Playground } from "../../runtime/cli/playground.ts";

export {
  cursorBehind,
  editorOf,
  hasBrowser,
  openExample,
  stepOf,
  untilStep,
  write,
} from "../../bench/playground/site.mjs";
if (!hasBrowser) console.warn("skipped: no browser (install Debian's chromium, or name one in CHROMIUM)");

export interface Opened {
  readonly url: string;
  /** A page of a person who was never here. */
  page(options?: { readonly path?: string; readonly context?: BrowserContextOptions }): Promise<Page>;
  /** Of a person whose last script was this one. */
  pageWith(text: string, context?: BrowserContextOptions): Promise<Page>;
  /** Ends the process behind WebGPU. */
  crashGpu(): Promise<void>;
  close(): Promise<void>;
}

/** `webgpu`: with the software adapter, which pages see only when asked to. */
export async function openBrowser(
  options: { readonly webgpu?: boolean; readonly file?: string } = {},
): Promise<Opened> {
  await ensure(site);
  const served: Playground = await servePlayground({ folder: site.result, file: options.file, port: 0 });
  const browser: Browser = await launch(options.webgpu ? "webgpu" : "cpu");
  const errors: string[] = [];
  const page: Opened["page"] = async ({ path = "", context = {} } = {}) => {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context })).newPage();
    page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
    await page.goto(served.url.replace(/#.*/, "") + path || served.url);
    return page;
  };
  return {
    url: served.url,
    page,
    pageWith: (text, context) => {
      const entries = { "dlx.script.mine.dlx": JSON.stringify({ text, inputs: {} }), "dlx.open": "mine.dlx" };
      const localStorage = Object.entries(entries).map(([name, value]) => ({ name, value }));
      const origins = [{ origin: new URL(served.url).origin, localStorage }];
      return page({ context: { ...context, storageState: { cookies: [], origins } } });
    },
    crashGpu: async () => {
      const session = await browser.newBrowserCDPSession();
      await session.send("Browser.crashGpuProcess");
    },
    close: async () => {
      await browser.close();
      await served.close();
      if (errors.length > 0) throw new Error(`expected a page without errors, got ${errors.join("\n")}`);
    },
  };
}

/** One for the tests of a `describe`, from before the first until after the last. */
export function browserHere(options: Parameters<typeof openBrowser>[0] = {}): Opened {
  const opened = {} as Opened;
  beforeAll(async () => void Object.assign(opened, await openBrowser(options)), 120_000);
  afterAll(async () => opened.close?.());
  return opened;
}

export const statusOf = async (page: Page): Promise<string | null> =>
  page.getByTestId("status").getAttribute("data-status");

/** The step once the page has shown all that was done before the pause. */
export async function restingStep(page: Page): Promise<number> {
  for (let before = -1; ;) {
    const now = await stepOf(page);
    if (now === before) return now;
    before = now;
    await page.waitForTimeout(1000);
  }
}

/** What a button of the window *Share* gives to keep. */
export async function downloaded(page: Page, name: string): Promise<Buffer> {
  await page.getByRole("button", { name: "Share" }).click();
  const waits = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  const parts: Buffer[] = [];
  for await (const part of await (await waits).createReadStream()) parts.push(part as Buffer);
  await page.keyboard.press("Escape");
  return Buffer.concat(parts);
}

/** Every point that was plotted: a column of numbers by its name, `step` among them. */
export async function plotted(page: Page): Promise<Readonly<Record<string, readonly number[]>>> {
  const [head = "", ...lines] = (await downloaded(page, "Curves as CSV")).toString().trim().split("\n");
  const rows = lines.map((line) => line.split(",").map(Number));
  return Object.fromEntries(head.split(",").map((name, place) => [name, rows.map((row) => row[place]!)]));
}
