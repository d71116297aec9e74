/** Any text at all: every question has an answer, every place lies in the text, and messages are those of the compiler. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../lang/index.ts";
import type { Span } from "../../lang/index.ts";
import { knownFacts } from "../../lang/check/sources.ts";
import { LanguageService } from "../../lang/services/index.ts";
import { prelude } from "../../stdlib/index.ts";

const host = {
  prelude,
  facts: async (ref: Parameters<typeof knownFacts>[0]) => knownFacts(ref),
  readModule: async () => undefined,
  pause: () => new Promise<void>((done) => setImmediate(done)),
};
/** `ROUNDS=200` looks longer. */
const ROUNDS = Number(process.env.ROUNDS ?? 24);
const PIECES = [
  "(",
  ")",
  "{",
  "}",
  "[",
  "|> ",
  ".",
  ",",
  '"',
  "let ",
  "model ",
  "\n",
  "x",
  " = ",
  "<- ",
  "over ",
  ":",
  "#",
  "1",
  "relu",
  "..",
  "=",
];

/** The same numbers in each run. */
function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => (state = (state * 48271) % 2147483647) % n;
}

function mangled(text: string, random: (n: number) => number): string {
  const at = random(text.length + 1);
  const kind = random(3);
  if (kind === 0) return text.slice(0, at) + text.slice(at + 1 + random(12));
  const piece = PIECES[random(PIECES.length)]!;
  return kind === 1
    ? text.slice(0, at) + piece + text.slice(at)
    : text.slice(0, at) + piece + text.slice(at + random(6));
}

async function ask(service: LanguageService, text: string, offset: number): Promise<Span[]> {
  const [file, whole] = ["a.dlx", { start: 0, end: text.length }];
  const hover = await service.hover(file, offset);
  const definition = await service.definition(file, offset);
  const completions = await service.completions(file, offset);
  const rename = await service.rename(file, offset, "fresh_name");
  await service.signature(file, offset);
  const tokens = await service.tokens(file);
  const hints = await service.hints(file, whole);
  service.outline(file);
  service.folds(file);
  service.format(file);
  const spans = [
    hover?.span,
    definition,
    ...completions.map((c) => c.span),
    ...("edits" in rename ? rename.edits.map((e) => e.span) : []),
    ...tokens.map((t) => t.span),
  ];
  const points = hints.map((h) => ({ file, start: h.offset, end: h.offset }));
  return [...spans, ...points].filter((s) => s !== undefined && s.file === file) as Span[];
}

const examples = resolve(import.meta.dirname, "../../examples");
const scripts = readdirSync(examples).filter((n) => n.endsWith(".dlx"));

describe("texts that a person never finishes", () => {
  test.each(scripts)("%s", async (name) => {
    const random = numbers(ROUNDS + name.length);
    const service = new LanguageService(host);
    const original = readFileSync(join(examples, name), "utf8");
    let text = original;
    for (let i = 0; i < ROUNDS; i++) {
      text = i % 6 === 0 ? original : mangled(text, random);
      await service.update("a.dlx", text);
      for (const span of await ask(service, text, random(text.length + 1))) {
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(text.length);
        expect(span.start).toBeLessThanOrEqual(span.end);
      }
      const whole = await compile({ file: "a.dlx", text }, host);
      const said = (list: typeof whole.diagnostics) => list.map((d) => `${d.code} ${d.labels[0]?.span.start}`).sort();
      expect(said(await service.diagnostics("a.dlx")), text).toEqual(said(whole.diagnostics));
    }
  });
});
