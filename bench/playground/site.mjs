/** The page as a person has it: served by `dlx playground`, opened in Chromium, driven by keys and clicks. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const hasBrowser = existsSync(executablePath);

/** Flags of Chromium by device. The software adapter is seen by pages only when asked for. */
const FLAGS = {
  cpu: [],
  webgpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
};
export const devices = Object.keys(FLAGS);

/** `more`: flags of Chromium besides those of the device. */
export const launch = (device, more = []) =>
  chromium.launch({ executablePath, args: ["--no-sandbox", ...FLAGS[device], ...more] });

/** `dlx playground` in a process of its own, as it is used. */
export async function serve() {
  const bin = fileURLToPath(new URL("../../bin/dlx.mjs", import.meta.url));
  const server = spawn(process.execPath, [bin, "playground", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((found, failed) => {
    server.stdout.on("data", (text) => {
      const address = /http:\S+/.exec(String(text));
      if (address) found(address[0]);
    });
    server.on("exit", (code) => failed(new Error(`expected dlx playground to serve, got exit code ${code}`)));
  });
  return { url, close: () => void server.removeAllListeners("exit").kill() };
}

/** The number behind `step`. */
export const stepOf = async (page) => Number((await page.getByTestId("step").textContent())?.replace(/\D/g, ""));

export async function untilStep(page, step, timeout = 30_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const now = await stepOf(page);
    if (now >= step) return now;
    if (Date.now() > end) throw new Error(`expected step ${step} within ${timeout} ms, got ${now}`);
    await page.waitForTimeout(50);
  }
}

/** Trains on this device from now on. */
export async function use(page, device) {
  await page.getByLabel("Device").selectOption(device);
  await page
    .getByTestId("device")
    .filter({ hasText: `${device} (` })
    .waitFor();
}

/** The editor, once it is Monaco. */
export const editorOf = (page) =>
  page.locator(".monaco-editor textarea, .monaco-editor .native-edit-context").first().waitFor({ state: "attached" });

/** Pastes over the whole text: typed, each key of it would be a text of its own. */
export async function write(page, text) {
  await editorOf(page);
  await page.locator(".monaco-editor .view-lines").click();
  await page.keyboard.press("Control+A");
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(paste);
  }, text);
}

/** Puts the cursor behind the first place of `text` in the script. */
export async function cursorBehind(page, text) {
  await editorOf(page);
  await page.locator(".monaco-editor .view-lines").click();
  await page.keyboard.press("Control+F");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowRight");
}

/** A script of the gallery, from its card. */
export async function openExample(page, file) {
  await page.getByRole("button", { name: "Examples" }).click();
  await page.getByTestId("gallery").getByText(file, { exact: true }).click();
  await untilStep(page, 1);
}
