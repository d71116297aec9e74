/** `dlx fmt` and `dlx doc` as commands: files, folders, exit codes, output. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inFolder } from "./in-folder.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dlx-fmt-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("dlx fmt", () => {
  test("writes the canonical form and says so; a second time nothing changes", async () => {
    write("a.dlx", "let  x=1\n\n\n\nprint x\n");
    expect(await inFolder(folder, "dlx fmt a.dlx")).toEqual({ code: 0, out: "a.dlx: formatted\n", err: "" });
    expect(read("a.dlx")).toBe("let x = 1\n\nprint x\n");
    expect(await inFolder(folder, "dlx fmt a.dlx")).toEqual({
      code: 0,
      out: "1 file in canonical form already\n",
      err: "",
    });
  });

  test("--check changes nothing and names the files", async () => {
    write("a.dlx", "let  x=1\n");
    write("b.dlx", "let y = 1\n");
    const { code, out } = await inFolder(folder, "dlx fmt a.dlx b.dlx --check");
    expect([code, out]).toEqual([1, "a.dlx: would change\n1 file in canonical form already\n"]);
    expect(read("a.dlx")).toBe("let  x=1\n");
  });

  test("a script with mistakes is left alone, the others are written", async () => {
    write("a.dlx", "let x = (1\n");
    write("b.dlx", "let  y=1\n");
    const { code, out, err } = await inFolder(folder, "dlx fmt a.dlx b.dlx");
    expect([code, out]).toEqual([1, "b.dlx: formatted\n"]);
    expect(err).toContain("DLX0102");
    expect(read("a.dlx")).toBe("let x = (1\n");
  });

  test("a folder means its scripts, without those of packages", async () => {
    for (const name of ["deep/er", "node_modules/p", ".hidden"]) mkdirSync(join(folder, name), { recursive: true });
    for (const name of ["a.dlx", "deep/er/b.dlx", "node_modules/p/c.dlx", ".hidden/d.dlx", "e.txt"])
      write(name, "let  x=1\n");
    const { out } = await inFolder(folder, "dlx fmt .");
    expect(out).toBe(`a.dlx: formatted\n${join("deep", "er", "b.dlx")}: formatted\n`);
    expect(read("node_modules/p/c.dlx")).toBe("let  x=1\n");
    expect(read("e.txt")).toBe("let  x=1\n");
  });

  test("a file that is not there, no file, and --json", async () => {
    expect(await inFolder(folder, "dlx fmt none.dlx")).toMatchObject({
      code: 1,
      err: expect.stringContaining("none.dlx") as string,
    });
    expect((await inFolder(folder, "dlx fmt")).code).toBe(2);
    write("a.dlx", "let  x=1\n");
    const { out } = await inFolder(folder, "dlx fmt a.dlx --json");
    expect(JSON.parse(out)).toEqual({ ok: true, files: [{ file: "a.dlx", state: "changed", diagnostics: [] }] });
  });

  test("standard input", () => {
    const dlx = (args: readonly string[], input: string) =>
      spawnSync(process.execPath, [resolve(import.meta.dirname, "../../bin/dlx.mjs"), "fmt", ...args], {
        input,
        encoding: "utf8",
      });
    expect(dlx(["-"], "let  x=1")).toMatchObject({ status: 0, stdout: "let x = 1\n" });
    expect(dlx(["-", "--check"], "let  x=1")).toMatchObject({ status: 1, stdout: "" });
    expect(dlx(["-"], "let x = (")).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("dlx doc", () => {
  test("a name with all that is known of it", async () => {
    const { code, out } = await inFolder(folder, "dlx doc clip_norm");
    expect(code).toBe(0);
    expect(out).toContain("clip_norm(c)(p, g)\n\noptimizer, stdlib/optimizers.dlx\n");
    expect(out).toMatch(/Source: Pascanu[^\n]*2013\.\n/);
    expect(out).toContain("Example:\n\n    let");
    expect(out).toContain("    optimizer clip_norm(c)(p, g) {\n      g <- ");
  });

  test("a word, a builtin, a data source", async () => {
    for (const name of ["minimize", "cumsum", "digits"])
      expect((await inFolder(folder, `dlx doc ${name}`)).out).toContain(name);
  });

  test("all names, one line each", async () => {
    const { out } = await inFolder(folder, "dlx doc");
    expect(out).toContain("layers: Layers.");
    expect(out).toMatch(/^ {2}Linear +\S/m);
    expect(out).toMatch(/^ {2}minimize +Moves/m);
    expect(
      Math.max(
        ...out
          .split("\n")
          .filter((l) => l.startsWith("  "))
          .map((l) => l.length),
      ),
    ).toBeLessThanOrEqual(102);
  });

  test("a misspelled name", async () => {
    const { code, err } = await inFolder(folder, "dlx doc Lienar");
    expect([code, err]).toEqual([2, "dlx: there is no name Lienar in the language; did you mean dlx doc Linear?\n"]);
  });

  test("--html writes pages, --json data", async () => {
    const { code, out } = await inFolder(folder, "dlx doc --html pages");
    expect(code).toBe(0);
    expect(out).toContain(join("pages", "index.html"));
    expect(readdirSync(join(folder, "pages"))).toEqual(
      expect.arrayContaining(["index.html", "layers.html", "words.html"]),
    );
    const entry = JSON.parse((await inFolder(folder, "dlx doc relu --json")).out) as { name: string };
    expect(entry.name).toBe("relu");
  });
});
