/** `precision mixed` against PyTorch with the same roundings; the pattern of skipped steps is part of the answers. */
import { againstTorch, answersOf, devices } from "./harness.ts";
import { onWebGpu } from "./webgpu.ts";

// A sum on the edge between two numbers of half precision may fall to either.
const loose = devices.map((device) => ({ ...device, tolerance: 1e-4 }));
const cases = {
  "overflows at first": `
precision mixed
let net = [Linear(8, init: s => 0.8 * wave(s, 1)), tanh, Linear(3, init: s => 0.8 * wave(s, 3))]
train for 12 steps {
  let loss = 100 * cross_entropy(net(wave([6, 4], step)), range(6) % 3)
  metric L = last(loss)
  minimize loss over net with Adam(0.01)
}`,
  convolution: `
precision mixed
let net = [Conv(3, 3, init: s => 0.5 * wave(s, 2)), relu, flatten, Linear(2, init: s => 0.5 * wave(s, 4))]
train for 8 steps {
  let loss = mean(net(wave([2, 1, 4, 4], step))^2)
  metric L = last(loss)
  minimize loss over net with SGD(0.1)
}`,
};
againstTorch(answersOf("mixed"), cases, loose);
onWebGpu(answersOf("mixed"), cases, Object.keys(cases));
