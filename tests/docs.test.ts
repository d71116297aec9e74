/**
 * The pages are true. Every block of dlx in README and docs is a script that runs, a few steps of each `train` block, on
 * the cpu device; every `console` block holds what its commands print today (UPDATE=1 writes them anew); and the
 * language page names everything that a script can name.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { Workplace, capturesOf, readPage, writeCaptures } from "./captures.ts";
import { withNames } from "./names-table.ts";

const root = resolve(import.meta.dirname, "..");
const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];
const folder = mkdtempSync(join(tmpdir(), "dlx-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Block {
  readonly text: string;
  readonly line: number;
}

function blocks(page: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```dlx\n([\s\S]*?)^```/gm)].map((m) => ({
    text: m[1]!,
    line: text.slice(0, m.index).split("\n").length + 1,
  }));
}

for (const page of pages) {
  const found = blocks(page);
  if (found.length === 0) continue;
  describe(page, () => {
    test.each(found.map((b) => [`line ${b.line}`, b] as const))("%s", async (_name, block) => {
      const file = join(folder, `${page.replace(/\W/g, "_")}_${block.line}.dlx`);
      writeFileSync(file, block.text);
      const args = [join(root, "bin/dlx.mjs"), "run", file, "--steps", "20", "--json"];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 1 << 24 });
      const events = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; status?: string });
      expect(events.at(-1)).toMatchObject({ event: "end", status: "done" });
      expect(events.filter((e) => e.event === "error" || e.event === "warning")).toEqual([]);
    });
  });
}

for (const page of pages) {
  const captures = capturesOf(readPage(page));
  if (captures.length === 0) continue;
  test(`${page} shows what its commands print (UPDATE=1 writes it anew)`, async () => {
    const work = new Workplace(captures);
    try {
      const made = new Map<(typeof captures)[number], string>();
      for (const capture of captures) made.set(capture, await work.remake(capture));
      if (process.env.UPDATE) return writeCaptures(page, made);
      for (const [{ line, text }, fresh] of made) expect(`line ${line}\n${text}`).toBe(`line ${line}\n${fresh}`);
    } finally {
      work.close();
    }
  });
}

test("docs/language.md has a row for every name of the language, as its definition says (UPDATE=1 writes them anew)", () => {
  const text = readPage("docs/language.md");
  const fresh = withNames(text);
  if (process.env.UPDATE) writeFileSync(join(root, "docs/language.md"), fresh);
  else expect(text).toBe(fresh);
});
