/** What docs/playground.md says of keys and pictures is so. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keys } from "../../playground/state/keys.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "playground.md"), "utf8");

test.each(keys.map((key) => [key.what, key] as const))("the key to %s", (what, { short, anywhere }) => {
  expect(page).toContain(`| ${what} | \`${short}\` | \`${anywhere}\` |`);
});

test("its panels are those of the page", () => {
  const tabs = readFileSync(join(docs, "../playground/panels/tabs.ts"), "utf8");
  for (const [, label] of tabs.matchAll(/label: "([^"]+)"/g)) expect(page).toContain(`| ${label} | `);
});

test("its pictures are there, and small", () => {
  const pictures = [...page.matchAll(/\]\((images\/[^)]+)\)/g)].map(([, file]) => join(docs, file!));
  expect(pictures.length).toBeGreaterThan(0);
  for (const file of pictures) {
    expect(existsSync(file), file).toBe(true);
    expect(statSync(file).size).toBeLessThan(200_000);
  }
});
