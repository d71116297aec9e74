"""What the scripts of this folder share: inputs and the form of a case (tests/stdlib/torch/common.py), params by their
paths, and files that both sides read. Numbers in files are multiples of 1/64: float32 holds them exactly.
"""
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stdlib/torch"))

from common import case, done, leaf, wave  # noqa: E402, F401


def table(file, rows, columns, k):
    """A csv file of numbers in -1..1 with a header, and the same as a tensor."""
    x = (wave(rows, columns, k=k) * 64).round() / 64
    head = ",".join(f"c{i}" for i in range(columns))
    lines = [",".join(f"{v:g}" for v in row) for row in x.tolist()]
    (HERE / file).write_text("\n".join([head, *lines]) + "\n")
    return x


def batches(x, size):
    """Batch after batch, without end; rows that fill no batch are not there."""
    assert len(x) % size == 0
    while True:
        yield from x.split(size)


def linear(net, path, x):
    return x @ net[f"{path}.w"] + net[f"{path}.b"]


def linears(shapes):
    """Params of Linear layers from path: (In, Out, k, scale); w begins as scale * wave, b as 0."""
    net = {}
    for path, (size, out, k, scale) in shapes.items():
        net[f"{path}.w"] = leaf(scale * wave(size, out, k=k))
        net[f"{path}.b"] = leaf(torch.zeros(out))
    return net


def grad(y, net, **how):
    """The gradient by path; y may depend on other things too."""
    return dict(zip(net, torch.autograd.grad(y, list(net.values()), **how)))


def step(opt, net, g):
    for path, p in net.items():
        p.grad = g[path].detach()
    opt.step()


def norm(g):
    return sum((v ** 2).sum() for v in g.values()).sqrt()


def clipped(g, c):
    """Without the 1e-6 of torch.nn.utils.clip_grad_norm_."""
    scale = (c / norm(g)).clamp(max=1)
    return {path: v * scale for path, v in g.items()}
