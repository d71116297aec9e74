/** Losses against PyTorch, logits of 1e4 among them; metrics of one batch. */
import { expect, test } from "vitest";
import { againstTorch, close, run, type Case } from "./harness.ts";

const labels = "let y = [1, 4, 0, 0, 3, 2]";
const given = (x: string, loss: string): string => `${x}\nlet loss = ${loss}\nprint "loss", loss, "dx", grad(loss, x)`;

const x = "let x = wave([6, 5], 2)";
const holed = "let p = expand(f32([0.5, 0, 0.25, 0.25, 0]), [6, 5])";

const cases: Case[] = [
  { name: "mse", script: given("let x = wave([4, 3], 2)\nlet y = wave([4, 3], 5)", "mse(x, y)") },
  { name: "mae", script: given("let x = wave([4, 3], 2)\nlet y = wave([4, 3], 5)", "mae(x, y)") },
  { name: "cross_entropy, classes", script: given(`let x = 3 * wave([6, 5], 2)\n${labels}`, "cross_entropy(x, y)") },
  {
    name: "cross_entropy, classes, huge",
    script: given(`let x = 1e4 * wave([6, 5], 2)\n${labels}`, "cross_entropy(x, y)"),
  },
  {
    name: "cross_entropy, probabilities",
    script: given("let x = 3 * wave([6, 5], 2)\nlet y = softmax(wave([6, 5], 4))", "cross_entropy(x, y)"),
  },
  {
    name: "cross_entropy, probabilities, huge",
    script: given("let x = 1e4 * wave([6, 5], 2)\nlet y = softmax(wave([6, 5], 4))", "cross_entropy(x, y)"),
  },
  {
    name: "cross_entropy along a sequence",
    script: given("let x = 3 * wave([2, 3, 5], 2)\nlet y = [[1, 4, 0], [0, 3, 2]]", "cross_entropy(x, y)"),
  },
  {
    name: "binary_cross_entropy",
    script: given("let x = 3 * wave([7], 2)\nlet y = [1, 0, 0, 1, 1, 0, 1]", "binary_cross_entropy(x, y)"),
  },
  {
    name: "binary_cross_entropy, huge",
    script: given(
      "let x = f32([1e4, -1e4, 1e4, -1e4, 0, 0])\nlet y = [1, 0, 0, 1, 1, 0]",
      "binary_cross_entropy(x, y)",
    ),
  },
  {
    name: "binary_cross_entropy, curvature",
    script: `
let x = f32([-20, -2, 0, 0.5, 20])
let g = grad(binary_cross_entropy(x, [1, 0, 1, 0, 1]), x)
print "dxx", grad(sum(g), x)`,
  },
  { name: "hinge", script: given(`let x = 3 * wave([6, 5], 2)\n${labels}`, "hinge(x, y)") },
  { name: "hinge, huge", script: given(`let x = 1e4 * wave([6, 5], 2)\n${labels}`, "hinge(x, y)") },
  { name: "accuracy", script: `${labels}\nprint "acc", accuracy(wave([6, 5], 3), y)` },
  { name: "binary_accuracy", script: `print "acc", binary_accuracy(wave([7], 2), [1, 0, 0, 1, 1, 0, 1])` },
  {
    name: "cross_entropy, smooth",
    script: given(`let x = 3 * wave([6, 5], 2)\n${labels}`, "cross_entropy(x, y, smooth: 0.1)"),
  },
  {
    name: "cross_entropy, probabilities, smooth",
    script: given("let x = 3 * wave([6, 5], 2)\nlet y = softmax(wave([6, 5], 4))", "cross_entropy(x, y, smooth: 0.2)"),
  },
  {
    name: "cross_entropy, weight",
    script: given(`let x = 3 * wave([6, 5], 2)\n${labels}`, "cross_entropy(x, y, weight: [1, 0, 1, 1, 0, 1])"),
  },
  {
    name: "cross_entropy along a sequence, smooth, weight",
    script: given(
      "let x = 3 * wave([2, 3, 5], 2)\nlet y = [[1, 4, 0], [0, 3, 2]]",
      "cross_entropy(x, y, smooth: 0.1, weight: [[1, 0, 1], [1, 0, 1]])",
    ),
  },
  ...[1, 0.25].map((delta) => ({
    name: `huber ${delta}`,
    script: given("let x = 2 * wave([4, 3], 2)\nlet y = wave([4, 3], 5)", `huber(x, y, delta: ${delta})`),
  })),
  { name: "kl", script: given(x, "kl(softmax(x), softmax(wave([6, 5], 4)))") },
  { name: "kl, second", script: given(`${x}\n${holed}`, "kl(p, softmax(x))") },
  { name: "js", script: given(`${x}\n${holed}`, "js(softmax(x), p)") },
  { name: "entropy", script: given(x, "entropy(softmax(x))") },
  { name: "wasserstein", script: given(x, "wasserstein(softmax(x), softmax(wave([6, 5], 4)), width: 0.5)") },
  { name: "kl_normal", script: given(x, "kl_normal(x, wave([6, 5], 4))") },
  { name: "triplet", script: given(x, "triplet(x, wave([6, 5], 4), wave([6, 5], 7), margin: 0.5)") },
  {
    name: "contrastive",
    script: given(x, "contrastive(x, wave([6, 5], 4), bool([1, 0, 0, 1, 1, 0]), margin: 2.5)"),
  },
  { name: "log_rmse", script: given("let x = exp(wave([6, 5], 2))", "log_rmse(x, exp(wave([6, 5], 4)))") },
];
againstTorch(cases);

test("accuracy of a tie goes to the first class", async () => {
  const { acc } = await run(`print "acc", accuracy(zeros([4, 3]), [0, 1, 2, 0])`);
  expect(acc).toEqual([0.5]);
});

test("contrastive has a gradient of 0 where both are equal and different is asked for", async () => {
  const { loss, dx } = await run(
    `let x = wave([2, 3])\nlet loss = contrastive(x, x + 0, bool([0, 1]))\nprint "loss", loss, "dx", grad(loss, x)`,
  );
  expect(loss).toEqual([0.25]);
  expect(dx!.map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
});

test("closed forms of divergences", async () => {
  const got = await run(`
let p = f32([0.5, 0.5, 0, 0])
let q = f32([0, 0, 0.5, 0.5])
print "js", js(p, q), "same", kl(p, p), "entropy", entropy(p), "moved", wasserstein(p, q), "normal", kl_normal(zeros([3]), zeros([3]))`);
  close(got["js"], [Math.log(2)], 1e-12, "js");
  close(got["entropy"], [Math.log(2)], 1e-12, "entropy");
  expect([got["same"], got["moved"], got["normal"]]).toEqual([[0], [2], [0]]);
});
