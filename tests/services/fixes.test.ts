/** Fixes: of all samples of mistakes, which have one, and that it takes the message away; the same in `dlx check --json`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import { applyEdits, LanguageService } from "../../lang/services/index.ts";
import { knownFacts } from "../../lang/check/sources.ts";
import { prelude } from "../../stdlib/index.ts";
import { inFolder } from "../cli/in-folder.ts";

const samples = resolve(import.meta.dirname, "../lang/errors");
const host = {
  prelude,
  facts: async (ref: Parameters<typeof knownFacts>[0]) => knownFacts(ref),
  readModule: async () => undefined,
  pause: () => new Promise<void>((done) => setImmediate(done)),
};

async function fixed(text: string): Promise<{ code: string; title: string; text: string }[]> {
  const service = new LanguageService(host);
  await service.update("script.dlx", text);
  const found = [];
  for (const d of await service.diagnostics("script.dlx")) {
    const fix = await service.fix("script.dlx", d);
    if (fix) found.push({ code: d.code, title: d.title, text: applyEdits(text, fix.edits) });
  }
  return found;
}

describe("samples of mistakes", () => {
  const codes = new Set<string>();
  test.each(readdirSync(samples))("%s", async (name) => {
    const text = readFileSync(join(samples, name, "script.dlx"), "utf8");
    const before = await compile({ file: "script.dlx", text }, host);
    for (const fix of await fixed(text)) {
      codes.add(fix.code);
      const after = await compile({ file: "script.dlx", text: fix.text }, host);
      const same = (list: typeof after.diagnostics) => list.filter((d) => d.title === fix.title).length;
      expect(same(after.diagnostics)).toBeLessThan(same(before.diagnostics));
    }
  });
  test("these have a fix", () => {
    const wanted = [
      "DLX0102",
      "DLX0103",
      "DLX0104",
      "DLX0105",
      "DLX0107",
      "DLX0108",
      "DLX0111",
      "DLX0112",
      "DLX0113",
      "DLX0204",
      "DLX0301",
    ];
    expect([...codes].sort()).toEqual(expect.arrayContaining(wanted));
  });
});

describe("what a fix writes", () => {
  test.each([
    ["let x = normal([3])\nprint summ(x)\n", "let x = normal([3])\nprint sum(x)\n"],
    ["let x = 2 ** 3\n", "let x = 2 ^ 3\n"],
    ["x = 3\nprint x\n", "let x = 3\nprint x\n"],
    ["let x = (1 + 2\nprint x\n", "let x = (1 + 2)\nprint x\n"],
    ['print "one\n', 'print "one"\n'],
    [
      "let f = LayerNorm(epz: 1e-3)\nprint shape(f(normal([2, 3])))\n",
      "let f = LayerNorm(eps: 1e-3)\nprint shape(f(normal([2, 3])))\n",
    ],
    ["var x = 3\nprint x\n", "let x = 3\nprint x\n"],
  ])("%s", async (before, after) => {
    expect((await fixed(before))[0]?.text).toBe(after);
  });
});

test("dlx check --json: ranges, notes and fixes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dlx-fixes-"));
  try {
    writeFileSync(join(folder, "script.dlx"), "let x = normal([3])\n\nprint 1 + summ(x)\n");
    const { out, code } = await inFolder(folder, "dlx check script.dlx --json");
    expect(code).toBe(1);
    const range = { start: { line: 3, column: 11 }, end: { line: 3, column: 15 } };
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      diagnostics: [
        {
          code: "DLX0301",
          notes: [],
          labels: [{ range }],
          fixes: [{ title: "change to `sum`", edits: [{ range, text: "sum" }] }],
        },
      ],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
