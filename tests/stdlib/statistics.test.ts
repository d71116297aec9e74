/** Moments, deviations, similarity, standardizing and the linear schedule against PyTorch. */
import { expect, test } from "vitest";
import { againstTorch, layerCase, run, type Case } from "./harness.ts";

const cases: Case[] = [
  {
    name: "moments",
    script: `
let x = 3 * wave([4, 5], 2) + 1
let (m, v) = moments(x)
let (m0, v0) = moments(x, over: 0)
print "m", m, "v", v, "m0", m0, "v0", v0, "dx", grad(sum(v0 * wave([5], 3)), x)`,
  },
  {
    name: "std",
    script: `
let x = 3 * wave([4, 5], 2) + 1
print "s", std(x), "s1", std(x, over: 1), "dx", grad(std(x), x)`,
  },
  {
    name: "standardize",
    script: `
let table = 3 * wave([6, 4], 2) + 1
let images = wave([3, 4, 4], 2)
let by_feature = standardize(table)
let by_pixel = standardize(images)
print "table", by_feature(table), "new", by_feature(wave([2, 4], 5)), "images", by_pixel(images)`,
  },
  {
    name: "linear",
    script: `print "lr", f32([linear(1, 0.5, 0.05, 4), linear(2, 0.5, 0.05, 4), linear(4, 0.5, 0.05, 4), linear(5, 0.5, 0.05, 4), linear(9, 0.5, 0.05, 4)])`,
  },
  layerCase("cosine_similarity", "wave([6, 5], 2)", { apply: "cosine_similarity(x, wave([6, 5], 4))" }, {}, true),
  layerCase("log_sum_exp", "3 * wave([6, 5], 2)", { apply: "log_sum_exp(x)" }, {}, true),
  layerCase("log_sum_exp, first axis, huge", "1e4 * wave([6, 5], 2)", { apply: "log_sum_exp(x, over: 0)" }),
];
againstTorch(cases);

test("standardize leaves what never varies at 0", async () => {
  const { y } = await run(
    `let x = concat([ones([4, 1]), wave([4, 1])], over: 1)\nlet f = standardize(x)\nprint "y", f(x)[.., 0]`,
  );
  expect(y).toEqual([0, 0, 0, 0]);
});
