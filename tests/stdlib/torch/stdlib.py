"""PyTorch's word on the standard library: dense layers, convolution, losses, optimizers, whole networks.

    python3 tests/stdlib/torch/stdlib.py          writes stdlib.json beside it
    python3 tests/stdlib/torch/stdlib.py --print  prints it instead
"""
import torch
import torch.nn.functional as F
from torch import nn

from common import case, done, grads, leaf, numbers, wave

# ---------------------------------------------------------------- activations

POINTS = torch.tensor([-1e4, -3.3, -1.0, 0.0, 0.5, 2.0, 1e4])
ELEMENTWISE = {
    "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu, "sigmoid": torch.sigmoid, "hard_sigmoid": F.hardsigmoid,
    "softplus": F.softplus, "silu": F.silu, "gelu": F.gelu, "tanh": torch.tanh,
    "scaled_tanh": lambda x: 1.7159 * torch.tanh(2 / 3 * x),
}


def elementwise(name, f):
    x = leaf(POINTS)
    y = f(x)
    case(name, {"y": y, **grads(y.sum(), dx=x)})


for name, f in ELEMENTWISE.items():
    elementwise(name, f)
for name in ["sigmoid", "softplus", "silu", "gelu", "tanh", "scaled_tanh"]:
    x = leaf(POINTS)
    g, = torch.autograd.grad(ELEMENTWISE[name](x).sum(), x, create_graph=True)
    case(f"{name}, curvature", grads(g.sum(), dxx=x))
elementwise("leaky_relu, slope 0.2", lambda x: F.leaky_relu(x, 0.2))
elementwise("elu, alpha 0.5", lambda x: F.elu(x, 0.5))

for name, f in {"softmax": F.softmax, "log_softmax": F.log_softmax}.items():
    for suffix, dim, scale in [("", -1, 3), (", first axis", 0, 3), (", huge", -1, 1e4)]:
        x = leaf(scale * wave(4, 5, k=2))
        y = f(x, dim=dim)
        case(name + suffix, {"y": y, **grads((y * wave(4, 5, k=9)).sum(), dx=x)})

x = leaf(3 * wave(2, 4, 3, k=2))
y = F.softmax(x, dim=1)
case("softmax, named axis", {"y": y, **grads((y * wave(2, 4, 3, k=9)).sum(), dx=x)})

# ---------------------------------------------------------------- layers


def linear(n_in, n_out, k, bias=True):
    """Our w is [In, Out]; PyTorch's is its transpose."""
    w = leaf(wave(n_in, n_out, k=k))
    b = leaf(torch.zeros(n_out)) if bias else None
    return w, b, lambda x: F.linear(x, w.T, b)


x = leaf(wave(3, 5, k=2))
w, b, f = linear(5, 4, 1)
y = f(x)
case("Linear", {"y": y, **grads((y * wave(3, 4, k=7)).sum(), dx=x, dw=w, db=b)})
x = leaf(wave(2, 3, 5, k=2))
w, b, f = linear(5, 4, 1, bias=False)
y = f(x)
case("Linear, more axes, no bias", {"y": y, **grads((y ** 2).sum(), dx=x, dw=w)})

w0, b0, f0 = linear(3, 4, 1)
w2, b2, f2 = linear(4, 2, 3)
loss = F.mse_loss(f2(torch.tanh(f0(wave(6, 3, k=2)))), wave(6, 2, k=5))
case("MLP, gradient of a bundle", grads(loss, **{"g.net.0.w": w0, "g.net.0.b": b0, "g.net.2.w": w2, "g.net.2.b": b2}))

for stride in [1, 2]:
    for pad in [0, 1, 2]:
        for dilation in [1, 2]:
            for h, v, kernel in [(5, 7, 3), (6, 5, 2)]:
                x, w, b = leaf(wave(2, 2, h, v, k=2)), leaf(wave(3, 2, kernel, kernel, k=1)), leaf(torch.zeros(3))
                y = F.conv2d(x, w, b, stride=stride, padding=pad, dilation=dilation)
                loss = (y * wave(*y.shape, k=7)).sum()
                name = f"Conv {h}x{v} kernel {kernel} stride {stride} pad {pad} dilation {dilation}"
                case(name, {"y": y, **grads(loss, dx=x, dw=w, db=b)})
x, w = leaf(wave(2, 3, 4, 5, k=2)), leaf(wave(4, 3, 1, 1, k=1))
y = F.conv2d(x, w)
case("Conv, no bias, kernel 1", {"y": y, **grads((y ** 2).sum(), dx=x, dw=w)})

for pool, f in {"maxpool": F.max_pool2d, "avgpool": F.avg_pool2d}.items():
    for h, v, size, stride in [(6, 4, 2, 2), (7, 5, 2, 2), (7, 6, 3, 2), (7, 8, 2, 3), (5, 5, 3, 1)]:
        x = leaf(wave(2, 3, h, v, k=2))
        y = f(x, size, stride=stride)
        case(f"{pool} {h}x{v} size {size} stride {stride}", {"y": y, **grads((y * wave(*y.shape, k=7)).sum(), dx=x)})

x, cw, cb = leaf(wave(2, 1, 7, 7, k=2)), leaf(wave(3, 1, 3, 3, k=1)), leaf(torch.zeros(3))
hw, hb, head = linear(27, 4, 3)
z = F.max_pool2d(F.relu(F.conv2d(x, cw, cb, padding=1)), 2).flatten(1)
y = head(z)
loss = (y * wave(2, 4, k=7)).sum()
case("Conv, maxpool, flatten, Linear",
     {"z": z, "y": y, **grads(loss, **{"dx": x, "dconv.conv.w": cw, "dconv.conv.b": cb, "dhead.head.w": hw, "dhead.head.b": hb})})


def batch_norm(name, bn, *shape):
    values = {}
    bn.eval()
    values["y before"] = bn(wave(*shape, k=8))
    bn.train()
    for step in [1, 2]:
        x = leaf(2 * wave(*shape, k=3 * step) + 1)
        y = bn(x)
        dx, ds, dh = torch.autograd.grad((y * wave(*shape, k=7)).sum(), [x, bn.weight, bn.bias])
        with torch.no_grad():
            bn.weight -= 0.1 * ds
            bn.bias -= 0.1 * dh
        values.update({f"out@{step}": y, f"dx@{step}": dx, f"scale@{step}": bn.weight.clone(), f"shift@{step}": bn.bias.clone()})
    bn.eval()
    x = leaf(wave(*shape, k=8))
    y = bn(x)
    values.update({"y": y, **grads((y * wave(*shape, k=5)).sum(), dx=x, dscale=bn.weight, dshift=bn.bias)})
    values.update({"run_mean": bn.running_mean, "run_var": bn.running_var})
    case(name, values)


batch_norm("BatchNorm [B, C]", nn.BatchNorm1d(3), 4, 3)
batch_norm("BatchNorm [B, C, H, W]", nn.BatchNorm2d(3), 4, 3, 2, 5)

x, norm = leaf(2 * wave(3, 2, 6, k=2) + 1), nn.LayerNorm(6)
y = norm(x)
case("LayerNorm", {"y": y, **grads((y * wave(3, 2, 6, k=7)).sum(), dx=x, dscale=norm.weight, dshift=norm.bias)})
x = leaf(wave(3, 6, k=2))
y = F.layer_norm(x, (6,), eps=0.1)
case("LayerNorm, eps 0.1", {"y": y, **grads((y * wave(3, 6, k=7)).sum(), dx=x)})

for name, with_h0 in [("RNN", False), ("RNN with h0", True)]:
    rnn = nn.RNN(3, 4, batch_first=True)
    wx, wh = 0.5 * wave(3, 4, k=1), 0.5 * wave(4, 4, k=1)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(wx.T)
        rnn.weight_hh_l0.copy_(wh.T)
        rnn.bias_ih_l0.zero_()
        rnn.bias_hh_l0.zero_()
    x, h0 = leaf(wave(2, 5, 3, k=2)), leaf(wave(2, 4, k=6))
    h, last = rnn(x, h0[None] if with_h0 else None)
    loss = (h * wave(2, 5, 4, k=7)).sum() + (last ** 2).sum()
    g = grads(loss, dx=x, dwx=rnn.weight_ih_l0, dwh=rnn.weight_hh_l0, db=rnn.bias_ih_l0, **({"dh0": h0} if with_h0 else {}))
    case(name, {"h": h, "h_last": last, **g, "dwx": g["dwx"].T, "dwh": g["dwh"].T})

# ---------------------------------------------------------------- losses

LABELS = torch.tensor([1, 4, 0, 0, 3, 2])


def loss_case(name, x, f):
    x = leaf(x)
    loss = f(x)
    case(name, {"loss": loss, **grads(loss, dx=x)})


loss_case("mse", wave(4, 3, k=2), lambda x: F.mse_loss(x, wave(4, 3, k=5)))
loss_case("mae", wave(4, 3, k=2), lambda x: F.l1_loss(x, wave(4, 3, k=5)))
SOFT = F.softmax(wave(6, 5, k=4), dim=-1)
for suffix, scale in [("", 3), (", huge", 1e4)]:
    loss_case(f"cross_entropy, classes{suffix}", scale * wave(6, 5, k=2), lambda x: F.cross_entropy(x, LABELS))
    loss_case(f"cross_entropy, probabilities{suffix}", scale * wave(6, 5, k=2), lambda x: F.cross_entropy(x, SOFT))
    # MultiMarginLoss divides by the number of classes; its gradient where a margin is exactly 0 is not met here.
    loss_case(f"hinge{suffix}", scale * wave(6, 5, k=2), lambda x: 5 * nn.MultiMarginLoss()(x, LABELS))
loss_case("cross_entropy along a sequence", 3 * wave(2, 3, 5, k=2), lambda x: F.cross_entropy(x.reshape(6, 5), LABELS))
BITS = torch.tensor([1, 0, 0, 1, 1, 0, 1.0])
loss_case("binary_cross_entropy", 3 * wave(7, k=2), lambda x: F.binary_cross_entropy_with_logits(x, BITS))
loss_case("binary_cross_entropy, huge", torch.tensor([1e4, -1e4, 1e4, -1e4, 0, 0]),
          lambda x: F.binary_cross_entropy_with_logits(x, torch.tensor([1, 0, 0, 1, 1, 0.0])))
x = leaf(torch.tensor([-20.0, -2.0, 0.0, 0.5, 20.0]))
loss = F.binary_cross_entropy_with_logits(x, torch.tensor([1.0, 0, 1, 0, 1]))
g, = torch.autograd.grad(loss, x, create_graph=True)
case("binary_cross_entropy, curvature", grads(g.sum(), dxx=x))
case("accuracy", {"acc": (wave(6, 5, k=3).argmax(-1) == LABELS).double().mean()})
case("binary_accuracy", {"acc": ((wave(7, k=2) > 0) == (BITS > 0.5)).double().mean()})

# ---------------------------------------------------------------- statistics and first values

x = leaf(3 * wave(4, 5, k=2) + 1)
v0, m0 = torch.var_mean(x, 0, unbiased=False)
v, m = torch.var_mean(x, unbiased=False)
case("moments", {"m": m, "v": v, "m0": m0, "v0": v0, **grads((v0 * wave(5, k=3)).sum(), dx=x)})
s = x.std(unbiased=False)
case("std", {"s": s, "s1": x.std(1, unbiased=False), **grads(s, dx=x)})
table, images = 3 * wave(6, 4, k=2) + 1, wave(3, 4, 4, k=2)
m, s = table.mean(0), table.std(0, unbiased=False)
case("standardize", {"table": (table - m) / s, "new": (wave(2, 4, k=5) - m) / s,
                     "images": (images - images.mean()) / images.std(unbiased=False)})

p = leaf(torch.zeros(1))
sgd = torch.optim.SGD([p], lr=0.5)
schedule = torch.optim.lr_scheduler.LinearLR(sgd, start_factor=1.0, end_factor=0.1, total_iters=4)
rates = []
for _ in range(9):
    rates.append(sgd.param_groups[0]["lr"])
    sgd.step()
    schedule.step()
case("linear", {"lr": [rates[i - 1] for i in [1, 2, 4, 5, 9]]})

deviations = {}
for layer, shape in {"Linear": (150, 200), "Conv": (64, 48, 3, 3)}.items():
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    for init in ["he_uniform", "he_normal"]:
        deviations[f"{init} {layer}"] = nn.init.calculate_gain("relu") / fan_in ** 0.5
    for init in ["xavier_uniform", "xavier_normal"]:
        deviations[f"{init} {layer}"] = (2 / (fan_in + fan_out)) ** 0.5
case("inits", deviations)

# ---------------------------------------------------------------- optimizers


def trajectory(name, optimizer, clip=None, schedule=None):
    w0, b0, f0 = linear(3, 4, 1)
    w2, b2, f2 = linear(4, 2, 3)
    params = {"w0": w0, "b0": b0, "w2": w2, "b2": b2}
    opt = optimizer(list(params.values()))
    schedule = schedule and schedule(opt)
    values = {}
    for step in range(1, 11):
        opt.zero_grad()
        loss = F.mse_loss(f2(torch.tanh(f0(wave(6, 3, k=2 * step)))), wave(6, 2, k=5))
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(list(params.values()), clip)
        opt.step()
        if schedule:
            schedule.step()
        values[f"before@{step}"] = numbers(loss)
        values.update({f"{label}@{step}": numbers(p) for label, p in params.items()})
    case(name, values)


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
trajectory("SGD", lambda p: SGD(p, lr=0.2))
trajectory("SGD, decay", lambda p: SGD(p, lr=0.2, weight_decay=0.1))
trajectory("SGD, momentum", lambda p: SGD(p, lr=0.1, momentum=0.9))
trajectory("SGD, nesterov", lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True))
trajectory("SGD, momentum, decay", lambda p: SGD(p, lr=0.1, momentum=0.8, weight_decay=0.05))
trajectory("SGD, linear schedule", lambda p: SGD(p, lr=0.2),
           schedule=lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, total_iters=6))
trajectory("Adam", lambda p: Adam(p, lr=0.05))
trajectory("Adam, settings", lambda p: Adam(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3))
trajectory("AdamW", lambda p: AdamW(p, lr=0.05, weight_decay=0.01))
trajectory("AdamW, settings", lambda p: AdamW(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2))
trajectory("clip_norm, SGD", lambda p: SGD(p, lr=0.2), clip=0.3)
trajectory("clip_norm, Adam", lambda p: Adam(p, lr=0.05), clip=0.3)

# ---------------------------------------------------------------- a gradient inside a loss

x, w, v = leaf(wave(5, 3, k=2)), leaf(wave(3, 4, k=1)), leaf(wave(4, k=3))
g, = torch.autograd.grad((torch.tanh(x @ w) @ v).sum(), x, create_graph=True)
penalty = (((g ** 2).sum(-1).sqrt() - 1) ** 2).mean()
case("gradient penalty", {"p": penalty, **grads(penalty, dw=w, dv=v)})

# ---------------------------------------------------------------- whole networks


def learns(name, optimizer, params, loss_at, steps, clip=None, schedule=None, after=lambda: {}):
    opt = optimizer(list(params.values()))
    schedule = schedule and schedule(opt)
    values = {}
    for step in range(1, steps + 1):
        opt.zero_grad()
        loss = loss_at(step)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(list(params.values()), clip)
        opt.step()
        if schedule:
            schedule.step()
        values[f"before@{step}"] = numbers(loss)
        values.update({f"{label}@{step}": numbers(p) for label, p in params.items()})
    case(name, {**values, **after()})


w1, b1, w2 = leaf(0.3 * wave(4, 2, 3, 3, k=1)), leaf(torch.zeros(4)), leaf(0.3 * wave(6, 4, 3, 3, k=3))
wh, bh, bn = leaf(0.3 * wave(6, 5, k=5)), leaf(torch.zeros(5)), nn.BatchNorm2d(4)


def network(x):
    x = F.max_pool2d(F.relu(bn(F.conv2d(x, w1, b1, padding=1))), 2)
    return F.avg_pool2d(F.gelu(F.conv2d(x, w2, stride=2)), 2, stride=1).flatten(1) @ wh + bh


def evaluated():
    bn.eval()
    return {"run_mean": bn.running_mean, "run_var": bn.running_var, "z": network(wave(5, 2, 11, 12, k=7))}


learns("a convolutional network learns", lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
       {"first_w": w1, "first_b": b1, "bn_scale": bn.weight, "bn_shift": bn.bias, "second_w": w2, "head_w": wh, "head_b": bh},
       lambda step: F.cross_entropy(network(wave(5, 2, 11, 12, k=2 * step)), torch.tensor([1, 4, 0, 0, 3])), 4, after=evaluated)

wx, wr, br = leaf(0.4 * wave(2, 6, k=1)), leaf(0.4 * wave(6, 6, k=1)), leaf(torch.zeros(6))
norm, wo, bo = nn.LayerNorm(6), leaf(0.4 * wave(6, 3, k=3)), leaf(torch.zeros(3))


def recurrent(step):
    x, h, hs = wave(4, 7, 2, k=2 * step), torch.zeros(4, 6), []
    for t in range(7):
        h = torch.tanh(x[:, t] @ wx + h @ wr + br)
        hs.append(h)
    hinge = 3 * nn.MultiMarginLoss()(norm(h) @ wo + bo, torch.tensor([0, 2, 1, 2]))
    return hinge + 0.1 * F.mse_loss(torch.stack(hs, 1), wave(4, 7, 6, k=5))


learns("a recurrent network learns", lambda p: AdamW(p, lr=0.02, weight_decay=0.01),
       {"rnn_wx": wx, "rnn_wh": wr, "rnn_b": br, "norm_scale": norm.weight, "norm_shift": norm.bias, "head_w": wo, "head_b": bo},
       recurrent, 5, clip=0.5, schedule=lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, total_iters=4))

w0, b0, w2, b2 = leaf(0.5 * wave(3, 5, k=1)), leaf(torch.zeros(5)), leaf(0.5 * wave(5, 1, k=3)), leaf(torch.zeros(1))


def criticized(step):
    def critic(x):
        return torch.tanh(x @ w0 + b0) @ w2 + b2
    real, fake = wave(4, 3, k=2 * step), wave(4, 3, k=3 * step + 1)
    mixed = leaf(0.25 * real + 0.75 * fake)
    slope, = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    penalty = (((slope ** 2).sum(-1).sqrt() - 1) ** 2).mean()
    return critic(fake).mean() - critic(real).mean() + 10 * penalty


learns("a critic with a gradient penalty learns", lambda p: Adam(p, lr=0.01, betas=(0.5, 0.999)),
       {"critic_0_w": w0, "critic_0_b": b0, "critic_2_w": w2, "critic_2_b": b2}, criticized, 5)

done(__file__)
