/**
 * Every mistake has a folder: the script and the message exactly as a person reads it (`UPDATE=1` writes it anew). A
 * script is checked; a folder with a command runs that command, and the message is what it wrote to standard error. A
 * code of `lang/errors` without a folder fails.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import { inFolder } from "../cli/in-folder.ts";
import { codesInSource } from "./codes.ts";
import { codesOf, provoked, settled } from "./provoked.ts";

const folder = resolve(import.meta.dirname, "errors");
const cases = readdirSync(folder);

async function checked(at: string): Promise<string> {
  const script = { file: "script.dlx", text: readFileSync(join(at, "script.dlx"), "utf8") };
  const result = await compile(script, {
    prelude,
    facts: (ref) => factsOf(ref, { scriptFolder: at }),
    readModule: async (path) => {
      const file = join(at, path);
      return existsSync(file) ? { file: path, text: readFileSync(file, "utf8") } : undefined;
    },
  });
  return result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n\n");
}

/** The code that only a misbehaving host or device brings about. */
const staged: Readonly<Record<string, string>> = {
  "no-batch": "DLX0703",
  "input-changed-while-running": "DLX0704",
  "rows-changed": "DLX0706",
  "device-lost": "DLX0707",
};

async function messages(name: string): Promise<string> {
  // A copy, as a run may write files.
  const at = mkdtempSync(join(tmpdir(), "dlx-sample-"));
  try {
    cpSync(join(folder, name), at, { recursive: true });
    return `${settled(await said(name, at), at)}\n`;
  } finally {
    rmSync(at, { recursive: true });
  }
}

async function said(name: string, at: string): Promise<string> {
  const code = staged[name];
  if (code !== undefined) return provoked[code]!(at);
  const command = join(at, "command.txt");
  if (!existsSync(command)) return checked(at);
  const outcome = await inFolder(at, readFileSync(command, "utf8"));
  return `${outcome.err.trimEnd()}\n\nexit code ${outcome.code}`;
}

describe("mistakes as a person reads them", () => {
  test.each(cases)("%s", async (name) => {
    const text = await messages(name);
    const file = join(folder, name, "message.txt");
    if (process.env.UPDATE) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
    expect(text).toMatch(/^(error|warning|note)\[DLX0\d{3}\]/);
  });
  test("each code has a sample that begins with it", () => {
    const shown = new Set(cases.map((name) => codesOf(name)[0]));
    expect(codesInSource().filter((code) => !shown.has(code))).toEqual([]);
  });
});
