/**
 * Pictures of the playground: npm run screenshots [-- --only light,phone] [--to FOLDER]
 * Each state is reached as a person reaches it, and stands still when it is taken: paused at a step, the cursor away.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cursorBehind, editorOf, launch, openExample, serve, untilStep } from "./playground/site.mjs";

const docs = fileURLToPath(new URL("../docs/images", import.meta.url));
const { values } = parseArgs({ options: { only: { type: "string" }, to: { type: "string", default: docs } } });

const WIDE = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true };
const dark = { colorScheme: "dark" };

/** So slow that it stands about where it is to. */
const paused = async (page, step) => {
  await page.getByLabel("Speed").selectOption("300");
  await untilStep(page, step, 120_000);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator("[data-status=paused]").waitFor();
};
const panel = (page, name) => page.getByRole("tab", { name, exact: true }).click();

/** Name → where it is looked at, and how one gets there from the page as it opens. */
const pictures = {
  light: { look: WIDE, reach: (page) => paused(page, 1500) },
  dark: {
    look: { ...WIDE, ...dark },
    reach: async (page) => {
      await openExample(page, "04-mlp.dlx");
      await page
        .locator(".view-line", { hasText: "plot loss" })
        .getByText("acc")
        .click({ modifiers: ["Alt"] });
      await paused(page, 150);
    },
  },
  error: {
    look: WIDE,
    reach: async (page) => {
      await untilStep(page, 800);
      await cursorBehind(page, "Linear(24), tanh");
      await page.keyboard.type(", Linaer(8)");
      await page.locator(".squiggly-error").first().waitFor();
      await page.waitForTimeout(400);
      await paused(page, 1500);
    },
  },
  tour: {
    look: WIDE,
    reach: async (page) => {
      await page.getByRole("button", { name: "Tour", exact: true }).click();
      await page.getByRole("button", { name: "Show me" }).click();
      await page.getByTestId("goal").filter({ hasText: "Reached" }).waitFor();
    },
  },
  hood: {
    look: { ...WIDE, ...dark },
    reach: async (page) => {
      await paused(page, 500);
      await panel(page, "Graph");
      await page.waitForTimeout(2000);
      await page.getByRole("button", { name: "Fit" }).scrollIntoViewIfNeeded();
      await page.mouse.move(900, 600);
      await page.mouse.wheel(0, 350);
    },
  },
  phone: { look: PHONE, reach: (page) => paused(page, 1500) },
};

const chosen = values.only?.split(",") ?? Object.keys(pictures);
mkdirSync(values.to, { recursive: true });
const site = await serve();
const browser = await launch("cpu");
try {
  for (const name of chosen) {
    const { look, reach } = pictures[name];
    const page = await (await browser.newContext({ ...look, reducedMotion: "reduce" })).newPage();
    await page.goto(site.url);
    if (look === WIDE || look.viewport === WIDE.viewport) await editorOf(page);
    await reach(page);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(500);
    const png = await page.screenshot({ animations: "disabled", caret: "hide" });
    writeFileSync(join(values.to, `playground-${name}.png`), png);
    console.log(`playground-${name}.png  ${Math.round(png.length / 1000)} kB`);
    await page.context().close();
  }
} finally {
  await browser.close();
  site.close();
}
