/**
 * What is kept from one text to the next never shows: after each of many random edits the messages are those of a service
 * that sees the text for the first time, and where nothing is wrong so are hovers and hints. (Beside a mistake the values
 * of the last good check may answer, which a new service does not have.)
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { knownFacts } from "../../lang/check/sources.ts";
import { LanguageService, type ServiceHost } from "../../lang/services/index.ts";
import { parseAgain, type Pieces } from "../../lang/syntax/again.ts";
import { parse } from "../../lang/syntax/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { longScript } from "./script.ts";

const host: ServiceHost = {
  prelude,
  facts: (ref) => Promise.resolve(knownFacts(ref)),
  readModule: () => Promise.resolve(undefined),
  pause: () => Promise.resolve(),
};
const file = "a.dlx";

const examples = join(import.meta.dirname, "../../examples");
const scripts: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    readdirSync(examples)
      .filter((f) => /^0[1-8].*\.dlx$/.test(f))
      .map((f) => [f, readFileSync(join(examples, f), "utf8")]),
  ),
  "four models": longScript(4),
};

/** The same numbers in each run. */
function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => (state = (state * 48271) % 2147483647) % n;
}

/** Signs and words that are typed, good and bad. */
// prettier-ignore
const typed = [
  "(", ")", "{", "}", "[", "]", "\n", "\n\n", " ", "x", "1", "\"", "#", "## doc\n", ":", ",", ".", "=", "<-", "|>", "let ", "let y = 3\n",
  "model ", "train ", "relu", " if a else b", "elif", "+=", ":=", "import torch\n", "def f(x):\n  x\n", "with torch.no_grad() {", "; ", "fn f(x) = x\n", "1e-3", "over", "~", "é",
];

function edited(text: string, random: (n: number) => number): string {
  const at = random(text.length + 1);
  switch (random(6)) {
    case 0: {
      // A line goes.
      const lines = text.split("\n");
      lines.splice(random(lines.length), 1);
      return lines.join("\n");
    }
    case 1: {
      // A line is written twice or moved.
      const lines = text.split("\n");
      const [line = ""] = lines.splice(random(lines.length), random(2));
      lines.splice(random(lines.length + 1), 0, line);
      return lines.join("\n");
    }
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random(3));
    case 3:
      return text.replace(/\d+/g, (n) => (random(8) === 0 ? String(Number(n) + random(3)) : n));
    default:
      return text.slice(0, at) + typed[random(typed.length)]! + text.slice(at);
  }
}

describe("trees", () => {
  test.each(Object.entries(scripts))("%s: read again as read for the first time", (name, script) => {
    const random = numbers(7 + name.length);
    let pieces: Pieces | undefined;
    let renewed = 0;
    for (let k = 0, text = script; k < 400; k++, text = k % 5 === 0 ? script : edited(text, random)) {
      const again = parseAgain({ file, text }, pieces);
      if (pieces && again.pieces !== pieces) renewed++;
      pieces = again.pieces;
      const { file: tree, diagnostics } = again;
      expect({ text, tree, diagnostics }).toEqual({ text, ...named(parse({ file, text })) });
    }
    expect(renewed).toBeGreaterThan(100);
  });
});

const named = ({ file, diagnostics }: ReturnType<typeof parse>) => ({ tree: file, diagnostics });

describe("services", () => {
  test.each(Object.entries(scripts))(
    "%s: answers as a service that just began",
    { timeout: 300_000 },
    async (name, script) => {
      const random = numbers(11 + name.length);
      const service = new LanguageService(host);
      let good = 0;
      for (let k = 0, text = script; k < 40; k++, text = k % 4 === 0 ? script : edited(text, random)) {
        await service.update(file, text);
        const fresh = new LanguageService(host);
        await fresh.update(file, text);
        const found = await fresh.diagnostics(file);
        expect({ text, found: await service.diagnostics(file) }).toEqual({ text, found });
        if (found.some((d) => d.severity === "error")) continue;
        good++;
        const whole = { start: 0, end: text.length };
        expect({ text, hints: await service.hints(file, whole) }).toEqual({
          text,
          hints: await fresh.hints(file, whole),
        });
        for (let i = 0; i < 12; i++) {
          const at = random(text.length + 1);
          const hover = await fresh.hover(file, at);
          expect({ text, at, hover: await service.hover(file, at) }).toEqual({ text, at, hover });
        }
      }
      expect(good).toBeGreaterThan(5);
    },
  );
});
