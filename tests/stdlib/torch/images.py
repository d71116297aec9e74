"""PyTorch's word on convolutions with groups and of other ranks, transposed convolutions, pooling and normalization.

    python3 tests/stdlib/torch/images.py          writes images.json beside it
    python3 tests/stdlib/torch/images.py --print  prints it instead
"""
import itertools

import torch
import torch.nn.functional as F
from torch import nn

from common import case, done, grads, layer, leaf, wave

# ---------------------------------------------------------------- convolution

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
NAME = {1: "Conv1d", 2: "Conv", 3: "Conv3d"}


def conv(shape, out, kernel, stride, pad, dilation, groups, squares=True):
    n = len(shape) - 2
    w = leaf(wave(out, shape[1] // groups, *[kernel] * n, k=1))
    b = leaf(torch.zeros(out))
    layer(f"{NAME[n]} {'x'.join(map(str, shape))} to {out} kernel {kernel} stride {stride} pad {pad} dilation {dilation} groups {groups}",
          lambda x: CONV[n](x, w, b, stride, pad, dilation, groups), wave(*shape, k=2), squares, w=w, b=b)


for stride, pad, dilation, groups in itertools.product([1, 2], [0, 1], [1, 2], [2, 4]):
    conv((2, 4, 5, 6), 4, 2, stride, pad, dilation, groups)
conv((2, 6, 5, 4), 3, 3, 1, 1, 1, 3)
conv((2, 2, 4, 4), 6, 3, 1, 1, 1, 2)
conv((2, 3, 5, 5), 4, 3, 2, 1, 1, 1)
for stride, pad, dilation, groups in itertools.product([1, 2], [0, 2], [1, 2], [1, 2]):
    conv((2, 4, 7), 6, 3, stride, pad, dilation, groups)
for stride, pad, groups in [(1, 0, 1), (2, 1, 1), (1, 1, 2)]:
    conv((2, 2, 3, 4, 5), 4, 2, stride, pad, 1, groups, squares=groups == 2)

for stride, pad, extra, dilation in [(1, 0, 0, 1), (1, 1, 0, 2), (2, 0, 0, 1), (2, 1, 1, 1), (2, 2, 1, 2), (3, 1, 2, 1), (3, 0, 1, 2)]:
    for kernel in [2, 3]:
        w, b = leaf(wave(3, 2, kernel, kernel, k=1)), leaf(torch.zeros(2))
        layer(f"ConvTranspose kernel {kernel} stride {stride} pad {pad} extra {extra} dilation {dilation}",
              lambda x: F.conv_transpose2d(x, w, b, stride, pad, extra, dilation=dilation), wave(2, 3, 4, 5, k=2), True, w=w, b=b)

# ---------------------------------------------------------------- pooling

for shape, size, stride, pad, ceil in [((2, 3, 7, 5), 2, 2, 0, True), ((2, 3, 7, 6), 3, 2, 1, False), ((2, 3, 7, 6), 3, 2, 1, True),
                                       ((2, 2, 8, 5), 3, 3, 1, True), ((2, 2, 5, 5), 2, 3, 1, True), ((2, 3, 9), 2, 2, 0, True),
                                       ((2, 3, 8), 3, 2, 1, False), ((1, 2, 5, 4, 6), 2, 2, 0, True)]:
    n = len(shape) - 2
    name = f"{'x'.join(map(str, shape))} size {size} stride {stride} pad {pad} ceil {'true' if ceil else 'false'}"
    largest = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[n]
    layer(f"maxpool {name}", lambda x: largest(x, size, stride, pad, ceil_mode=ceil), wave(*shape, k=2), True)
    average = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[n]
    layer(f"avgpool {name}", lambda x: average(x, size, stride, pad, ceil, False), wave(*shape, k=2), True)
for h, w, size in [(6, 6, 3), (7, 5, 3), (5, 7, 4), (3, 4, 5)]:
    layer(f"adaptive_avgpool {h}x{w} to {size}", lambda x: F.adaptive_avg_pool2d(x, size), wave(2, 2, h, w, k=2))
    # Each value is in several windows; no two are equal.
    layer(f"adaptive_maxpool {h}x{w} to {size}", lambda x: F.adaptive_max_pool2d(x, size), wave(2, 2, h, w, k=2))
layer("global_avgpool", lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1), wave(2, 3, 5, 4, k=2))
layer("global_maxpool", lambda x: F.adaptive_max_pool2d(x, 1).flatten(1), wave(2, 3, 5, 4, k=2))

# ---------------------------------------------------------------- normalization

for groups, shape in [(2, (3, 4)), (2, (2, 4, 3, 5)), (1, (2, 3, 4)), (3, (2, 3, 4, 4))]:
    norm = nn.GroupNorm(groups, shape[1])
    layer(f"GroupNorm {groups} of {'x'.join(map(str, shape))}", norm, 2 * wave(*shape, k=2) + 1, True, scale=norm.weight, shift=norm.bias)
norm = nn.InstanceNorm2d(3, affine=True)
layer("InstanceNorm", norm, 2 * wave(2, 3, 4, 5, k=2) + 1, True, scale=norm.weight, shift=norm.bias)
norm = nn.LayerNorm(6)
layer("LayerNorm, squares", norm, 2 * wave(3, 6, k=2) + 1, True, scale=norm.weight, shift=norm.bias)
scale = leaf(torch.ones(6))
layer("RMSNorm", lambda x: x / torch.sqrt((x ** 2).mean(-1, keepdim=True) + 1e-6) * scale, 2 * wave(3, 2, 6, k=2) + 1, True, scale=scale)

for name, bn, shape in [("GhostBatchNorm [B, C]", nn.BatchNorm1d(3), (6, 3)), ("GhostBatchNorm [B, C, H, W]", nn.BatchNorm2d(3), (6, 3, 2, 5))]:
    values = {}
    for step in [1, 2]:
        x = leaf(2 * wave(*shape, k=3 * step) + 1)
        y = torch.cat([bn(part) for part in x.chunk(3)])
        dx, ds, dh = torch.autograd.grad((y * wave(*shape, k=7)).sum(), [x, bn.weight, bn.bias])
        with torch.no_grad():
            bn.weight -= 0.1 * ds
            bn.bias -= 0.1 * dh
        values.update({f"out@{step}": y, f"dx@{step}": dx, f"scale@{step}": bn.weight.clone(), f"shift@{step}": bn.bias.clone()})
    bn.eval()
    case(name, {**values, "y": bn(wave(*shape, k=8)), "run_mean": bn.running_mean, "run_var": bn.running_var})

# ---------------------------------------------------------------- sampling

theta, image = leaf(torch.tensor([[[0.83, -0.41, 0.13], [0.37, 0.91, -0.22]], [[1.21, 0.11, 0.07], [-0.2, 1.37, 0.05]]])), leaf(wave(2, 3, 5, 6, k=2))
points = F.affine_grid(theta, (2, 3, 4, 7), align_corners=False)
y = F.grid_sample(image, points, align_corners=False)
case("affine_grid, bilinear", {"points": points, "y": y, **grads((y * wave(2, 3, 4, 7, k=7)).sum(), dtheta=theta, dimage=image)})

# ---------------------------------------------------------------- whole networks: a generator and its critic

g0, g1, g2 = leaf(0.4 * wave(3, 12, k=1)), leaf(0.4 * wave(3, 2, 3, 3, k=3)), leaf(torch.zeros(12))
d0, d1 = leaf(0.4 * wave(4, 2, 3, 3, k=1)), leaf(0.4 * wave(36, 1, k=3))


def generator(z):
    h = F.leaky_relu(z @ g0 + g2).reshape(-1, 3, 2, 2)
    return torch.tanh(F.conv_transpose2d(h, g1, None, 2, 1, 1, dilation=2))


def critic(x):
    return F.leaky_relu(F.conv2d(x, d0, None, 2, 1), 0.2).flatten(1) @ d1


adam_d = torch.optim.Adam([d0, d1], lr=0.01, betas=(0, 0.9))
adam_g = torch.optim.Adam([g0, g2, g1], lr=0.01, betas=(0, 0.9))
values = {}
for step in range(1, 6):
    real, z, t = wave(4, 2, 6, 6, k=step), wave(4, 3, k=5 * step), (0.5 * wave(4, k=step) + 0.5).reshape(4, 1, 1, 1)
    fake = generator(z).detach()
    mixed = leaf(t * real + (1 - t) * fake)
    slope, = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    adam_d.zero_grad()
    loss.backward()
    adam_d.step()
    adam_g.zero_grad()
    (-critic(generator(z)).mean()).backward()
    adam_g.step()
    values.update({f"before@{step}": loss, f"critic_w@{step}": d0.clone(), f"head_w@{step}": d1.clone(),
                   f"first_w@{step}": g0.clone(), f"first_b@{step}": g2.clone(), f"grow_w@{step}": g1.clone()})
case("wgan with a gradient penalty learns", values)

done(__file__)
