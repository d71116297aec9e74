/** Every name of the standard library is in a script of this suite. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { prelude } from "../../stdlib/index.ts";

/** Parts that other entries are made of. */
const INNER = ["padded", "at_class", "panes", "framed", "rim", "overhang", "bins", "pairwise_auc", "pixel"];

test("no entry of the standard library is left out", () => {
  const names = prelude.flatMap(({ text }) => [...text.matchAll(/^(?:fn|model|optimizer) (\w+)/gm)].map((m) => m[1]!));
  const scripts = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(new URL(file, import.meta.url), "utf8"))
    .join("\n");
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !INNER.includes(name) && !new RegExp(`\\b${name}\\b`).test(scripts))).toEqual([]);
});
