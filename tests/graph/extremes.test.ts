/** The gradient of an extreme asks the extreme that a product reads, not its operand: every number stays. */
import { describe, expect, test } from "vitest";
import { build as b, evaluate, gradient, make, optimize, topological } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "./samples.ts";

const shape = [5, 6];
const input = (name: string, of: readonly number[] = shape) => b.input("state", name, { dtype: "f32", shape: of });
const env = (node: Node) => {
  const values = numbers(
    node.type.shape.reduce((a, n) => a * n, 1),
    (node.attrs["name"] as string).charCodeAt(0),
  );
  // ties and what is no number ask no more than others do
  return values.map((x, i) => (i === 3 ? 0 : i === 7 ? NaN : x));
};
/** What comparisons of the optimised graph look at, other than constants. */
const asked = (outputs: readonly Node[]) =>
  topological(outputs)
    .filter(({ op }) => op === "lt")
    .flatMap(({ inputs }) => inputs.map(({ op }) => op).filter((op) => op !== "expand" && op !== "const"));

const same = (outputs: readonly Node[]): readonly Node[] => {
  const fast = optimize(outputs);
  expect(evaluate(fast, env)).toEqual(evaluate(outputs, env));
  return fast;
};
const w = () => input("w", [6, 4]);
const through = (y: Node, wanted: readonly Node[], v = w()) =>
  gradient(b.sum(make("sin", [b.dot(y, v, [], [[1, 0]])]), [0, 1]), [...wanted, v]);
const layer = (x: Node, v: Node) => b.dot(x, v, [], [[1, 0]]);

describe.each([
  ["max", "max"],
  ["min", "min"],
])("%s", (_, op) => {
  const cut = (x: Node, at = 0.25) => make(op, [x, b.like(x, at)]);

  test("of what nobody else reads", () => {
    const v = input("v", [6, 6]);
    expect(asked(same(through(cut(layer(input("x"), v)), [v])))).toEqual([op]);
  });
  test("of a narrow product", () => {
    const [x, v] = [input("x", [40, 6]), input("v", [6, 2])];
    const y = cut(layer(make("tanh", [x]), v));
    expect(asked(same(through(y, [x, v], input("w", [2, 4]))))).toEqual([op]);
  });
  test("of what is made of two tensors, one of which others read too", () => {
    const [x, v] = [input("x"), input("v", [6, 6])];
    const own = layer(x, v);
    const sum = b.add(own, x);
    expect(asked(same([...through(cut(sum), [v]), b.mul(own, own)]))).toEqual([op]);
  });
  test("not where its operand is made of one tensor that others read too", () => {
    const v = input("v", [6, 6]);
    const own = layer(input("x"), v);
    expect(asked(same([...through(cut(b.scale(own, 3)), [v]), b.mul(own, own)]))).toEqual(["mul"]);
  });
  test("not where others read its operand, or it is asked for", () => {
    const v = input("v", [6, 6]);
    const own = layer(input("x"), v);
    expect(asked(same([...through(cut(own), [v]), make("tanh", [own])]))).toEqual(["dot"]);
    expect(asked(same([...through(cut(own), [v]), own]))).toEqual(["dot"]);
  });
  test("not where no product reads it", () => {
    const v = input("v", [6, 6]);
    const loss = b.sum(make("sin", [cut(layer(input("x"), v))]), [0, 1]);
    expect(asked(same(gradient(loss, [v])))).toEqual(["dot"]);
  });
  test("of two tensors, and where the comparison comes first", () => {
    const [v, u] = [input("v", [6, 6]), input("u", [6, 6])];
    const [x, y] = [layer(input("x"), v), layer(input("y"), u)];
    const [less, more] = op === "max" ? [y, x] : [x, y];
    const first = b.sum(b.select(make("lt", [less, more]), b.like(x, 1), b.like(x, 0)), [0, 1]);
    expect(asked(same([first, ...through(make(op, [x, y]), [v, u])])).sort()).toEqual(["dot", op].sort());
  });
});
