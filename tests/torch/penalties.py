"""Double back-propagation: losses that hold the squared gradient of a loss by its inputs, through layers of every kind.

    python3 tests/torch/penalties.py          writes penalties.json beside it
    python3 tests/torch/penalties.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import case, done, grad, leaf, linear, linears, step, wave


def train(name, net, loss_of):
    opt = torch.optim.SGD(list(net.values()), lr=0.02)
    values = {}
    for t in range(1, 11):
        loss, inputs = loss_of(net, t)
        g, = torch.autograd.grad(loss, inputs, create_graph=True)
        p = (g ** 2).sum()
        values.update({f"L@{t}": loss, f"P@{t}": p})
        step(opt, net, grad(loss + 3 * p, net))
    case(name, {**values, **net})


def convolution(net, t):
    x = leaf(wave(3, 2, 9, 8, k=t))
    h = F.conv2d(x, net["first.w"], net["first.b"], stride=2, padding=1)
    h = F.max_pool2d(F.gelu(h), 3, stride=1)
    h = F.conv2d(h, net["second.w"], net["second.b"], padding=2, dilation=2, groups=2)
    h = F.avg_pool2d(torch.tanh(h), 2, stride=1)
    return F.cross_entropy(linear(net, "head", h.flatten(1)), torch.tensor([1, 0, 2])), x


train("convolutions and pools", {
    "first.w": leaf(0.5 * wave(4, 2, 3, 3, k=1)), "first.b": leaf(torch.zeros(4)),
    "second.w": leaf(0.5 * wave(4, 2, 3, 3, k=3)), "second.b": leaf(torch.zeros(4)),
    **linears({"head": (8, 3, 5, 0.5)})}, convolution)


def batchnorm(net, t):
    x = leaf(wave(5, 3, k=t))
    h = F.batch_norm(linear(net, "first", x), None, None, net["norm.scale"], net["norm.shift"], training=True)
    return F.mse_loss(linear(net, "head", F.softplus(h)), wave(5, 2, k=3)), x


train("a batch norm", {
    **linears({"first": (3, 4, 1, 0.8)}), "norm.scale": leaf(torch.ones(4)), "norm.shift": leaf(torch.zeros(4)),
    **linears({"head": (4, 2, 5, 0.8)})}, batchnorm)

IDS = torch.tensor([[0, 3, 5, 3, 1], [2, 2, 4, 0, 5], [1, 0, 0, 4, 3], [5, 4, 3, 2, 1]])
PLACES = torch.tensor([[0, 4, 1, 4, 2, 3], [2, 2, 3, 0, 1, 4], [1, 0, 0, 4, 4, 3], [4, 3, 3, 2, 1, 0]])
ROWS = torch.tensor([1, 0, 1, 1])


def sequence(net, t):
    e = net["embed.w"][IDS] + 0.1 * wave(4, 5, 3, k=t)
    h, all_h = torch.zeros(4, 6), []
    for i in range(5):
        h = torch.tanh(e[:, i] @ net["rnn.wx"] + h @ net["rnn.wh"] + net["rnn.b"])
        all_h.append(h)
    all_h = torch.stack(all_h, 1)
    found = all_h.gather(1, PLACES[:, None, :])[:, 0]
    pooled = torch.zeros(2, 6).index_add(0, ROWS, h + found * all_h.sort(1).values[:, -2])
    return F.cross_entropy(linear(net, "head", pooled), torch.tensor([1, 2])), e


train("rows of a table, a scan, gather, sort, rows added by an index", {
    "embed.w": leaf(wave(6, 3, k=1)), "rnn.wx": leaf(0.8 * wave(3, 6, k=2)), "rnn.wh": leaf(0.8 * wave(6, 6, k=2)),
    "rnn.b": leaf(torch.zeros(6)), **linears({"head": (6, 3, 5, 0.8)})}, sequence)


def attending(net, t):
    x = leaf(wave(2, 5, 4, k=t))
    q, k, v = linear(net, "qkv", F.layer_norm(x, (4,), net["norm.scale"], net["norm.shift"])).chunk(3, -1)
    score = (q @ k.transpose(-1, -2) / 2).masked_fill(torch.ones(5, 5).triu(1) > 0, -1e30)
    z = linear(net, "head", x + score.softmax(-1) @ v)
    return F.cross_entropy(z.reshape(10, 3), torch.tensor([0, 1, 2, 2, 1, 0, 0, 1, 1, 2])), x


train("attention and a layer norm", {
    "norm.scale": leaf(torch.ones(4)), "norm.shift": leaf(torch.zeros(4)),
    **linears({"qkv": (4, 12, 1, 0.8), "head": (4, 3, 5, 0.8)})}, attending)

done(__file__)
