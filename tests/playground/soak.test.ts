/** `npm run soak` in short: what a person does for a long time leaves no worker, editor or tile behind. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { begin, turns } from "../../bench/playground/edits.mjs";
import { hasBrowser, openBrowser, untilStep, type Opened } from "./browser.ts";

/** Threads of the page by the file that they run, workers of workers among them. */
async function workers(page: Page): Promise<readonly string[]> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const { targetInfos } = await session.send("Target.getTargets");
  await session.detach();
  const names = targetInfos.flatMap(({ type, url }) =>
    type === "worker" ? [url.replace(/.*\/|-[\w-]{8}\.js$/g, "")] : [],
  );
  return names.sort();
}

describe.skipIf(!hasBrowser)("a long time", () => {
  let opened: Opened;
  let page: Page;
  beforeAll(async () => {
    opened = await openBrowser();
    page = await opened.page();
    await begin(page);
  }, 120_000);
  afterAll(() => opened?.close());

  test("of edits, mistakes, sliders, probes and new runs", { timeout: 300_000 }, async () => {
    await expect.poll(() => workers(page), { timeout: 20_000 }).toContain("thread-web");
    const before = await workers(page);
    // the lab and the language service
    expect(before.filter((name) => name === "worker")).toHaveLength(2);
    let i = 0;
    for (const act of Object.values(turns)) await act(page, ++i);
    expect(await workers(page)).toEqual(before);
    expect(await page.locator(".monaco-editor[role=code]").count()).toBe(1);
    expect(await page.getByTestId("tile").count()).toBe(0);
    expect(await page.getByTestId("curves").locator("canvas").count()).toBe(1);
  });

  test("of other devices", { timeout: 120_000 }, async () => {
    const before = await workers(page);
    for (const device of ["cpu", "auto", "cpu"]) {
      await page.getByLabel("Device").selectOption(device);
      await page.locator("[data-status=playing]").waitFor();
      await untilStep(page, 2);
    }
    await expect.poll(() => workers(page)).toEqual(before);
  });
});
