/** What goes wrong while it runs is said where it is: the line, the curve, the device, the batch that fits. */
import { describe, expect, test } from "vitest";
import { cursorBehind, hasBrowser, browserHere, plotted, statusOf, stepOf, untilStep } from "./browser.ts";
import { tooFast } from "./too-fast.ts";

/** \`k\` is what each step sees of the slider. */
const steered = (steps: number) => `input k = 1.0 in 0 .. 10
train for ${steps} steps {
  state n = 0.0
  n <- n + k
  plot k, n
}
`;

describe.skipIf(!hasBrowser)("faults", () => {
  const opened = browserHere({ webgpu: true });

  test("numbers that end are named with their line, in the editor, in the problems, on the curve", async () => {
    const page = await opened.pageWith(tooFast);
    await expect.poll(() => statusOf(page), { timeout: 30_000 }).toBe("failed");
    await expect.poll(() => page.getByTestId("note").textContent()).toMatch(/line \d: .*not a finite number in step/);
    const line = (await page.getByTestId("note").textContent())?.match(/line (\d)/)?.[1];
    await page.locator(".squiggly-error").first().waitFor();
    const problem = page.getByTestId("problems").getByRole("button");
    expect(await problem.textContent()).toContain(`line ${line}`);
    expect(await page.getByText("1 mark").count()).toBe(1);
    // a press on it goes to the place
    await problem.click();
    await expect
      .poll(() => page.locator(".line-numbers.active-line-number").textContent(), { timeout: 20_000 })
      .toBe(line);
    // mended, it runs again and says no more of it
    await cursorBehind(page, "SGD(5");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("1e-3");
    await untilStep(page, 20);
    expect(await page.getByTestId("problems").count()).toBe(0);
    await page.close();
  }, 120_000);

  test("a batch that does not fit is told with one that does", async () => {
    const page = await opened.pageWith(
      `seed 1
let rows = toy.linear(w: [3, 4], n: 60000, noise: 0.1)
let net = [Linear(30000), tanh, Linear(1)]
train (x, y) in batches(rows, 50000) for 3 epochs {
  let loss = mse(squeeze(net(x), -1), y)
  minimize loss over net with SGD(1e-3)
  plot loss
}
`,
    );
    await expect.poll(() => statusOf(page), { timeout: 60_000 }).toBe("failed");
    const note = await page.getByTestId("note").textContent();
    expect(note).toMatch(/line 4: a step of this block needs .* of memory/);
    expect(note).toMatch(/use batches of at most \d+/);
    await page.close();
  }, 120_000);

  test("a slider is used by the tick that its mark names, and after the end by the next run", async () => {
    const page = await opened.pageWith(steered(2000));
    await page.getByLabel("Speed").selectOption("300");
    await untilStep(page, 20);
    await page.getByRole("slider").fill("500");
    await expect.poll(() => page.getByText("1 mark").count()).toBe(1);
    await page.getByLabel("Speed").selectOption("Infinity");
    await expect.poll(() => statusOf(page), { timeout: 30_000 }).toBe("done");
    const mark = (await page.locator("details li").textContent()) ?? "";
    const at = Number(mark.match(/step (\d+): k = 5/)?.[1]);
    const { k = [], n = [] } = await plotted(page);
    expect(k.slice(0, at - 1).every((value) => value === 1)).toBe(true);
    expect(k.slice(at - 1).every((value) => value === 5)).toBe(true);
    // every tick counted it once
    expect(n.at(-1)).toBeCloseTo(at - 1 + 5 * (2000 - at + 1), 0);

    await page.getByRole("slider").fill("900");
    expect(await page.getByTestId("note").textContent()).toContain("k = 9 is for the next run");
    expect(await statusOf(page)).toBe("done");
    await page.getByRole("button", { name: "Run again" }).click();
    await expect.poll(() => statusOf(page), { timeout: 30_000 }).toBe("done");
    expect(await page.getByText(/mark/).count()).toBe(0);
    await page.close();
  }, 120_000);

  test("an input that shapes the program rebuilds it once, when the slider is let go", async () => {
    const page = await opened.pageWith(
      `input width = 8 in 1 .. 64
let rows = toy.xor(n: 200)
let net = [Linear(width), tanh, Linear(2)]
train (x, label) in batches(rows, 20) for 100000 epochs {
  let loss = cross_entropy(net(x), label)
  minimize loss over net with Adam(1e-3)
  plot loss
}
`,
    );
    await untilStep(page, 20);
    expect(await page.getByText("rebuilds").count()).toBe(1);
    const before = await stepOf(page);
    await page.getByRole("slider").focus();
    await page.keyboard.press("ArrowRight");
    for (let i = 0; i < 3; i++) await page.keyboard.press("PageUp");
    await expect.poll(() => page.getByTestId("note").textContent(), { timeout: 20_000 }).toMatch(/swapped in at step/);
    await untilStep(page, before + 5);
    await page.close();
  }, 120_000);

  test("a device that is lost is opened again, and the run begins again in words", async () => {
    const page = await opened.pageWith(steered(100_000_000));
    await page.getByLabel("Device").selectOption("webgpu");
    await expect.poll(() => page.getByTestId("device").textContent(), { timeout: 30_000 }).toContain("webgpu (");
    await untilStep(page, 20, 60_000);
    await opened.crashGpu();
    await expect
      .poll(() => page.getByTestId("note").textContent(), { timeout: 60_000 })
      .toMatch(/the device was lost: .* at step \d+; .* began again from the first step/);
    await untilStep(page, 5, 60_000);
    expect(await page.locator(".view-lines").textContent()).toContain("plot");
    await page.close();
  }, 150_000);

  test("one that is lost twice within a minute gives way to the processor, and the page says so", async () => {
    const page = await opened.pageWith(steered(100_000_000));
    const note = page.getByTestId("note");
    const device = page.getByTestId("device");
    await page.getByLabel("Device").selectOption("webgpu");
    await expect.poll(() => device.textContent(), { timeout: 30_000 }).toContain("webgpu (");
    await untilStep(page, 20, 60_000);
    await opened.crashGpu();
    await note.filter({ hasText: "it was opened again" }).waitFor({ timeout: 60_000 });
    await untilStep(page, 5, 60_000);
    expect(await device.textContent()).toContain("webgpu (");
    await opened.crashGpu();
    await note.filter({ hasText: "it was lost a moment before too" }).waitFor({ timeout: 60_000 });
    await expect.poll(() => device.textContent(), { timeout: 30_000 }).toMatch(/^cpu \(/);
    await untilStep(page, 20, 60_000);
    expect(await statusOf(page)).toBe("playing");
    expect(await page.getByLabel("Device").inputValue()).toBe("cpu");
    await page.close();
  }, 200_000);
});

describe.skipIf(!hasBrowser)("without WebGPU", () => {
  const opened = browserHere();

  test("the processor computes, and the page says why", async () => {
    const page = await opened.page();
    await page.getByLabel("Device").selectOption("webgpu");
    await expect.poll(() => page.getByTestId("device").textContent(), { timeout: 20_000 }).toMatch(/^cpu .*: .*WebGPU/);
    await untilStep(page, 5);
    await page.close();
  });
});
