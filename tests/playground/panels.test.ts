/** What panels show of a training: the surface of a model, its layers, its values; and that looking changes nothing. */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { cursorBehind, editorOf, hasBrowser, browserHere, untilStep, write } from "./browser.ts";

interface Drawn {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
}

/** Of a canvas, as the eye has it: the mean colour of a square around a place, 0 to 1 from its left and top. */
const colourAt = (page: Page, testid: string, x: number, y: number): Promise<number[]> =>
  page.getByTestId(testid).evaluate(
    (element: unknown, [x, y]) => {
      const canvas = element as Drawn;
      const [column, row] = [Math.round(x! * canvas.width), Math.round(y! * canvas.height)];
      const { data } = canvas.getContext("2d").getImageData(column - 2, row - 2, 5, 5);
      return [0, 1, 2].map((k) => Array.from({ length: 25 }, (_, i) => data[4 * i + k]!).reduce((a, b) => a + b) / 25);
    },
    [x, y],
  );

describe.skipIf(!hasBrowser)("the decision surface", () => {
  const opened = browserHere();

  const line = (body: string, head = ""): string =>
    `seed 1\nlet points = toy.gaussians(n: 200, noise: 0.3)\n${head}\ntrain (x, label) in batches(points, 20) for 100_000 epochs {\n${body}\n}\n`;

  test("stands beside the curve of the first script, and is drawn again as it learns", async () => {
    const page = await opened.page();
    const surface = page.getByTestId("surface");
    await surface.waitFor({ timeout: 20_000 });
    const step = async () => Number(await surface.getAttribute("data-step"));
    const at = await step();
    await expect.poll(step, { timeout: 20_000 }).toBeGreaterThan(at + 100);
    await expect
      .poll(async () => Number(/([\d.]+) % of 400/.exec((await surface.getAttribute("aria-label")) ?? "")?.[1]), {
        timeout: 40_000,
      })
      .toBeGreaterThan(90);
    expect(await surface.getAttribute("aria-label")).toMatch(/^net\(x\): 2 classes over x\[0\] from -\d/);
    await page.close();
  });

  test("has a colour for each class, as its table says; a yes or no has two", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await write(
      page,
      line(
        "let z = squeeze(net(x), -1)\nminimize binary_cross_entropy(z, f32(label)) over net with Adam(3e-2)\nplot binary_accuracy(z, f32(label))",
        "let net = Linear(1)",
      ),
    );
    const surface = page.getByTestId("surface");
    await expect.poll(() => surface.getAttribute("aria-label"), { timeout: 30_000 }).toMatch(/100.0 % of 200 points/);
    await page.getByRole("region", { name: "Decision surface" }).getByRole("checkbox", { name: "points" }).uncheck();
    // class 0 lies at the right, class 1 at the left
    await expect
      .poll(async () => {
        const [left, right] = [await colourAt(page, "surface", 0.2, 0.4), await colourAt(page, "surface", 0.9, 0.4)];
        return [left![0]! > left![2]!, right![2]! > right![0]!];
      })
      .toEqual([true, true]);
    await page.getByRole("region", { name: "Decision surface" }).getByRole("checkbox", { name: "table" }).check();
    const cells = await page.getByTestId("surface-table").locator("tbody tr").nth(2).locator("td").allTextContents();
    expect([cells[0], cells[4]].map((cell) => cell?.[0])).toEqual(["1", "0"]);
    await page.close();
  });

  test("of a model with other features there is none, and a sentence says why", async () => {
    const page = await opened.page();
    await page.getByTestId("surface").waitFor({ timeout: 20_000 });
    await write(
      page,
      "seed 1\nlet points = toy.linear(w: [1, 2, 3], n: 100)\nlet net = Linear(1)\ntrain (x, y) in batches(points, 10) for 10_000 epochs {\nminimize mse(squeeze(net(x), -1), y) over net with SGD(1e-4)\n}\n",
    );
    const region = page.getByRole("region", { name: "Decision surface" });
    await region.getByText("no training reads rows of two features").waitFor({ state: "attached", timeout: 20_000 });
    expect(await page.getByTestId("surface").count()).toBe(0);
    await page.close();
  });

  test("of a value over two features is a ramp", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await write(
      page,
      "seed 1\nlet points = toy.linear(w: [1, -1], n: 200)\nlet net = Linear(1)\ntrain (x, y) in batches(points, 20) for 100_000 epochs {\nlet loss = mse(squeeze(net(x), -1), y)\nminimize loss over net with Adam(3e-2)\nplot loss\n}\n",
    );
    const surface = page.getByTestId("surface");
    await expect
      .poll(() => surface.getAttribute("aria-label"), { timeout: 30_000 })
      .toMatch(/^net\(x\): values from -/);
    // high at the lower right: orange; low at the upper left: blue
    await expect
      .poll(
        async () => {
          const [low, high] = [await colourAt(page, "surface", 0.2, 0.1), await colourAt(page, "surface", 0.9, 0.8)];
          return [low![2]! > low![0]!, high![0]! > high![2]!];
        },
        { timeout: 20_000 },
      )
      .toEqual([true, true]);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("layers", () => {
  const opened = browserHere();

  test("each param has a row with the sizes of its value and its gradient, which go on as it learns", async () => {
    const page = await opened.page();
    await page.getByRole("tab", { name: "Layers" }).click();
    const rows = page.getByTestId("layer");
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(6);
    expect(await rows.locator("th").allTextContents()).toEqual([
      "net.0.w [2, 24]",
      "net.0.b [24]",
      "net.2.w [24, 24]",
      "net.2.b [24]",
      "net.4.w [24, 2]",
      "net.4.b [2]",
    ]);
    const cell = (row: number, column: number) => rows.nth(row).locator("td").nth(column).textContent();
    await expect.poll(async () => Number.parseFloat((await cell(0, 3))!), { timeout: 20_000 }).toBeGreaterThan(0);
    const before = await cell(0, 1);
    await expect.poll(() => cell(0, 1), { timeout: 20_000 }).not.toBe(before);
    await page.close();
  });

  // batches of an odd size: one of two equal halves has no gradient at the last bias
  test("a layer that gets no gradient is said to vanish", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await write(
      page,
      `seed 1
let points = toy.moons(n: 200, noise: 0.1)
let net = [Linear(8), sigmoid, Linear(8), x => sigmoid(1e-3 * x), Linear(8), x => 1e-3 * x, Linear(2)]
train (x, label) in batches(shuffle(points), 15) for 100_000 epochs {
  minimize cross_entropy(net(x), label) over net with SGD(1e-2)
}
`,
    );
    await page.getByRole("tab", { name: "Layers" }).click();
    const rows = page.getByTestId("layer");
    await expect.poll(() => rows.first().locator(".alarm").textContent(), { timeout: 30_000 }).toBe("vanishing");
    expect(await rows.last().locator(".alarm").count()).toBe(0);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("values", () => {
  const opened = browserHere();

  test("every name with its shape and how it is spread; one that is opened is seen as a person likes, and goes on", async () => {
    const page = await opened.page();
    await page.getByRole("tab", { name: "Values" }).click();
    const rows = page.getByTestId("value");
    await expect
      .poll(() => rows.locator("th").allTextContents(), { timeout: 20_000 })
      .toEqual(["x", "label", "loss", "net.0.w", "net.0.b", "net.2.w", "net.2.b", "net.4.w", "net.4.b"]);
    const row = (name: string) => rows.filter({ has: page.getByRole("button", { name, exact: true }) });
    const cells = (name: string) => row(name).locator("td").allTextContents();
    await expect.poll(async () => (await cells("x"))[0]).toBe("[40, 2]");
    const mean = async () => (await cells("net.2.w"))[1];
    await expect.poll(mean, { timeout: 20_000 }).toMatch(/\d/);
    const before = await mean();
    await expect.poll(mean, { timeout: 20_000 }).not.toBe(before);
    // the least and the greatest label
    await expect.poll(async () => (await cells("label")).slice(3), { timeout: 20_000 }).toEqual(["0", "1"]);

    await page.getByPlaceholder("Find a name").fill("2.w");
    expect(await rows.count()).toBe(1);
    await page.getByRole("button", { name: "net.2.w" }).click();
    const detail = page.getByTestId("value-detail");
    await expect.poll(() => detail.locator("canvas").getAttribute("aria-label")).toMatch(/^net.2.w, 24 by 24; mean/);
    await detail.getByLabel("Shown as").selectOption("table");
    expect(await detail.locator("tr").count()).toBe(12);
    const corner = () => detail.locator("td").first().textContent();
    const number = await corner();
    expect(number).toMatch(/^-?\d(\.\d{1,3})?|^-?0\.\d+$/);
    await expect.poll(corner, { timeout: 20_000 }).not.toBe(number);
    await detail.getByLabel("Shown as").selectOption("histogram");
    await detail.getByRole("img").waitFor();
    await page.close();
  });

  test("slots of the optimizer are there when they are asked for", async () => {
    const page = await opened.page();
    await page.getByRole("tab", { name: "Values" }).click();
    await page.getByRole("button", { name: /Of the optimizer/ }).click({ timeout: 20_000 });
    const rows = page.getByRole("table", { name: "Of the optimizer" }).getByTestId("value");
    await expect.poll(() => rows.count()).toBeGreaterThan(11);
    await expect.poll(async () => (await rows.first().locator("td").allTextContents())[1]).toMatch(/\d/);
    await page.close();
  });
});

describe.skipIf(!hasBrowser)("tiles", () => {
  const opened = browserHere();

  test("the way to show a value is chosen; numbers have four digits; the line has a mark", async () => {
    const page = await opened.page();
    await untilStep(page, 5);
    await editorOf(page);
    await cursorBehind(page, "cross_entropy(net");
    await page.keyboard.press("Alt+Enter");
    const tile = page.getByTestId("tile");
    await expect.poll(() => tile.locator("b").textContent(), { timeout: 20_000 }).toMatch(/net/);
    const ways = tile.getByLabel("Shown as");
    await ways.waitFor({ timeout: 20_000 });
    // the editor draws with the next frame
    const marks = () => page.locator(".watched-line").count();
    await expect.poll(marks).toBe(1);
    for (const [way, found] of [
      ["histogram", tile.getByRole("img", { name: /^how many of each/ })],
      ["curve", tile.getByRole("img", { name: /^mean over the steps/ })],
      ["table", tile.getByRole("region", { name: "Values" })],
    ] as const) {
      await ways.selectOption(way);
      await found.first().waitFor();
    }
    const numbers = await tile.locator("td").allTextContents();
    expect(numbers.length).toBeGreaterThan(10);
    const digits = numbers.map((n) => n.replace(/e.*|[-.]/g, "").replace(/^0+/, "").length);
    expect(Math.max(...digits)).toBe(4);
    // its line is selected in the editor
    await cursorBehind(page, "seed 4");
    await tile.getByTitle("Show the line").click();
    await expect.poll(() => page.locator(".monaco-editor .view-overlays .selected-text").count()).toBeGreaterThan(0);
    await page.getByLabel(/^Stop watching/).click();
    await expect.poll(marks).toBe(0);
    await page.close();
  });
});
