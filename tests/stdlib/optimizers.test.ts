/** Ten steps of each optimizer on a small MLP: params after every step against PyTorch. And what clip_norm promises. */
import { describe, expect, test } from "vitest";
import { againstTorch, close, devices, run, type Case } from "./harness.ts";

const trajectory = (name: string, optimizer: string, tolerance?: number): Case => ({
  name,
  tolerance,
  script: `
let net = [Linear(4, init: s => wave(s, 1)), tanh, Linear(2, init: s => wave(s, 3))]
train for 10 steps {
  let x = wave([6, 3], 2 * step)
  let y = wave([6, 2], 5)
  let loss = mse(net(x), y)
  metric before = last(loss)
  minimize loss over net with ${optimizer}
  metric w0 = last(net[0].w)
  metric b0 = last(net[0].b)
  metric w2 = last(net[2].w)
  metric b2 = last(net[2].b)
}`,
});

againstTorch([
  trajectory("SGD", "SGD(0.2)"),
  trajectory("SGD, decay", "SGD(0.2, decay: 0.1)"),
  trajectory("SGD, momentum", "SGD(0.1, momentum: 0.9)"),
  trajectory("SGD, nesterov", "SGD(0.1, momentum: 0.9, nesterov: true)"),
  trajectory("SGD, momentum, decay", "SGD(0.1, momentum: 0.8, decay: 0.05)"),
  trajectory("SGD, linear schedule", "SGD(linear(step, 0.2, 0.02, 6))"),
  trajectory("Adam", "Adam(0.05)"),
  trajectory("Adam, settings", "Adam(0.05, beta1: 0.8, beta2: 0.9, eps: 1e-3)"),
  trajectory("AdamW", "AdamW(0.05)"),
  trajectory("AdamW, settings", "AdamW(0.05, beta1: 0.8, beta2: 0.9, eps: 1e-3, decay: 0.2)"),
  trajectory("SGD, dampening", "SGD(0.2, momentum: 0.9, dampening: 0.5)"),
  trajectory("SGD, leaky average", "SGD(0.5, momentum: 0.8, dampening: 0.8)"),
  trajectory("Adagrad", "Adagrad(0.1)"),
  trajectory("Adagrad, settings", "Adagrad(0.2, eps: 1e-2)"),
  trajectory("RMSProp", "RMSProp(0.01)"),
  trajectory("RMSProp, settings", "RMSProp(0.005, decay: 0.9, eps: 1e-4, momentum: 0.8)"),
  trajectory("clip_value, SGD", "clip_value(0.05) |> SGD(0.5)"),
  trajectory("RMSProp, clip_weights", "RMSProp(0.05) |> clip_weights(0.6)"),
  trajectory("Adam, warmup_cosine", "Adam(warmup_cosine(step, 0.05, warmup: 3, total: 10, to: 0.01))"),
  // PyTorch divides by the norm + 1e-6.
  trajectory("clip_norm, SGD", "clip_norm(0.3) |> SGD(0.2)", 1e-5),
  trajectory("clip_norm, Adam", "clip_norm(0.3) |> Adam(0.05)", 1e-5),
]);

/** The step that SGD(1) takes is minus the gradient. */
const moved = (stages: string): string => `
let net = [Linear(4, init: s => wave(s, 1)), Linear(2, init: s => wave(s, 3))]
let x = wave([6, 3], 2)
let before = grad(sum(net(x)^2), net)
print "raw", norm(before)
let frozen = { w0: wave([3, 4], 1), w1: wave([4, 2], 3) }
train for 1 step { minimize sum(net(x)^2) over net with ${stages} }
print "step", norm([norm(net[0].w - frozen.w0), norm(net[1].w - frozen.w1), norm(net[0].b), norm(net[1].b)])`;

describe.each(devices)("clip_norm on $device", (on) => {
  test("a longer gradient is scaled to the norm", async () => {
    const { step } = await run(moved("clip_norm(0.25) |> SGD(1.0)"), on);
    close(step, [0.25], on.tolerance, "norm of the step");
  });
  test("a shorter gradient is left as it is", async () => {
    const clipped = await run(moved("clip_norm(1e6) |> SGD(1.0)"), on);
    const free = await run(moved("SGD(1.0)"), on);
    expect(clipped["step"]).toEqual(free["step"]);
    expect(free["step"]![0]).toBeGreaterThan(1);
  });
  test("a zero gradient stays zero", async () => {
    const { w } = await run(
      `let f = Linear(2, init: zeros)\ntrain for 1 step { minimize sum(f(zeros([1, 3]))^2) over f with clip_norm(1.0) |> SGD(1.0) }\nprint "w", f.w`,
      on,
    );
    expect(w!.every((v) => Math.abs(v) === 0)).toBe(true);
  });
});
