"""Policy gradient on a pole that stands on a cart, with actions given; and a policy trained through the simulation itself.

    python3 tests/torch/policy.py          writes policy.json beside it
    python3 tests/torch/policy.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import case, done, grad, linear, linears, norm, step, wave

B, T = 6, 9


def cartpole(s, force):
    x, v, angle, spin = s.unbind(-1)
    push = (force + 0.05 * spin ** 2 * angle.sin()) / 1.1
    turn = (9.8 * angle.sin() - angle.cos() * push) / (0.5 * (4 / 3 - 0.1 * angle.cos() ** 2 / 1.1))
    go = push - 0.05 * turn * angle.cos() / 1.1
    return torch.stack([x + 0.02 * v, v + 0.02 * go, angle + 0.02 * spin, spin + 0.02 * turn], -1)


def upright(s):
    return ((s[:, 0].abs() < 2.4) & (s[:, 2].abs() < 0.21)).double()


def policy(net, s):
    return linear(net, "policy.2", torch.tanh(linear(net, "policy.0", s)))


def reinforce():
    net = linears({"policy.0": (4, 5, 1, 0.8), "policy.2": (5, 2, 3, 0.8)})
    opt = torch.optim.Adam(list(net.values()), lr=0.02)
    values = {}
    for n in range(1, 11):
        s, alive, logs, rewards = 0.25 * wave(B, 4, k=n), torch.ones(B), [], []
        for t in range(1, T + 1):
            z = policy(net, s)
            a = (3 * torch.arange(B) + t * t + n) % 5 // 3
            s = cartpole(s, 20 * a.double() - 10)
            alive = alive * upright(s)
            logs.append(F.log_softmax(z, -1)[torch.arange(B), a])
            rewards.append(alive)
        logp, reward = torch.stack(logs), torch.stack(rewards)
        G = reward.flip(0).cumsum(0).flip(0)
        loss = -(logp * ((G - G.mean()) / G.std(unbiased=False)) * reward).sum(0).mean()
        g = grad(loss, net)
        values.update({f"L@{n}": loss, f"size@{n}": norm(g), f"length@{n}": reward.sum(0).mean()})
        step(opt, net, g)
    assert len({float(v) for k, v in values.items() if k.startswith("length")}) > 3
    case("policy gradient, actions given", {**values, **net})


def simulated():
    net = linears({"policy.0": (4, 5, 1, 0.8), "policy.2": (5, 1, 3, 0.8)})
    opt = torch.optim.Adam(list(net.values()), lr=0.02)
    values = {}
    for n in range(1, 11):
        s, cost = 0.25 * wave(B, 4, k=n), 0.0
        for _ in range(T):
            a = 10 * torch.tanh(policy(net, s)).squeeze(-1)
            s = cartpole(s, a)
            cost = cost + (s[:, 2] ** 2 + 0.1 * s[:, 0] ** 2 + 1e-3 * a ** 2).mean()
        g = grad(cost, net)
        values.update({f"L@{n}": cost, f"size@{n}": norm(g)})
        step(opt, net, g)
    case("through the simulation", {**values, **net})


reinforce()
simulated()
done(__file__)
