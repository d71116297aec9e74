/** Small training scripts: products, a convolutional net with statistics and dropout, a loop. */
export const scripts: Record<string, string> = {
  mlp: `seed 3
let data = take(digits().train, 800)
let norm = standardize(data.image)
let net = [flatten, Linear(64), relu, Linear(32), gelu, Linear(10)]
train (image, label) in batches(shuffle(data), 16) for 1 epoch {
  let loss = cross_entropy(net(norm(image)), label)
  minimize loss over net with Adam(1e-3)
  metric acc = accuracy(net(norm(image)), label)
  plot loss
}`,
  lenet: `seed 4
let data = take(digits().train, 400)
let norm = standardize(data.image)
model LeNet(Classes: dim)(x: [B, 28, 28]) -> logits[B, Classes] {
  x |> unsqueeze(1)
    |> Conv(4, 5, pad: 2) |> BatchNorm() |> relu |> maxpool(2)
    |> Conv(8, 5) |> BatchNorm() |> relu |> maxpool(2)
    |> flatten |> Linear(32) |> relu |> Dropout(0.2) |> Linear(Classes)
}
let net = LeNet(10)
train (image, label) in batches(shuffle(data), 8) for 1 epoch {
  let loss = cross_entropy(net(norm(image)), label)
  minimize loss over net with clip_norm(1.0) |> SGD(1e-2, momentum: 0.9, nesterov: true)
  plot loss
}`,
  recurrence: `seed 5
dim B = 8
dim T = 7
let rnn = RNN(12)
let head = Linear(1)
train for 50 steps {
  let x = normal([B, T, 3])
  let (h, last) = rnn(x)
  let y = sum(x, over: [1, 2])
  let loss = mse(squeeze(head(last), -1), y)
  minimize loss over (rnn, head) with clip_norm(1.0) |> AdamW(3e-3)
  plot loss
}`,
};
