/** Its numbers leave the range of floats after some steps. */
export const tooFast = `seed 1
let rows = toy.linear(w: [3, 4], n: 400, noise: 0.1)
let net = Linear(1)
train (x, y) in batches(rows, 20) for 100000 epochs {
  let loss = mse(squeeze(net(x), -1), y)
  minimize loss over net with SGD(50)
  plot loss
}
`;
