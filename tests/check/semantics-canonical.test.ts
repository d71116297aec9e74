/** The canonical scripts of the design run as they stand. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
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
