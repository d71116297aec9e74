/** Values known without PyTorch: what a loss is before training, and derivatives by hand and by finite differences. */
import { describe, expect, test } from "vitest";
import { againstTorch, close, devices, run, torch } from "./harness.ts";

describe.each(devices)("known values on $device", (on) => {
  test.each([2, 10, 100])("a softmax classifier of %i classes begins at ln C", async (classes) => {
    const { loss } = await run(
      `let net = [Linear(32, init: xavier_normal), tanh, Linear(${classes}, init: s => 0.01 * normal(s))]
let x = wave([200, 20], 3)
let y = argmax(uniform([200, ${classes}]), over: -1)
print "loss", cross_entropy(net(x), y)`,
      on,
    );
    expect(Math.abs(loss![0]! - Math.log(classes))).toBeLessThan(0.02 * Math.log(classes));
  });

  test("hinge of zero logits is C - 1", async () => {
    const { loss } = await run(`print "loss", hinge(zeros([3, 7]), [0, 3, 6])`, on);
    expect(loss).toEqual([6]);
  });

  test("z = x^2 y and its derivatives", async () => {
    const got = await run(
      `let x = 2.0
let y = 3.0
let z = x^2 * y
print "z", z, "zx", grad(z, x), "zy", grad(z, y), "zxx", grad(grad(z, x), x), "zxy", grad(grad(z, x), y), "zyy", grad(grad(z, y), y)`,
      on,
    );
    expect(got).toEqual({ z: [12], zx: [12], zy: [4], zxx: [6], zxy: [4], zyy: [0] });
  });
});

/** A gradient inside a loss, as in WGAN-GP: the slope of a critic is pulled to 1. */
const penalty = `
fn critic(x, w, v) = tanh(x @ w) @ v
fn penalty(w, v) {
  let x = wave([5, 3], 2)
  let g = grad(sum(critic(x, w, v)), x)
  mean((sqrt(sum(g^2, over: -1)) - 1)^2)
}
let w = wave([3, 4], 1)
let v = wave([4], 3)
let p = penalty(w, v)
`;
againstTorch([{ name: "gradient penalty", script: `${penalty}print "p", p, "dw", grad(p, w), "dv", grad(p, v)` }]);

test("the derivative of a penalty is its finite difference", async () => {
  const nudged = (i: number): string =>
    `let e${i} = reshape(range(12) == ${i}, [3, 4]) * 1e-5\nprint "d${i}", (penalty(w + e${i}, v) - penalty(w - e${i}, v)) / 2e-5`;
  const got = await run(penalty + Array.from({ length: 12 }, (_, i) => nudged(i)).join("\n"));
  const differences = Array.from({ length: 12 }, (_, i) => got[`d${i}`]![0]!);
  close(differences, torch["gradient penalty"]!["dw"]!, 1e-8, "dw");
});
