/** Half-written scripts: whatever is cut, doubled or swapped, the checker gives messages and never throws or hangs. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "./semantics.ts";

const root = resolve(import.meta.dirname, "../..");
const pages = [readFileSync(join(root, "docs/language.md"), "utf8")];
const scripts = [
  ...readdirSync(join(root, "examples"))
    .filter((f) => f.endsWith(".dlx"))
    .map((f) => readFileSync(join(root, "examples", f), "utf8")),
  ...["01", "02", "06"].map((n) => readFileSync(join(root, `tests/lang/canonical/${n}.dlx`), "utf8")),
  ...pages.flatMap((page) => [...page.matchAll(/^```dlx\n([\s\S]*?)^```/gm)].map((m) => m[1]!)),
];
const ROUNDS = Number(process.env["ROUNDS"] ?? 300);

/** Mulberry32. */
function generator(seed: number): (n: number) => number {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const pieces = (line: string): string[] =>
  line.match(/[A-Za-z_]\w*|\d[\d._e-]*|"[^"]*"|<-|\|>|=>|->|\.\.|[<>=!]=|\s+|./g) ?? [];

function mutate(script: string, pick: (n: number) => number): string {
  const byLine = pick(2) === 0;
  const parts = byLine ? script.split("\n") : pieces(script);
  for (let i = 0; i <= pick(3); i++) {
    const a = pick(parts.length);
    const b = pick(parts.length);
    switch (pick(4)) {
      case 0:
        parts.splice(a, 1);
        break;
      case 1:
        parts.splice(b, 0, parts[a]!);
        break;
      case 2:
        [parts[a], parts[b]] = [parts[b]!, parts[a]!];
        break;
      default:
        parts[a] = parts[b]!;
    }
  }
  return parts.join(byLine ? "\n" : "");
}

/** The checker is as fast on broken text as on whole text. */
async function survives(script: string): Promise<void> {
  const begun = performance.now();
  try {
    const { program, diagnostics } = await check(script);
    if (!program) expect(diagnostics.length).toBeGreaterThan(0);
    for (const d of diagnostics) expect(d.title).not.toMatch(/undefined|NaN|\[object/);
  } catch (error) {
    throw new Error(`the checker fails on\n${script}`, { cause: error });
  }
  if (performance.now() - begun > 10_000) throw new Error(`the checker is slow on\n${script}`);
}

describe("broken scripts", () => {
  test("prefixes", async () => {
    const pick = generator(1);
    for (const script of scripts) for (let i = 0; i < 6; i++) await survives(script.slice(0, pick(script.length)));
  });
  test("deleted, doubled, swapped lines and words", async () => {
    const pick = generator(2);
    for (let i = 0; i < ROUNDS; i++) await survives(mutate(scripts[pick(scripts.length)]!, pick));
  });
});
