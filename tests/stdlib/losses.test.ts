/** Losses and metrics against PyTorch, logits of 1e4 among them. */
import { expect, test } from "vitest";
import { againstTorch, run, type Case } from "./harness.ts";

const labels = "let y = [1, 4, 0, 0, 3, 2]";
const given = (x: string, loss: string): string => `${x}\nlet loss = ${loss}\nprint "loss", loss, "dx", grad(loss, x)`;

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
];
againstTorch(cases);

test("accuracy of a tie goes to the first class", async () => {
  const { acc } = await run(`print "acc", accuracy(zeros([4, 3]), [0, 1, 2, 0])`);
  expect(acc).toEqual([0.5]);
});
