/** Whole networks in training, step by step against PyTorch: layers, losses and optimizers together. */
import { againstTorch, type Case } from "./harness.ts";

const params = (paths: readonly string[]): string =>
  paths.map((p) => `  metric ${p.replace(/\W+/g, "_")} = last(${p})`).join("\n");

const cases: Case[] = [
  {
    name: "a convolutional network learns",
    script: `
let first = Conv(4, 3, pad: 1, init: s => 0.3 * wave(s, 1))
let bn = BatchNorm()
let second = Conv(6, 3, stride: 2, bias: false, init: s => 0.3 * wave(s, 3))
let head = Linear(5, init: s => 0.3 * wave(s, 5))
let net = [first, bn, relu, x => maxpool(x, 2), second, gelu, x => avgpool(x, 2, stride: 1), flatten, head]
train for 4 steps {
  let z = net(wave([5, 2, 11, 12], 2 * step))
  let loss = cross_entropy(z, [1, 4, 0, 0, 3])
  metric before = last(loss)
  minimize loss over net with SGD(0.05, momentum: 0.9, nesterov: true, decay: 0.01)
${params(["first.w", "first.b", "bn.scale", "bn.shift", "second.w", "head.w", "head.b"])}
}
print "run_mean", bn.run_mean, "run_var", bn.run_var, "z", net(wave([5, 2, 11, 12], 7))`,
  },
  {
    name: "a recurrent network learns",
    script: `
let rnn = RNN(6, init: s => 0.4 * wave(s, 1))
let norm = LayerNorm()
let head = Linear(3, init: s => 0.4 * wave(s, 3))
train for 5 steps {
  let (h, h_last) = rnn(wave([4, 7, 2], 2 * step))
  let loss = hinge(head(norm(h_last)), [0, 2, 1, 2]) + 0.1 * mse(h, wave([4, 7, 6], 5))
  metric before = last(loss)
  minimize loss over [rnn, norm, head] with clip_norm(0.5) |> AdamW(linear(step, 0.02, 0.002, 4))
${params(["rnn.wx", "rnn.wh", "rnn.b", "norm.scale", "norm.shift", "head.w", "head.b"])}
}`,
    // PyTorch clips by the norm + 1e-6.
    tolerance: 1e-5,
  },
  {
    name: "a critic with a gradient penalty learns",
    script: `
let critic = [Linear(5, init: s => 0.5 * wave(s, 1)), tanh, Linear(1, init: s => 0.5 * wave(s, 3))]
train for 5 steps {
  let real = wave([4, 3], 2 * step)
  let fake = wave([4, 3], 3 * step + 1)
  let mixed = 0.25 * real + 0.75 * fake
  let slope = grad(sum(critic(mixed)), mixed)
  let penalty = mean((sqrt(sum(slope^2, over: -1)) - 1)^2)
  let loss = mean(critic(fake)) - mean(critic(real)) + 10 * penalty
  metric before = last(loss)
  minimize loss over critic with Adam(0.01, beta1: 0.5)
${params(["critic[0].w", "critic[0].b", "critic[2].w", "critic[2].b"])}
}`,
  },
];
againstTorch(cases);
