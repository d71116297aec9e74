"""MAML: gradients through inner steps of gradient descent, over tasks of one batch.

    python3 tests/torch/meta.py          writes meta.json and tasks.csv beside it
    python3 tests/torch/meta.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import batches, case, done, grad, leaf, linear, linears, step, table

TASKS = table("tasks.csv", 20, 16, k=3)


def apply(net, x):
    return linear(net, "net.2", torch.tanh(linear(net, "net.0", x)))


def maml(name, second=True, inner=3, rate=0.3, learned=False):
    net = linears({"net.0": (1, 5, 1, 0.8), "net.2": (5, 1, 3, 0.8)})
    moved = {**net, "rate.lr": leaf(torch.tensor([rate]))} if learned else net
    opt = torch.optim.Adam(list(moved.values()), lr=0.02)
    source = batches(TASKS, 4)
    values = {}
    for t in range(1, 11):
        losses = []
        for row in next(source):
            xs, ys, xq, yq = (part.reshape(4, 1) for part in row.split(4))
            fast = net
            for _ in range(inner):
                g = grad(F.mse_loss(apply(fast, xs), ys), fast, create_graph=second)
                lr = moved["rate.lr"] if learned else rate
                fast = {path: p - lr * (g[path] if second else g[path].detach()) for path, p in fast.items()}
            losses.append(F.mse_loss(apply(fast, xq), yq))
        loss = torch.stack(losses).mean()
        values[f"L@{t}"] = loss
        values[f"each_task@{t}"] = torch.stack(losses)
        step(opt, moved, grad(loss, moved))
    case(name, {**values, **moved})


maml("MAML")
maml("MAML, first order", second=False)
maml("MAML with a learned inner rate", learned=True)

done(__file__)
