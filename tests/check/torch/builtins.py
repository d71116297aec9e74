"""PyTorch's word on composed builtins: values, gradients and gradients of gradients, in float64.

Reads cases.json and writes builtins.json beside it:    python3 tests/check/torch/builtins.py
"""
import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
PLACES = torch.tensor([[4, 0], [1, 1], [0, 3]])


def symmetric(x):
    return (x + x.transpose(-1, -2)) / 2


OPS = {
    "sort": lambda x: torch.sort(x, -1)[0],
    "sort0": lambda x: torch.sort(x, 0, descending=True)[0],
    "topk": lambda x: torch.topk(x, 3, -1)[0],
    "gather": lambda x: torch.gather(x, -1, PLACES),
    "roll": lambda x: torch.roll(x, -2, -1),
    "prod": lambda x: torch.stack([torch.stack(list(r)).prod(0) for r in x]),
    "cumprod": lambda x: torch.cumprod(x, -1),
    "var": lambda x: torch.var(x, -1, unbiased=False),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=-1),
    "det": torch.linalg.det,
    "logdet": lambda x: torch.linalg.slogdet(x)[1],
    "inv": torch.linalg.inv,
    "trace": torch.trace,
    "diag_embed": torch.diag,
    "diagonal": lambda x: torch.diagonal(x, dim1=-2, dim2=-1),
    "outer": torch.outer,
    "eigvalsh": lambda x: torch.linalg.eigvalsh(symmetric(x)),
    "cholesky": lambda x: torch.linalg.cholesky(symmetric(x)),
    "solve": torch.linalg.solve,
}


def grads(y, xs):
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, xs)]


def flat(t):
    return (torch.zeros(t.shape, dtype=t.dtype) + t.detach()).flatten().tolist()


def answer(case):
    xs = [torch.tensor(data, dtype=torch.float64).reshape(shape).requires_grad_(True) for shape, data in case["inputs"]]
    out = OPS[case["torch"]](*xs)
    first = grads((out * torch.tensor(case["weights"], dtype=torch.float64).reshape(out.shape)).sum(), xs)
    slope = sum((g * torch.tensor(v, dtype=torch.float64).reshape(g.shape)).sum() for g, v in zip(first, case["directions"]))
    second = grads(slope, xs)
    return {"value": flat(out), "first": [flat(g) for g in first], "second": [flat(g) for g in second]}


if __name__ == "__main__":
    cases = json.loads((HERE / "cases.json").read_text())
    lines = [f"{json.dumps(c['name'])}: {json.dumps(answer(c))}" for c in cases]
    (HERE / "builtins.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} cases answered by PyTorch {torch.__version__}")
