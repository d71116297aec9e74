/**
 * Values, gradients and gradients of gradients of every sample against PyTorch's (torch/ops.json).
 * Written anew by: DLX_WRITE=1 npx vitest run tests/graph/torch.test.ts && python3 tests/graph/torch/ops.py
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { evaluate, ops } from "../../lang/graph/index.ts";
import type { Attrs, Node } from "../../lang/graph/node.ts";
import { samples, type Sample } from "./samples.ts";
import { derivatives, questions } from "./weights.ts";

interface Answer {
  readonly values: number[][];
  readonly first?: number[][];
  readonly second?: number[][];
}

const at = (file: string) => new URL(`./torch/${file}`, import.meta.url);
const withoutBody = (attrs: Attrs) => Object.fromEntries(Object.entries(attrs).filter(([key]) => key !== "body"));

/** What PyTorch is asked: loops are known to ops.py by name. */
function exported(): string {
  const lines = samples.map((sample) => {
    const { asked, weights, directions } = questions(sample);
    return JSON.stringify({ ...sample, attrs: withoutBody(sample.attrs), loop: undefined, asked, weights, directions });
  });
  return `[\n${lines.join(",\n")}\n]\n`;
}
if (process.env["DLX_WRITE"]) writeFileSync(at("samples.json"), exported());

test("samples.json holds the samples of today", () => {
  expect(readFileSync(at("samples.json"), "utf8")).toBe(exported());
});

const answers = JSON.parse(readFileSync(at("ops.json"), "utf8")) as Record<string, Answer>;

function close(got: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(got.length, what).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const ok =
      Object.is(got[i], expected[i]) || Math.abs(got[i]! - expected[i]!) <= 1e-10 * Math.max(1, Math.abs(expected[i]!));
    if (!ok) throw new Error(`${what}, element ${i}: expected ${expected[i]}, got ${got[i]}`);
  }
}
const outside = (sample: Sample) => (input: Node) => {
  const name = input.attrs["name"] as string;
  return input.attrs["source"] === "scalar" ? sample.scalars![name] : sample.inputs[Number(name.slice(1))]!.data;
};

for (const sample of samples) {
  test(`${sample.op}: ${sample.name}`, () => {
    const answer = answers[`${sample.op}: ${sample.name}`]!;
    const q = questions(sample);
    evaluate(q.outputs, outside(sample)).forEach((v, i) => close(v, answer.values[i]!, "value"));
    const d = derivatives(q);
    expect(d === undefined).toBe(answer.first === undefined);
    if (!d) return;
    evaluate(d.first, outside(sample)).forEach((g, i) =>
      close(g, answer.first![i]!, `gradient of input ${q.asked[i]}`),
    );
    evaluate(d.second, outside(sample)).forEach((g, i) =>
      close(g, answer.second![i]!, `second gradient of input ${q.asked[i]}`),
    );
  });
}

test("every row has an answer", () => {
  const answered = new Set(samples.filter((s) => answers[`${s.op}: ${s.name}`]).map((s) => s.op));
  expect(Object.keys(ops).filter((op) => !answered.has(op))).toEqual([]);
});
