/**
 * Every mistake has a folder: the script and the message exactly as a person reads it (`UPDATE=1` writes it anew).
 * A code of `lang/errors` without a folder or a test of its own is listed, so that it cannot be forgotten.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import { factsOf } from "../../runtime/data/facts.ts";
import { prelude } from "../../stdlib/index.ts";

const folder = resolve(import.meta.dirname, "errors");
const cases = readdirSync(folder);

async function messages(name: string): Promise<string> {
  const at = join(folder, name);
  const script = { file: "script.dlx", text: readFileSync(join(at, "script.dlx"), "utf8") };
  const result = await compile(script, {
    prelude,
    facts: (ref) => factsOf(ref, { scriptFolder: at }),
    readModule: async (path) => {
      const file = join(at, path);
      return existsSync(file) ? { file: path, text: readFileSync(file, "utf8") } : undefined;
    },
  });
  const text = result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n\n");
  return `${text.trimEnd().replaceAll(at, "<folder>")}\n`;
}

describe("mistakes as a person reads them", () => {
  test.each(cases)("%s", async (name) => {
    const text = await messages(name);
    const file = join(folder, name, "message.txt");
    if (process.env.UPDATE || !existsSync(file)) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
    expect(text).toMatch(/^error\[DLX0\d{3}\]/);
  });
});
