/** WGAN-GP (Gulrajani et al., 2017) and WGAN (Arjovsky et al., 2017) against PyTorch, with noise that both sides know. */
import { againstTorch, answersOf } from "./harness.ts";
import { onWebGpu } from "./webgpu.ts";

const gradientPenalty = (critic: string): string => `
dim Z = 3
let rows = csv("images.csv") |> map(row => { image: reshape(row.x, [4, 4]) })
model Generator(Width: dim)(z: [B, Z]) -> [B, 4, 4] {
  z |> Linear(Width, init: s => 0.7 * wave(s, 2)) |> leaky_relu |> Linear(16, init: s => 0.7 * wave(s, 4))
    |> sigmoid |> reshape([B, 4, 4])
}
model Critic()(x: [B, 4, 4]) -> [B] {
  ${critic} |> Linear(1, init: s => 0.6 * wave(s, 3)) |> squeeze(-1)
}
let G = Generator(6)
let D = Critic()
fn lengths(real: [B, ..], fake: [B, ..], t: [B]) {
  let x = t * real + (1 - t) * fake
  norm(grad(D(x), x, per: B), over: not B)
}
train (image) in batches(rows, 8) for 10 steps {
  let fake = G(wave([B, Z], step))
  let l = lengths(image, fake, (wave([B], 3 * step) + 1) / 2)
  let loss = mean(D(fake)) - mean(D(image)) + 10 * mean((l - 1)^2)
  metric L = last(loss)
  metric length = last(l)
  minimize loss over D with Adam(0.01, beta1: 0, beta2: 0.9)
  every 5 steps { minimize -mean(D(G(wave([B, Z], 2 * step + 1)))) over G with Adam(0.0137, beta1: 0, beta2: 0.9) }
}`;

const answers = answersOf("gan");
const cases = {
  "WGAN-GP": gradientPenalty("x |> flatten |> Linear(7, init: s => 0.6 * wave(s, 1)) |> leaky_relu"),
  "WGAN-GP, a convolutional critic":
    gradientPenalty(`x |> unsqueeze(1) |> Conv(3, 3, pad: 1, init: s => 0.6 * wave(s, 1))
    |> flatten |> LayerNorm() |> reshape([B, 3, 4, 4]) |> silu |> avgpool(3, stride: 1) |> maxpool(2) |> flatten`),
  "WGAN, clipped weights": `
dim Z = 3
let rows = csv("points.csv") |> map(row => { x: row.x })
model Net(Out: dim, k, scale)(x: [B, In]) -> [B, Out] {
  x |> Linear(6, init: s => scale * wave(s, k)) |> relu |> Linear(Out, init: s => scale * wave(s, k + 2))
}
let D = Net(1, 1, 0.1)
let G = Net(2, 2, 0.7)
train for 10 steps {
  state k = 0
  repeat (x) in batches(rows, 8) for 5 steps {
    k <- k + 1
    let gap = mean(D(x)) - mean(D(G(wave([B, Z], k))))
    minimize -gap over D with RMSProp(0.005) |> clip_weights(0.08)
    metric W = gap
  }
  let loss = -mean(D(G(wave([8, Z], 2 * step + 1))))
  metric L = last(loss)
  minimize loss over G with RMSProp(0.005)
}`,
};
againstTorch(answers, cases);
onWebGpu(answers, cases, ["WGAN-GP"]);
