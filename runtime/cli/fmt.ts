/** `dlx fmt FILE..`: scripts in canonical form, written in place; `-` reads standard input and writes standard output. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { noScript } from "../../lang/errors/running.ts";
import { format } from "../../lang/format/index.ts";
import { renderDiagnostic } from "../../lang/render.ts";
import type { Source } from "../../lang/source.ts";
import { counted } from "../sinks/words.ts";
import { UsageError, type Args } from "./args.ts";
import { DONE, WRONG_PROGRAM, type Io } from "./io.ts";
import { readSource } from "./source.ts";

interface Outcome {
  readonly file: string;
  readonly state: "same" | "changed" | "wrong";
  readonly diagnostics: readonly Diagnostic[];
}

/** A file without a mistake in its syntax is rewritten; the others are left as they are. */
export async function fmt(args: Args, io: Io): Promise<number> {
  const check = args.has("check");
  if (args.files.length === 0) throw new UsageError("`dlx fmt` needs a file: dlx fmt FILE..");
  if (args.files.includes("-")) {
    if (args.files.length > 1) throw new UsageError("`-` is standard input: give it alone");
    return fromInput(io, check);
  }
  const outcomes: Outcome[] = [];
  for (const file of await scripts(args.files)) outcomes.push(await formatFile(file, check, io));
  const ok = outcomes.every(({ state }) => state === "same" || (state === "changed" && !check));
  if (args.has("json")) io.stdout(`${JSON.stringify({ ok, files: outcomes })}\n`);
  else report(outcomes, io, check);
  return ok ? DONE : WRONG_PROGRAM;
}

async function formatFile(file: string, check: boolean, io: Io): Promise<Outcome> {
  const source = await read(file);
  const result = "text" in source ? format(source) : { diagnostics: [source] };
  if ("diagnostics" in result) {
    const sources = "text" in source ? [source] : [];
    for (const d of result.diagnostics) io.stderr(`${renderDiagnostic(d, sources, { color: io.color })}\n`);
    return { file, state: "wrong", diagnostics: result.diagnostics };
  }
  const same = "text" in source && source.text === result.text;
  if (!same && !check) await writeFile(file, result.text);
  return { file, state: same ? "same" : "changed", diagnostics: [] };
}

function report(outcomes: readonly Outcome[], io: Io, check: boolean): void {
  const changed = outcomes.filter(({ state }) => state === "changed");
  for (const { file } of changed) io.stdout(`${file}: ${check ? "would change" : "formatted"}\n`);
  const kept = outcomes.filter(({ state }) => state === "same").length;
  if (kept > 0) io.stdout(`${counted(kept, "file")} in canonical form already\n`);
}

async function fromInput(io: Io, check: boolean): Promise<number> {
  const source = { file: "standard input", text: await textOf(process.stdin) };
  const result = format(source);
  if ("diagnostics" in result) {
    for (const d of result.diagnostics) io.stderr(`${renderDiagnostic(d, [source], { color: io.color })}\n`);
    return WRONG_PROGRAM;
  }
  if (!check) io.stdout(result.text);
  return check && result.text !== source.text ? WRONG_PROGRAM : DONE;
}

/** The files given, and all scripts of the folders given; hidden folders and those of packages are left out. */
async function scripts(given: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of given) {
    if (await isFolder(path)) await collect(path, found);
    else found.push(path);
  }
  return found;
}

async function collect(folder: string, found: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") await collect(path, found);
    } else if (entry.name.endsWith(".dlx")) found.push(path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // A path that is not there is told as a file that cannot be read.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

async function read(file: string): Promise<Source | Diagnostic> {
  const source = await readSource(file);
  return "reason" in source ? noScript(file, source.reason) : source;
}
