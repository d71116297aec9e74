/**
 * Scripts that train, against the same loops in PyTorch (the .py files of this folder, each with its answers in a .json
 * beside it). An answer is a metric after a step (`L@3`) or a param at the end of the run, by its path. Every param of the
 * script must have an answer.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Device } from "../../gpu/device.ts";
import { openDevice } from "../../gpu/index.ts";
import { renderDiagnostic } from "../../lang/index.ts";
import { runText } from "../run-script.ts";
import { close } from "../stdlib/harness.ts";

export type Answers = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** The inputs of both sides: numbers in -1..1, as in tests/stdlib/torch/common.py. */
export const PREAMBLE = `fn wave(shape, k = 0) = reshape((37 * range(size(zeros(shape))) + 11 * k) % 101 / 50 - 1, shape)\n`;

export interface OnDevice {
  readonly device: string;
  readonly open: () => Promise<Device>;
  /** Largest error allowed, times the greater of 1 and the expected number. */
  readonly tolerance: number;
}
export const devices: readonly OnDevice[] = [
  { device: "reference", open: () => openDevice("reference"), tolerance: 1e-8 },
  { device: "cpu", open: () => openDevice("cpu"), tolerance: 1e-4 },
];

export function answersOf(script: string): Answers {
  return JSON.parse(readFileSync(new URL(`./${script}.json`, import.meta.url), "utf8")) as Answers;
}

/** Metrics by `name@step`, params by path. */
export async function trained(script: string, device: Device): Promise<Record<string, readonly number[]>> {
  const { program, events, state } = await runText(PREAMBLE + script, device, { folder: import.meta.dirname });
  await device.dispose();
  const got: Record<string, readonly number[]> = {};
  for (const e of events) {
    if (e.event === "error" || e.event === "warning")
      throw new Error(renderDiagnostic(e.diagnostic, [...program.sources]));
    if (e.event !== "train" || e.fold) continue;
    for (const [name, value] of Object.entries(e.metrics)) got[`${name}@${e.step}`] = [value].flat(4) as number[];
  }
  for (const [path, slot] of Object.entries(program.slots))
    if (slot.kind === "param") got[path] = Array.from(state[path]!);
  return got;
}

export async function compare(
  script: string,
  expected: Readonly<Record<string, readonly number[]>> | undefined,
  { open, tolerance }: OnDevice,
): Promise<void> {
  if (!expected) throw new Error("expected the case in a .json file, got none");
  const got = await trained(script, await open());
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  for (const [label, numbers] of Object.entries(expected)) close(got[label], numbers, tolerance, label);
}

export function againstTorch(answers: Answers, cases: Readonly<Record<string, string>>, on = devices): void {
  test("every answer is asked for", () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(answers).sort());
  });
  describe.each(on)("$device", (which) => {
    test.each(Object.entries(cases))("%s", (name, script) => compare(script, answers[name], which));
  });
}
