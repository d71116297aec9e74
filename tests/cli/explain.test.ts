/**
 * The pages of `dlx explain`: one for each code, and each tells the truth. The wrong script gives exactly its message
 * (`UPDATE=1` writes it into the page), the right one runs without any.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, test } from "vitest";
import { pages } from "../../lang/explain/index.ts";
import type { Page } from "../../lang/explain/read.ts";
import { codesInSource } from "../lang/codes.ts";
import { folderOf, provoked, settled } from "../lang/provoked.ts";
import { inFolder } from "./in-folder.ts";

const root = resolve(import.meta.dirname, "../..");
/** A page shows with `…` what would fill it. */
const written = (code: string, script: string) =>
  code === "DLX0115" ? script.replace("not …", "not ".repeat(20_000)) : script;
const LINE = "dlx run script.dlx --device cpu --steps 2 --quiet";

async function outcome(page: Page, kind: "wrong" | "right", line: string) {
  const folder = mkdtempSync(join(tmpdir(), "dlx-explain-"));
  try {
    // Files that cannot be shown on a page are those of the sample of this code.
    const sample = folderOf(page.code);
    if (sample) cpSync(sample, folder, { recursive: true });
    for (const block of page.blocks) if (block.kind === "file") writeFileSync(join(folder, block.name!), block.text);
    const script = page.blocks.find((block) => block.kind === kind)!.text;
    writeFileSync(join(folder, "script.dlx"), `${written(page.code, script)}\n`);
    const fake = kind === "wrong" ? provoked[page.code] : undefined;
    const { code, err } = fake ? { code: 3, err: await fake(folder) } : await inFolder(folder, line);
    return { code, err: settled(err, folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function update(page: Page, message: string): void {
  const file = join(root, "lang/explain", `${page.code}.md`);
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(/(```text message\n)[\s\S]*?(```)/, () => `\`\`\`text message\n${message}\n\`\`\``),
  );
}

describe("every page", () => {
  it("is there for each code of lang/errors and for no other", () => {
    expect([...pages.keys()]).toEqual(codesInSource());
    const files = readdirSync(join(root, "lang/explain")).filter((name) => name.endsWith(".md"));
    expect(files.map((name) => name.replace(".md", "")).sort()).toEqual([...pages.keys()]);
  });
  test.each([...pages.values()].map((page) => [page.code, page] as const))("%s", async (code, page) => {
    const kinds = page.blocks.map(({ kind }) => kind).filter((kind) => kind !== "file" && kind !== "command");
    expect(kinds).toEqual(["prose", "wrong", "message", "right"]);
    expect(page.title).not.toMatch(/[.A-Z]$/);
    const line = page.blocks.find(({ kind }) => kind === "command")?.text ?? LINE;

    const wrong = await outcome(page, "wrong", line);
    const [, severity] = new RegExp(`^(error|warning|note)\\[${code}\\]`).exec(wrong.err) ?? [];
    expect(severity).toBeDefined();
    expect(wrong.code === 0).toBe(severity !== "error" && provoked[code] === undefined);
    expect(wrong.err.match(/\[DLX\d{4}\]/g)).toHaveLength(1);
    if (process.env.UPDATE) update(page, wrong.err);
    else expect(wrong.err).toBe(page.blocks.find(({ kind }) => kind === "message")!.text);

    const right = await outcome(page, "right", line.replace("nowhere.dlx", "script.dlx"));
    expect(right).toEqual({ code: 0, err: "" });
  });
});

describe("dlx explain", () => {
  it("takes a code as it is, in lower case, and as a number", async () => {
    const { code, out } = await inFolder(".", "dlx explain DLX0106");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "DLX0106: comparisons in a chain

      \`0 < x < 1\` compares the truth value of \`0 < x\` with 1 in some languages, and
      means "x lies between" in others. dlx has neither: a comparison takes two
      values.

      Join two comparisons with \`and\`.

      Wrong:

          let x = 0.5
          print 0 < x < 1

      What dlx says:

          error[DLX0106]: comparisons cannot be chained
           --> script.dlx:2:13
            |
          2 | print 0 < x < 1
            |         -   ^ a second comparison
            |         the first
            |
            = help: write \`0 < x and x < 1\`

      Right:

          let x = 0.5
          print 0 < x and x < 1
      "
    `);
    for (const other of ["dlx0106", "0106", "106"]) expect((await inFolder(".", `dlx explain ${other}`)).out).toBe(out);
    expect(out).not.toContain("```");
  });
  it("lists all codes without one", async () => {
    const { code, out } = await inFolder(".", "dlx explain");
    expect(code).toBe(0);
    for (const page of pages.values()) expect(out).toContain(`  ${page.code}  ${page.title}\n`);
    expect(out).toContain("shapes and axes\n");
  });
  it("suggests the nearest code for one that is not there", async () => {
    expect(await inFolder(".", "dlx explain DLX0214")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/^dlx: there is no message DLX0214; did you mean dlx explain DLX02\d\d\?\n$/),
    });
    expect((await inFolder(".", "dlx explain shapes")).err).toContain("`dlx explain` lists all");
  });
  it("--json", async () => {
    const page = JSON.parse((await inFolder(".", "dlx explain 201 --json")).out) as Page;
    expect(page).toEqual(pages.get("DLX0201"));
    const all = JSON.parse((await inFolder(".", "dlx explain --json")).out) as { codes: { code: string }[] };
    expect(all.codes.map((each) => each.code)).toEqual([...pages.keys()]);
  });
});
