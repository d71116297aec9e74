/** Every name of the language is in the reference, with a text where it is defined and an example that checks. */
import { describe, expect, test } from "vitest";
import { builtins, constants } from "../../lang/check/builtins/index.ts";
import { sources } from "../../lang/check/sources.ts";
import { specials } from "../../lang/check/specials.ts";
import { examples } from "../../lang/doc/examples.ts";
import { htmlPages } from "../../lang/doc/html.ts";
import { lookUp, reference, summaryOf } from "../../lang/doc/index.ts";
import { words } from "../../lang/doc/words.ts";
import { format } from "../../lang/format/index.ts";
import { parse } from "../../lang/syntax/index.ts";
import { EXPRESSION_WORDS, SOFT_WORDS, STATEMENT_WORDS } from "../../lang/syntax/tokens.ts";
import { prelude } from "../../stdlib/index.ts";
import { check } from "../check/semantics.ts";

const ref = reference(prelude);

test("all names of the compiler and all words are in it, with a text", () => {
  const given = [
    ...Object.keys(builtins),
    ...Object.keys(specials),
    ...Object.keys(sources),
    ...Object.keys(constants),
  ];
  for (const name of [...given, ...STATEMENT_WORDS, ...EXPRESSION_WORDS, ...SOFT_WORDS]) {
    const entry = ref.entries.get(name);
    expect(entry, name).toBeDefined();
    expect(entry?.text, name).not.toBe("");
    expect(entry?.signature, name).not.toBe("");
  }
});

test("all declarations of the standard library are in it, with their definition", () => {
  const declared = prelude.flatMap(({ text }) =>
    [...text.matchAll(/^(?:fn|model|optimizer) (\w+)/gm)].map((m) => m[1] ?? ""),
  );
  expect(declared.length).toBeGreaterThan(50);
  for (const name of declared) {
    const entry = ref.entries.get(name);
    expect(entry?.code, name).toMatch(new RegExp(`^(fn|model|optimizer) ${name}\\b`));
    expect(entry?.signature.startsWith(`${name}(`), name).toBe(true);
    expect(entry?.signature, name).not.toMatch(/\s\s|\n|[([] /);
  }
});

const documented = prelude.map(({ file, text }) => {
  const all = [...text.matchAll(/^((?:##.*\n)*)(?:fn|model|optimizer) (\w+)/gm)];
  return [file, all.filter((m) => m[1] !== "").map((m) => m[2] ?? "")] as const;
});
test.each(documented)("%s: a doc gives a text and a summary", (_file, names) => {
  for (const name of names) {
    const entry = ref.entries.get(name);
    expect(entry?.text, name).not.toBe("");
    expect(entry && summaryOf(entry), name).not.toBe("");
  }
});

test("call, shapes, text and source of a doc are told apart", () => {
  const text = [
    "# Things.",
    "## f(x: [B, In], n: 1)",
    "##   -> [B, Out]",
    "## Formula: y = x + 1. It is `f`. Source: Someone et al., A Title, 2000.",
    "fn f(",
    "  x: [B, In],",
    "  n = 1",
    ") = x + 1",
    "## clip(c): if the norm is above c (and only then), it is cut.",
    "## Source: Someone else, 2001.",
    "fn clip(c) = c",
    "fn bare(x) { x }",
  ].join("\n");
  const made = reference([{ file: "stdlib/things.dlx", text }]);
  expect(made.modules[0]).toMatchObject({ name: "things", title: "Things." });
  expect(made.entries.get("f")).toMatchObject({
    signature: "f(x: [B, In], n = 1)",
    shapes: "f(x: [B, In], n: 1) -> [B, Out]",
    text: "Formula: y = x + 1. It is `f`.",
    source: "Someone et al., A Title, 2000",
  });
  expect(made.entries.get("clip")).toMatchObject({
    text: "clip(c): if the norm is above c (and only then), it is cut.",
    source: "Someone else, 2001",
  });
  expect(made.entries.get("clip")?.shapes).toBeUndefined();
  expect(made.entries.get("bare")).toMatchObject({ text: "", code: "fn bare(x) { x }" });
});

test("two meanings of one name are one entry", () => {
  expect(ref.entries.get("split")?.text).toContain("parts `train`, `val`, `test`");
  expect(ref.entries.get("split")?.text).toContain("equal parts along one axis");
});

test("a misspelled name has a suggestion", () => {
  expect(lookUp(ref, "sofmax")).toEqual({ near: "softmax" });
  expect(lookUp(ref, "minimise")).toEqual({ near: "minimize" });
  expect(lookUp(ref, "zzzzzzzz")).toEqual({ near: undefined });
});

describe("examples", () => {
  /** Sources of files, which are not there. */
  const files = new Set(
    "mnist fashion_mnist cifar10 idx csv images npy npz text lines chars words bpe encode decode".split(" "),
  );
  const without: string[] = [];
  test.each(Object.entries(examples))("%s checks and uses the name", async (name, example) => {
    expect(example).toMatch(new RegExp(`\\b${name}\\b`));
    expect(ref.entries.get(name), name).toBeDefined();
    const { diagnostics } = await check(example);
    if (files.has(name)) expect(diagnostics.filter(({ code }) => !code.startsWith("DLX05"))).toEqual([]);
    else expect(diagnostics).toEqual([]);
  });

  test("every name of the compiler has one", () => {
    const compiler = ref.modules.filter(({ name }) => name === "builtins" || name === "data");
    for (const { name, example } of compiler.flatMap((m) => m.entries)) if (example === undefined) without.push(name);
    expect(without).toEqual([]);
  });

  test("they are in canonical form", () => {
    for (const example of [...Object.values(examples), ...Object.values(words).map((w) => w.example)])
      expect(format({ file: "a.dlx", text: example })).toEqual({ text: `${example}\n` });
  });

  /** Forms of the language that parse and are refused: the version does not have them yet, or a file is not there. */
  const elsewhere = new Set(["repeat", "show", "record", "precision", "import", "from"]);
  test.each(Object.entries(words))("%s parses, and checks unless the version lacks it", async (word, { example }) => {
    expect(parse({ file: "a.dlx", text: example }).diagnostics).toEqual([]);
    if (!elsewhere.has(word)) expect((await check(example)).diagnostics).toEqual([]);
  });
});

describe("pages", () => {
  const pages = htmlPages(ref);
  test("one for each module, and an index", () => {
    expect([...pages.keys()].sort()).toEqual(["index.html", ...ref.modules.map((m) => `${m.name}.html`)].sort());
  });
  test.each([...pages])("%s is whole and asks for nothing from outside", (_name, text) => {
    expect(text).toMatch(/^<!doctype html>/);
    expect(text).toContain("prefers-color-scheme: dark");
    expect(text).not.toMatch(/https?:|<script|<link|<img|@import|url\(/);
    for (const tag of ["html", "body", "section", "table", "pre", "code", "details"])
      expect(text.split(`<${tag}`).length, tag).toBe(text.split(`</${tag}>`).length);
  });
  test("every link leads somewhere", () => {
    for (const text of pages.values()) {
      for (const [, page, id] of text.matchAll(/href="([^"#]*)(?:#([^"]*))?"/g)) {
        const target = pages.get(page ?? "");
        expect(target, page).toBeDefined();
        if (id !== undefined) expect(target).toContain(`id="${id}"`);
      }
    }
  });
  test("signs are escaped", () => expect(pages.get("builtins.html")).not.toMatch(/<(?!\/?[a-z!])/));
});
