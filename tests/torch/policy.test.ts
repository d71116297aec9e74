/** The policy gradient (Williams, 1992) with actions that both sides know, and a policy trained through the simulation, against PyTorch. */
import { againstTorch, answersOf } from "./harness.ts";

const above = `
dim B = 6
fn cartpole(s: [B, 4], force: [B]) -> [B, 4] {
  let (x, v, angle, spin) = (s[.., 0], s[.., 1], s[.., 2], s[.., 3])
  let push = (force + 0.05 * spin^2 * sin(angle)) / 1.1
  let turn = (9.8 * sin(angle) - cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * cos(angle)^2 / 1.1))
  let go = push - 0.05 * turn * cos(angle) / 1.1
  stack([x + 0.02 * v, v + 0.02 * go, angle + 0.02 * spin, spin + 0.02 * turn], at: -1)
}
fn upright(s: [B, 4]) = f32(abs(s[.., 0]) < 2.4 and abs(s[.., 2]) < 0.21)
`;

againstTorch(answersOf("policy"), {
  "policy gradient, actions given": `${above}
let policy = [Linear(5, init: s => 0.8 * wave(s, 1)), tanh, Linear(2, init: s => 0.8 * wave(s, 3))]
train for 10 steps {
  let (logp, reward) = scan t in 1..9 with s = 0.25 * wave([B, 4], step), alive = ones([B]) {
    let z = policy(s)
    let a = (3 * range(B) + t * t + step) % 5 // 3
    s <- cartpole(s, 20 * f32(a) - 10)
    alive <- alive * upright(s)
    yield (log_softmax(z)[.., a], alive)
  }
  let G = cumsum(reward, over: 0, reverse: true)
  let loss = -mean(sum(logp * stop((G - mean(G)) / std(G)) * reward, over: 0))
  metric L = last(loss)
  metric size = last(norm(grad(loss, policy)))
  metric length = avg(sum(reward, over: 0))
  minimize loss over policy with Adam(0.02)
}`,
  "through the simulation": `${above}
let policy = [Linear(5, init: s => 0.8 * wave(s, 1)), tanh, Linear(1, init: s => 0.8 * wave(s, 3))]
train for 10 steps {
  let costs = scan t in 1..9 with s = 0.25 * wave([B, 4], step) {
    let a = 10 * tanh(squeeze(policy(s), -1))
    s <- cartpole(s, a)
    yield mean(s[.., 2]^2 + 0.1 * s[.., 0]^2 + 1e-3 * a^2)
  }
  metric L = last(sum(costs))
  metric size = last(norm(grad(sum(costs), policy)))
  minimize sum(costs) over policy with Adam(0.02)
}`,
});
