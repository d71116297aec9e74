/**
 * Index notation means what the functions of the language mean: each definition is compared with one written otherwise,
 * value and gradient, and a convolution is one product in the graph and among the kernels.
 */
import { describe, expect, test } from "vitest";
import { topological } from "../../lang/graph/index.ts";
import { compile } from "../../lang/index.ts";
import type { Program } from "../../lang/index.ts";
import { prelude } from "../../stdlib/index.ts";
import { count } from "../gpu/scripts.ts";
import { compileText } from "../run-script.ts";
import { check, expectClose, printed } from "./semantics.ts";

const data = `
dim N = 5
dim K = 4
let a = normal([N, K])
let b = normal([K, 3])
let s = normal([K, K])
let x = normal([2, 9, 8])
let k = normal([2, 3, 2])
let ids = [2, 0, 4, 4]
let label = [1, 0, 3, 2, 0]
`;

/** Name, the definition of y, the same without indices, and what a gradient is taken for. */
const same: readonly (readonly [string, string, string, string?])[] = [
  ["a matrix product", "y[i, j] = sum(a[i, k] * b[k, j], over: k)", "a @ b", "a"],
  ["three factors", "y[i, j] = sum(a[i, k] * s[k, m] * b[m, j], over: [k, m])", "a @ s @ b", "s"],
  ["a quadratic form", "y[i] = sum(a[i, p] * s[p, q] * a[i, q], over: [p, q])", "sum(a * (a @ s), over: K)", "a"],
  ["a factor without the index", "y[i] = sum(a[i, p] * b[0, 1], over: p)", "sum(a, over: K) * b[0, 1]", "b"],
  ["an index that only counts", "y[i] = sum(a[i, 0] * (p >= 0 ? 1.0 : 0.0) * b[p, 0], over: p)", "a[.., 0] * sum(b[.., 0])", "a"],
  ["the transpose", "y[j, i] = a[i, j]", "permute(a, [K, N])", "a"],
  ["a diagonal", "y[i] = s[i, i]", "diag(s)", "s"],
  ["beside the diagonal", "y[i] = s[0..2][i, i + 1]", "[s[0, 1], s[1, 2], s[2, 3]]", "s"],
  ["backwards", "y[i, j] = b[3 - i, 2 - j]", "flip(b, over: [0, 1])", "b"],
  ["every second", "y[i] = x[0, 2 * i + 1, 3]", "[x[0, 1, 3], x[0, 3, 3], x[0, 5, 3], x[0, 7, 3]]", "x"],
  ["a sum of neighbours", "y[i, j] = x[0, i + 1, j] - x[0, 0 * i + 8, j] * (i < 8 ? 0 : 1)", "x[0, 1.., ..] - 0", "x"],
  ["outer", "y[i, j] = a[i, 0] * b[j, 0]", "outer(a[.., 0], b[.., 0])", "a"],
  ["places", "y[i, j] = a[ids[i], j]", "a[ids]", "a"],
  ["one place in each row", "y[i] = a[i, label[i]]", "sum(a * one_hot(label, K), over: K)", "a"],
  ["a rest of rows", "y[i, j] = a[i, j] / sum(a[i, m], over: m)", "a / sum(a, over: K, spread: true)", "a"],
  ["a function of elements", "y[i, j] = tanh(a[i, j]) |> relu", "relu(tanh(a))", "a"],
  ["a function along an index", "y[i, j] = softmax(a[i, j], over: j)", "softmax(a, over: K)", "a"],
  ["the largest", "y[i] = max(a[i, j], over: j)", "max(a, over: K)", "a"],
  ["the smallest", "y[i] = min(a[i, j] * b[j, m], over: [j, m])", "-max(max(-(expand(a, [N, K, 3]) * expand(b, [N, K, 3])), over: 2), over: 1)", "a"],
  ["the mean", "y[i] = mean(a[i, j]^2, over: j)", "mean(a^2, over: K)", "a"],
  ["the product", "y[i] = prod(a[i, j], over: j)", "a[.., 0] * a[.., 1] * a[.., 2] * a[.., 3]", "a"],
  ["a choice by places", "y[i, j] = i == j ? a[i, j] : 0", "a * f32(expand(range(5), [5, 4]) == expand(range(4), [5, 4]))", "a"],
  [
    "a convolution",
    "y[i, j] = sum(k[c, p, q] * x[c, i + p, j + q], over: [c, p, q])",
    "sum(expand(k, [2, 7, 7, 3, 2]) * windows(x, size: [3, 2], over: [1, 2]), over: [0, 3, 4])",
    "k",
  ],
  [
    "a convolution with stride and dilation",
    "y[i, j] = sum(k[c, p, q] * x[c, 2 * i + p, j + 2 * q], over: [c, p, q])",
    "sum(expand(k, [2, 4, 6, 3, 2]) * windows(x, size: [3, 2], stride: [2, 1], dilation: [1, 2], over: [1, 2]), over: [0, 3, 4])",
    "x",
  ],
  [
    "a convolution from behind",
    "y[i, j] = sum(k[c, p, q] * x[c, i - p + 2, j - q + 1], over: [c, p, q])",
    "sum(expand(flip(k, over: [1, 2]), [2, 7, 7, 3, 2]) * windows(x, size: [3, 2], over: [1, 2]), over: [0, 3, 4])",
    "x",
  ],
  ["three indices in one place", "y[i] = sum(b[p, 0] * b[q, 1] * x[0, i + p + q, 0], over: [p, q])", "windows(windows(x[0][.., 0], size: 4), size: 4, over: 0)  |> weigh", "x"],
]; // prettier-ignore

/** weigh(w)[i] = sum over p and q of b[p, 0] b[q, 1] w[i, q, p], by a loop. */
const weigh = `
fn weigh(w) {
  let parts = for p in 0..3 with t = 0 * w[.., 0, 0] {
    t <- (for q in 0..3 with u = t { u <- u + b[p, 0] * b[q, 1] * w[.., p, q] })
  }
  parts
}
`;

describe("the same as", () => {
  test.each(same)("%s", async (_name, definition, other, by) => {
    const script = `${data}${weigh}
let ${definition}
let z = ${other}
print sum((y - z)^2), sum(abs(f32(z)))
${by ? `let w = normal(shape(z))\nprint sum((grad(sum(w * y), ${by}) - grad(sum(w * z), ${by}))^2), sum(abs(grad(sum(w * y), ${by})))` : ""}`;
    const lines = await printed(script);
    for (const [difference, size] of lines) {
      expect(difference).toBeLessThan(1e-9);
      expect(size).toBeGreaterThan(0);
    }
  });

  test("second gradients", async () => {
    const [line] = await printed(`${data}
let y[i, j] = sum(tanh(k[0, p, q] * x[0, i + p, j + q]), over: [p, q])
let z = sum(tanh(expand(k[0], [7, 7, 3, 2]) * windows(x[0], size: [3, 2], over: [0, 1])), over: [2, 3])
let v = normal(shape(x))
print sum((hvp(sum(y^2), x, v) - hvp(sum(z^2), x, v))^2), sum(abs(hvp(sum(y^2), x, v)))`);
    expect(line![0]).toBeLessThan(1e-9);
    expect(line![1]).toBeGreaterThan(0.1);
  });
});

describe("the axes of the result", () => {
  const typed = async (definition: string, use: string) =>
    (await check(`${data}\nlet ${definition}\nprint ${use}`)).diagnostics.map((d) => d.title);
  test("are those that the indices run along", async () => {
    expect(await typed("y[i, j] = a[i, j] + 1", "y + a, sum(y, over: N)")).toEqual([]);
    expect(await typed("y[j, i] = s[i, j]", "y + s")).toEqual([]);
    expect(await typed("y[i] = sum(b[p, 0] * x[0, i + p, 0], over: p)", "shape(y), y + ones([6])")).toEqual([]);
  });
  test("and numbers where an index runs along two of different names", async () => {
    expect(await typed("y[i] = a[i, 0] + ones([5])[i]", "sum(y, over: N)")).toEqual([]);
    expect(await typed("y[i] = s[0, i] + reshape(s, [16])[4 * i]", "sum(y, over: K)")).toEqual([]);
    expect(await typed("y[i, j] = s[i, j]", "y @ b")).toEqual([]);
  });
});

test("sizes of the data are known before a run, ranges follow", async () => {
  const [line] = await printed(`
let rows = toy.linear(w: [1, 2, 3], n: 12, noise: 0)
let X = rows.x
let g[p, q] = sum(X[n, p] * X[n, q], over: n)
print sum((g - X.T @ X)^2), size(g)`);
  expectClose(line, [0, 9]);
});

describe("in a model and a block", () => {
  const script = `
seed 2
model Edge()(x: [B, H, W]) -> [B, H, W - 1] {
  param k: [2] ~ uniform
  let y[n, i, j] = sum(k[a] * x[n, i, j + a], over: a)
  y
}
let net = Edge()
let rows = toy.linear(w: [1, 2, 3, 4, 5, 6], n: 50, noise: 0)
train (x) in batches(rows, 16) for 40 epochs {
  let image = reshape(x, [B, 2, 3])
  let wanted = image[.., ..-2] - image[.., 1..]
  let gram[n, m] = sum(x[n, f] * x[m, f], over: f)
  metric same = mean(abs(gram - x @ x.T))
  minimize mean((net(image) - wanted)^2) over net with Adam(0.1)
  every epoch { print same }
}
print net.k`;
  test("an edge is learned; a short last batch has ranges of its own", async () => {
    const lines = await printed(script);
    expectClose(lines.at(-1), [1, -1], 3);
    expect(lines[0]![0]).toBeLessThan(1e-9);
  });
});

test("an unknown size of the data is carried through", async () => {
  const text = `
let data = csv("away.csv", target: "price")
let g[p, q] = sum(data.x[n, p] * data.x[n, q], over: n)
let d[n, p] = data.x[n, p] - mean(data.x[m, p], over: m)
let f[n] = data.x[2 * n, 0]
print g, sum(g @ g), sum(d, over: 0), f`;
  const host = { prelude, facts: async () => undefined, readModule: async () => undefined };
  const { diagnostics, program } = await compile({ file: "script.dlx", text }, host);
  expect(program).toBeUndefined();
  expect(diagnostics).toEqual([]);
});

describe("a convolution", () => {
  const outputs = (program: Program) => program.body.flatMap((a) => (a.kind === "compute" ? a.segment.outputs : []));
  test("is one product of views: no copy of the windows", async () => {
    const program = await compileText(`
let x = normal([4, 6, 20, 20])
let k = normal([8, 6, 5, 5])
let y[n, o, i, j] = sum(k[o, c, p, q] * x[n, c, i + p, j + q], over: [c, p, q])
print y`);
    const graph = topological(outputs(program).map((o) => o.node));
    expect(graph.filter((n) => n.op === "dot").length).toBe(1);
    const { lowered } = count(outputs(program));
    const products = lowered.kernels.filter((kernel) => kernel.kind === "dot");
    expect(products.map(({ m, n, k }) => m * n * k)).toEqual([8 * 4 * 16 * 16 * 6 * 5 * 5]);
    const [{ params, scratch }] = products as [(typeof products)[0]];
    const read = params.filter((p, i) => p.access === "read" && p.dtype === "f32" && i !== scratch);
    expect(read.map((p) => p.size)).toEqual([8 * 6 * 5 * 5, 4 * 6 * 20 * 20]);
  });
});
