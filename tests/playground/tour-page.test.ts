/** A person takes the tour: the page says when a goal is reached, and knows it after a reload. */
import { describe, expect, test } from "vitest";
import { hasBrowser, browserHere } from "./browser.ts";

describe.skipIf(!hasBrowser)("the tour", () => {
  const opened = browserHere();

  test("opens its own script, sees its goal reached, goes on after a reload, speaks Chinese", async () => {
    const page = await opened.page();
    const goal = page.getByTestId("goal");
    const file = page.locator("header .file");
    await expect.poll(() => file.textContent()).toBe("spirals.dlx");
    await page.getByRole("button", { name: "Tour", exact: true }).click();
    await expect.poll(() => file.textContent()).toBe("tour-01.dlx");
    expect(await goal.getAttribute("data-reached")).toBe("false");
    await page.getByLabel("rate").focus();
    for (let i = 0; i < 9; i++) await page.keyboard.press("PageUp");
    await expect.poll(() => goal.textContent(), { timeout: 20_000 }).toContain("Reached");
    await page.getByRole("button", { name: "Next" }).click();
    await expect.poll(() => file.textContent()).toBe("tour-02.dlx");
    expect(await goal.textContent()).toContain("Not yet");
    await page.getByRole("button", { name: "Show me" }).click();
    await expect.poll(() => goal.textContent(), { timeout: 20_000 }).toContain("Reached");

    await page.reload();
    await expect.poll(() => file.textContent()).toBe("tour-02.dlx");
    await page.getByRole("button", { name: /Lessons 2 \/ 12/ }).click();
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("button", { name: "上一课" }).click();
    await expect.poll(() => goal.textContent()).toContain("已达成");
    await page.getByRole("button", { name: "关闭导览" }).click();
    await expect.poll(() => page.getByTestId("tour").count()).toBe(0);
    await page.close();
  });
});
