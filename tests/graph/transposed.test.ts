/**
 * The gradient of a convolution by its input as a convolution: the same numbers as the fold of columns, for paddings,
 * dilations and windows of every kind, in one and two dimensions; what does not fit stays a fold.
 */
import { describe, expect, test } from "vitest";
import { build as b, evaluate, gradient, make, optimize, simplify, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

interface Case {
  readonly places: readonly number[];
  readonly size: readonly number[];
  readonly pad: number;
  readonly dilation: number;
  readonly stride: number;
}

/** The gradient of a sum of weighted outputs of a convolution [2, 3, ..] with 4 outputs, by its input. */
function inputGradient({ places, size, pad, dilation, stride }: Case): Node {
  const x = b.input("state", "x", { dtype: "f32", shape: [2, 3, ...places] });
  const w = b.input("state", "w", { dtype: "f32", shape: [4, 3, ...size] });
  const axes = places.map((_, i) => i + 2);
  const ends = [0, 0, ...places.map(() => pad)];
  const attrs = { axes, size, stride: size.map(() => stride), dilation: size.map(() => dilation) };
  const patches = make("windows", [b.pad(x, ends, ends)], attrs);
  const contract = [[1, 1], ...size.map((_, i) => [2 + places.length + i, 2 + i])] as [number, number][];
  const y = b.dot(patches, w, [], contract);
  const weights = b.input("state", "u", y.type);
  const all = y.type.shape.map((_, i) => i);
  return gradient(b.sum(b.mul(b.mul(y, y), weights), all), [x])[0]!;
}

const numbersOf = (node: Node): number[] => {
  const seeds: Record<string, number> = { x: 1, w: 2, u: 3 };
  const size = node.type.shape.reduce((n, m) => n * m, 1);
  return numbers(size, seeds[node.attrs["name"] as string]!);
};
const has = (node: Node, op: string): boolean => topological([node]).some((n) => n.op === op);

const cases: [string, Case, boolean][] = [
  ["3x3, padded to the same size", { places: [8, 7], size: [3, 3], pad: 1, dilation: 1, stride: 1 }, true],
  ["3x3, no padding, large image", { places: [16, 16], size: [3, 3], pad: 0, dilation: 1, stride: 1 }, true],
  ["padded by more than its reach", { places: [9], size: [3], pad: 4, dilation: 1, stride: 1 }, true],
  ["5 in a row, dilated", { places: [20], size: [5], pad: 4, dilation: 2, stride: 1 }, true],
  ["1x1", { places: [5, 6], size: [1, 1], pad: 0, dilation: 1, stride: 1 }, true],
  ["even window", { places: [12, 10], size: [2, 4], pad: 1, dilation: 1, stride: 1 }, true],
  ["stride 2 stays a fold", { places: [9, 9], size: [3, 3], pad: 1, dilation: 1, stride: 2 }, false],
  ["a small image stays a fold", { places: [6, 6], size: [5, 5], pad: 0, dilation: 1, stride: 1 }, false],
];

describe("the gradient by the input", () => {
  test.each(cases)("%s", (_, which, rewritten) => {
    const { places, size, pad, dilation, stride } = which;
    const plain = simplify([inputGradient(which)])[0]!;
    const fast = optimize([plain])[0]!;
    expect(has(fast, "fold")).toBe(!rewritten);
    const out = places.map((n, k) => Math.floor((n + 2 * pad - dilation * (size[k]! - 1) - 1) / stride) + 1);
    // columns that stay have their places innermost: the left of their product is the weights
    const columns = topological([fast]).find((n) => n.op === "fold")?.inputs[0]?.inputs[0];
    if (columns) expect(columns.type.shape.slice(-places.length)).toEqual(out);
    const [expected, got] = [evaluate([plain], numbersOf)[0]!, evaluate([fast], numbersOf)[0]!];
    expect(got.length).toBe(expected.length);
    got.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 9));
  });
});
