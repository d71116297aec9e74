/** What hangs is stopped in words, with the text as it was; what floods leaves the page to the person. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BEAT, Watchdog } from "../../playground/state/watchdog.ts";
import { editorOf, hasBrowser, browserHere, restingStep, statusOf, stepOf, untilStep, write } from "./browser.ts";

describe("a watchdog", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const watch = (patience: () => number) => {
    const told: string[] = [];
    const dog = new Watchdog({
      patience,
      ask: () => told.push("ask"),
      silent: (beats) => told.push(`silent ${beats}`),
      giveUp: () => told.push("gives up"),
    });
    dog.start();
    return { dog, told };
  };

  test("gives up once, after its patience", () => {
    const { told } = watch(() => 2);
    vi.advanceTimersByTime(10 * BEAT);
    expect(told).toEqual(["silent 1", "ask", "silent 2", "ask", "silent 3", "silent 0", "gives up"]);
  });

  test("an answer begins its patience anew, whatever the clock says", () => {
    const { dog, told } = watch(() => 2);
    for (let i = 0; i < 50; i++) {
      vi.advanceTimersByTime(2 * BEAT);
      vi.setSystemTime(Date.now() + 3_600_000);
      dog.heard();
    }
    expect(told).not.toContain("gives up");
  });

  test("has more patience with what may take long, as it is told meanwhile", () => {
    let patience = 2;
    const { told } = watch(() => patience);
    vi.advanceTimersByTime(2 * BEAT);
    patience = 6;
    vi.advanceTimersByTime(4 * BEAT);
    expect(told).not.toContain("gives up");
    vi.advanceTimersByTime(BEAT);
    expect(told.at(-1)).toBe("gives up");
  });
});

/** Each of 90 000 passes writes out many operations: within what the checker allows, and minutes of work. */
const endlessCheck = `seed 1
let rows = toy.linear(w: [3, 4], n: 400, noise: 0.1)
let net = Linear(8)
train (x, y) in batches(rows, 20) for 3 epochs {
  let z = for i in 1..300 with h = x { for j in 1..300 with k = h {
    let a0 = tanh(k)
${Array.from({ length: 60 }, (_, i) => `    let a${i + 1} = tanh(a${i} + i * ${i}.5 + j)`).join("\n")}
    a60
  } }
  minimize sum(net(z)) over net with Adam(1e-3)
}
`;
/** A million products in one step: hours. */
const endlessStep = `seed 1
let a = normal([1000, 1000])
let b = iterate 1000000 with h = a { h <- tanh(h @ a) }
print sum(b)
`;
const good = `seed 1
let rows = toy.linear(w: [3, 4], n: 400, noise: 0.1)
let net = Linear(1)
train (x, y) in batches(rows, 20) for 100000 epochs {
  let loss = mse(squeeze(net(x), -1), y)
  minimize loss over net with SGD(1e-3)
  plot loss
}
`;
const names = Array.from({ length: 2000 }, (_, i) => `c${i}`);
/** At each step a line, 2000 curves and 40 pictures. */
const flood = good.replace(
  "plot loss",
  `${names.map((name, i) => `let ${name} = loss * ${i}`).join("\n  ")}
  plot loss, ${names.join(", ")}
  every 1 steps {
    print "step {step}: {loss}"
    show normal([40, 64, 64])
  }`,
);

describe.skipIf(!hasBrowser)("a script that", () => {
  const opened = browserHere();

  test("hangs while it is checked is stopped; written beside a run it leaves the run alone", async () => {
    const page = await opened.pageWith(endlessCheck);
    const note = page.getByTestId("note");
    await expect.poll(() => note.textContent(), { timeout: 15_000 }).toContain("the check of the script takes long");
    await expect.poll(() => statusOf(page), { timeout: 30_000 }).toBe("hung");
    expect(await note.textContent()).toContain("gave no answer for 10 seconds");
    await expect.poll(() => page.locator(".view-lines").textContent()).toContain("Linear(8)");
    await write(page, good);
    await untilStep(page, 5);

    await write(page, endlessCheck);
    await expect
      .poll(() => note.textContent(), { timeout: 30_000 })
      .toContain("check of the newest text took too long");
    const step = await stepOf(page);
    await untilStep(page, step + 5);
    expect(await page.locator(".view-lines").textContent()).toContain("a60");
    // the language service is there again
    await write(page, good.replace("mse", "mze"));
    await page.locator(".squiggly-error").first().waitFor();
    expect(await note.textContent()).not.toContain("took too long");
    expect(await statusOf(page)).toBe("playing");
    await page.close();
  }, 120_000);

  test("does not end its step is told, and Restart ends it at once", async () => {
    const page = await opened.pageWith(endlessStep);
    const note = page.getByTestId("note");
    await expect.poll(() => note.textContent(), { timeout: 30_000 }).toContain("this step");
    await editorOf(page);
    await write(page, good);
    // its thread hears nothing, the page does
    expect(await stepOf(page)).toBe(0);
    await page.waitForTimeout(400);
    await page.getByRole("button", { name: "Restart" }).click();
    await untilStep(page, 5);
    expect(await note.textContent()).not.toContain("no answer");
    await page.close();
  }, 120_000);

  test("floods the page keeps nobody from using it", async () => {
    const page = await opened.pageWith(flood);
    await untilStep(page, 20, 60_000);
    const lines = async () => (await page.getByTestId("printed").textContent())?.split("\n") ?? [];
    await expect.poll(async () => (await lines()).length, { timeout: 30_000 }).toBeGreaterThan(10);
    await expect.poll(() => page.getByText(/curves are drawn/).count()).toBe(1);
    expect(await page.locator(".u-series").count()).toBeLessThanOrEqual(25);
    await page.evaluate(() => {
      const seen: number[] = [];
      Reflect.set(globalThis, "blocked", seen);
      new PerformanceObserver((list) => seen.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: "longtask",
      });
    });
    await page.waitForTimeout(3000);
    const blocked = await page.evaluate(() => Reflect.get(globalThis, "blocked") as number[]);
    console.info(`tasks above 50 ms in 3 s of flood: ${blocked.map(Math.round).join(" ") || "none"}`);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => statusOf(page)).toBe("paused");
    expect((await lines()).length).toBeLessThanOrEqual(502);
    const at = await restingStep(page);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await expect.poll(() => stepOf(page)).toBe(at + 1);
    await page.close();
  }, 120_000);
});
