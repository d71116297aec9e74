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

  test("labels are paired with rows by place or by name alike", async () => {
    const got = await run(
      `dim B = 3
dim C = 4
let z = wave([B, C], 2)
let y = argmax(wave([B, C], 5), over: C)
print "named", cross_entropy(z, y), "numbers", cross_entropy(wave([3, 4], 2), argmax(wave([3, 4], 5), over: -1)), "hinge named", hinge(z, y), "hinge numbers", hinge(wave([3, 4], 2), argmax(wave([3, 4], 5), over: -1))`,
      on,
    );
    expect(got["named"]).toEqual(got["numbers"]);
    expect(got["hinge named"]).toEqual(got["hinge numbers"]);
  });

  test("equal greatest values of a window share the gradient", async () => {
    const { dx } = await run(`let x = zeros([1, 1, 2, 4])\nprint "dx", grad(sum(maxpool(x, 2) * f32([1, 2])), x)`, on);
    expect(dx).toEqual([0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5]);
  });

  test("infinite inputs", async () => {
    const got = await run(
      `let x = f32([-inf, inf])\nprint "softplus", softplus(x), "sigmoid", sigmoid(x), "tanh", tanh(x), "relu", relu(x)`,
      on,
    );
    expect(got).toEqual({ softplus: [0, Infinity], sigmoid: [0, 1], tanh: [-1, 1], relu: [0, Infinity] });
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

/** Mode belongs to the block, and within it to what the block trains. */
describe.each(devices)("BatchNorm in a train block that moves something else, on $device", (on) => {
  test("is in eval mode", async () => {
    const got = await run(
      `let net = [Linear(4, init: s => wave(s)), BatchNorm()]
let w = Linear(1, init: s => wave(s))
train for 2 steps {
  let y = net(wave([6, 3], 2))
  metric out = last(y)
  minimize mean(w(y)^2) over w with SGD(0.1)
}
print "y", net(wave([6, 3], 2)), "run_mean", net[1].run_mean`,
      on,
    );
    close(got["out@1"], got["y"]!, 1e-6, "first step");
    close(got["out@2"], got["y"]!, 1e-6, "second step");
    expect(got["run_mean"]).toEqual([0, 0, 0, 0]);
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
