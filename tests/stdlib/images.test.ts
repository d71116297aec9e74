/**
 * Layers of images against PyTorch: convolutions of all ranks with groups, transposed ones, pooling with padding and
 * ceil mode, normalization; first and second derivatives, and a WGAN with a gradient penalty that learns.
 */
import { describe, expect, test } from "vitest";
import { againstTorch, close, devices, layerCase, run, torch, type Case } from "./harness.ts";

const names = Object.keys(torch);
const wave = (shape: string): string => `wave([${shape.replaceAll("x", ", ")}], 2)`;
const init = "init: s => wave(s, 1)";
const weights = { w: "net.w", b: "net.b" };

/** What a case is is written in its name. */
function read(pattern: RegExp, make: (name: string, groups: string[]) => Case): Case[] {
  return names.flatMap((name) => {
    const found = pattern.exec(name);
    return found ? [make(name, found.slice(1))] : [];
  });
}

const conv = read(
  /^(Conv|Conv1d|Conv3d) ([\dx]+) to (\d+) kernel (\d) stride (\d) pad (\d) dilation (\d) groups (\d)$/,
  (name, [layer, shape, out, kernel, stride, pad, dilation, groups]) =>
    layerCase(
      name,
      wave(shape!),
      {
        net: `${layer}(${out}, ${kernel}, stride: ${stride}, pad: ${pad}, dilation: ${dilation}, groups: ${groups}, ${init})`,
      },
      weights,
      "ddx" in torch[name]!,
    ),
);
const transposed = read(
  /^ConvTranspose kernel (\d) stride (\d) pad (\d) extra (\d) dilation (\d)$/,
  (name, [kernel, stride, pad, extra, dilation]) =>
    layerCase(
      name,
      wave("2x3x4x5"),
      {
        net: `ConvTranspose(2, ${kernel}, stride: ${stride}, pad: ${pad}, extra: ${extra}, dilation: ${dilation}, ${init})`,
      },
      weights,
      true,
    ),
);
const pools = read(
  /^(maxpool|avgpool) ([\dx]+) size (\d) stride (\d) pad (\d) ceil (true|false)$/,
  (name, [pool, shape, size, stride, pad, ceil]) =>
    layerCase(
      name,
      wave(shape!),
      { apply: `${pool}(x, ${size}, stride: ${stride}, pad: ${pad}, ceil: ${ceil})` },
      {},
      true,
    ),
);
const adaptive = read(/^(adaptive_avgpool|adaptive_maxpool) ([\dx]+) to (\d)$/, (name, [pool, shape, size]) =>
  layerCase(name, wave(`2x2x${shape}`), { apply: `${pool}(x, ${size})` }),
);
const global = ["global_avgpool", "global_maxpool"].map((name) =>
  layerCase(name, wave("2x3x5x4"), { apply: `${name}(x)` }),
);

const affine = { scale: "net.scale", shift: "net.shift" };
const wide = (shape: string): string => `2 * ${wave(shape)} + 1`;
const norms = [
  ...read(/^GroupNorm (\d) of ([\dx]+)$/, (name, [groups, shape]) =>
    layerCase(name, wide(shape!), { net: `GroupNorm(${groups})` }, affine, true),
  ),
  layerCase("InstanceNorm", wide("2x3x4x5"), { net: "InstanceNorm()" }, affine, true),
  layerCase("LayerNorm, squares", wide("3x6"), { net: "LayerNorm()" }, affine, true),
  layerCase("RMSNorm", wide("3x2x6"), { net: "RMSNorm()" }, { scale: "net.scale" }, true),
];
const ghost = (name: string, shape: string): Case => ({
  name,
  script: `
let bn = GhostBatchNorm(2)
train for 2 steps {
  let x = 2 * wave([6, ${shape}], 3 * step) + 1
  let y = bn(x)
  let loss = sum(y * wave([6, ${shape}], 7))
  metric out = last(y)
  metric dx = last(grad(loss, x))
  minimize loss over bn with SGD(0.1)
  metric scale = last(bn.scale)
  metric shift = last(bn.shift)
}
print "y", bn(wave([6, ${shape}], 8)), "run_mean", bn.run_mean, "run_var", bn.run_var`,
});

const sampling: Case = {
  name: "affine_grid, bilinear",
  script: `
let theta = f32([[[0.83, -0.41, 0.13], [0.37, 0.91, -0.22]], [[1.21, 0.11, 0.07], [-0.2, 1.37, 0.05]]])
let image = wave([2, 3, 5, 6], 2)
let points = affine_grid(theta, 4, 7)
let y = bilinear(image, points)
let loss = sum(y * wave([2, 3, 4, 7], 7))
print "points", points, "y", y, "dtheta", grad(loss, theta), "dimage", grad(loss, image)`,
};

const wgan: Case = {
  name: "wgan with a gradient penalty learns",
  script: `
let first = Linear(12, init: s => 0.4 * wave(s, 1))
let grow = ConvTranspose(2, 3, stride: 2, pad: 1, extra: 1, dilation: 2, bias: false, init: s => 0.4 * wave(s, 3))
let G = [first, leaky_relu, z => reshape(z, [4, 3, 2, 2]), grow, tanh]
let look = Conv(4, 3, stride: 2, pad: 1, bias: false, init: s => 0.4 * wave(s, 1))
let head = Linear(1, bias: false, init: s => 0.4 * wave(s, 3))
let D = [look, x => leaky_relu(x, 0.2), flatten, head]
train for 5 steps {
  let real = wave([4, 2, 6, 6], step)
  let z = wave([4, 3], 5 * step)
  let t = expand(0.5 * wave([4], step) + 0.5, [4, 2, 6, 6])
  let fake = G(z)
  let x = t * real + (1 - t) * fake
  let slope = norm(grad(sum(D(x)), x), over: [1, 2, 3])
  let loss = mean(D(fake)) - mean(D(real)) + 10 * mean((slope - 1)^2)
  metric before = last(loss)
  minimize loss over D with Adam(0.01, beta1: 0, beta2: 0.9)
  minimize -mean(D(G(z))) over G with Adam(0.01, beta1: 0, beta2: 0.9)
  metric critic_w = last(look.w)
  metric head_w = last(head.w)
  metric first_w = last(first.w)
  metric first_b = last(first.b)
  metric grow_w = last(grow.w)
}`,
};

againstTorch([
  ...conv,
  ...transposed,
  ...pools,
  ...adaptive,
  ...global,
  ...norms,
  ghost("GhostBatchNorm [B, C]", "3"),
  ghost("GhostBatchNorm [B, C, H, W]", "3, 2, 5"),
  sampling,
  wgan,
]);

test("every case of torch/images.py is here", () => {
  expect([conv.length, transposed.length, pools.length, adaptive.length]).toEqual([38, 14, 16, 8]);
});

describe.each(devices)("layers of images on $device", (on) => {
  test("a depthwise convolution is one convolution for each channel", async () => {
    const got = await run(
      `let x = wave([2, 3, 5, 5], 2)
let all = Conv(3, 3, pad: 1, groups: 3, init: s => wave(s, 1))
let y = all(x)
let each = [cross_correlation(x[.., c..c, 0..4, 0..4], all.w[c..c], pad: 1) for c in 0..2]
print "y", y, "each", concat(each, over: 1)`,
      on,
    );
    close(got["y"], got["each"]!, on.tolerance, "y");
  });
  test("a picture of six images in three columns", async () => {
    const got = await run(
      `let x = wave([6, 2, 3])\nlet p = grid(x, 3)\nprint "x", x, "p", p, "c", grid(unsqueeze(x, 1), 3)`,
      on,
    );
    const at = (image: number, row: number, column: number): number => got["x"]![(image * 2 + row) * 3 + column]!;
    const picture = Array.from({ length: 4 * 9 }, (_, i) => {
      const [y, x] = [Math.floor(i / 9), i % 9];
      return at(Math.floor(y / 2) * 3 + Math.floor(x / 3), y % 2, x % 3);
    });
    expect(got["p"]).toEqual(picture);
    expect(got["c"]).toEqual(picture);
  });
});
