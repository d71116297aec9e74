/** Layers: values and gradients of inputs and params against PyTorch. Dropout and first values are in chance.test.ts. */
import { againstTorch, type Case } from "./harness.ts";

const linear: Case[] = [
  {
    name: "Linear",
    script: `
let x = wave([3, 5], 2)
let net = Linear(4, init: s => wave(s, 1))
let y = net(x)
let loss = sum(y * wave([3, 4], 7))
print "y", y, "dx", grad(loss, x), "dw", grad(loss, net.w), "db", grad(loss, net.b)`,
  },
  {
    name: "Linear, more axes, no bias",
    script: `
let x = wave([2, 3, 5], 2)
let net = Linear(4, bias: false, init: s => wave(s, 1))
let y = net(x)
let loss = sum(y^2)
print "y", y, "dx", grad(loss, x), "dw", grad(loss, net.w)`,
  },
  {
    name: "MLP, gradient of a bundle",
    script: `
let x = wave([6, 3], 2)
let net = [Linear(4, init: s => wave(s, 1)), tanh, Linear(2, init: s => wave(s, 3))]
let g = grad(mse(net(x), wave([6, 2], 5)), net)
print "g", g`,
  },
];

/** Conv over a grid: [name, H, W, kernel, stride, pad, dilation, bias]. */
const convs: Case[] = [1, 2].flatMap((stride) =>
  [0, 1, 2].flatMap((pad) =>
    [1, 2].flatMap((dilation) =>
      [
        { h: 5, w: 7, kernel: 3 },
        { h: 6, w: 5, kernel: 2 },
      ].map(({ h, w, kernel }): Case => {
        const out = (n: number): number => Math.floor((n + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
        return {
          name: `Conv ${h}x${w} kernel ${kernel} stride ${stride} pad ${pad} dilation ${dilation}`,
          script: `
let x = wave([2, 2, ${h}, ${w}], 2)
let net = Conv(3, ${kernel}, stride: ${stride}, pad: ${pad}, dilation: ${dilation}, init: s => wave(s, 1))
let y = net(x)
let loss = sum(y * wave([2, 3, ${out(h)}, ${out(w)}], 7))
print "y", y, "dx", grad(loss, x), "dw", grad(loss, net.w), "db", grad(loss, net.b)`,
        };
      }),
    ),
  ),
);
const conv: Case[] = [
  ...convs,
  {
    name: "Conv, no bias, kernel 1",
    script: `
let x = wave([2, 3, 4, 5], 2)
let net = Conv(4, 1, bias: false, init: s => wave(s, 1))
let y = net(x)
let loss = sum(y^2)
print "y", y, "dx", grad(loss, x), "dw", grad(loss, net.w)`,
  },
];

const pools = ["maxpool", "avgpool"].flatMap((pool) =>
  [
    { h: 6, w: 4, size: 2, stride: 2 },
    { h: 7, w: 5, size: 2, stride: 2 },
    { h: 7, w: 6, size: 3, stride: 2 },
    { h: 7, w: 8, size: 2, stride: 3 },
    { h: 5, w: 5, size: 3, stride: 1 },
  ].map(({ h, w, size, stride }): Case => {
    const out = (n: number): number => Math.floor((n - size) / stride) + 1;
    return {
      name: `${pool} ${h}x${w} size ${size} stride ${stride}`,
      script: `
let x = wave([2, 3, ${h}, ${w}], 2)
let y = ${pool}(x, ${size}${stride === size ? "" : `, stride: ${stride}`})
let loss = sum(y * wave([2, 3, ${out(h)}, ${out(w)}], 7))
print "y", y, "dx", grad(loss, x)`,
    };
  }),
);

const flat: Case = {
  name: "Conv, maxpool, flatten, Linear",
  script: `
let x = wave([2, 1, 7, 7], 2)
let conv = Conv(3, 3, pad: 1, init: s => wave(s, 1))
let head = Linear(4, init: s => wave(s, 3))
let z = flatten(maxpool(relu(conv(x)), 2))
let y = head(z)
let loss = sum(y * wave([2, 4], 7))
print "z", z, "y", y, "dx", grad(loss, x), "dconv", grad(loss, conv), "dhead", grad(loss, head)`,
};

/** Two steps in training, then the layer with its running statistics. `shape` without the batch. */
const batchNorm = (name: string, shape: string): Case => ({
  name,
  script: `
let bn = BatchNorm()
print "y before", bn(wave([4, ${shape}], 8))
train for 2 steps {
  let x = 2 * wave([4, ${shape}], 3 * step) + 1
  let y = bn(x)
  let loss = sum(y * wave([4, ${shape}], 7))
  metric out = last(y)
  metric dx = last(grad(loss, x))
  minimize loss over bn with SGD(0.1)
  metric scale = last(bn.scale)
  metric shift = last(bn.shift)
}
let x = wave([4, ${shape}], 8)
let y = bn(x)
let loss = sum(y * wave([4, ${shape}], 5))
print "y", y, "dx", grad(loss, x), "dscale", grad(loss, bn.scale), "dshift", grad(loss, bn.shift)
print "run_mean", bn.run_mean, "run_var", bn.run_var`,
});

const norms: Case[] = [
  batchNorm("BatchNorm [B, C]", "3"),
  batchNorm("BatchNorm [B, C, H, W]", "3, 2, 5"),
  {
    name: "LayerNorm",
    script: `
let x = 2 * wave([3, 2, 6], 2) + 1
let norm = LayerNorm()
let y = norm(x)
let loss = sum(y * wave([3, 2, 6], 7))
print "y", y, "dx", grad(loss, x), "dscale", grad(loss, norm.scale), "dshift", grad(loss, norm.shift)`,
  },
  {
    name: "LayerNorm, eps 0.1",
    script: `
let x = wave([3, 6], 2)
let y = x |> LayerNorm(eps: 0.1)
print "y", y, "dx", grad(sum(y * wave([3, 6], 7)), x)`,
  },
];

const rnn = (name: string, h0: string): Case => ({
  name,
  script: `
let x = wave([2, 5, 3], 2)
let h0 = wave([2, 4], 6)
let net = RNN(4, init: s => 0.5 * wave(s, 1))
let (h, h_last) = net(x${h0})
let loss = sum(h * wave([2, 5, 4], 7)) + sum(h_last^2)
print "h", h, "h_last", h_last, "dx", grad(loss, x)
print "dwx", grad(loss, net.wx), "dwh", grad(loss, net.wh), "db", grad(loss, net.b)${h0 ? `\nprint "dh0", grad(loss, h0)` : ""}`,
});

againstTorch([...linear, ...conv, ...pools, flat, ...norms, rnn("RNN", ""), rnn("RNN with h0", ", h0: h0")]);
