/** Every script of the gallery that needs no files opens from its card, has no mistake, and learns: on the processor and on WebGPU. */
/// <reference types="vite/client" />
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../playground/gallery/examples.ts";
import { hasBrowser, openBrowser, openExample, statusOf, type Opened } from "./browser.ts";

/** The software adapter takes its time. */
const PATIENCE = 120_000;

/** Of the loss, in the first of several runs: its last value, its least and its greatest. */
async function curve(page: Page): Promise<readonly number[]> {
  const row = page.getByLabel("Curves").getByRole("row", { name: /^loss/ }).first();
  const cells = await row.locator("td").allTextContents();
  return cells.map(Number);
}

describe.skipIf(!hasBrowser).each([["cpu"], ["webgpu"]] as const)("on %s", (device) => {
  let opened: Opened;
  let page: Page;
  beforeAll(async () => {
    opened = await openBrowser({ webgpu: device === "webgpu" });
    page = await opened.page();
    await page.getByLabel("Device").selectOption(device);
    await page
      .getByTestId("device")
      .filter({ hasText: `${device} (` })
      .waitFor();
    await page.getByLabel("Curves").getByLabel("table").check();
  }, PATIENCE);
  afterAll(() => opened?.close());

  const alone = examples.filter(({ needs }) => needs === undefined);
  test.each(alone.map(({ file, text }) => [file, text] as const))("%s", { timeout: PATIENCE }, async (file, text) => {
    await openExample(page, file);
    expect(await page.locator("header .file").textContent()).toBe(file);
    const plots = /^\s*plot /m.test(text);
    await expect
      .poll(
        async () => {
          if (!plots) return statusOf(page);
          const [last = NaN, least = NaN, greatest = NaN] = await curve(page);
          return last <= (least + greatest) / 2 && least < greatest
            ? "learns"
            : `at ${last}, of ${least} to ${greatest}`;
        },
        { timeout: PATIENCE - 10_000 },
      )
      .toBe(plots ? "learns" : "done");
    expect(await page.locator(".squiggly-error").count()).toBe(0);
    expect(await statusOf(page)).toMatch(/playing|done/);
  });
});
