/** Helpers of the tests of what scripts mean: a run on the reference device, its prints as numbers, its messages as text. */
import { expect } from "vitest";
import { ReferenceDevice } from "../../gpu/reference.ts";
import { compile, renderDiagnostic } from "../../lang/index.ts";
import type { CompileOptions, Compiled } from "../../lang/index.ts";
import { factsOf } from "../../runtime/node.ts";
import { prelude } from "../../stdlib/index.ts";
import type { Ran, RunOptions } from "../run-script.ts";
import { runText } from "../run-script.ts";

export async function run(text: string, options: RunOptions = {}): Promise<Ran> {
  const ran = await runText(text, new ReferenceDevice(), options);
  const problems = ran.events.filter((e) => e.event === "error" || e.event === "warning");
  expect(problems).toEqual([]);
  return ran;
}

/** The lines that a script prints. */
export async function prints(text: string, options: RunOptions = {}): Promise<readonly string[]> {
  return (await run(text, options)).prints;
}

/** All numbers of a printed line. */
export function numbers(line: string | undefined): number[] {
  return (line?.match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g) ?? []).map(Number);
}

/** All numbers that a script prints, line by line. */
export async function printed(text: string, options: RunOptions = {}): Promise<number[][]> {
  return (await prints(text, options)).map(numbers);
}

export function expectClose(
  got: readonly number[] | undefined,
  wanted: readonly number[] | undefined,
  digits = 4,
): void {
  expect(got?.length).toBe(wanted?.length);
  got!.forEach((value, i) => {
    const scale = Math.max(1, Math.abs(wanted![i]!));
    expect(value / scale).toBeCloseTo(wanted![i]! / scale, digits);
  });
}

export interface Files {
  readonly [path: string]: string;
}

/** Without notes, which say nothing of what is wrong. */
export async function check(text: string, files: Files = {}, options: CompileOptions = {}): Promise<Compiled> {
  const compiled = await noted(text, files, options);
  return { ...compiled, diagnostics: compiled.diagnostics.filter((d) => d.severity !== "note") };
}

export async function noted(text: string, files: Files = {}, options: CompileOptions = {}): Promise<Compiled> {
  return compile(
    { file: "script.dlx", text },
    {
      prelude,
      facts: (ref) => factsOf(ref, { scriptFolder: "/nowhere" }),
      readModule: async (path) => (path in files ? { file: path, text: files[path]! } : undefined),
    },
    options,
  );
}

/** `DLX0301 3: there is no …`: code, line of the first label and title of every message. */
export async function mistakes(text: string, files: Files = {}): Promise<string[]> {
  const result = await check(text, files);
  return result.diagnostics.map((d) => {
    const at = d.labels[0]?.span;
    const source = result.sources.find((s) => s.file === at?.file)?.text ?? "";
    const line = at ? source.slice(0, at.start).split("\n").length : 0;
    return `${d.code} ${at?.file === "script.dlx" ? "" : `${at?.file}:`}${line}`;
  });
}

export async function messages(text: string, files: Files = {}): Promise<string> {
  const result = await check(text, files);
  return result.diagnostics.map((d) => renderDiagnostic(d, [...result.sources])).join("\n");
}

/** The paths of the slots of a program, those of kept values left out. */
export async function paths(text: string, files: Files = {}): Promise<string[]> {
  const { program, diagnostics } = await check(text, files);
  expect(diagnostics.map((d) => d.title)).toEqual([]);
  return Object.values(program!.slots)
    .filter((s) => s.kind !== "value")
    .map((s) => s.path)
    .sort();
}
