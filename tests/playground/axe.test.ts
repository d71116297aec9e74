/** axe-core looks at the main states of the page: nothing serious, nothing critical. */
import axe from "axe-core";
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { cursorBehind, editorOf, hasBrowser, browserHere, untilStep, write } from "./browser.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

interface Found {
  readonly impact: string | null;
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** `part`: a selector of what is looked at. */
async function look(page: Page, part = "html"): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async (part) => {
    type Run = (part: string, options: object) => Promise<{ violations: readonly Found[] }>;
    const { run } = Reflect.get(globalThis, "axe") as { run: Run };
    return (await run(part, { resultTypes: ["violations"] })).violations;
  }, part);
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

describe.skipIf(!hasBrowser)("nothing serious in", () => {
  const opened = browserHere();

  test("the page as it opens, light and dark, with the tour, a mistake and each window", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await editorOf(page);
    // a picture of one moment
    await page.getByRole("button", { name: "Pause" }).click();
    const found: Record<string, string[]> = {};
    const see = async (state: string) => (found[state] = await look(page));
    await see("opening");
    await page.getByRole("button", { name: "Dark" }).click();
    await see("dark");
    for (const tab of await page.getByRole("tablist", { name: "Panels" }).getByRole("tab").all()) {
      await tab.click();
      await see(`panel ${await tab.textContent()}`);
    }
    await page.getByRole("button", { name: "Dark" }).click();
    await page.getByLabel("Curves").getByLabel("table").check();
    await see("table");
    for (const name of ["Examples", "Scripts", "Share", "Keys"]) {
      await page.getByRole("button", { name, exact: true }).click();
      await page.getByRole("dialog").waitFor();
      await see(name);
      await page.keyboard.press("Escape");
    }
    await write(page, "let a = bb\n");
    await page.getByTestId("problems").waitFor();
    await see("mistake");
    await page.getByRole("button", { name: "Tour", exact: true }).click();
    await page.getByTestId("tour").waitFor();
    await see("tour");
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
    expect(Object.keys(found).length).toBeGreaterThanOrEqual(9);
    await page.close();
  }, 180_000);

  test("the surface, layers, values and a watched value, each in the ways it is shown, and in the dark", async () => {
    // all of it stands in the window: panels show what is seen
    const page = await opened.page({ context: { viewport: { width: 1280, height: 2000 } } });
    const surface = page.getByRole("region", { name: "Decision surface" });
    const tile = page.getByTestId("tile");
    const found: Record<string, string[]> = {};
    const see = async (state: string) => (found[state] = await look(page, "section.run"));
    const eachWay = async (shown: Locator, name: string) => {
      const ways = shown.getByLabel("Shown as");
      await ways.waitFor({ timeout: 20_000 });
      const all = await ways.locator("option").allTextContents();
      // colours are all that the dark changes, and the table has most of them
      for (const label of name.startsWith("dark") ? ["table"] : all) {
        await ways.selectOption({ label });
        await see(`${name} as ${label}`);
      }
    };
    await page.getByLabel("Speed").selectOption("30");
    await page.getByTestId("surface").waitFor({ timeout: 20_000 });
    await surface.getByLabel("table").check();
    await cursorBehind(page, "cross_entropy(net");
    await page.keyboard.press("Alt+Enter");
    await tile.getByLabel("Shown as").waitFor({ timeout: 20_000 });
    for (const theme of ["light", "dark"]) {
      await see(`${theme}, surface`);
      await eachWay(tile, `${theme}, tile`);
      await page.getByRole("tab", { name: "Layers" }).click();
      await page.getByTestId("layer").first().waitFor({ timeout: 20_000 });
      await see(`${theme}, layers`);
      await page.getByRole("tab", { name: "Values" }).click();
      await page.getByRole("button", { name: "net.2.w" }).click({ timeout: 20_000 });
      await eachWay(page.getByTestId("value-detail"), `${theme}, value`);
      await page.getByRole("button", { name: "Dark" }).click();
    }
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
    expect(Object.keys(found).length).toBeGreaterThanOrEqual(14);
    await page.close();
  }, 180_000);

  test("the phone, in each of its parts", async () => {
    const page = await opened.page({ context: PHONE });
    await untilStep(page, 5);
    const found: Record<string, string[]> = {};
    for (const name of ["Script", "Run", "Tour"]) {
      await page.getByRole("tab", { name, exact: true }).click();
      found[name] = await look(page);
    }
    expect(found).toEqual({ Script: [], Run: [], Tour: [] });
    await page.close();
  }, 120_000);
});
