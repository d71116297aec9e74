"""The workloads in PyTorch: python3 torch_step.py NAME THREADS SECONDS FOLDER
FOLDER holds NAME.first.npz, the first weights by name, and NAME.npz, the batch. NAME gemm is a product of 512 by 512
matrices. Prints one JSON object: the median and the least milliseconds of a step (forward, backward, optimizer, the loss
read back), or of the product. DLX_TORCH_DEVICE=cuda runs on a graphics processor in strict f32, gemmN is a product of N,
and the loss is read back each 20 steps; DLX_TORCH_MODE is eager, compile (torch.compile) or graph (a whole step captured)."""
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

name, threads, seconds, folder = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
LOSSES = (1, 2, 4)
device = os.environ.get("DLX_TORCH_DEVICE", "cpu")
mode = os.environ.get("DLX_TORCH_MODE", "eager")
CUDA = device != "cpu"
if CUDA:
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def timed_on_card(step):
    """`step` leaves its loss on the card; 20 steps are timed together."""
    together = 20
    losses = [step().item() for _ in range(4)]
    for _ in range(together):
        step()
    torch.cuda.synchronize()
    found, begin = [], time.perf_counter()
    while len(found) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(together):
            loss = step()
        loss.item()
        found.append((time.perf_counter() - start) * 1000 / together)
    found.sort()
    print(json.dumps({
        "ms": found[len(found) // 2], "least": found[0], "steps": together * len(found),
        "losses": [losses[i - 1] for i in LOSSES], "version": torch.__version__, "mode": mode,
    }))
    sys.exit(0)


def captured(step):
    """A graph of a whole step. Its weights were moved by the steps before: the times count, the losses do not."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss

    return replay


def timed(step):
    """Runs the steps and prints what they took; the first three warm up."""
    begin = time.perf_counter()
    losses = [step()]
    first = (time.perf_counter() - begin) * 1000
    losses += [step(), step()]
    found, begin = [], time.perf_counter()
    while len(found) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        losses.append(step())
        found.append((time.perf_counter() - start) * 1000)
    found.sort()
    print(json.dumps({
        "ms": found[len(found) // 2], "least": found[0], "steps": len(found), "firstMs": first,
        "losses": [losses[i - 1] for i in LOSSES], "version": torch.__version__,
    }))
    sys.exit(0)


if name.startswith("gemm"):
    size = int(name[4:] or 512)
    a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
    if CUDA:
        timed_on_card(lambda: (a @ b)[0, 0])
    timed(lambda: float((a @ b)[0, 0]))

p = {key: torch.tensor(value, device=device).requires_grad_() for key, value in np.load(f"{folder}/{name}.first.npz").items()}
batch = np.load(f"{folder}/{name}.npz")
x, y = torch.tensor(batch["x"], device=device), torch.tensor(batch["y"], device=device).long()
params = list(p.values())


def dense(h, i):
    return torch.addmm(p[f"b{i}"], h, p[f"w{i}"])


def logistic():
    return F.binary_cross_entropy_with_logits((x @ p["w"] + p["b"])[:, 0], y.float())


def head(h):
    """Three layers, as W2 and W3 end."""
    return F.cross_entropy(dense(F.relu(dense(F.relu(dense(h, 1)), 2)), 3), y)


def lenet():
    h = F.avg_pool2d(F.relu(F.conv2d(x, p["wc1"], p["bc1"], padding=2)), 2)
    h = F.avg_pool2d(F.relu(F.conv2d(h, p["wc2"], p["bc2"])), 2)
    return head(h.flatten(1))


running = [(torch.zeros(32, device=device), torch.ones(32, device=device)) for _ in range(5)]


def normed(h, i):
    h = F.conv2d(h, p[f"w{i}"], padding=1)
    return F.batch_norm(h, *running[i], p[f"g{i}"], p[f"b{i}"], training=True, momentum=0.1)


def residual():
    h = F.relu(normed(x, 0))
    for i in (1, 3):
        h = F.relu(h + normed(F.relu(normed(h, i)), i + 1))
    return F.cross_entropy(dense(h.mean((2, 3)), "f"), y)


def gpt():
    rows, places = x.shape
    width, heads = 128, 4
    unseen = torch.full((places, places), float("-inf"), device=device).triu(1)
    h = (p["e"][x.long()] + p["epos"]).reshape(rows * places, width)
    for i in range(4):
        a = dense(F.layer_norm(h, (width,), p[f"g{i}"], p[f"b{i}"]), f"qkv{i}")
        q, k, v = a.reshape(rows, places, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        a = F.softmax(q @ k.transpose(-1, -2) * (width // heads) ** -0.5 + unseen, -1) @ v
        h = h + dense(a.transpose(1, 2).reshape(rows * places, width), f"o{i}")
        a = dense(F.layer_norm(h, (width,), p[f"gg{i}"], p[f"bg{i}"]), f"u{i}")
        h = h + dense(F.gelu(a, approximate="tanh"), f"d{i}")
    return F.cross_entropy(dense(F.layer_norm(h, (width,), p["gf"], p["bf"]), "h"), y.flatten())


def recurrent(module):
    """The modules of PyTorch run along time in one call; their weights lie transposed."""
    global params
    module = module(64, 128, batch_first=True).to(device)
    with torch.no_grad():
        module.weight_ih_l0.copy_(p["wi"].T)
        module.weight_hh_l0.copy_(p["wh"].T)
        module.bias_ih_l0.zero_()
        module.bias_hh_l0.zero_()
    params = [p["e"], p["wo"], p["bo"], *module.parameters()]
    return lambda: F.cross_entropy(dense(module(p["e"][x.long()])[0].reshape(-1, 128), "o"), y.flatten())


loss_of = {
    "w1": lambda: logistic, "w2": lambda: lambda: head(x), "w3": lambda: lenet, "w4": lambda: residual,
    "w5": lambda: gpt, "w6": lambda: recurrent(torch.nn.LSTM), "w6b": lambda: recurrent(torch.nn.RNN),
}[name]()
# a captured step counts its steps on the card
more = {"capturable": True} if CUDA and mode == "graph" else {}
optimizer = {
    "w1": lambda: torch.optim.SGD(params, 0.1),
    "w4": lambda: torch.optim.SGD(params, 0.05, momentum=0.9),
    "w5": lambda: torch.optim.AdamW(params, 3e-4, weight_decay=0.01, **more),
}.get(name, lambda: torch.optim.Adam(params, 1e-3, **more))()


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of()
    loss.backward()
    if name in ("w6", "w6b"):
        torch.nn.utils.clip_grad_norm_(params, 1)
    optimizer.step()
    return loss.detach() if CUDA else loss.item()


if CUDA:
    if mode == "compile":
        loss_of = torch.compile(loss_of)
    timed_on_card(captured(step) if mode == "graph" else step)
timed(step)
