/** On a host that sets no headers: the service worker isolates the page, so it has threads; and it works without a network. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../../bench/playground/site.mjs";
import { site } from "../../bin/build.mjs";
import { ensure } from "../../bin/stamp.mjs";
import { editorOf, hasBrowser, openExample, untilStep } from "./browser.ts";
import { plainHost, type Host } from "./static.ts";

const isolated = (page: Page) => page.evaluate(() => self.crossOriginIsolated);

describe.skipIf(!hasBrowser)("a host that sets no headers", () => {
  let host: Host;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    await ensure(site);
    [host, browser] = [await plainHost(site.result), await launch("cpu")];
    page = await (await browser.newContext()).newPage();
    await page.goto(host.url);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  test("gives a page that is isolated all the same, and computes with threads", async () => {
    await expect.poll(() => isolated(page).catch(() => false), { timeout: 60_000 }).toBe(true);
    await openExample(page, "06-lenet.dlx");
    const device = page.getByTestId("device");
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    await expect.poll(() => device.textContent()).toContain(`${Math.min(4, cores)} thread`);
    expect(await device.textContent()).not.toContain("isolated");
    await untilStep(page, 3);
    const { targetInfos } = await (await browser.newBrowserCDPSession()).send("Target.getTargets");
    const threads = targetInfos.filter(({ type, url }) => type === "worker" && url.includes("thread-web"));
    expect(threads).toHaveLength(Math.min(4, cores) - 1);
  });

  test("gives a page that opens without a network, editor and all", async () => {
    await page.evaluate(() => navigator.serviceWorker.ready);
    await host.close();
    await page.reload();
    await editorOf(page);
    await untilStep(page, 5);
    expect(await isolated(page)).toBe(true);
    await page.locator(".view-line", { hasText: "seed" }).first().waitFor();
  });
});
