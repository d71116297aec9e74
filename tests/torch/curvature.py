"""Second derivatives used in training: Newton's steps, power iteration, sharpness, traces of the Hessian.

    python3 tests/torch/curvature.py          writes curvature.json beside it
    python3 tests/torch/curvature.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import case, done, grad, linear, linears, norm, step, wave

X, Y = wave(7, 2, k=2), wave(7, 1, k=5)


def loss_at(net):
    return F.mse_loss(linear(net, "net.2", torch.tanh(linear(net, "net.0", X))), Y)


def flat(g):
    return torch.cat([v.reshape(-1) for v in g.values()])


def unflat(v, net):
    parts = v.split([p.numel() for p in net.values()])
    return {path: part.reshape(p.shape) for (path, p), part in zip(net.items(), parts)}


def hessian(net, create_graph=False):
    f = lambda v: loss_at(unflat(v, net))
    return torch.autograd.functional.hessian(f, flat(net), create_graph=create_graph)


def hvp(net, v):
    """By the whole Hessian, so that v has its gradient too."""
    rows = []
    for e in flat(grad(loss_at(net), net, create_graph=True)):
        rows.append(flat(grad(e, net, create_graph=True)))
    return unflat(torch.stack(rows) @ flat(v), net)


def dot(a, b):
    return sum((a[path] * b[path]).sum() for path in a)


def unit(v):
    length = norm(v)
    return {path: t / length for path, t in v.items()}


def train(name, move, optimizer):
    net = linears({"net.0": (2, 3, 1, 0.9), "net.2": (3, 1, 3, 0.9)})
    opt = optimizer(list(net.values()))
    values = {}
    for t in range(1, 11):
        g, more = move(net)
        values[f"L@{t}"] = loss_at(net)
        values.update({f"{label}@{t}": v for label, v in more.items()})
        step(opt, net, g)
    case(name, {**values, **net})


def newton(net):
    h = hessian(net)
    d = torch.linalg.solve(h + 3 * torch.eye(len(h)), flat(grad(loss_at(net), net)))
    return unflat(d, net), {"h": h, "spectrum": torch.linalg.eigvalsh(h)}


def sharpness(net):
    v = unit({path: wave(*p.shape, k=3) for path, p in net.items()})
    for _ in range(4):
        v = unit(hvp(net, v))
    sharp = dot(v, hvp(net, v))
    return grad(loss_at(net) + 0.05 * sharp, net), {"sharp": sharp}


def trace(net):
    curve = torch.trace(hessian(net, create_graph=True))
    # functional.hessian goes by a copy of the params, so the trace is written again where its gradient is taken.
    rows = flat(grad(loss_at(net), net, create_graph=True))
    again = sum(flat(grad(e, net, create_graph=True))[i] for i, e in enumerate(rows))
    assert torch.allclose(curve, again)
    return grad(loss_at(net) + 0.02 * again, net), {"curve": again}


def radial(net):
    bend = dot(net, hvp(net, net))
    return grad(loss_at(net) + 0.1 * bend, net), {"bend": bend}


def nearby(second):
    def move(net):
        e = unit(grad(loss_at(net), net, create_graph=second))
        worst = loss_at({path: p + 0.2 * (e[path] if second else e[path].detach()) for path, p in net.items()})
        return grad(worst, net), {"top": worst}
    return move


sgd = lambda rate: lambda params: torch.optim.SGD(params, lr=rate)
adam = lambda rate: lambda params: torch.optim.Adam(params, lr=rate)
train("damped Newton", newton, sgd(0.8))
train("a penalty on the sharpest direction", sharpness, adam(0.02))
train("a penalty on the trace of the Hessian", trace, adam(0.02))
train("a penalty on the curvature along the params", radial, adam(0.02))
train("the worst point nearby", nearby(False), sgd(0.3))
train("the worst point nearby, second order", nearby(True), sgd(0.3))
done(__file__)
