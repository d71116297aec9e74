/** A program is changed while it trains, by its text or by an input that shapes it: what it learned stays. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { cursorBehind, hasBrowser, browserHere, plotted, statusOf, stepOf, untilStep } from "./browser.ts";

const script = `seed 1
input act = tanh in [tanh, relu]
input wide = false
let points = toy.moons(n: 200, noise: 0.1)
let net = [Linear(wide ? 32 : 16), act, Linear(2)]
train (x, label) in batches(shuffle(points), 40) for 100_000 epochs {
  let loss = cross_entropy(net(x), label)
  minimize loss over net with Adam(1e-2)
  plot loss
}
`;

/** Four params, two moments of each, and the count of Adam; behind it the button that takes it back. */
const ALL = /; 13 kept\s+Undo/;
const swapped = (page: Page, parts: RegExp) =>
  page
    .getByTestId("note")
    .filter({ hasText: /swapped in at step \d+/ })
    .filter({ hasText: parts });
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.skipIf(!hasBrowser)("swaps", () => {
  const opened = browserHere();

  /** It has learned most of what there is to learn, at a speed at which every point is kept. */
  async function learned(): Promise<Page> {
    const page = await opened.pageWith(script);
    await page.getByLabel("Speed").selectOption("300");
    await page.getByLabel("Curves").getByLabel("table").check();
    const last = page.getByRole("row", { name: "loss" }).locator("td").first();
    await expect.poll(async () => Number(await last.textContent()) || 1, { timeout: 60_000 }).toBeLessThan(0.1);
    return page;
  }

  test("a mistake that is mended leaves the loss where it was", async () => {
    const page = await learned();
    await cursorBehind(page, "Adam(1e-2");
    await page.keyboard.type("x");
    await page.locator(".squiggly-error").first().waitFor();
    await untilStep(page, (await stepOf(page)) + 30);
    expect(await statusOf(page)).toBe("playing");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("3");
    const note = swapped(page, ALL);
    await note.waitFor();
    expect(await page.locator(".squiggly-error").count()).toBe(0);
    const at = Number(/step (\d+)/.exec((await note.textContent()) ?? "")?.[1]);
    await untilStep(page, at + 60);
    const { step = [], loss = [] } = await plotted(page);
    expect(step).toEqual(step.map((_, i) => i + 1));
    const [first, before, after] = [loss.slice(0, 10), loss.slice(at - 40, at), loss.slice(at, at + 10)].map(mean);
    expect(first).toBeGreaterThan(0.5);
    expect(after! - before!).toBeLessThan((first! - before!) / 5);
    await page.close();
  }, 120_000);

  test("a choice and a toggle change the program that trains, and it trains on", async () => {
    const page = await learned();
    const inputs = page.getByRole("group", { name: "Inputs" });
    const marks = page.getByRole("region", { name: "Curves" }).locator("details");
    expect(await inputs.getByText("rebuilds").count()).toBe(2);
    const before = await stepOf(page);
    await inputs.getByLabel("act").selectOption("relu");
    await swapped(page, ALL).waitFor();
    await marks.getByText("1 mark").waitFor();
    await untilStep(page, (await stepOf(page)) + 30);
    await inputs.getByLabel("wide").check();
    await swapped(page, /begun anew: .*net\.0\.w/).waitFor();
    await marks.getByText("2 marks").waitFor();
    await untilStep(page, (await stepOf(page)) + 30);
    expect(await inputs.getByLabel("act").inputValue()).toBe("relu");
    expect(await inputs.getByLabel("wide").isChecked()).toBe(true);
    expect(await statusOf(page)).toBe("playing");
    const { step = [] } = await plotted(page);
    expect(step[0]).toBe(1);
    expect(step.at(-1)).toBeGreaterThan(before + 60);
    await page.close();
  }, 120_000);
});
