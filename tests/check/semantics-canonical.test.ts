/** The canonical scripts of the design run as they stand. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { numbers, run } from "./semantics.ts";

const script = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, `../lang/canonical/${name}.dlx`), "utf8");

test("1: digits, a few steps", async () => {
  const { events, prints } = await run(script("01").replace("for 5 epochs", "for 1 epoch"), { steps: 2 });
  expect(events.at(-1)).toMatchObject({ event: "end", status: "done" });
  expect(prints.length).toBeLessThan(3);
});

test("2: one data set, three optimizers, one initial point", async () => {
  const { prints } = await run(script("02"));
  expect(prints).toHaveLength(4);
  const found = prints.map(numbers);
  // [N, F] @ .. gives the least squares; the plain run and the one with momentum come near it.
  const [w1, w2] = found[3]!;
  expect(Math.abs(w1! - 3)).toBeLessThan(0.1);
  expect(Math.abs(w2! - 4)).toBeLessThan(0.1);
  expect(Math.abs(found[0]![0]! - w1!)).toBeLessThan(0.5);
  // Decay draws the params towards zero.
  expect(Math.hypot(found[1]![0]!, found[1]![1]!)).toBeLessThan(Math.hypot(found[0]![0]!, found[0]![1]!));
});

test("6: a saddle", async () => {
  const text = script("06").replace(/print .*/, "print grad(surface, (x, y)), H");
  const { prints } = await run(text);
  expect(prints[0]!.replace(/\s+/g, "")).toContain("[[2,0],[0,-2]]");
});

test("5: char RNN with truncated back-propagation through time, one epoch of a short text", async () => {
  const files = mkdtempSync(join(tmpdir(), "dlx-canonical-"));
  try {
    writeFileSync(join(files, "tinyshakespeare.txt"), "Before we proceed any further, hear me speak.\n".repeat(100));
    const { events } = await run(script("05").replace("for 3 epochs", "for 1 epoch"), { folder: files });
    expect(events.at(-1)).toMatchObject({ event: "end", status: "done" });
  } finally {
    rmSync(files, { recursive: true });
  }
});

test("7: second order through an inner step", async () => {
  const above = `let tasks = toy.tasks(n: 64)
model Net(Width: dim)(x: [K, In]) -> [K, 1] { x |> Linear(Width) |> tanh |> Linear(1) }
let net = Net(8)
print shape(net(tasks.xs[0]))
`;
  const text = script("07").replace("train (xs", above + "train (xs");
  const { events } = await run(text, { steps: 3 });
  expect(events.at(-1)).toMatchObject({ event: "end" });
});

test("9: cross-validation", async () => {
  const above = `let rows = toy.sine(n: 100) |> map(row => { ..row, y: unsqueeze(row.y, 0) })
model MLP(Width: dim)(x: [B, In]) -> [B, 1] { x |> Linear(Width) |> tanh |> Linear(1) }
`;
  const { prints } = await run(above + script("09"));
  expect(prints).toHaveLength(6);
  const losses = prints.map((line) => numbers(line).at(-1)!);
  expect(new Set(losses).size).toBeGreaterThan(4);
  expect(losses.at(-1)).toBeCloseTo(
    losses.slice(0, 5).reduce((sum, loss) => sum + loss / 5, 0),
    3,
  );
});
