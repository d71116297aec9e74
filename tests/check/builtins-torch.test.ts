/**
 * Builtins that are composed of primitives against PyTorch (torch/builtins.json): values, gradients, gradients of
 * gradients. L = sum of w * output; g = dL/dx; L2 = sum of v * g; h = dL2/dx.
 * Written anew by: DLX_WRITE=1 npx vitest run tests/check/builtins-torch.test.ts && python3 tests/check/torch/builtins.py
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Tensor, Value } from "../../lang/check/values.ts";
import { build as b, evaluate, gradient, make, optimize, sizeOf } from "../../lang/graph/index.ts";
import type { Node } from "../../lang/graph/node.ts";
import { numbers } from "../graph/samples.ts";
import { call, dim, list, tensor } from "./tensors.ts";

interface Case {
  readonly name: string;
  /** What PyTorch is asked: a name in builtins.py. */
  readonly torch: string;
  readonly inputs: readonly (readonly [readonly number[], readonly number[]])[];
  readonly run: (...x: Tensor[]) => Value;
}

const random = (shape: readonly number[], seed: number, low = -2, high = 2): [readonly number[], number[]] => [
  shape,
  numbers(sizeOf(shape), seed, low, high),
];
/** All different, so that no order changes nearby. */
const distinct = (shape: readonly number[], seed: number): [readonly number[], number[]] => {
  const n = sizeOf(shape);
  const key = numbers(n, seed, 0, 1000).map((x, i) => x + i / 1e6);
  const rank = key.map((x) => key.filter((y) => y < x).length);
  return [shape, rank.map((r) => (r - n / 2) / 4)];
};
/** Symmetric and positive definite. */
const definite = (n: number, seed: number): [readonly number[], number[]] => {
  const m = numbers(n * n, seed, -1, 1);
  const at = (i: number, j: number) => m[Math.min(i, j) * n + Math.max(i, j)]!;
  return [[n, n], m.map((_, k) => (k % (n + 1) === 0 ? 4 + k / (n + 1) : at(Math.floor(k / n), k % n)))];
};
const whole = (n: number, seed: number): [readonly number[], number[]] => [
  [n, n],
  numbers(n * n, seed).map((x, i) => (i % (n + 1) === 0 ? x + 1 : x)),
];
const items = (v: Value): readonly Value[] => (v.kind === "tuple" ? v.items : [v]);
const yes: Value = { kind: "bool", value: true };
const places = list(list(4, 0), list(1, 1), list(0, 3));

const cases: readonly Case[] = [
  { name: "sort", torch: "sort", inputs: [distinct([3, 7], 1)], run: (x) => call("sort", [x], { over: -1 }) },
  { name: "sort: first axis, descending", torch: "sort0", inputs: [distinct([5, 3], 2)], run: (x) => call("sort", [x], { over: 0, descending: yes }) },
  { name: "topk", torch: "topk", inputs: [distinct([3, 7], 3)], run: (x) => items(call("topk", [x, 3], { over: -1 }))[0]! },
  { name: "gather", torch: "gather", inputs: [random([3, 5], 4)], run: (x) => call("gather", [x, places], { over: -1 }) },
  { name: "roll", torch: "roll", inputs: [random([3, 5], 5)], run: (x) => call("roll", [x, -2], { over: -1 }) },
  { name: "prod", torch: "prod", inputs: [random([3, 5], 6)], run: (x) => call("prod", [x], { over: -1 }) },
  { name: "prod: with a zero", torch: "prod", inputs: [[[2, 5], [1, 2, 0, -1, 3, 0, 2, 0, 1, 1.5]]], run: (x) => call("prod", [x], { over: -1 }) },
  { name: "cumprod", torch: "cumprod", inputs: [random([3, 6], 7)], run: (x) => call("cumprod", [x], { over: -1 }) },
  { name: "var", torch: "var", inputs: [random([3, 5], 8)], run: (x) => call("var", [x], { over: -1 }) },
  { name: "norm", torch: "norm", inputs: [random([3, 5], 9)], run: (x) => call("norm", [x], { over: -1 }) },
  { name: "det", torch: "det", inputs: [whole(4, 10)], run: (x) => call("det", [x]) },
  { name: "det: pivots", torch: "det", inputs: [[[3, 3], [0, 2, 1, 1, 0, 3, 2, 1, 0]]], run: (x) => call("det", [x]) },
  { name: "logdet", torch: "logdet", inputs: [whole(3, 11)], run: (x) => call("logdet", [x]) },
  { name: "inv", torch: "inv", inputs: [whole(3, 12)], run: (x) => call("inv", [x]) },
  { name: "trace", torch: "trace", inputs: [whole(3, 13)], run: (x) => call("trace", [x]) },
  { name: "diag of a vector", torch: "diag_embed", inputs: [random([4], 14)], run: (x) => call("diag", [x]) },
  { name: "diag of matrices", torch: "diagonal", inputs: [random([2, 3, 3], 15)], run: (x) => call("diag", [x]) },
  { name: "outer", torch: "outer", inputs: [random([3], 16), random([2], 17)], run: (x, y) => call("outer", [x, y]) },
  { name: "eigvals", torch: "eigvalsh", inputs: [definite(4, 18)], run: (x) => call("eigvals", [x]) },
  { name: "cholesky", torch: "cholesky", inputs: [definite(4, 19)], run: (x) => call("cholesky", [x]) },
  { name: "solve", torch: "solve", inputs: [definite(3, 20), random([3, 2], 21)], run: (A, r) => call("solve", [A, r]) },
  { name: "det of a batch", torch: "det", inputs: [random([2, 3, 3], 22)], run: (x) => call("det", [x]) },
]; // prettier-ignore

const at = (file: string) => new URL(`./torch/${file}`, import.meta.url);

/** A case as graphs, with its questions. */
function asked(c: Case) {
  const xs = c.inputs.map(([shape, data]) => tensor([...shape], "float", data));
  const data = new Map(xs.map((x, i) => [x.node.attrs["name"], c.inputs[i]![1]]));
  const out = c.run(...xs) as Tensor;
  const weights = numbers(sizeOf(out.node.type.shape), 900);
  const directions = xs.map((x, i) => numbers(sizeOf(x.node.type.shape), 950 + i));
  const table = (values: readonly number[], like: Node) =>
    make("const", [], { values, shape: like.type.shape, dtype: "f32" });
  const weighted = (n: Node, w: readonly number[]) =>
    b.sum(b.mul(n, table(w, n)), n.type.shape.map((_, i) => i)); // prettier-ignore
  const nodes = xs.map((x) => x.node);
  const first = gradient(weighted(out.node, weights), nodes);
  const slope = first.map((g, i) => weighted(g, directions[i]!)).reduce((p, q) => b.add(p, q));
  const second = gradient(slope, nodes);
  const value = (n: Node[]) => evaluate(optimize(n), (input) => data.get(input.attrs["name"]));
  return { out: out.node, first, second, weights, directions, value };
}

const exported = () =>
  `[\n${cases
    .map((c) => {
      const { weights, directions } = asked(c);
      return JSON.stringify({ name: c.name, torch: c.torch, inputs: c.inputs, weights, directions });
    })
    .join(",\n")}\n]\n`;
if (process.env["DLX_WRITE"]) writeFileSync(at("cases.json"), exported());

test("cases.json holds the cases of today", () => {
  expect(readFileSync(at("cases.json"), "utf8")).toBe(exported());
});

interface Answer {
  readonly value: number[];
  readonly first: number[][];
  readonly second: number[][];
}
const answers = JSON.parse(readFileSync(at("builtins.json"), "utf8")) as Record<string, Answer>;

function close(got: ArrayLike<number>, wanted: readonly number[], what: string): void {
  expect(got.length, what).toBe(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  wanted.forEach((w, i) => {
    if (!(Math.abs(got[i]! - w) <= 1e-10 * scale))
      throw new Error(`${what}, element ${i}: expected ${w}, got ${got[i]}`);
  });
}

for (const c of cases)
  test(c.name, () => {
    const { out, first, second, value } = asked(c);
    const answer = answers[c.name]!;
    close(value([out])[0]!, answer.value, "value");
    value(first).forEach((g, i) => close(g, answer.first[i]!, `gradient ${i}`));
    value(second).forEach((g, i) => close(g, answer.second[i]!, `second gradient ${i}`));
  });

test("a named axis keeps its name", () => {
  const [B, C] = [dim("B", 3), dim("C", 4)];
  const x = tensor([B, C]);
  expect((call("sort", [x], { over: 0 }) as Tensor).axes).toEqual([B, C]);
  expect((items(call("topk", [x, 2], { over: 0 }))[0] as Tensor).axes.map((a) => a.uid)).toEqual([undefined, C.uid]);
});
