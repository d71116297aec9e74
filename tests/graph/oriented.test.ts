/** Windows stand on the right of their products, and every number stays. */
import { expect, test } from "vitest";
import { build as b, evaluate, make, optimize, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

const env = (node: Node) =>
  numbers(
    node.type.shape.reduce((a, n) => a * n, 1),
    (node.attrs["name"] as string).charCodeAt(0),
  );
const x = b.input("state", "x", { dtype: "f32", shape: [2, 3, 7] });
const windows = make("windows", [x], { axes: [2], size: [3], stride: [1], dilation: [1] });
const w = b.input("state", "w", { dtype: "f32", shape: [4, 3, 3] });
const operands = (out: readonly Node[]) =>
  topological(out)
    .filter((node) => node.op === "dot")
    .map((node) => node.inputs.map(({ op }) => op));

test("a convolution becomes weights times windows, channel by channel", () => {
  const plain = b.dot(windows, w, [], [[1, 1], [3, 2]]); // prettier-ignore
  const fast = optimize([plain]);
  expect(evaluate(fast, env)).toEqual(evaluate([plain], env));
  expect(fast[0]?.type).toEqual(plain.type);
  expect(operands(fast)).toEqual([["input", "windows"]]);
});

test("windows on both sides, and batched products, stay", () => {
  const both = b.dot(windows, windows, [], [[0, 0], [1, 1]]); // prettier-ignore
  expect(operands(optimize([both]))).toEqual([["windows", "windows"]]);
  const batched = b.dot(windows, w, [[1, 1]], [[3, 2]]);
  const fast = optimize([batched]);
  expect(evaluate(fast, env)).toEqual(evaluate([batched], env));
  expect(operands(fast)[0]?.[0]).not.toBe("input");
});
