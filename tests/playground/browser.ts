/** The built page, served as `dlx playground` serves it, in Chromium: what a person sees and does. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { site } from "../../bin/build.mjs";
import { ensure } from "../../bin/stamp.mjs";
import { servePlayground, type Playground } from "../../runtime/cli/playground.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const hasBrowser = existsSync(executablePath);
if (!hasBrowser) console.warn("skipped: no browser (install Debian's chromium, or name one in CHROMIUM)");

export interface Opened {
  readonly url: string;
  /** A page of a person who was never here. */
  page(options?: { readonly path?: string; readonly context?: BrowserContextOptions }): Promise<Page>;
  close(): Promise<void>;
}

/** `webgpu`: with the software adapter, which pages see only when asked to. */
export async function openBrowser(
  options: { readonly webgpu?: boolean; readonly file?: string } = {},
): Promise<Opened> {
  await ensure(site);
  const served: Playground = await servePlayground({ folder: site.result, file: options.file, port: 0 });
  const gpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
  const browser: Browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", ...(options.webgpu ? gpu : [])],
  });
  const errors: string[] = [];
  return {
    url: served.url,
    page: async ({ path = "", context = {} } = {}) => {
      const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context })).newPage();
      page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
      await page.goto(served.url.replace(/#.*/, "") + path || served.url);
      return page;
    },
    close: async () => {
      await browser.close();
      await served.close();
      if (errors.length > 0) throw new Error(`expected a page without errors, got ${errors.join("\n")}`);
    },
  };
}

/** The number behind `step`. */
export async function stepOf(page: Page): Promise<number> {
  return Number((await page.getByTestId("step").textContent())?.replace(/\D/g, ""));
}

export async function untilStep(page: Page, step: number, timeout = 30_000): Promise<number> {
  const end = Date.now() + timeout;
  for (;;) {
    const now = await stepOf(page);
    if (now >= step) return now;
    if (Date.now() > end) throw new Error(`expected step ${step} within ${timeout} ms, got ${now}`);
    await page.waitForTimeout(50);
  }
}

export const statusOf = async (page: Page): Promise<string | null> =>
  page.getByTestId("status").getAttribute("data-status");

/** The editor, once it is Monaco. */
export async function editorOf(page: Page): Promise<void> {
  await page
    .locator(".monaco-editor textarea, .monaco-editor .native-edit-context")
    .first()
    .waitFor({ state: "attached" });
}

/** Replaces the whole text, as by keys. */
export async function write(page: Page, text: string): Promise<void> {
  await editorOf(page);
  await page.locator(".monaco-editor .view-lines").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

/** Puts the cursor behind the first place of `text` in the script. */
export async function cursorBehind(page: Page, text: string): Promise<void> {
  await editorOf(page);
  await page.locator(".monaco-editor .view-lines").click();
  await page.keyboard.press("Control+F");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowRight");
}
