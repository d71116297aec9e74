/** The grammars of highlighters are those of the token table, and colour every script as the lexer reads it. */
import type { TokenType } from "chevrotain";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { monarch as written } from "../../editors/monaco/monarch.ts";
import { monarch, textMate } from "../../lang/services/grammars.ts";
import { scan } from "../../lang/syntax/scan.ts";
import { Identifier, K, NumberLit, S, StringLit, Unit } from "../../lang/syntax/tokens.ts";
import { markWords } from "../../lang/syntax/words.ts";
import { root, scriptsIn } from "../format/scripts.ts";
import { classify } from "./monarch-reader.ts";

describe("the written grammars are those of the token table (node editors/generate.mjs)", () => {
  test("Monarch", () => expect(written).toEqual(monarch()));
  test("TextMate", () => {
    const text = readFileSync(join(root, "editors/vscode/syntaxes/dlx.tmLanguage.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject(textMate());
  });
});

const grammar = monarch();
const reserved = new Set<TokenType>(Object.values(K));
const soft = new Set<TokenType>([...Object.values(S), Unit]);

/** The kinds of colour that a token of the lexer may have. */
function allowed(type: TokenType): RegExp {
  if (type === NumberLit) return /^number$/;
  if (type === StringLit) return /^string\.quote$/;
  if (reserved.has(type)) return /^(keyword|constant)$/;
  if (soft.has(type)) return /^(keyword|variable|function)/;
  if (type === Identifier) return /^(variable|function|type\.)/;
  return /^(operator|delimiter)/;
}

const scripts = scriptsIn("examples", "stdlib", "bench", "tests/lang/canonical");

test.each(scripts.map(({ file, text }) => [file, text] as const))(
  "%s is coloured as the lexer reads it",
  (file, text) => {
    const found = classify(grammar, text);
    expect(found.filter(({ token }) => token.includes("invalid"))).toEqual([]);
    const at = new Map(found.map((c) => [c.start, c]));
    const wrong: string[] = [];
    const { tokens, trivia } = scan({ file, text }, 0, text.length, (d) => wrong.push(d.title));
    markWords(tokens);
    for (const { tokenType, startOffset, image } of tokens) {
      if (tokenType.name === "Newline") continue;
      const got = at.get(startOffset)?.token ?? "nothing";
      if (!allowed(tokenType).test(got)) wrong.push(`${image} at ${startOffset} is ${got}`);
    }
    for (const { kind, text: comment, span } of trivia) {
      if (kind === "blank") continue;
      const got = at.get(span.start)?.token;
      if (got !== (kind === "doc" ? "comment.doc" : "comment")) wrong.push(`${comment} is ${got}`);
    }
    expect(wrong).toEqual([]);
  },
);

const colours = (text: string): string[] =>
  classify(grammar, text)
    .filter(({ token }) => token !== "white")
    .map(({ text, token }) => `${text} ${token}`);

test("texts with values and formats", () => {
  expect(colours('print "{{a}} {loss:.4f} is {f(x, at: 1)} at {y[T: 1]:+.1%}"')).toEqual([
    "print keyword",
    '" string.quote',
    "{{ string.escape",
    "a string",
    "}} string.escape",
    "  string",
    "{ string.hole",
    "loss variable",
    ": delimiter",
    ".4f number.format",
    "} string.hole",
    " is  string",
    "{ string.hole",
    "f function",
    "( delimiter.parenthesis",
    "x variable",
    ", delimiter",
    "at variable.parameter",
    ": delimiter",
    "1 number",
    ") delimiter.parenthesis",
    "} string.hole",
    " at  string",
    "{ string.hole",
    "y variable",
    "[ delimiter.square",
    "T type.axis",
    ": delimiter",
    "1 number",
    "] delimiter.square",
    ": delimiter",
    "+.1% number.format",
    "} string.hole",
    '" string.quote',
  ]);
});

test("axes, models, names that are words elsewhere", () => {
  expect(colours("model LeNet(Classes: dim)(x: [B, 28]) -> logits[B, Classes] {")).toEqual(
    expect.arrayContaining([
      "model keyword",
      "LeNet function.definition",
      "Classes type.axis",
      "dim keyword",
      "B type.axis",
      "28 number",
    ]),
  );
  expect(colours("let y = x |> Linear(10, bias: false) |> sum(over: C)")).toEqual(
    expect.arrayContaining([
      "Linear type.model",
      "bias variable.parameter",
      "false constant",
      "|> operator",
      "over variable.parameter",
    ]),
  );
  const linear = colours("fn linear(at, from, to, over) = from + (to - from) * min(at - 1, over) / over");
  expect(linear.filter((c) => /^(from|to|over) /.test(c)).every((c) => c.endsWith(" variable"))).toBe(true);
  expect(
    colours("minimize loss over net except bert with Adam(1e-3) if ok").filter((c) => c.endsWith(" keyword")),
  ).toEqual(["minimize keyword", "over keyword", "except keyword", "with keyword", "if keyword"]);
  expect(colours("every 5 steps { plot step }")).toEqual(expect.arrayContaining(["steps keyword", "step variable"]));
  expect(colours("let letter = 1 # let")).toEqual([
    "let keyword",
    "letter variable",
    "= operator",
    "1 number",
    "# let comment",
  ]);
  expect(colours('let open = "no end')).toContain('"no end string.invalid');
});

test("every pattern of the TextMate grammar is a regular expression without empty matches", () => {
  const patterns = [...JSON.stringify(textMate()).matchAll(/"(?:match|begin)":("(?:[^"\\]|\\.)*")/g)].map(
    (m) => JSON.parse(m[1] ?? '""') as string,
  );
  expect(patterns.length).toBeGreaterThan(20);
  for (const pattern of patterns) expect(new RegExp(pattern, "u").test("")).toBe(false);
});
