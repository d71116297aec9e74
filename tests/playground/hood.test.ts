/** Under the hood of the page: what a person sees of tree, graph, kernels, code and counts, and how it goes with the editor. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countsOf, kernelsOf } from "../../runtime/inspect/index.ts";
import { workplace } from "../runtime/cli.ts";
import { compileText } from "../run-script.ts";
import { cursorBehind, editorOf, hasBrowser, openBrowser, statusOf, untilStep, type Opened } from "./browser.ts";

const first = join(import.meta.dirname, "../../playground/first.dlx");
const script = readFileSync(first, "utf8");
const tab = (page: Page, name: string) => page.getByRole("tab", { name, exact: true }).click();
/** What is selected in the editor, as a person would copy it. */
async function selected(page: Page): Promise<string> {
  const parts = await page.locator(".monaco-editor .selected-text").count();
  if (parts === 0) return "";
  await page.locator(".monaco-editor textarea, .monaco-editor .native-edit-context").first().focus();
  await page.keyboard.press("Control+C");
  return page.evaluate<string>("navigator.clipboard.readText()");
}
interface Found {
  readonly id: string;
  readonly impact: string;
  readonly at: string;
}
const seeing = { permissions: ["clipboard-read", "clipboard-write"] };

describe.skipIf(!hasBrowser)("under the hood on the cpu device", () => {
  let opened: Opened;
  let page: Page;
  beforeAll(async () => {
    opened = await openBrowser();
    page = await opened.page({ context: seeing });
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 5);
    await editorOf(page);
  }, 180_000);
  afterAll(() => opened?.close());

  test("tree: a row selects its text, keys fold and go, the cursor lights its row", async () => {
    await tab(page, "AST");
    const tree = page.getByRole("tree");
    const row = (id: string) => tree.locator(`[data-row="${id}"]`);
    await row("file/body[3]/value").click();
    await expect.poll(() => selected(page)).toBe("[Linear(24), tanh, Linear(24), tanh, Linear(2)]");
    expect(await row("file/body[3]/value").getAttribute("aria-expanded")).toBe("false");
    await row("file/body[3]/value").focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => row("file/body[3]/value").getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => selected(page)).toBe("Linear(24)");
    await row("file/body[3]/value/items[0]").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    expect(await row("file/body[3]/value/items[0]").count()).toBe(0);
    await cursorBehind(page, "spirals(n");
    await expect.poll(() => tree.locator("[aria-selected=true]").getAttribute("data-row")).toBe("file/body[2]/value");
    expect(await statusOf(page)).toBe("playing");
  });

  test("graph: folded by models; a click opens a box and selects its line, the cursor lights boxes", async () => {
    await tab(page, "Graph");
    const graph = page.getByTestId("graph");
    const box = (id: string) => graph.locator(`[data-box="${id}"]`);
    await box("forward:net").waitFor();
    for (const role of ["forward", "backward", "update"])
      expect(await box(role).getAttribute("aria-expanded")).toBe("true");
    const before = await graph.locator("[data-box]").count();
    await box("forward:net").click();
    await box("forward/net.0").waitFor();
    expect(await graph.locator("[data-box]").count()).toBe(before + 5);
    await expect.poll(() => selected(page)).toBe("Linear(24)");
    expect(await graph.locator("text.edge", { hasText: "40×24" }).count()).toBeGreaterThan(1);
    // by keys: closed again from its title
    await box("forward:net").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => box("forward/net.0").count()).toBe(0);
    const lit = () => graph.locator(".here").evaluateAll((all) => all.map((each) => each.getAttribute("data-box")));
    await cursorBehind(page, "Adam(lr");
    await expect.poll(lit).toEqual(expect.arrayContaining(["update", "update/train1.min1"]));
    expect(await lit()).not.toContain("forward:net");
    await cursorBehind(page, "seed 4");
    await expect.poll(lit).toEqual([]);
    await page.getByRole("combobox", { name: "Graph" }).selectOption("top1");
    await expect.poll(() => page.getByTestId("graph").locator("[data-box=backward]").count()).toBe(0);
  });

  test("kernels: as many as dlx graph counts; they name lines and have times; an edit counts anew", async () => {
    await tab(page, "Kernels");
    const shown = page.getByTestId("kernels-per-step");
    const expected = countsOf(await compileText(script), "cpu")[0]!.dispatches;
    await expect.poll(() => shown.textContent()).toBe(String(expected));
    const at = workplace();
    const { out } = await at.run(["graph", first, "--stats", "--device", "cpu", "--json"]);
    at.remove();
    const told = JSON.parse(out) as { programs: { dispatches: number }[] };
    expect(told.programs[0]!.dispatches).toBe(expected);
    const rows = page.getByTestId("kernels").locator("tbody tr");
    const [train] = kernelsOf(await compileText(script), "cpu").filter(({ name }) => name === "train1");
    expect(await rows.count()).toBe(train!.kernels.length);
    await expect.poll(() => rows.first().textContent(), { timeout: 20_000 }).toMatch(/[µm]s/);
    expect(
      await rows.locator("td.lines", { hasText: "optimizers.dlx" }).getByRole("button").first().textContent(),
    ).toBe("9");
    await page.getByTestId("kernels").getByRole("button", { name: "Line 5" }).first().click();
    await expect.poll(() => selected(page)).toMatch(/Linear|tanh/);
    await cursorBehind(page, "Linear(24), tanh");
    await page.keyboard.type(", Linear(8), tanh");
    const edited = countsOf(
      await compileText(script.replace("Linear(24), tanh", "Linear(24), tanh, Linear(8), tanh")),
      "cpu",
    );
    expect(edited[0]!.dispatches).not.toBe(expected);
    await expect.poll(() => shown.textContent(), { timeout: 20_000 }).toBe(String(edited[0]!.dispatches));
  });

  test("code: WebAssembly of the chosen kernel", async () => {
    await tab(page, "Kernels");
    await page.getByTestId("kernels").getByRole("button", { name: /^k1: / }).click();
    await tab(page, "WGSL/Wasm");
    const code = page.getByTestId("code");
    await expect.poll(() => code.textContent()).toMatch(/^func \d/);
    expect(await page.getByRole("combobox", { name: "Kernel" }).inputValue()).toBe("train1 k1");
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await expect.poll(() => page.evaluate<string>("navigator.clipboard.readText()")).toBe(await code.textContent());
  });

  test("axe finds nothing serious in any of the tabs", async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(axe);
    for (const name of ["AST", "Graph", "Kernels", "WGSL/Wasm", "Stats"]) {
      await tab(page, name);
      await page.getByRole("tabpanel").locator("[data-testid]").first().waitFor();
      const found = await page.evaluate<Found[]>(
        "axe.run('.panel').then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes[0].html })))",
      );
      expect(found.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
    }
  });

  test("stats: each count with its meaning, and the docs behind it", async () => {
    await tab(page, "Stats");
    const row = page.getByTestId("stats").getByRole("row", { name: /^Parameters/ });
    await expect.poll(() => row.textContent()).toMatch(/Parameters\s*\d/);
    await page.getByRole("button", { name: "More about memory" }).click();
    await page.getByRole("dialog").getByText("peakBytes").waitFor();
    await page.keyboard.press("Escape");
  });
});

describe.skipIf(!hasBrowser)("under the hood on webgpu", () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await openBrowser({ webgpu: true });
  }, 180_000);
  afterAll(() => opened?.close());

  test("WGSL of its kernels, as many as are counted, with times of the adapter", async () => {
    const page = await opened.page();
    await page.getByLabel("Device").selectOption("webgpu");
    await expect.poll(() => page.getByTestId("device").textContent(), { timeout: 20_000 }).toContain("webgpu (");
    await untilStep(page, 5);
    await tab(page, "Kernels");
    const expected = countsOf(await compileText(script), "webgpu software")[0]!.dispatches;
    await expect
      .poll(() => page.getByTestId("kernels-per-step").textContent(), { timeout: 20_000 })
      .toBe(String(expected));
    const said = () => page.getByRole("tabpanel").getByRole("status").textContent();
    await expect.poll(said, { timeout: 30_000 }).toMatch(/measured over \d+ steps?\.$|^No times: /);
    await tab(page, "WGSL/Wasm");
    await expect.poll(() => page.getByTestId("code").textContent(), { timeout: 20_000 }).toContain("@compute");
    await page.close();
  });
});
