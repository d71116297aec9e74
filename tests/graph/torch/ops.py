"""PyTorch's word on every sample of the op table: values, gradients and gradients of gradients, in float64.

Reads samples.json and writes ops.json beside it (both in the repository, so the test needs no Python):
    python3 tests/graph/torch/ops.py
samples.json is written by    DLX_WRITE=1 npx vitest run tests/graph/torch.test.ts
With w and v from samples.json: L = sum w*out, g = dL/dx, L2 = sum v*g, h = dL2/dx.
"""
import itertools
import json
import math
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "torch"))

from half import Half  # noqa: E402

DTYPES = {"f32": torch.float64, "i32": torch.int64, "u32": torch.int64, "bool": torch.bool}
M = 0xFFFFFFFF


def wrap(x):
    return ((x + 2**31) % 2**32) - 2**31


def mix(x):
    x &= M
    x ^= x >> 16
    x = x * 0x7FEB352D & M
    x ^= x >> 15
    x = x * 0x846CA68B & M
    return x ^ x >> 16


def draw(site, keys, n):
    h1, h2 = mix(site ^ 0x9E3779B9), mix(site + 0x85EBCA6B)
    for k in keys:
        h1, h2 = mix((h1 ^ k) + 0x9E3779B9), mix((h2 + k) ^ 0xC2B2AE35)
    return [(mix(mix(i ^ h1) + h2) >> 8) / 2**24 for i in range(n)]


def window_index(shape, a):
    """For every element of the windowed tensor its flat place in the original."""
    place = torch.arange(math.prod(shape)).reshape(shape)
    counts = list(shape)
    for ax, s, st, d in zip(a["axes"], a["size"], a["stride"], a["dilation"]):
        counts[ax] = (shape[ax] - d * (s - 1) - 1) // st + 1
    out = torch.zeros(counts + a["size"], dtype=torch.int64)
    for at in itertools.product(*(range(n) for n in counts + a["size"])):
        src = list(at[: len(shape)])
        for k, ax in enumerate(a["axes"]):
            src[ax] = at[ax] * a["stride"][k] + at[len(shape) + k] * a["dilation"][k]
        out[at] = place[tuple(src)]
    return out


def fold(x, a):
    index = window_index(a["shape"], a).flatten()
    return torch.zeros(math.prod(a["shape"]), dtype=x.dtype).index_add(0, index, x.flatten()).reshape(a["shape"])


def dot(x, y, a):
    batch, contract = a["batch"], a["contract"]
    names = iter("abcdefghijklmnopqrstuvwxyz")
    left, right = [None] * x.dim(), [None] * y.dim()
    shared = []
    for i, j in batch + contract:
        left[i] = right[j] = next(names)
    shared = [left[i] for i, _ in batch]
    free = []
    for side in (left, right):
        for i, n in enumerate(side):
            if n is None:
                side[i] = next(names)
                free.append(side[i])
    return torch.einsum(f"{''.join(left)},{''.join(right)}->{''.join(shared + free)}", x, y)


def expand(x, a):
    shape = [1] * len(a["shape"])
    for i, ax in enumerate(a["axes"]):
        shape[ax] = x.shape[i]
    return x.reshape(shape).expand(a["shape"])


def pad(x, a):
    out = torch.full([n + lo + hi for n, lo, hi in zip(x.shape, a["lo"], a["hi"])], a["value"], dtype=x.dtype)
    where = tuple(slice(lo, lo + n) for n, lo in zip(x.shape, a["lo"]))
    mask = torch.zeros(out.shape, dtype=torch.bool)
    mask[where] = True
    return out.masked_scatter(mask, x)


def lines(rule, x, ids, a):
    """Each line before the axis with numbers of its own."""
    ax, lead = a["axis"], x.shape[: a["axis"]]
    pairs = zip(x.reshape((-1,) + x.shape[ax:]), ids.reshape((-1,) + ids.shape[ax:]))
    out = torch.stack([rule(p, q, {**a, "axis": 0, "paired": False}) for p, q in pairs])
    return out.reshape(lead + out.shape[1:])


def gather(x, ids, a):
    if a.get("paired"):
        return lines(gather, x, ids, a)
    ax = a["axis"]
    flat = ids.clamp(0, x.shape[ax] - 1).flatten()
    return x.index_select(ax, flat).reshape(x.shape[:ax] + ids.shape + x.shape[ax + 1 :])


def scatter(v, ids, a):
    if a.get("paired"):
        return lines(scatter, v, ids, a)
    ax = a["axis"]
    flat = ids.clamp(0, a["size"] - 1).flatten()
    rest = v.shape[ax + ids.dim() :]
    v = v.reshape(v.shape[:ax] + (flat.numel(),) + rest)
    return torch.zeros(v.shape[:ax] + (a["size"],) + rest, dtype=v.dtype).index_add(ax, flat, v)


def argmax_first(x, ax):
    best = x.amax(ax, keepdim=True)
    place = torch.arange(x.shape[ax]).reshape([-1 if i == ax else 1 for i in range(x.dim())])
    return torch.where(x == best, place, x.shape[ax]).amin(ax)


def symmetric(x):
    return (x + x.transpose(-1, -2)) / 2


def eigh(x):
    """The values as the first row; the largest entry of each vector positive."""
    w, v = torch.linalg.eigh(x)
    top = v.detach().abs().argmax(-2, keepdim=True)
    v = v * torch.sign(torch.gather(v.detach(), -2, top))
    return torch.cat([w.unsqueeze(-2), v], -2)


def cumsum(x, a):
    return x.flip(a["axis"]).cumsum(a["axis"]).flip(a["axis"]) if a["reverse"] else x.cumsum(a["axis"])


def cast(x, to, a):
    if a["dtype"] == "bool":
        return x != 0
    if a["dtype"] in ("i32", "u32") and x.is_floating_point():
        return x.trunc().to(torch.int64)
    return x.to(DTYPES[a["dtype"]])


def recurrence(w, h, xs, reverse):
    out = [None] * len(xs)
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        h = torch.tanh(h @ w + xs[t])
        out[t] = h * h
    return [h, torch.stack(out)]


def geometric(c, a, b):
    for t in range(5):
        a, b = a * b, b + t * c
    return [a, b]


def counting(n, s, xs):
    out = []
    for x in xs:
        n = n + 1
        s = s + x * x * n
        out.append(n)
    return [n, s, torch.stack(out)]


def nested(c, v, xs):
    out = []
    for x in xs:
        for _ in range(3):
            v = torch.sin(v * c) + x
        out.append(v * c)
    return [v, torch.stack(out)]


LOOPS = {
    "recurrence": lambda x: recurrence(*x, False),
    "reverse": lambda x: recurrence(*x, True),
    "geometric": lambda x: geometric(*x),
    "map": lambda x: [x[1] * x[1] * x[0]],
    "counting": lambda x: counting(*x),
    "nested": lambda x: nested(*x),
}


def binary(f, whole=None):
    return lambda x, a, s: (whole or f)(x[0], x[1]) if not x[0].is_floating_point() else f(x[0], x[1])


def unary(f):
    return lambda x, a, s: f(x[0])


OPS = {
    "const": lambda x, a, s: torch.tensor(a["values"] if "values" in a else a["value"], dtype=DTYPES[a["dtype"]]).reshape(a.get("shape", [])),
    "iota": lambda x, a, s: torch.arange(a["shape"][a["axis"]]).reshape([-1 if i == a["axis"] else 1 for i in range(len(a["shape"]))]).expand(a["shape"]),
    "input": lambda x, a, s: torch.tensor(s["scalars"][a["name"]], dtype=DTYPES[a["dtype"]]),
    "random": lambda x, a, s: torch.tensor(draw(a["site"], [int(k) for k in x], math.prod(a["shape"])), dtype=torch.float64).reshape(a["shape"]),
    **{op: unary(getattr(torch, op)) for op in "neg exp log log1p sqrt tanh erf sin cos abs floor sign".split()},
    "half": lambda x, a, s: Half.apply(x[0]),
    "stop": lambda x, a, s: x[0].detach(),
    "not": unary(torch.logical_not),
    "cast": lambda x, a, s: cast(x[0], a["dtype"], a),
    "add": binary(torch.add, lambda p, q: wrap(p + q)),
    "sub": binary(torch.sub, lambda p, q: wrap(p - q)),
    "mul": binary(torch.mul, lambda p, q: wrap(p * q)),
    "div": binary(torch.div, lambda p, q: torch.div(p, q, rounding_mode="floor")),
    "mod": binary(torch.remainder),
    # Ties: all of the gradient to the second.
    "max": binary(lambda p, q: torch.where(p > q, p, q)),
    "min": binary(lambda p, q: torch.where(p < q, p, q)),
    "pow": binary(torch.pow),
    "lt": binary(torch.lt), "le": binary(torch.le), "eq": binary(torch.eq), "ne": binary(torch.ne),
    "and": binary(torch.logical_and), "or": binary(torch.logical_or),
    "select": lambda x, a, s: torch.where(x[0], x[1], x[2]),
    "reshape": lambda x, a, s: x[0].reshape(a["shape"]),
    "permute": lambda x, a, s: x[0].permute(a["perm"]),
    "expand": lambda x, a, s: expand(x[0], a),
    "slice": lambda x, a, s: x[0][tuple(slice(*p) for p in zip(a["start"], a["stop"], a["step"]))],
    "pad": lambda x, a, s: pad(x[0], a),
    "flip": lambda x, a, s: x[0].flip(a["axes"]),
    "concat": lambda x, a, s: torch.cat(x, a["axis"]),
    "windows": lambda x, a, s: x[0].flatten()[window_index(list(x[0].shape), a)],
    "fold": lambda x, a, s: fold(x[0], a),
    "sum": lambda x, a, s: x[0].sum(a["axes"]),
    "amax": lambda x, a, s: x[0].amax(a["axes"]),
    "argmax": lambda x, a, s: argmax_first(x[0], a["axis"]),
    "cumsum": lambda x, a, s: cumsum(x[0], a),
    "dot": lambda x, a, s: dot(x[0], x[1], a),
    "gather": lambda x, a, s: gather(x[0], x[1], a),
    "scatter": lambda x, a, s: scatter(x[0], x[1], a),
    # As a column: PyTorch 1.13 takes a vector of one for a batch.
    "solve": lambda x, a, s: torch.linalg.solve(x[0], x[1].reshape(x[0].shape[:-1] + (-1,))).reshape(x[1].shape),
    "argsort": lambda x, a, s: torch.sort(x[0], dim=-1, stable=True)[1],
    "cholesky": lambda x, a, s: torch.linalg.cholesky(symmetric(x[0])),
    "eigh": lambda x, a, s: eigh(symmetric(x[0])),
    "loop": lambda x, a, s: LOOPS[s["name"]](x),
    "pick": lambda x, a, s: recurrence(*x, False)[a["index"]],
}


def grads(y, xs):
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, xs)]


def answer(s):
    xs = [torch.tensor(i["data"], dtype=DTYPES[i["dtype"]]).reshape(i["shape"]) for i in s["inputs"]]
    for i in s["asked"]:
        xs[i].requires_grad_(True)
    out = OPS[s["op"]](xs, s["attrs"], s)
    outs = out if isinstance(out, list) else [out]
    result = {"values": [o.detach().to(torch.float64).flatten().tolist() for o in outs]}
    floats = [(o, w) for o, w in zip(outs, s["weights"]) if o.is_floating_point()]
    if s["asked"] and floats:
        asked = [xs[i] for i in s["asked"]]
        loss = sum((o * torch.tensor(w, dtype=torch.float64).reshape(o.shape)).sum() for o, w in floats)
        first = grads(loss, asked)
        slope = sum((g * torch.tensor(s["directions"][i], dtype=torch.float64).reshape(g.shape)).sum() for i, g in zip(s["asked"], first))
        second = grads(slope, asked)
        # PyTorch may keep a gradient of zeros without storage; adding it to zeros gives it one.
        result["first"], result["second"] = (
            [(torch.zeros(g.shape, dtype=g.dtype) + g.detach()).flatten().tolist() for g in gs] for gs in (first, second)
        )
    return result


if __name__ == "__main__":
    samples = json.loads((HERE / "samples.json").read_text())
    answers = {f"{s['op']}: {s['name']}": answer(s) for s in samples}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in answers.items()]
    (HERE / "ops.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(answers)} samples answered by PyTorch {torch.__version__}")
