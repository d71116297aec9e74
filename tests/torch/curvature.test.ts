/** Second derivatives in training against PyTorch: steps along a given direction, and losses that hold a Hessian or a part of it. */
import { againstTorch, answersOf } from "./harness.ts";
import { onWebGpu } from "./webgpu.ts";

const script = (lines: string): string => `
let net = [Linear(3, init: s => 0.9 * wave(s, 1)), tanh, Linear(1, init: s => 0.9 * wave(s, 3))]
let (x, y) = (wave([7, 2], 2), wave([7, 1], 5))
let shaped = net(x)
train for 10 steps {
  let loss = mse(net(x), y)
  metric L = last(loss)
  ${lines.trim()}
}`;

/** Sharpness-aware minimization (Foret et al., 2021), with and without the gradient of its direction. */
const nearby = (direction: string): string =>
  script(`
  let worst = mse(net.with(params(net) + 0.2 * ${direction})(x), y)
  metric top = last(worst)
  minimize worst over net with SGD(0.3)`);

const answers = answersOf("curvature");
const cases = {
  "damped Newton": script(`
  let H = hessian(loss, net)
  metric h = last(H)
  metric spectrum = last(eigvals(H))
  let d = solve(H + 3 * eye(13), flatten(grad(loss, net)))
  minimize along(unflatten(d, net), net) over net with SGD(0.8)`),
  "a penalty on the sharpest direction": script(`
  let v = iterate 4 with v = unit(leaves(params(net), w => wave(shape(w), 3))) { v <- unit(hvp(loss, net, v)) }
  let s = dot(v, hvp(loss, net, v))
  metric sharp = last(s)
  minimize loss + 0.05 * s over net with Adam(0.02)`),
  "a penalty on the trace of the Hessian": script(`
  let t = trace(hessian(loss, net))
  metric curve = last(t)
  minimize loss + 0.02 * t over net with Adam(0.02)`),
  "a penalty on the curvature along the params": script(`
  let b = dot(params(net), hvp(loss, net, params(net)))
  metric bend = last(b)
  minimize loss + 0.1 * b over net with Adam(0.02)`),
  "the worst point nearby": nearby("stop(unit(grad(loss, net)))"),
  "the worst point nearby, second order": nearby("unit(grad(loss, net))"),
};
againstTorch(answers, cases);
onWebGpu(answers, cases, ["a penalty on the sharpest direction"]);
