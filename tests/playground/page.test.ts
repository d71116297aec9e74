/** A person opens the page: something is learning, an edit is swapped in, a mistake stops nothing. */
import { describe, expect, test } from "vitest";
import { cursorBehind, downloaded, editorOf, hasBrowser, browserHere, statusOf, stepOf, untilStep } from "./browser.ts";

describe.skipIf(!hasBrowser)("the page on the cpu device", () => {
  const opened = browserHere();

  test("opens and learns", async () => {
    const page = await opened.page();
    const step = await untilStep(page, 5);
    await untilStep(page, step + 5);
    expect(await page.getByTestId("device").textContent()).toContain("cpu (WebAssembly");
    expect(await page.getByTestId("curves").locator("canvas").count()).toBe(1);
    await page.close();
  });

  test("pauses, steps, restarts by buttons and keys", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => statusOf(page)).toBe("paused");
    await page.waitForTimeout(200);
    const at = await stepOf(page);
    await page.getByRole("button", { name: "Step" }).click();
    await expect.poll(() => stepOf(page)).toBe(at + 1);
    await page.getByText("spirals.dlx").click();
    await page.keyboard.press(".");
    await expect.poll(() => stepOf(page)).toBe(at + 2);
    await page.keyboard.press("r");
    await expect.poll(() => stepOf(page)).toBe(0);
    await page.keyboard.press("Space");
    await untilStep(page, 5);
    await page.close();
  });

  test("a mistake squiggles its token and the old model goes on; mending it swaps", async () => {
    const page = await opened.page();
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 5);
    await editorOf(page);
    await cursorBehind(page, "cross_entropy");
    await page.keyboard.type("x");
    await page.locator(".squiggly-error").first().waitFor();
    expect(await page.getByTestId("problems").textContent()).toContain("cross_entropyx");
    const step = await stepOf(page);
    await untilStep(page, step + 20);
    expect(await statusOf(page)).toBe("playing");
    await page.keyboard.press("Backspace");
    await expect.poll(() => page.locator(".squiggly-error").count()).toBe(0);
    await cursorBehind(page, "Linear(24), tanh");
    await page.keyboard.type(", Linear(8), tanh");
    await page
      .getByRole("status")
      .filter({ hasText: /swapped in at step \d+/ })
      .waitFor();
    const after = await stepOf(page);
    expect(after).toBeGreaterThan(step);
    await untilStep(page, after + 5);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("the page on webgpu", () => {
  const opened = browserHere({ webgpu: true });

  test("opens and learns", async () => {
    const page = await opened.page();
    await page.getByLabel("Device").selectOption("webgpu");
    await expect.poll(() => page.getByTestId("device").textContent(), { timeout: 20_000 }).toContain("webgpu (");
    await untilStep(page, 10);
    await page.reload();
    await expect.poll(() => page.getByTestId("device").textContent(), { timeout: 20_000 }).toContain("webgpu (");
    await untilStep(page, 10);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("watching", () => {
  const opened = browserHere();

  test("alt-click on an expression shows its value; it follows its line, and closing it ends it", async () => {
    const page = await opened.page();
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 5);
    await editorOf(page);
    await page
      .locator(".view-line", { hasText: "plot loss" })
      .getByText("loss")
      .click({ modifiers: ["Alt"] });
    const tile = page.getByTestId("tile");
    await expect.poll(() => tile.locator(".number").textContent(), { timeout: 20_000 }).toMatch(/^\d/);
    expect(await tile.locator("b").textContent()).toBe("loss");
    await cursorBehind(page, "seed 4");
    await page.keyboard.type("\n# moved down");
    await page.waitForTimeout(1500);
    const step = async () => Number((await tile.textContent())?.match(/step (\d+)/)?.[1]);
    const at = await step();
    await expect.poll(step, { timeout: 20_000 }).toBeGreaterThan(at);
    await page.getByLabel("Stop watching loss").click();
    expect(await tile.count()).toBe(0);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("sharing", () => {
  const opened = browserHere();

  test("a link brings script and inputs to another person, and params leave as a file", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await page.getByRole("slider").fill("900");
    await page.getByRole("button", { name: "Share" }).click();
    const link = await page.getByTestId("link").inputValue();
    await page.keyboard.press("Escape");
    const all = await downloaded(page, "Params as safetensors");
    const header = all.subarray(8, 8 + Number(all.readBigUInt64LE())).toString();
    expect(Object.keys(JSON.parse(header) as object)).toEqual(expect.arrayContaining(["net.0.w", "net.0.b"]));
    const other = await opened.page({ path: link.slice(link.indexOf("#")) });
    await untilStep(other, 5);
    expect(await other.getByRole("slider").inputValue()).toBe(await page.getByRole("slider").inputValue());
    expect(await other.locator(".file").textContent()).toBe("spirals.dlx");
    expect(other.url()).not.toContain("#");
    await page.close();
  });

  test("a link of another format is refused in words, and something learns all the same", async () => {
    const page = await opened.page({ path: "#dlx9=abc" });
    await page.getByRole("alert").filter({ hasText: "newer playground" }).waitFor();
    await untilStep(page, 5);
    await page.close();
  });

  test("what is written is there after a reload", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await cursorBehind(page, "seed 4");
    await page.keyboard.type("2");
    await page.waitForTimeout(600);
    await page.reload();
    await untilStep(page, 5);
    await expect.poll(() => page.locator(".view-lines").textContent()).toContain("42");
    await page.close();
  });
});
