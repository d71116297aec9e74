/**
 * Training on the `cpu` device against the float64 reference: each of 50 single steps started from the reference's own
 * state; the same seed twice, bit for bit; another seed, other numbers.
 */
import { describe, expect, test } from "vitest";
import { openDevice } from "../../gpu/index.ts";
import { runText } from "../run-script.ts";
import { MirrorDevice } from "./mirror.ts";

const scripts: Record<string, string> = {
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

describe("cpu against reference", () => {
  test.each(Object.keys(scripts))("%s: each of 50 steps from the reference's state", async (name) => {
    const device = new MirrorDevice(await openDevice("cpu"));
    const ran = await runText(scripts[name]!, device, { steps: 50 });
    expect(ran.events.filter((e) => e.event === "train" && !e.fold)).toHaveLength(50);
    expect(device.worst.error, device.worst.where).toBeLessThan(1e-5);
    await device.dispose();
  });

  test.each(Object.keys(scripts))("%s: the same seed twice is the same run, another is not", async (name) => {
    const state = async (seed: number) => {
      const device = await openDevice("cpu");
      const ran = await runText(scripts[name]!, device, { steps: 20, seed });
      await device.dispose();
      return ran.state;
    };
    const first = await state(7);
    expect(await state(7)).toEqual(first);
    expect(await state(8)).not.toEqual(first);
  });
});
