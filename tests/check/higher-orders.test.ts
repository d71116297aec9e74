/**
 * Gradients of second and third order through what scripts are made of, in float64: each is compared with finite
 * differences of the order below. `f` gives a number of x; sums of tanh keep all orders away from 0.
 */
import { expect, test } from "vitest";
import { printed } from "./semantics.ts";

/** Name, the shape of x, what f needs, f(x). */
const table: readonly (readonly [string, string, string, string])[] = [
  ["a product", "[3, 4]", "let w = normal([4, 3])", "sum(tanh(x @ w))"],
  ["Conv", "[2, 3, 7, 6]", "let layer = Conv(4, 3, stride: 2, pad: 1)\nlet made = layer(x0)", "sum(tanh(layer(x)))"],
  ["a convolution with groups and dilation", "[1, 4, 8, 8]", "let layer = Conv(4, 3, dilation: 2, groups: 2)\nlet made = layer(x0)", "sum(tanh(layer(x))^2)"],
  ["a convolution by indices", "[7, 6]", "let k = normal([3, 2])", "conv(x)"],
  ["maxpool", "[2, 2, 6, 6]", "", "sum(tanh(maxpool(x, 2)))"],
  ["avgpool", "[2, 2, 6, 6]", "", "sum(tanh(avgpool(x, 2)))"],
  ["rows of a table", "[5, 3]", "", "sum(tanh(x[[2, 0, 2, 4]]))"],
  ["places of rows", "[3, 5]", "", "sum(tanh(gather(x, [[4, 0], [1, 1], [0, 3]], over: -1)))"],
  ["rows added by an index", "[4, 3]", "", "sum(tanh(sum(x, by: [1, 0, 1, 2], into: 3)))"],
  ["sort", "[3, 6]", "let w = normal([3, 6])", "sum(tanh(w * sort(x, over: -1)))"],
  ["topk", "[3, 6]", "let w = normal([3, 2])", "best(x)"],
  ["scan", "[2, 5, 3]", "let w = normal([4, 4])\nlet u = normal([3, 4])", "recur(x)"],
  ["RNN", "[2, 4, 3]", "let rnn = RNN(4)\nlet made = rnn(x0)", "run(x)"],
  ["LSTM", "[2, 4, 3]", "let rnn = LSTM(4)\nlet made = rnn(x0)", "run(x)"],
  ["iterate", "[4]", "", "sum(iterate 3 with v = x { v <- sin(v) + v * x / 4 })"],
  ["softmax and cross entropy", "[4, 5]", "", "cross_entropy(x, [1, 0, 4, 2])"],
  ["LayerNorm", "[3, 5]", "let layer = LayerNorm()\nlet made = layer(x0)", "sum(tanh(layer(x))^3)"],
  ["attention", "[2, 4, 3]", "", "sum(tanh(attention(x, x, x, causal: true)))"],
  ["a norm", "[3, 4]", "", "sum(tanh(norm(x, over: -1)))"],
  ["cumsum and cumprod", "[3, 5]", "", "sum(tanh(cumsum(x, over: 1))) + sum(tanh(cumprod(x, over: 1)))"],
  ["prod and var", "[3, 4]", "", "sum(tanh(prod(x, over: 1))) + sum(tanh(var(x, over: 0)))"],
  ["solve and inv", "[3, 3]", "let b = normal([3])", "sum(tanh(solve(4 * eye(3) + x, b))) + sum(inv(4 * eye(3) + x)^2)"],
  ["det and logdet", "[3, 3]", "", "tanh(det(eye(3) + x / 2)) + logdet(4 * eye(3) + x)"],
  ["cholesky", "[3, 3]", "", "sum(tanh(cholesky(4 * eye(3) + x @ x.T)))"],
  ["eigenvalues", "[3, 3]", "", "sum(tanh(eigvals(x + diag([0.0, 4.0, 9.0]))))"],
  ["eigenvectors", "[3, 3]", "let w = normal([3, 3])", "vectors(x)"],
]; // prettier-ignore

const helpers = `
fn conv(x) {
  let y[i, j] = sum(k[p, q] * x[i + p, j + q], over: [p, q])
  sum(tanh(y))
}
fn best(x) {
  let (values, places) = topk(x, 2, over: -1)
  sum(tanh(w * values))
}
fn recur(x) {
  let s = scan xt in x over 1 with h = zeros([2, 4]) { h <- tanh(xt @ u + h @ w) }
  sum(s^2)
}
fn run(x) {
  let (all, last) = rnn(x)
  sum(tanh(all)^2)
}
fn vectors(x) {
  let (values, v) = eigh(x + diag([0.0, 4.0, 9.0]))
  sum(tanh(w * v))
}
`;

test.each(table)("%s", async (_name, shape, needs, f) => {
  const used = helpers.split(/(?<=^}\n)/m).filter((fn) => f.includes(`${/fn (\w+)/.exec(fn)?.[1]}(`));
  const [line] = await printed(`
seed 3
let x0 = normal(${shape})
let v = normal(${shape})
let u2 = normal(${shape})
${needs}
${used.join("\n")}
fn f(x) = ${f}
fn first(x) = grad(f(x), x)
fn second(x) = grad(sum(grad(f(x), x) * v), x)
fn third(x) = grad(sum(grad(sum(grad(f(x), x) * v), x) * u2), x)
let h = 1e-5
let by_step = (first(x0 + h * v) - first(x0 - h * v)) / (2 * h)
let again = (second(x0 + h * u2) - second(x0 - h * u2)) / (2 * h)
print norm(second(x0) - by_step) / norm(by_step), norm(by_step), norm(third(x0) - again) / norm(again), norm(again)`);
  const [second, size2, third, size3] = line!;
  expect(size2).toBeGreaterThan(1e-4);
  expect(second).toBeLessThan(1e-6);
  expect(size3).toBeGreaterThan(1e-4);
  expect(third).toBeLessThan(1e-5);
});
