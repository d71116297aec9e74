/**
 * The third order: the gradient of <second gradient, u> of every sample against finite differences of the second one,
 * in float64. Second gradients themselves are compared with PyTorch's.
 */
import { describe, expect, test } from "vitest";
import { evaluate, gradient, make, optimize, sizeOf } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers, samples, type Sample } from "./samples.ts";
import { derivatives, questions } from "./weights.ts";

const STEP = 1e-5;

const outside = (sample: Sample, moved: (input: number, k: number) => number) => (input: Node) => {
  const name = input.attrs["name"] as string;
  if (input.attrs["source"] === "scalar") return sample.scalars![name];
  const place = Number(name.slice(1));
  return sample.inputs[place]!.data.map((x, k) => x + moved(place, k));
};

describe("third gradients by finite differences of second ones", () => {
  for (const sample of samples) {
    const q = questions(sample);
    const d = sample.kink ? undefined : derivatives(q);
    if (!d) continue;
    test(`${sample.op}: ${sample.name}`, () => {
      const xs = q.asked.map((i) => q.inputs[i]!);
      const parts = d.second.map((g, i) => {
        const u = make("const", [], {
          values: numbers(sizeOf(g.type.shape), 970 + i),
          shape: g.type.shape,
          dtype: "f32",
        });
        return make("sum", [make("mul", [g, u])], { axes: g.type.shape.map((_, axis) => axis) });
      });
      const slope = parts.reduce((a, b) => make("add", [a, b]));
      const third = evaluate(
        optimize(gradient(slope, xs)),
        outside(sample, () => 0),
      );
      // along one random direction: one number stands for all
      const along = xs.map((x, i) => numbers(sizeOf(x.type.shape), 990 + i, -1, 1));
      const at = (step: number): number => {
        const env = outside(sample, (place, k) => step * (along[q.asked.indexOf(place)]?.[k] ?? 0));
        return evaluate([slope], env)[0]![0]!;
      };
      const expected = (at(STEP) - at(-STEP)) / (2 * STEP);
      const got = third.reduce((sum, g, i) => sum + g.reduce((s, x, k) => s + x * along[i]![k]!, 0), 0);
      const scale = Math.max(1, ...third.flatMap((g) => [...g].map(Math.abs)));
      expect(Math.abs(got - expected) / scale).toBeLessThan(1e-4);
    });
  }
});
