/** The page without a mouse: every part is reached and worked by keys, and the focus is seen and never caught. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import {
  cursorBehind,
  editorOf,
  hasBrowser,
  browserHere,
  restingStep,
  statusOf,
  stepOf,
  untilStep,
} from "./browser.ts";

/** What has the focus: its name, and whether that can be seen. */
const FOCUS = `(() => {
  const at = document.activeElement;
  const name = at.getAttribute("aria-label") || at.labels?.[0]?.textContent.trim() || at.textContent.trim();
  return { name: name.slice(0, 40), ring: getComputedStyle(at).outlineStyle !== "none" || at.closest(".monaco-editor") !== null };
})()`;
const focus = (page: Page) => page.evaluate(FOCUS) as Promise<{ name: string; ring: boolean }>;

/** Tab until something with this name has the focus; the names on the way. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press(key);
    const at = await focus(page);
    expect(at, `the focus on ${at.name} can be seen`).toMatchObject({ ring: true });
    names.push(at.name);
    if (name.test(at.name)) return names;
  }
  throw new Error(`expected to reach ${String(name)} by ${key}, got ${names.join(", ")}`);
}

describe.skipIf(!hasBrowser)("by keys alone", () => {
  const opened = browserHere();

  test("the whole page is walked, out of the editor too", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await editorOf(page);
    const names = await tabTo(page, /^Script$|Editor content/);
    expect(names).toEqual(expect.arrayContaining(["Tour", "Examples", "Scripts", "Share", "Keys", "Dark"]));
    // Tab is the editor's own until Ctrl+M
    await page.keyboard.press("Control+m");
    const rest = await tabTo(page, /^Device/);
    for (const name of [/^Step/, /^Restart/, /^Re-roll/, /^lr/, /^log/, /^table/, /^Output/, /^Speed/])
      expect(
        rest.some((each) => name.test(each)),
        String(name),
      ).toBe(true);
    await page.close();
  }, 120_000);

  test("windows, the tour, sliders and a watched value are worked by keys", async () => {
    const page = await opened.page();
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 5);
    await page.locator("h1 a").focus();
    for (const name of ["Examples", "Scripts", "Share", "Keys"]) {
      await tabTo(page, new RegExp(`^${name}$`));
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
      expect((await focus(page)).name).toBe(name);
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Ctrl+Shift+Enter").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("slider").focus();
    const value = await page.getByRole("slider").inputValue();
    await page.keyboard.press("ArrowRight");
    expect(Number(await page.getByRole("slider").inputValue())).toBe(Number(value) + 1);

    await cursorBehind(page, "plot loss");
    await page.keyboard.press("Alt+Enter");
    await page.getByTestId("tile").waitFor();
    await page.getByLabel(/^Stop watching/).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByTestId("tile").count()).toBe(0);

    await page.getByRole("button", { name: "Tour", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("tour").waitFor();
    await tabTo(page, /Close the tour/);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByTestId("tour").count()).toBe(0);
    await page.close();
  }, 120_000);

  test("the run is steered from inside of the editor, and by short keys outside", async () => {
    const page = await opened.page();
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 5);
    await cursorBehind(page, "seed 4");
    const text = await page.locator(".view-lines").textContent();
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => statusOf(page)).toBe("paused");
    const at = await restingStep(page);
    await page.keyboard.press("Control+Shift+.");
    await expect.poll(() => stepOf(page)).toBe(at + 1);
    await page.keyboard.press("Control+Shift+Enter");
    await expect.poll(() => stepOf(page)).toBe(0);
    await page.keyboard.press("Control+Alt+Enter");
    await untilStep(page, 5);
    expect(await page.locator(".view-lines").textContent()).toBe(text);
    // a button keeps Space for itself, not the other keys
    await page.getByRole("button", { name: "Share" }).focus();
    await page.keyboard.press("r");
    await page.locator("h1 a").focus();
    await page.keyboard.press(".");
    await expect.poll(() => statusOf(page)).toBe("paused");
    await page.close();
  }, 120_000);

  test("definitions open the library to read, names are renamed, fixes and formats are applied", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await cursorBehind(page, "cross_entr");
    await page.keyboard.press("F12");
    await page.getByText(/of the standard library: read only/).waitFor();
    await page.getByRole("button", { name: /Back to/ }).click();
    await cursorBehind(page, "let points");
    await page.keyboard.press("F2");
    await page.locator(".rename-box input:focus, .rename-input:focus").first().waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("rows");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".view-lines").textContent()).toMatch(/shuffle\(rows\)/);
    // the shapes in the text go and come
    const hints = page.locator(".view-lines", { hasText: "f32" });
    await hints.waitFor();
    await page.keyboard.press("Alt+i");
    await expect.poll(() => hints.count()).toBe(0);
    await page.close();
  }, 120_000);
});
