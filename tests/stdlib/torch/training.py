"""PyTorch's word on losses, metrics, schedules and the optimizers behind SGD and Adam; what it lacks is written by its formula.

    python3 tests/stdlib/torch/training.py          writes training.json beside it
    python3 tests/stdlib/torch/training.py --print  prints it instead
"""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import lr_scheduler

from common import case, done, grads, layer, leaf, wave

# ---------------------------------------------------------------- losses

LABELS = torch.tensor([1, 4, 0, 0, 3, 2])
KEPT = torch.tensor([1, 0, 1, 1, 0, 1.0])
SOFT = F.softmax(wave(6, 5, k=4), dim=-1)


def loss_case(name, x, f):
    x = leaf(x)
    loss = f(x)
    case(name, {"loss": loss, **grads(loss, dx=x)})


z = 3 * wave(6, 5, k=2)
loss_case("cross_entropy, smooth", z, lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.1))
loss_case("cross_entropy, probabilities, smooth", z, lambda x: F.cross_entropy(x, SOFT, label_smoothing=0.2))
loss_case("cross_entropy, weight", z, lambda x: F.cross_entropy(x, torch.where(KEPT > 0, LABELS, -100)))
loss_case("cross_entropy along a sequence, smooth, weight", 3 * wave(2, 3, 5, k=2),
          lambda x: F.cross_entropy(x.reshape(6, 5), torch.where(KEPT > 0, LABELS, -100), label_smoothing=0.1))
for delta in [1.0, 0.25]:
    loss_case(f"huber {delta:g}", 2 * wave(4, 3, k=2), lambda x: F.huber_loss(x, wave(4, 3, k=5), delta=delta))
HOLED = torch.tensor([[0.5, 0, 0.25, 0.25, 0]] * 6)
loss_case("kl", wave(6, 5, k=2), lambda x: F.kl_div(F.log_softmax(wave(6, 5, k=4), -1), F.softmax(x, -1), reduction="batchmean"))
loss_case("kl, second", wave(6, 5, k=2), lambda x: F.kl_div(F.log_softmax(x, -1), HOLED, reduction="batchmean"))


def js(p, q):
    m = (0.5 * (p + q)).log()
    return 0.5 * (F.kl_div(m, p, reduction="batchmean") + F.kl_div(m, q, reduction="batchmean"))


loss_case("js", wave(6, 5, k=2), lambda x: js(F.softmax(x, -1), HOLED))
loss_case("entropy", wave(6, 5, k=2), lambda x: torch.distributions.Categorical(logits=x).entropy().mean())
loss_case("wasserstein", wave(6, 5, k=2), lambda x: 0.5 * (F.softmax(x, -1) - SOFT).cumsum(-1).abs().sum(-1).mean())
loss_case("kl_normal", wave(6, 5, k=2), lambda x: torch.distributions.kl_divergence(
    torch.distributions.Normal(x, (0.5 * wave(6, 5, k=4)).exp()), torch.distributions.Normal(0.0, 1.0)).sum(-1).mean())
loss_case("triplet", wave(6, 5, k=2), lambda x: nn.TripletMarginLoss(0.5, eps=0)(x, wave(6, 5, k=4), wave(6, 5, k=7)))


def contrastive(x):
    d = (x - wave(6, 5, k=4)).norm(dim=-1)
    same = torch.tensor([1, 0, 0, 1, 1, 0.0])
    return 0.5 * (same * d ** 2 + (1 - same) * F.relu(2.5 - d) ** 2).mean()


loss_case("contrastive", wave(6, 5, k=2), contrastive)
loss_case("log_rmse", wave(6, 5, k=2).exp(), lambda x: F.mse_loss(x.log(), wave(6, 5, k=4).exp().log()).sqrt())
layer("cosine_similarity", lambda x: F.cosine_similarity(x, wave(6, 5, k=4), -1), wave(6, 5, k=2), True)
layer("log_sum_exp", lambda x: x.logsumexp(-1), 3 * wave(6, 5, k=2), True)
layer("log_sum_exp, first axis, huge", lambda x: x.logsumexp(0), 1e4 * wave(6, 5, k=2))
a = leaf(torch.tensor(0.25))
layer("PReLU", lambda x: F.prelu(x, a.reshape(1)), torch.tensor([-1e4, -3.3, -1.0, 0.0, 0.5, 2.0, 1e4]), a=a)

# ---------------------------------------------------------------- metrics, by counting

Z, Y = wave(40, 4, k=3), (7 * torch.arange(40) // 3) % 4
called = Z.argmax(-1)
m = [[int(((Y == i) & (called == j)).sum()) for j in range(4)] for i in range(4)]
p = [m[i][i] / max(sum(row[i] for row in m), 1) for i in range(4)]
r = [m[i][i] / max(sum(m[i]), 1) for i in range(4)]
f = [2 * a * b / (a + b) if a + b else 0 for a, b in zip(p, r)]
case("confusion", {"m": torch.tensor(m), "p": torch.tensor(p), "r": torch.tensor(r), "f": torch.tensor(f)})
case("top_k_accuracy", {f"top{k}": (Z.topk(k, -1).indices == Y[:, None]).any(-1).double().mean() for k in [1, 2, 3, 4]})
score, truth = wave(30, k=3), (5 * torch.arange(30) // 3) % 2
score = (score * 5).round() / 5
hit, alarm, area = [0.0], [0.0], 0.0
for threshold in sorted(set(score.tolist()), reverse=True):
    hit.append(float(((score >= threshold) & (truth == 1)).sum() / (truth == 1).sum()))
    alarm.append(float(((score >= threshold) & (truth == 0)).sum() / (truth == 0).sum()))
    area += (alarm[-1] - alarm[-2]) * (hit[-1] + hit[-2]) / 2
case("auc", {"auc": torch.tensor(area)})
a, b = wave(4, 5, k=2) > 0, wave(4, 5, k=4) > 0.3
case("iou", {"iou": (a & b).sum() / (a | b).sum()})

# ---------------------------------------------------------------- schedules: the rate of each of twelve steps


def schedule(name, make, lr=0.5, steps=12):
    opt = torch.optim.SGD([leaf(torch.zeros(1))], lr=lr)
    s, rates = make(opt), []
    for _ in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        s.step()
    case(name, {f"lr@{i + 1}": rate for i, rate in enumerate(map(torch.tensor, rates))})


schedule("exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.8))
schedule("step_decay", lambda o: lr_scheduler.StepLR(o, 3, 0.5))
# Behind T_max PyTorch's goes up again; ours stays.
schedule("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 10, 0.05), steps=11)
schedule("warmup", lambda o: lr_scheduler.LinearLR(o, 1 / 4, total_iters=3))
schedule("warmup_cosine", lambda o: lr_scheduler.SequentialLR(
    o, [lr_scheduler.LinearLR(o, 1 / 4, total_iters=3), lr_scheduler.CosineAnnealingLR(o, 8)], [4]))
schedule("warmup_linear", lambda o: lr_scheduler.SequentialLR(
    o, [lr_scheduler.LinearLR(o, 1 / 4, total_iters=3), lr_scheduler.LinearLR(o, 1.0, 0.0, 8)], [4]))
schedule("noam", lambda o: lr_scheduler.LambdaLR(o, lambda i: 512 ** -0.5 * min((i + 1) ** -0.5, (i + 1) * 4 ** -1.5)), lr=1)

# ---------------------------------------------------------------- optimizers


class Dampened(torch.optim.Optimizer):
    """torch.optim.SGD takes the first gradient undampened; by the formula v begins at 0."""

    def __init__(self, params, lr, momentum, dampening):
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                v = self.state[p].setdefault("v", torch.zeros_like(p))
                v.mul_(group["momentum"]).add_((1 - group["dampening"]) * p.grad)
                p.sub_(group["lr"] * v)


def trajectory(name, optimizer, clip=None, limit=None, schedule=None):
    w0, b0, w2, b2 = leaf(wave(3, 4, k=1)), leaf(torch.zeros(4)), leaf(wave(4, 2, k=3)), leaf(torch.zeros(2))
    params = {"w0": w0, "b0": b0, "w2": w2, "b2": b2}
    opt = optimizer(list(params.values()))
    schedule = schedule and schedule(opt)
    values = {}
    for step in range(1, 11):
        opt.zero_grad()
        loss = F.mse_loss(torch.tanh(wave(6, 3, k=2 * step) @ w0 + b0) @ w2 + b2, wave(6, 2, k=5))
        loss.backward()
        if clip:
            nn.utils.clip_grad_value_(list(params.values()), clip)
        opt.step()
        if limit:
            with torch.no_grad():
                for p in params.values():
                    p.clamp_(-limit, limit)
        if schedule:
            schedule.step()
        values[f"before@{step}"] = loss
        values.update({f"{label}@{step}": p.clone() for label, p in params.items()})
    case(name, values)


trajectory("SGD, dampening", lambda p: Dampened(p, 0.2, 0.9, 0.5))
trajectory("SGD, leaky average", lambda p: Dampened(p, 0.5, 0.8, 0.8))
trajectory("Adagrad", lambda p: torch.optim.Adagrad(p, lr=0.1))
trajectory("Adagrad, settings", lambda p: torch.optim.Adagrad(p, lr=0.2, eps=1e-2))
trajectory("RMSProp", lambda p: torch.optim.RMSprop(p, lr=0.01))
trajectory("RMSProp, settings", lambda p: torch.optim.RMSprop(p, lr=0.005, alpha=0.9, eps=1e-4, momentum=0.8))
trajectory("clip_value, SGD", lambda p: torch.optim.SGD(p, lr=0.5), clip=0.05)
trajectory("RMSProp, clip_weights", lambda p: torch.optim.RMSprop(p, lr=0.05), limit=0.6)
trajectory("Adam, warmup_cosine", lambda p: torch.optim.Adam(p, lr=0.05), schedule=lambda o: lr_scheduler.SequentialLR(
    o, [lr_scheduler.LinearLR(o, 1 / 3, total_iters=2), lr_scheduler.CosineAnnealingLR(o, 7, 0.01)], [3]))

done(__file__)
