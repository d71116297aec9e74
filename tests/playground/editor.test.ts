/** What the editor tells of a script while it is written: what a name is, and which names there are. */
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { cursorBehind, editorOf, hasBrowser, browserHere } from "./browser.ts";

const script = `seed 1
let points = toy.moons(n: 200)
let hidden = 16
let net = [Linear(hidden), tanh, Linear(2)]
train (x, label) in batches(points, 20) for 100_000 epochs {
  minimize cross_entropy(net(x), label) over net with Adam(1e-2)
}
`;

const textOf = async (page: Page): Promise<string> =>
  ((await page.locator(".monaco-editor .view-lines").textContent()) ?? "").replaceAll("\u00a0", " ");

describe.skipIf(!hasBrowser)("the editor", () => {
  const opened = browserHere();

  test("a note is marked in the text and takes no place below it", async () => {
    const page = await opened.pageWith(script.replaceAll("hidden", "norm"));
    await editorOf(page);
    await page.locator(".squiggly-info").first().waitFor();
    expect(await page.getByTestId("problems").count()).toBe(0);
    await page.close();
  });

  test("a name under the pointer is told with its type and its shape", async () => {
    const page = await opened.pageWith(script);
    await editorOf(page);
    const hover = page.locator(".monaco-hover:not(.hidden)");
    /** A hover is dropped where the editor is laid out anew meanwhile; the next move of the pointer brings it. */
    const hoverOf = async (line: string, name: string): Promise<string[]> => {
      await page.mouse.move(0, 0);
      await expect.poll(() => hover.count()).toBe(0);
      await page.locator(".view-line", { hasText: line }).getByText(name, { exact: true }).first().hover();
      const came = hover.waitFor({ timeout: 3000 });
      return came.then(
        () => hover.allTextContents(),
        () => [],
      );
    };
    for (const [line, name, told] of [
      ["minimize", "x", /x: f32\[B, F\]\s*B = 20, F = 2/],
      ["minimize", "label", /label: index\(2\)\[B\]\s*B = 20/],
      ["let hidden", "hidden", /hidden.*16/],
    ] as const) {
      await expect.poll(() => hoverOf(line, name), { timeout: 30_000 }).toEqual([expect.stringMatching(told)]);
    }
    await page.close();
  });

  test("names of the script and of the library are offered by keys, and one that is taken stands in the text", async () => {
    const page = await opened.pageWith(script);
    const offered = page.locator(".suggest-widget.visible");
    const row = (name: string) => offered.getByRole("option", { name: new RegExp(`^${name}\\b`) });
    await cursorBehind(page, "net = [Linear(hid");
    await page.keyboard.press("Control+Space");
    await row("hidden").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => offered.count()).toBe(0);

    await cursorBehind(page, "hidden), tanh");
    await page.keyboard.type(", rel", { delay: 50 });
    await row("relu").waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => textOf(page)).toContain("tanh, relu, Linear(2)");
    expect(await offered.count()).toBe(0);
    await page.close();
  });
});
