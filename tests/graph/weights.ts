/**
 * The fixed questions that every gradient test asks of a sample: L = sum of w * output over float outputs; g = dL/dx for
 * the float inputs that are not fixed; L2 = sum of v * g; h = dL2/dx. PyTorch is asked the same.
 */
import { gradient, make, sizeOf } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { build, numbers, type Sample } from "./samples.ts";

export interface Questions {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** Places of the inputs that are asked about. */
  readonly asked: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly directions: readonly (readonly number[])[];
}

const table = (values: readonly number[], shape: readonly number[]) =>
  make("const", [], { values, shape, dtype: "f32" });

export function questions(sample: Sample): Questions {
  const inputs = sample.inputs.map((x, i) =>
    make("input", [], { source: "state", name: `x${i}`, dtype: x.dtype, shape: x.shape }),
  );
  const outputs = build(sample, inputs);
  const asked = inputs.map((_, i) => i).filter((i) => inputs[i]!.type.dtype === "f32" && !sample.fixed?.includes(i));
  const weights = outputs.map((o, i) => (o.type.dtype === "f32" ? numbers(sizeOf(o.type.shape), 900 + i) : []));
  const directions = inputs.map((x, i) => (asked.includes(i) ? numbers(sizeOf(x.type.shape), 950 + i) : []));
  return { inputs, outputs, asked, weights, directions };
}

function weightedSum(nodes: readonly Node[], weights: readonly (readonly number[])[]): Node {
  const parts = nodes.flatMap((node, i) => {
    if (node.type.dtype !== "f32") return [];
    const product = make("mul", [node, table(weights[i]!, node.type.shape)]);
    return [make("sum", [product], { axes: node.type.shape.map((_, axis) => axis) })];
  });
  return parts.reduce((a, b) => make("add", [a, b]));
}

/** L, g and L2, h as nodes; undefined when the outputs hold no float or nothing is asked. */
export function derivatives(q: Questions) {
  if (q.asked.length === 0 || q.outputs.every((o) => o.type.dtype !== "f32")) return undefined;
  const xs = q.asked.map((i) => q.inputs[i]!);
  const loss = weightedSum(q.outputs, q.weights);
  const first = gradient(loss, xs);
  const slope = weightedSum(
    first,
    q.asked.map((i) => q.directions[i]!),
  );
  return { loss, first, slope, second: gradient(slope, xs) };
}
