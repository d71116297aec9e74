/** What a convolution pads lies in memory once: other readers see it through the pad, and every number stays. */
import { expect, test } from "vitest";
import { build as b, evaluate, make, optimize, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

const env = (node: Node) =>
  numbers(
    node.type.shape.reduce((a, n) => a * n, 1),
    (node.attrs["name"] as string).charCodeAt(0),
  );
const windowed = (x: Node) => make("windows", [x], { axes: [1], size: [3], stride: [1], dilation: [1] });

test("readers of a padded value read the padded one", () => {
  const x = make("tanh", [b.input("state", "x", { dtype: "f32", shape: [4, 6] })]);
  const w = b.input("state", "w", { dtype: "f32", shape: [3] });
  const conv = b.dot(windowed(b.pad(x, [0, 1], [0, 1])), w, [], [[2, 0]]);
  const plain = [b.add(conv, x), b.dot(x, conv, [], [[1, 1]])];
  const fast = optimize(plain);
  expect(evaluate(fast, env)).toEqual(evaluate(plain, env));
  const readers = topological(fast).filter((n) => n.inputs.some((i) => i.op === "tanh"));
  expect(readers.map((n) => n.op)).toEqual(["pad"]);
});

test("a pad that no window looks at changes nothing", () => {
  const x = make("tanh", [b.input("state", "x", { dtype: "f32", shape: [4, 6] })]);
  const fast = optimize([b.sum(b.pad(x, [0, 1], [0, 1]), [0]), b.sum(x, [0])]);
  expect(topological(fast).some((n) => n.op === "slice")).toBe(false);
});
