"""Adversarial training: WGAN-GP (a gradient in the loss, taken for each row) and WGAN (inner steps, clipped weights).

    python3 tests/torch/gan.py          writes gan.json, images.csv and points.csv beside it
    python3 tests/torch/gan.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import batches, case, done, grad, leaf, linear, linears, step, table, wave

IMAGES = table("images.csv", 24, 16, k=5).reshape(24, 4, 4)
POINTS = table("points.csv", 48, 2, k=7)


def dense(net, x):
    h = F.leaky_relu(linear(net, "D.linear1", x.flatten(1)))
    return linear(net, "D.linear2", h).squeeze(-1)


def convolutional(net, x):
    h = F.conv2d(x.unsqueeze(1), net["D.conv1.w"], net["D.conv1.b"], padding=1)
    h = F.layer_norm(h.flatten(1), (48,), net["D.layerNorm1.scale"], net["D.layerNorm1.shift"]).reshape(-1, 3, 4, 4)
    h = F.max_pool2d(F.avg_pool2d(F.silu(h), 3, stride=1), 2)
    return linear(net, "D.linear1", h.flatten(1)).squeeze(-1)


def generate(net, z):
    h = F.leaky_relu(linear(net, "G.linear1", z))
    return torch.sigmoid(linear(net, "G.linear2", h)).reshape(-1, 4, 4)


def wgan_gp(name, critic, D):
    G = linears({"G.linear1": (3, 6, 2, 0.7), "G.linear2": (6, 16, 4, 0.7)})
    # Steps of Adam are near lr: with wave's numbers 0.01 would lead G onto the kink of leaky_relu.
    rates = [(D, 0.01), (G, 0.0137)]
    opts = [torch.optim.Adam(list(net.values()), lr=lr, betas=(0.0, 0.9)) for net, lr in rates]
    source = batches(IMAGES, 8)
    values = {}
    for t in range(1, 11):
        real, fake = next(source), generate(G, wave(8, 3, k=t))
        mix = ((wave(8, k=3 * t) + 1) / 2)[:, None, None]
        x = mix * real + (1 - mix) * fake
        slopes, = torch.autograd.grad(critic(D, x).sum(), x, create_graph=True)
        lengths = slopes.flatten(1).norm(dim=1)
        penalty = ((lengths - 1) ** 2).mean()
        loss = critic(D, fake).mean() - critic(D, real).mean() + 10 * penalty
        values.update({f"L@{t}": loss, f"length@{t}": lengths})
        step(opts[0], D, grad(loss, D))
        if t % 5 == 0:
            step(opts[1], G, grad(-critic(D, generate(G, wave(8, 3, k=2 * t + 1))).mean(), G))
    case(name, {**values, **D, **G})


wgan_gp("WGAN-GP", dense, linears({"D.linear1": (16, 7, 1, 0.6), "D.linear2": (7, 1, 3, 0.6)}))
wgan_gp("WGAN-GP, a convolutional critic", convolutional, {
    "D.conv1.w": leaf(0.6 * wave(3, 1, 3, 3, k=1)), "D.conv1.b": leaf(torch.zeros(3)),
    "D.layerNorm1.scale": leaf(torch.ones(48)), "D.layerNorm1.shift": leaf(torch.zeros(48)),
    **linears({"D.linear1": (3, 1, 3, 0.6)})})


def wgan():
    D = linears({"D.linear1": (2, 6, 1, 0.1), "D.linear2": (6, 1, 3, 0.1)})
    G = linears({"G.linear1": (3, 6, 2, 0.7), "G.linear2": (6, 2, 4, 0.7)})
    apply = lambda net, of, x: linear(net, f"{of}.linear2", torch.relu(linear(net, f"{of}.linear1", x)))
    opts = [torch.optim.RMSprop(list(net.values()), lr=0.005) for net in (D, G)]
    source = batches(POINTS, 8)
    values = {}
    k = 0
    for t in range(1, 11):
        gaps = []
        for _ in range(5):
            k += 1
            gap = apply(D, "D", next(source)).mean() - apply(D, "D", apply(G, "G", wave(8, 3, k=k))).mean()
            gaps.append(gap)
            step(opts[0], D, grad(-gap, D))
            with torch.no_grad():
                for p in D.values():
                    p.clamp_(-0.08, 0.08)
        values[f"W@{t}"] = torch.stack(gaps).mean()
        loss = -apply(D, "D", apply(G, "G", wave(8, 3, k=2 * t + 1))).mean()
        values[f"L@{t}"] = loss
        step(opts[1], G, grad(loss, G))
    case("WGAN, clipped weights", {**values, **D, **G})


wgan()
done(__file__)
