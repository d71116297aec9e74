/** The same scripts on `webgpu`, where there is an adapter. */
import { describe, test } from "vitest";
import { gpu, open } from "../webgpu/setup.ts";
import { compare, type Answers } from "./harness.ts";

export function onWebGpu(answers: Answers, cases: Readonly<Record<string, string>>, names: readonly string[]): void {
  describe.skipIf(!gpu)("webgpu", () => {
    test.each(names)("%s", (name) => {
      const script = cases[name];
      if (script === undefined) throw new Error(`expected a case ${name}, got ${Object.keys(cases).join(", ")}`);
      return compare(script, answers[name], { device: "webgpu", open: () => open(), tolerance: 1e-4 });
    });
  });
}
