/** Double back-propagation (Drucker and Le Cun, 1992) against PyTorch: the squared gradient of a loss is part of the loss. */
import { againstTorch, answersOf } from "./harness.ts";

const script = (above: string, loss: string, inputs: string, over: string): string => `
${above.trim()}
train for 10 steps {
  ${loss.trim()}
  let p = sum(grad(loss, ${inputs})^2)
  metric L = last(loss)
  metric P = last(p)
  minimize loss + 3 * p over ${over} with SGD(0.02)
}`;
const linear = (name: string, size: number, k: number, scale: number): string =>
  `let ${name} = Linear(${size}, init: s => ${scale} * wave(s, ${k}))`;

againstTorch(answersOf("penalties"), {
  "convolutions and pools": script(
    `
let first = Conv(4, 3, stride: 2, pad: 1, init: s => 0.5 * wave(s, 1))
let second = Conv(4, 3, pad: 2, dilation: 2, groups: 2, init: s => 0.5 * wave(s, 3))
${linear("head", 3, 5, 0.5)}`,
    `
  let x = wave([3, 2, 9, 8], step)
  let h = x |> first |> gelu |> maxpool(3, stride: 1) |> second |> tanh |> avgpool(2, stride: 1)
  let loss = cross_entropy(head(flatten(h)), [1, 0, 2])`,
    "x",
    "(first, second, head)",
  ),
  "a batch norm": script(
    `
${linear("first", 4, 1, 0.8)}
let norm = BatchNorm()
${linear("head", 2, 5, 0.8)}`,
    `
  let x = wave([5, 3], step)
  let loss = mse(head(softplus(norm(first(x)))), wave([5, 2], 3))`,
    "x",
    "(first, norm, head)",
  ),
  "rows of a table, a scan, gather, sort, rows added by an index": script(
    `
let embed = Embedding(6, 3, init: s => wave(s, 1))
let rnn = RNN(6, init: s => 0.8 * wave(s, 2))
${linear("head", 3, 5, 0.8)}
let ids = [[0, 3, 5, 3, 1], [2, 2, 4, 0, 5], [1, 0, 0, 4, 3], [5, 4, 3, 2, 1]]
let places = [[[0, 4, 1, 4, 2, 3]], [[2, 2, 3, 0, 1, 4]], [[1, 0, 0, 4, 4, 3]], [[4, 3, 3, 2, 1, 0]]]`,
    `
  let e = embed(ids) + 0.1 * wave([4, 5, 3], step)
  let (h, last_h) = rnn(e)
  let found = squeeze(gather(h, places, over: 1), 1)
  let pooled = sum(last_h + found * permute(sort(h, over: 1), [1, 0, 2])[-2], by: [1, 0, 1, 1], into: 2)
  let loss = cross_entropy(head(pooled), [1, 2])`,
    "e",
    "(embed, rnn, head)",
  ),
  "attention and a layer norm": script(
    `
let norm = LayerNorm()
${linear("qkv", 12, 1, 0.8)}
${linear("head", 3, 5, 0.8)}`,
    `
  let x = wave([2, 5, 4], step)
  let (q, k, v) = split(qkv(norm(x)), 3)
  let loss = cross_entropy(head(x + attention(q, k, v, causal: true)), [[0, 1, 2, 2, 1], [0, 0, 1, 1, 2]])`,
    "x",
    "(norm, qkv, head)",
  ),
});
