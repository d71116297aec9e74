/** What goes into the page and what leaves it: dropped files, kept scripts, exports; each looked at by its content. */
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodePng } from "../../runtime/data/png.ts";
import {
  cursorBehind,
  editorOf,
  hasBrowser,
  browserHere,
  openBrowser,
  statusOf,
  stepOf,
  untilStep,
  write,
  type Opened,
} from "./browser.ts";
import { tensorsOf } from "./lab.ts";

/** Lets files go over the page. */
async function drop(page: Page, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const given = Object.entries(files).map(
    ([name, content]) => [name, Buffer.from(content).toString("base64")] as const,
  );
  const dataTransfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer();
    for (const [name, base64] of ${JSON.stringify(given)})
      transfer.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name));
    return transfer;
  })()`);
  await page.dispatchEvent("main", "dragenter", { dataTransfer });
  await page.getByText("Let go").waitFor();
  await page.dispatchEvent("main", "drop", { dataTransfer });
}

async function bytesOf(download: Download): Promise<Buffer> {
  return readFileSync(await download.path());
}
async function exported(page: Page, button: string): Promise<Buffer> {
  const waits = page.waitForEvent("download");
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
  return bytesOf(await waits);
}
/** The lines as they stand under one another; the editor keeps them in another order. */
async function textOf(page: Page): Promise<string> {
  const lines = await page
    .locator(".view-line")
    .evaluateAll((all) => all.map((line) => ({ top: parseFloat(line.style.top), text: line.textContent })));
  return lines
    .sort((a, b) => a.top - b.top)
    .map(({ text }) => text.replaceAll("\u00a0", " "))
    .join("\n");
}
/** By keys: the bar of the pace stands before what has not been scrolled yet. */
async function press(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).press("Enter");
}

const iris = [
  "long,wide,kind",
  ...Array.from({ length: 60 }, (_, i) => `${i % 7},${(i * 5) % 11},${"abc"[i % 3]}`),
].join("\n");
const onIris = `seed 1
let net = [Linear(8), tanh, Linear(3)]
train (x, y) in batches(data, 20) for 100000 epochs {
  let loss = cross_entropy(net(x), y)
  minimize loss over net with Adam(1e-2)
  plot loss
}
`;

describe.skipIf(!hasBrowser)("files on the page", () => {
  const opened = browserHere();

  test("a script asks for its file; dropped, it is read, kept over a reload and named beside the link; removed, it is asked for again", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    await write(page, `let data = csv("iris.csv", target: "kind")\n${onIris}`);
    const problems = page.getByTestId("problems");
    await expect.poll(() => problems.textContent(), { timeout: 20_000 }).toContain("there is no file `iris.csv`");
    expect(await problems.textContent()).toContain("drop it on the page");

    await drop(page, { "iris.csv": iris });
    const listed = page.getByTestId("files").getByRole("listitem");
    await expect.poll(() => listed.textContent(), { timeout: 20_000 }).toContain("60 rows");
    for (const words of ["long", "numbers", "words, 3 classes", 'let data = csv("iris.csv", target: "kind")'])
      expect(await listed.textContent()).toContain(words);
    await expect.poll(() => problems.count(), { timeout: 20_000 }).toBe(0);
    await untilStep(page, 5);
    await expect.poll(() => page.getByTestId("note").textContent()).not.toContain("mistake");

    await page.getByRole("button", { name: "Share" }).click();
    await page.getByTestId("left").getByText("iris.csv").waitFor();
    await page.keyboard.press("Escape");

    await page.reload();
    await untilStep(page, 5);
    await page.getByTestId("files").getByText("iris.csv", { exact: true }).waitFor();
    await press(page, "Remove iris.csv");
    await expect.poll(() => problems.textContent(), { timeout: 20_000 }).toContain("there is no file `iris.csv`");
    await page.close();
  });

  test("the line that reads a file is put before the cursor's; a damaged file gets one message with its place", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    await write(page, onIris);
    await cursorBehind(page, "seed 1");
    await page.getByRole("tab", { name: "Data" }).click();
    const chosen = page.getByTestId("add-file");
    await chosen.setInputFiles([
      { name: "iris.csv", mimeType: "text/csv", buffer: Buffer.from(iris) },
      { name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n3,x\n") },
    ]);
    const bad = page.getByTestId("files").getByRole("listitem").filter({ hasText: "bad.csv" });
    await bad.getByRole("alert").getByText("`bad.csv`, line 3, column `b`").waitFor();
    expect(await bad.getByRole("alert").count()).toBe(1);
    await press(page, "Insert at the cursor");
    await expect.poll(() => textOf(page)).toContain('let data = csv("iris.csv", target: "kind")\nseed 1');
    await untilStep(page, 5);
    await page.close();
  });

  test("a script opens under a free name; params go out, and in again they are the same", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    await drop(page, {
      "spirals.dlx": '# mine\nlet net = Linear(2)\nprint net(ones([1, 3]))\nsave net to "mine.safetensors"\n',
    });
    await expect.poll(() => textOf(page)).toContain("# mine");
    await page.getByRole("tab", { name: "Data" }).click();
    const taken = page.waitForEvent("download");
    await page.getByTestId("saved").getByRole("button", { name: "mine.safetensors" }).press("Enter");
    expect(Object.keys(tensorsOf(await bytesOf(await taken)))).toEqual(["w", "b"]);
    await drop(page, { "spirals.dlx": "# mine too\nprint 2\n" });
    await expect.poll(() => page.locator(".file").textContent()).toBe("spirals 2.dlx");
    await page.reload();
    await expect.poll(() => textOf(page), { timeout: 20_000 }).toContain("# mine too");

    await page.getByRole("button", { name: "Examples" }).click();
    await page.getByTestId("gallery").getByRole("button", { name: "digits.dlx" }).click();
    await untilStep(page, 5);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => statusOf(page)).toBe("paused");
    await page.getByRole("button", { name: "Share" }).click();
    const params = await exported(page, "Params as safetensors");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await page.waitForTimeout(300);
    await drop(page, { "digits.safetensors": params });
    await press(page, "Into this run");
    const said = page.getByTestId("imported");
    await expect.poll(() => said.textContent()).toMatch(/in the run since step \d+: .*\.w/);
    expect(await said.textContent()).not.toMatch(/not taken|not in the file/);
    await page.getByRole("button", { name: "Share" }).click();
    expect(tensorsOf(await exported(page, "Params as safetensors"))).toEqual(tensorsOf(params));
    await page.close();
  });

  test("script, curves and every panel leave as what they are", async () => {
    const page = await opened.page();
    await editorOf(page);
    await untilStep(page, 20);
    await page
      .locator(".view-line", { hasText: "plot loss" })
      .getByText("loss")
      .click({ modifiers: ["Alt"] });
    await expect.poll(() => page.getByTestId("tile").locator(".number").count(), { timeout: 20_000 }).toBe(1);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => statusOf(page)).toBe("paused");
    await page.waitForTimeout(300);
    const step = await stepOf(page);
    await page.getByRole("button", { name: "Share" }).click();
    expect((await exported(page, "Script")).toString()).toBe(
      readFileSync(join(import.meta.dirname, "../../playground/first.dlx"), "utf8"),
    );
    const lines = (await exported(page, "Curves as CSV")).toString().trimEnd().split("\n");
    expect(lines[0]).toMatch(/^step,.*loss/);
    expect(lines.slice(1).map((line) => Number(line.split(",")[0]))).toEqual(
      Array.from({ length: step }, (_, i) => i + 1),
    );
    expect(Number(lines[1]!.split(",")[1])).toBeGreaterThan(0);
    for (const panel of ["Curves", "loss", "Output"]) {
      const { width, height, pixels } = pngOf(await exported(page, panel));
      expect(width, panel).toBeGreaterThan(200);
      expect(height, panel).toBeGreaterThan(100);
      // more than paper: ink of text and lines
      expect(new Set(pixels).size, panel).toBeGreaterThan(10);
    }
    await page.close();
  });
});

/** Red, green and blue of each pixel as one number. */
function pngOf(bytes: Buffer): { width: number; height: number; pixels: number[] } {
  const { width, height, channels, data } = decodePng(Uint8Array.from(bytes));
  const pixels = Array.from({ length: width * height }, (_, i) =>
    [0, 1, 2].reduce((sum, c) => 256 * sum + (data[channels * i + c] ?? 0), 0),
  );
  return { width, height, pixels };
}

describe.skipIf(!hasBrowser)("scripts are kept", () => {
  const opened = browserHere();

  test("with what was moved, the seed, the panel and the place of the cursor", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    await cursorBehind(page, "tanh, Linear(2)");
    await page.getByRole("slider").fill("900");
    const moved = await page.getByRole("slider").inputValue();
    await page.getByRole("tab", { name: "Data" }).click();
    await page.getByRole("button", { name: "Re-roll" }).click();
    await page.getByRole("button", { name: "Share" }).click();
    const link = await page.getByTestId("link").inputValue();
    await page.keyboard.press("Escape");
    await page.waitForTimeout(500);
    await page.reload();
    await untilStep(page, 1);
    await editorOf(page);
    expect(await page.getByRole("slider").inputValue()).toBe(moved);
    expect(await page.getByRole("tab", { name: "Data" }).getAttribute("aria-selected")).toBe("true");
    await page.getByRole("button", { name: "Share" }).click();
    // the same script, inputs, seed and panel
    expect(await page.getByTestId("link").inputValue()).toBe(link);
    await page.keyboard.press("Escape");
    await page.locator(".monaco-editor textarea, .monaco-editor .native-edit-context").first().focus();
    await page.keyboard.insertText(", relu");
    await expect.poll(() => textOf(page)).toContain("tanh, Linear(2), relu");
    await page.close();
  });

  test("under several names: new, renamed, doubled, deleted and fetched back", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    const dialog = page.getByRole("dialog");
    const names = async () => (await dialog.locator("button.name").allTextContents()).map((name) => name.trim());
    const scripts = () => page.getByRole("button", { name: "Scripts" }).click();
    await scripts();
    await dialog.getByRole("button", { name: "New" }).click();
    await write(page, "print 7\n");
    await page.waitForTimeout(400);
    await scripts();
    await dialog.getByLabel("Name of this one").fill("seven");
    await dialog.getByRole("button", { name: "Rename" }).click();
    expect(await names()).toEqual(["seven.dlx"]);
    await dialog.getByRole("button", { name: "Duplicate" }).click();
    expect(await names()).toEqual(["seven 2.dlx", "seven.dlx"]);
    await dialog.getByRole("button", { name: "Delete seven.dlx" }).click();
    expect(await names()).toEqual(["seven 2.dlx"]);
    await dialog.getByRole("button", { name: "Undo" }).click();
    expect(await names()).toEqual(["seven 2.dlx", "seven.dlx"]);
    await dialog.getByRole("button", { name: "seven.dlx", exact: true }).click();
    await expect.poll(() => textOf(page)).toContain("print 7");
    await page.close();
  });

  test("a full storage is said once, and what is written stays on the page; so for files", async () => {
    const page = await opened.page();
    await untilStep(page, 1);
    await page.evaluate(`
      for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2))
        for (let n = 0; ; n++)
          try {
            localStorage.setItem("fill " + size + " " + n, "x".repeat(size));
          } catch {
            break;
          }
    `);
    await write(page, `${onIris}# kept nowhere\n`);
    const full = page.getByRole("alert").filter({ hasText: "changes are not kept" });
    await full.waitFor();
    await cursorBehind(page, "kept");
    await page.keyboard.insertText(" yet");
    await page.waitForTimeout(500);
    expect(await full.count()).toBe(1);
    expect(await textOf(page)).toContain("# kept yet nowhere");
    await page.getByLabel("Dark").click();
    await page.evaluate(`
      for (const key of Object.keys(localStorage)) if (key.startsWith("fill")) localStorage.removeItem(key);
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("no room", "QuotaExceededError");
      };
    `);
    await drop(page, { "iris.csv": iris });
    await page
      .getByRole("alert")
      .filter({ hasText: "iris.csv can be used, but will not be here after a reload" })
      .waitFor();
    await cursorBehind(page, "seed 1");
    await press(page, "Insert at the cursor");
    await untilStep(page, 3);
    expect(await full.count()).toBe(0);
    await page.reload();
    await expect.poll(() => textOf(page), { timeout: 20_000 }).toContain("# kept yet nowhere");
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("the file that the page was started with", () => {
  const file = join(mkdtempSync(join(tmpdir(), "dlx-file-")), "net.dlx");
  let opened: Opened;
  beforeAll(async () => {
    writeFileSync(
      file,
      onIris
        .replace("data", "toy.spirals(classes: 3)")
        .replace("(x, y)", "(x, label)")
        .replace("net(x), y", "net(x), label"),
    );
    opened = await openBrowser({ file });
  }, 120_000);
  afterAll(() => opened?.close());

  test("is saved to; changed by another program it is not written over, and both texts stay", async () => {
    const page = await opened.page({ path: new URL(opened.url).hash });
    await untilStep(page, 1);
    await cursorBehind(page, "seed 1");
    await page.keyboard.insertText("7");
    await expect.poll(() => readFileSync(file, "utf8")).toContain("seed 17\n");
    writeFileSync(file, "# theirs\nprint 1\n");
    await page.keyboard.insertText("8");
    const said = page.getByRole("alert").filter({ hasText: "another program has changed net.dlx" });
    await said.waitFor();
    expect(await said.textContent()).toContain("kept in this browser as net (mine).dlx");
    expect(readFileSync(file, "utf8")).toBe("# theirs\nprint 1\n");
    await page.getByRole("button", { name: "Take the file's text" }).click();
    await expect.poll(() => textOf(page)).toContain("# theirs");
    expect(await said.count()).toBe(0);
    await page.getByRole("button", { name: "Scripts" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "net (mine).dlx", exact: true }).click();
    await expect.poll(() => textOf(page)).toContain("seed 178");
    expect(readFileSync(file, "utf8")).toBe("# theirs\nprint 1\n");
    await page.close();
  });
});
