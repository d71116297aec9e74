/** Every example has one thing to try, says which files it needs, and compiles; with those files it begins in the page. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import { exampleOf } from "../../playground/gallery/example.ts";
import { webHost } from "../../runtime/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { hasBrowser, browserHere, statusOf, untilStep } from "./browser.ts";
import { idxFile } from "./idx.ts";

const folder = join(import.meta.dirname, "../../examples");
const all = readdirSync(folder)
  .filter((name) => name.endsWith(".dlx"))
  .map((name) => exampleOf(name, readFileSync(join(folder, name), "utf8")));

/** As small as they may be: a batch and a bit. */
const mnist: Readonly<Record<string, Uint8Array>> = {
  "train-images-idx3-ubyte": idxFile([80, 28, 28], (i) => (i * 7) % 256),
  "train-labels-idx1-ubyte": idxFile([80], (i) => i % 10),
  "t10k-images-idx3-ubyte": idxFile([20, 28, 28], (i) => (i * 5) % 256),
  "t10k-labels-idx1-ubyte": idxFile([20], (i) => i % 10),
};

describe.each(all.map((example) => [example.file, example] as const))("%s", (_, example) => {
  test("says in a sentence what it is and in one what to try", () => {
    expect(example.about).toMatch(/^\p{Lu}.*[.?]$/u);
    expect(example.tryThis).toMatch(/[.?]$/);
    expect(example.text.match(/^# Try this: /gm)).toHaveLength(1);
  });

  test("compiles with the files that it says it needs, and with none where it says so", async () => {
    const files = new Map(example.needs === undefined ? [] : Object.entries(mnist));
    const { program, diagnostics } = await compile(example, { ...webHost({ files }), prelude });
    expect(diagnostics.filter(({ severity }) => severity !== "note")).toEqual([]);
    expect(program).toBeDefined();
  });
});

describe.skipIf(!hasBrowser)("in the page", () => {
  const opened = browserHere();

  test("one without its files says what to drop, and begins with them", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    const problems = page.getByTestId("problems");
    const open = async (file: string) => {
      await page.getByRole("button", { name: "Examples" }).click();
      await page.getByTestId("gallery").getByRole("button", { name: file }).click();
    };
    const begins = async (file: string) => {
      await untilStep(page, 1, 60_000);
      await expect.poll(() => problems.locator(".error").count(), { message: file }).toBe(0);
      expect(await statusOf(page), file).not.toBe("failed");
    };
    const needy = all.filter(({ needs }) => needs !== undefined);
    expect(needy.length).toBeGreaterThan(0);
    for (const [i, { file }] of needy.entries()) {
      await open(file);
      if (i === 0) {
        await expect.poll(() => problems.textContent(), { timeout: 20_000 }).toContain("drop it on the page");
        await page.getByRole("tab", { name: "Data" }).click();
        const given = Object.entries(mnist).map(([name, bytes]) => ({
          name,
          mimeType: "application/octet-stream",
          buffer: Buffer.from(bytes),
        }));
        await page.getByTestId("add-file").setInputFiles(given);
      }
      await expect.poll(() => problems.locator(".error").count(), { timeout: 30_000 }).toBe(0);
      await begins(file);
    }
    await page.close();
  });
});
