"""Mixed precision: products that take and give half precision (half.py), a loss scale that
begins at 65536, and at an overflow skips the step and halves (as torch.cuda.amp.GradScaler).

    python3 tests/torch/mixed.py          writes mixed.json beside it
    python3 tests/torch/mixed.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from half import Half
from shared import case, done, grad, leaf, linears, step, wave

half = Half.apply


def linear(net, path, x):
    return half(half(x) @ half(net[f"{path}.w"])) + net[f"{path}.b"]


class Scaler:
    def __init__(self):
        self.scale = 65536.0

    def step(self, opt, net, loss):
        g = {path: v / self.scale for path, v in grad(self.scale * loss, net).items()}
        if all(bool(torch.isfinite(v).all()) for v in g.values()):
            step(opt, net, g)
            return 0
        self.scale /= 2
        return 1


def dense(name, steps, weight):
    net = linears({"net.0": (4, 8, 1, 0.8), "net.2": (8, 3, 3, 0.8)})
    opt, scaler, values = torch.optim.Adam(list(net.values()), lr=0.01), Scaler(), {}
    for n in range(1, steps + 1):
        x = wave(6, 4, k=n)
        y = torch.arange(6) % 3
        loss = weight * F.cross_entropy(linear(net, "net.2", torch.tanh(linear(net, "net.0", x))), y)
        values[f"L@{n}"] = loss.detach()
        values[f"skipped@{n}"] = torch.tensor(scaler.step(opt, net, loss))
    case(name, {**values, **net})
    return scaler


def conv():
    net = {"net.0.w": leaf(0.5 * wave(3, 1, 3, 3, k=2)), "net.0.b": leaf(torch.zeros(3)), **linears({"net.3": (12, 2, 4, 0.5)})}
    opt, scaler, values = torch.optim.SGD(list(net.values()), lr=0.1), Scaler(), {}
    for n in range(1, 9):
        x = wave(2, 1, 4, 4, k=n)
        h = half(F.conv2d(half(x), half(net["net.0.w"]))) + net["net.0.b"].reshape(3, 1, 1)
        loss = (linear(net, "net.3", torch.relu(h).flatten(1)) ** 2).mean()
        values[f"L@{n}"] = loss.detach()
        values[f"skipped@{n}"] = torch.tensor(scaler.step(opt, net, loss))
    case("convolution", {**values, **net})


first = dense("overflows at first", 12, 100.0)
assert first.scale == 2048, first.scale
conv()
done(__file__)
