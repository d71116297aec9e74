/** The VS Code extension: what it names is there, and its archive holds it. */
import { strFromU8, unzipSync } from "fflate";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../format/scripts.ts";

const folder = join(root, "editors/vscode");
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
  main: string;
  version: string;
  dependencies: Record<string, string>;
  contributes: {
    languages: { id: string; extensions: string[]; configuration: string }[];
    grammars: { language: string; scopeName: string; path: string }[];
  };
};
const work = mkdtempSync(join(tmpdir(), "dlx-vsix-"));
let entries: Record<string, Uint8Array> = {};

beforeAll(() => {
  const file = join(work, "dlx.vsix");
  execFileSync(process.execPath, [join(folder, "pack.mjs"), file]);
  entries = unzipSync(readFileSync(file));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

test("language, grammar and client are named and are there", () => {
  const [language] = manifest.contributes.languages;
  const [grammar] = manifest.contributes.grammars;
  expect(language).toMatchObject({ id: "dlx", extensions: [".dlx"] });
  expect(grammar).toMatchObject({ language: "dlx", scopeName: "source.dlx" });
  for (const path of [manifest.main, language?.configuration, grammar?.path])
    expect(existsSync(join(folder, path ?? "?"))).toBe(true);
});

test("the configuration of the language", () => {
  const config = JSON.parse(readFileSync(join(folder, "language-configuration.json"), "utf8")) as {
    comments: { lineComment: string };
    wordPattern: string;
    indentationRules: { increaseIndentPattern: string; decreaseIndentPattern: string };
  };
  expect(config.comments.lineComment).toBe("#");
  expect("größe_2".match(new RegExp(config.wordPattern, "u"))?.[0]).toBe("größe_2");
  const more = new RegExp(config.indentationRules.increaseIndentPattern);
  for (const line of ["train for 5 steps {", 'test "a {b}" {  # why', "let x = ["]) expect(more.test(line)).toBe(true);
  for (const line of ["let x = { a: 1 }", "# a {", 'print "{"']) expect(more.test(line)).toBe(false);
  expect(new RegExp(config.indentationRules.decreaseIndentPattern).test("  }")).toBe(true);
});

test("the client starts the language server", () => {
  const text = readFileSync(join(folder, manifest.main), "utf8");
  expect([...text.matchAll(/require\("([^"]+)"\)/g)].map((m) => m[1])).toEqual([
    "vscode",
    "vscode-languageclient/node",
  ]);
  expect(Object.keys(manifest.dependencies)).toEqual(["vscode-languageclient"]);
  expect(text).toContain('args: ["lsp"]');
});

test("the archive has what VS Code reads", () => {
  expect(
    Object.keys(entries)
      .filter((name) => !name.includes("node_modules"))
      .sort(),
  ).toEqual([
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE",
    "extension/extension.js",
    "extension/language-configuration.json",
    "extension/package.json",
    "extension/syntaxes/dlx.tmLanguage.json",
  ]);
  const text = (name: string): string => strFromU8(entries[name] ?? new Uint8Array());
  expect(JSON.parse(text("extension/package.json"))).toEqual(manifest);
  expect(text("extension.vsixmanifest")).toContain(`Id="dlx" Version="${manifest.version}" Publisher="dlx"`);
  expect(text("extension.vsixmanifest")).toContain('Path="extension/package.json"');
  for (const ending of ["json", "js", "vsixmanifest"])
    expect(text("[Content_Types].xml")).toContain(`Extension="${ending}"`);
});
