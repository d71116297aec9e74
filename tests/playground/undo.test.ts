/** Taking an edit back brings the state from before it back, to the bit; params go out as a file and come in again. */
import { describe, expect, test } from "vitest";
import { cursorBehind, hasBrowser, browserHere, stepOf, untilStep } from "./browser.ts";
import { openLab, tensorsOf } from "./lab.ts";

const net = `seed 4
input wide = 6 in 2 .. 12
let net = [Linear(12), tanh, Linear(wide), tanh, Linear(2)]
train (x, label) in batches(shuffle(toy.spirals(n: 200)), 20) for 100000 epochs {
  let loss = cross_entropy(net(x), label)
  minimize loss over net with Adam(1e-2)
  plot loss
}
`;
/** Prints every second step; `k * 1` is what a test changes. */
const counting = `seed 1
train for 100000 steps {
  state k = 0.0
  k <- k + 1.0
  every 2 steps { print "at {k * 1:.0f}" }
}
`;
const deeper = net.replace("Linear(12)", "Linear(13)");

describe("an edit that is taken back", () => {
  test("brings back the weights from before it, and the training goes on as if it had not been", async () => {
    const [lab, other] = [openLab(), openLab()];
    await lab.open(net);
    await lab.until(20);
    const before = await lab.params();
    const swapped = lab.next("swapped");
    lab.edit(deeper);
    const { step: at, ...report } = await swapped;
    expect(report).toMatchObject({ changed: true, before: net });
    await lab.until(at + 20);
    expect((await lab.params()).equals(before)).toBe(false);
    const back = lab.next("swapped");
    lab.edit(net, true);
    expect(await back).toMatchObject({ step: at, undone: true });
    expect((await lab.params()).equals(before)).toBe(true);
    // one step more, beside a run that was never edited
    await other.open(net);
    const steps = async (asked: typeof lab, from: number) => {
      const reached = asked.next("feed", ({ message }) => message.frame?.step === from);
      asked.say({ kind: "step" });
      await reached;
    };
    for (let step = 1; step <= at + 1; step++) await steps(other, step);
    await steps(lab, at + 1);
    expect((await lab.params()).equals(await other.params())).toBe(true);
  });

  test("several at once, also where an input that shapes the program was moved between", async () => {
    const lab = openLab();
    await lab.open(net);
    await lab.until(5);
    const before = await lab.params();
    const moved = lab.next("swapped");
    lab.say({ kind: "set", name: "wide", value: 9 });
    expect(await moved).toMatchObject({ changed: true, inputs: { wide: 9 } });
    const edited = lab.next("swapped");
    lab.edit(deeper);
    expect((await edited).made).not.toContain("net.4.w");
    const shapes = (bytes: Buffer) =>
      JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as Record<
        string,
        { shape: number[] }
      >;
    // the edit keeps what the slider says
    expect(shapes(await lab.params())["net.2.w"]!.shape).toEqual([13, 9]);
    const once = lab.next("swapped");
    lab.edit(net, true);
    expect(await once).toMatchObject({ undone: true, inputs: { wide: 9 }, before: net });
    const twice = lab.next("swapped");
    lab.edit(net, true);
    expect((await twice).inputs).not.toHaveProperty("wide");
    expect((await lab.params()).equals(before)).toBe(true);
  });

  test("what was typed again, and not taken back, is a swap like any other", async () => {
    const lab = openLab();
    await lab.open(net);
    await lab.until(5);
    lab.edit(deeper);
    await lab.next("swapped");
    const swapped = lab.next("swapped");
    lab.edit(net);
    expect((await swapped).undone).toBeUndefined();
  });
});

describe("params as a file", () => {
  const normed = net.replace("Linear(12), tanh", "Linear(12), BatchNorm(), tanh");

  test("taken out and in again they are the same numbers, states with them", async () => {
    const [first, second] = [openLab(), openLab()];
    await first.open(normed);
    await first.until(10);
    const bytes = await first.params();
    expect(bytes.toString("latin1")).toContain("net.1.");
    await second.open(normed, { seed: 9 });
    await second.until(1);
    expect((await second.params()).equals(bytes)).toBe(false);
    second.say({ kind: "file", name: "taken.safetensors", bytes: Uint8Array.from(bytes) });
    const imported = second.next("imported");
    second.say({ kind: "import", name: "taken.safetensors" });
    const { answer } = await imported;
    expect(answer).toMatchObject({ left: [], missing: [] });
    expect(tensorsOf(await second.params())).toEqual(tensorsOf(bytes));
    const undone = second.next("swapped");
    second.edit(normed, true);
    expect(await undone).toMatchObject({ undone: true });
    expect((await second.params()).equals(bytes)).toBe(false);
  });

  test("of another script what fits is taken, and the rest is named", async () => {
    const [first, second] = [openLab(), openLab()];
    await first.open(net);
    await first.until(3);
    const bytes = await first.params();
    await second.open(deeper);
    second.say({ kind: "file", name: "a.safetensors", bytes: Uint8Array.from(bytes) });
    const imported = second.next("imported");
    second.say({ kind: "import", name: "a.safetensors" });
    expect((await imported).answer).toMatchObject({
      matched: ["net.2.b", "net.4.w", "net.4.b"],
      left: [
        "net.0.w: f32[2, 12], in the script f32[2, 13]",
        "net.0.b: f32[12], in the script f32[13]",
        "net.2.w: f32[12, 6], in the script f32[13, 6]",
      ],
      missing: ["net.0.w", "net.0.b", "net.2.w"],
    });
  });

  test("a file that a script saved names them below its model and is taken too; a damaged one is refused in words", async () => {
    const lab = openLab();
    const saved = lab.next("saved");
    await lab.open(net.replace("for 100000 epochs", "for 1 epoch") + 'save net to "n.safetensors"\n', { play: true });
    const { bytes } = await saved;
    const other = openLab();
    await other.open(net);
    other.say({ kind: "file", name: "n.safetensors", bytes: Uint8Array.from(bytes) });
    other.say({ kind: "file", name: "cut.safetensors", bytes: bytes.slice(0, 300) });
    for (const [name, answer] of [
      ["n.safetensors", { left: [], missing: [] }],
      ["cut.safetensors", { refused: expect.stringMatching(/ends too early|JSON/) }],
      ["none.safetensors", { refused: "there is no file `none.safetensors`" }],
    ] as const) {
      const imported = other.next("imported");
      other.say({ kind: "import", name });
      expect((await imported).answer).toMatchObject(answer);
    }
  });
});

describe.skipIf(!hasBrowser)("on the page", () => {
  const opened = browserHere();

  test("Control-Z takes text and run back; so does the button beside the note", async () => {
    const page = await opened.page();
    const text = async () => (await page.locator(".view-lines").textContent())?.replaceAll("\u00a0", " ");
    const back = page.getByTestId("note").filter({ hasText: /back at step \d+/ });
    await page.getByLabel("Speed").selectOption("30");
    await untilStep(page, 5);
    await cursorBehind(page, "Linear(24), tanh");
    await page.keyboard.insertText(", Linear(8), tanh");
    const swapped = page.getByTestId("note").filter({ hasText: /swapped in at step \d+/ });
    await swapped.waitFor();
    const at = Number((await swapped.textContent())?.match(/step (\d+)/)?.[1]);
    await untilStep(page, at + 30);
    // Monaco takes typing back word by word
    for (let press = 0; press < 12 && (await back.count()) === 0; press++) {
      await page.keyboard.press("Control+z");
      await page.waitForTimeout(400);
    }
    await back.waitFor();
    expect(await stepOf(page)).toBeLessThan(at + 30);
    expect(await text()).not.toContain("Linear(8)");

    await page.keyboard.insertText(", Linear(9), tanh");
    await swapped.waitFor();
    await untilStep(page, (await stepOf(page)) + 3);
    await page.getByRole("button", { name: "Undo" }).click();
    await back.waitFor();
    await expect.poll(text).not.toContain("Linear(9)");
    await page.close();
  });

  test("what was printed since then is taken back too", async () => {
    const page = await opened.pageWith(counting);
    await page.getByLabel("Speed").selectOption("30");
    await page.getByRole("tab", { name: /^Output/ }).click();
    const printed = async () => ((await page.getByTestId("printed").textContent()) ?? "").split("\n");
    await expect.poll(async () => (await printed()).length).toBeGreaterThan(3);
    await cursorBehind(page, "k * 1");
    await page.keyboard.insertText("0");
    const note = page.getByTestId("note").filter({ hasText: /swapped in at step/ });
    await note.waitFor();
    const swapped = (await note.textContent())?.match(/step (\d+)/)?.[1];
    await expect.poll(async () => (await printed()).length).toBeGreaterThan(Number(swapped) / 2 + 3);
    await page.getByRole("button", { name: "Undo" }).click();
    await page
      .getByTestId("note")
      .filter({ hasText: `back at step ${swapped}` })
      .waitFor();
    await page.waitForTimeout(500);
    const lines = (await printed()).map((line) => Number(line.slice(3)));
    expect(lines).toEqual(lines.map((_, i) => 2 * (i + 1)));
    await page.close();
  });
});
