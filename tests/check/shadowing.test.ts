/** A name of the standard library at the top of a script: a note, which changes nothing else. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { prelude } from "../../stdlib/index.ts";
import { noted, prints } from "./semantics.ts";

async function notes(text: string, files: Record<string, string> = {}): Promise<string[]> {
  const { diagnostics } = await noted(text, files);
  return diagnostics.map((d) => {
    const at = d.labels[0]!.span;
    const other = d.labels[1]?.span.file ?? d.notes[0];
    return `${d.severity} ${d.code} ${text.slice(at.start, at.end)}: ${other}`;
  });
}

const library = (name: string, file: string): string => `note DLX0348 ${name}: stdlib/${file}.dlx`;
const given = (name: string, kind: string): string =>
  `note DLX0348 ${name}: the other one is ${kind}: \`dlx doc ${name}\` shows it`;

describe("a note for each name", () => {
  test.each<[string, string[]]>([
    ["fn relu(x) = x", [library("relu", "activations")]],
    ["model Linear()(x) { x }", [library("Linear", "layers")]],
    ["optimizer SGD(lr = 1)(p, g) { p <- p - lr * g }", [library("SGD", "optimizers")]],
    ["let sum = 1", [given("sum", "a function of the compiler")]],
    ["let (mnist, pi) = (1, 2)", [given("mnist", "a data source"), given("pi", "a constant")]],
    ["dim GRU = 3", [library("GRU", "recurrent")]],
    ["input std = 0.5 in 0.0 .. 1.0", [library("std", "statistics")]],
  ])("%s", async (script, wanted) => expect(await notes(script)).toEqual(wanted));

  test("an import", async () => {
    const files = { "my.dlx": "fn relu(x) = x\nfn gelu(x) = x\n" };
    expect(await notes('import gelu from "./my.dlx"\nprint gelu(1.0)\n', files)).toEqual([
      library("gelu", "activations"),
    ]);
  });
});

describe("no note", () => {
  test.each([
    "fn mine(x) = x",
    "fn f(x) { let sum = x\n sum }\nprint f(1)",
    "fn f(max) = max\nprint f(1)",
    "for sum in 1..2 { print sum }",
    "train accuracy for 1 step { plot 1.0 }",
    "let constructor = 1\nlet toString = 2",
  ])("%s", async (script) => expect(await notes(script)).toEqual([]));

  test("where something is wrong", async () => {
    expect(await notes("let sum = 1\nprint smu\n")).toEqual(["error DLX0301 smu: undefined"]);
  });

  test.each(prelude.map(({ file, text }) => [file, text] as const))("%s as a script", async (_file, text) => {
    expect(await notes(text)).toEqual([]);
  });
});

test("the script's own is meant, and the library goes on with its own", async () => {
  expect(await prints("fn exp(x) = 7\nprint exp(1.0), softmax([0.0, 0.0])\n")).toEqual(["7 [0.5, 0.5]"]);
});

const examples = resolve(import.meta.dirname, "../../examples");
test.each(readdirSync(examples).filter((name) => name.endsWith(".dlx")))("%s: notes at most", async (name) => {
  const { diagnostics } = await noted(readFileSync(join(examples, name), "utf8"));
  expect(diagnostics.filter((d) => d.severity !== "note" && !d.code.startsWith("DLX05"))).toEqual([]);
});

describe("a live input above a block", () => {
  const around = (let_: string, used: string): string =>
    `input amount = 0.1 in 0.0 .. 1.0\n${let_}\ntrain for 2 steps {\n  plot mean(${used})\n}\n`;
  test("of a value that is kept: a warning", async () => {
    const { diagnostics } = await noted(around("let noise = amount * normal([3])", "noise"));
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual(["warning DLX0349"]);
  });
  test.each([
    ["what follows it", around("let twice = 2 * amount", "twice")],
    ["what no block reads", `${around("let a = normal([3])", "a")}print amount * a\n`],
    ["the rate of an optimizer", around("let rate = Adam(amount)", "1.0")],
  ])("%s: nothing", async (_name, script) => expect(await notes(script)).toEqual([]));
});
