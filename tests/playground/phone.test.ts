/** The page on a phone: one part at a time over a bar that always shows the step, with targets that a finger meets. */
import { describe, expect, test } from "vitest";
import { hasBrowser, browserHere, stepOf, untilStep } from "./browser.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Run in the page: its width, and what is too small for a finger. */
const MEASURE = `(() => {
  const shown = [...document.querySelectorAll("button, select, [type=range]")].filter((each) => each.checkVisibility());
  const small = shown.flatMap((each) => {
    const { width, height } = each.getBoundingClientRect();
    return width < 40 || height < 40 ? [each.textContent.trim() + " " + width + "x" + height] : [];
  });
  return { wide: document.documentElement.scrollWidth, shown: shown.length, small };
})()`;

describe.skipIf(!hasBrowser)("the page on a phone", () => {
  const opened = browserHere();

  for (const colorScheme of ["light", "dark"] as const)
    test(`fits its width and the finger, ${colorScheme}`, async () => {
      const page = await opened.page({ context: { ...PHONE, colorScheme, reducedMotion: "reduce" } });
      await untilStep(page, 5);
      expect(await page.getByTestId("monaco").count()).toBe(0);
      for (const name of ["Script", "Run", "Tour"]) {
        await page.getByRole("tab", { name, exact: true }).tap();
        expect(await page.getByTestId("step").isVisible()).toBe(true);
        expect(await page.getByTestId("plain-editor").isVisible()).toBe(name === "Script");
        expect(await page.getByTestId("curves").isVisible()).toBe(name === "Run");
        const measured = (await page.evaluate(MEASURE)) as { wide: number; shown: number; small: string[] };
        expect(measured.wide).toBe(390);
        expect(measured.shown).toBeGreaterThan(8);
        expect(measured.small).toEqual([]);
      }
      expect(await page.locator("html").getAttribute("data-theme")).toBe(colorScheme);
      await page.close();
    }, 120_000);

  test("a script is written, mended and steered there", async () => {
    const page = await opened.page({ context: PHONE });
    await untilStep(page, 5);
    await page.getByRole("tab", { name: "Script" }).tap();
    const editor = page.getByTestId("plain-editor");
    const text = await editor.inputValue();
    await editor.fill(text.replace("cross_entropy", "cross_entropi"));
    const problem = page.getByTestId("problems").getByRole("button");
    await problem.tap();
    // the message leads to its place
    expect(await page.evaluate("String(getSelection())")).toBe("cross_entropi");
    const step = await stepOf(page);
    await untilStep(page, step + 5);
    await editor.fill(text.replace("tanh, Linear(2)", "tanh, Linear(8), tanh, Linear(2)"));
    await page
      .getByTestId("note")
      .filter({ hasText: /swapped in at step/ })
      .waitFor();
    await page.getByRole("tab", { name: "Run" }).tap();
    await page.getByRole("slider").fill("900");
    await expect.poll(() => page.getByText(/2 marks/).count()).toBe(1);
    await page.getByRole("button", { name: "Pause" }).tap();
    await page.getByRole("button", { name: "Play" }).waitFor();
    await page.close();
  }, 120_000);
});
