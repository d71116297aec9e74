"""The workloads of this folder in PyTorch: python3 torch_step.py NAME THREADS SECONDS
NAME is w2, w3 or gemm (a 512 by 512 by 512 product). Prints one JSON object: the median and least milliseconds of a
step (forward, backward, optimizer, the loss read back), or GFLOP/s of the product."""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

name, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(1)


def times(step):
    for _ in range(3):
        step()
    found, begin = [], time.perf_counter()
    while len(found) < 5 or (time.perf_counter() - begin < seconds and len(found) < 2000):
        start = time.perf_counter()
        step()
        found.append((time.perf_counter() - start) * 1000)
    found.sort()
    return found


if name == "gemm":
    a, b = torch.rand(512, 512), torch.rand(512, 512)
    found = times(lambda: a @ b)
    print(json.dumps({"gflops": 2 * 512**3 / found[0] / 1e6, "threads": threads}))
    sys.exit(0)

if name == "w2":
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    x = torch.rand(64, 784) * 2 - 1
else:
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    x = torch.rand(64, 1, 28, 28) * 2 - 1
y = torch.arange(64) % 10
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)


def step():
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


found = times(step)
print(json.dumps({"ms": found[len(found) // 2], "least": found[0], "steps": len(found), "threads": threads}))
