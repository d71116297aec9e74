"""What the scripts of this folder share: inputs, the shape of a case, and the file beside the script that holds the cases.

A case has the name it has in the tests; its values are row-major lists. Inputs are `wave` on both sides. All in float64.
"""
import json
import pathlib
import sys

import torch

torch.set_default_dtype(torch.float64)
cases = {}


def wave(*shape, k=0):
    n = 1
    for s in shape:
        n *= s
    return (((37 * torch.arange(n) + 11 * k) % 101) / 50 - 1).double().reshape(shape)


def numbers(t):
    t = torch.as_tensor(t).detach().double()
    return [float(f"{v:.13g}") for v in t.reshape(-1).tolist()]


def case(name, values):
    assert name not in cases, name
    cases[name] = {label: numbers(v) for label, v in values.items()}


def leaf(t):
    return t.clone().requires_grad_(True)


def grads(loss, **wrt):
    return dict(zip(wrt, torch.autograd.grad(loss, list(wrt.values()))))


def layer(name, f, x, squares=False, **params):
    """Value and first derivatives; with `squares` also the derivatives of |dy^2/dx|^2, as in a gradient penalty."""
    x = leaf(x)
    y = f(x)
    values = {"y": y, **grads((y * wave(*y.shape, k=7)).sum(), dx=x, **{f"d{n}": p for n, p in params.items()})}
    if squares:
        g, = torch.autograd.grad((f(x) ** 2).sum(), x, create_graph=True)
        values.update(grads((g ** 2).sum(), ddx=x, **{f"dd{n}": p for n, p in params.items()}))
    case(name, values)


def done(script):
    """Writes the cases beside the script, or prints them with --print."""
    text = "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in cases.items()) + "\n}\n"
    if "--print" in sys.argv:
        sys.stdout.write(text)
    else:
        pathlib.Path(script).with_suffix(".json").write_text(text)
