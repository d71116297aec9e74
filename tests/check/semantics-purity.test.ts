/** Text is never the run: what does not change the program leaves it equal, and a program is plain data. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { Program } from "../../lang/index.ts";
import { programText } from "../../lang/program-text.ts";
import { check } from "./semantics.ts";

const root = resolve(import.meta.dirname, "../..");
const examples = readdirSync(join(root, "examples"))
  .filter((f) => f.endsWith(".dlx") && !f.startsWith("mnist"))
  .map((f) => [f, readFileSync(join(root, "examples", f), "utf8")] as const);

async function programOf(script: string): Promise<Program> {
  const { program, diagnostics } = await check(script);
  expect(diagnostics).toEqual([]);
  return program!;
}

describe.each(examples)("%s", (_name, script) => {
  test("two checks give equal programs", async () => {
    expect(programText(await programOf(script))).toBe(programText(await programOf(script)));
  });
  test("comments, blank lines and spaces change nothing", async () => {
    const changed = `# first\n\n${script.replaceAll("\n", "  # note\n\n")}\n\n# last`;
    expect(programText(await programOf(changed))).toBe(programText(await programOf(script)));
  });
  test("it can be cloned", async () => {
    const program = await programOf(script);
    expect(programText(structuredClone(program))).toBe(programText(program));
  });
  test("a number that is changed is seen", async () => {
    const changed = script.replace(/for \d+ (epoch|step)/, "for 987 $1");
    expect(programText(await programOf(changed))).not.toBe(programText(await programOf(script)));
  });
});
