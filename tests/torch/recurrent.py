"""Truncated back-propagation through time: what goes on from batch to batch is carried, but no gradient passes.

    python3 tests/torch/recurrent.py          writes recurrent.json beside it
    python3 tests/torch/recurrent.py --print  prints the answers instead
"""
import torch
import torch.nn.functional as F

from shared import HERE, case, clipped, done, grad, leaf, linear, norm, step, wave

LANES, LENGTH, HIDDEN = 4, 8, 5
TEXT = (HERE / "letters.txt").read_text()
VOCABULARY = ["<pad>", "<unk>", *sorted(set(TEXT))]
IDS = torch.tensor([VOCABULARY.index(c) for c in TEXT])
WINDOWS = (len(IDS) - 1) // LENGTH
STEPS = WINDOWS // LANES


def batch(i):
    """Lane k of all batches together is the k-th stretch of the text."""
    at = torch.tensor([(lane * STEPS + i) * LENGTH for lane in range(LANES)])
    places = at[:, None] + torch.arange(LENGTH)
    return IDS[places], IDS[places + 1]


def rnn(net, x, h):
    out = []
    for t in range(LENGTH):
        h = torch.tanh(x[:, t] @ net["cell.wx"] + h @ net["cell.wh"] + net["cell.b"])
        out.append(h)
    return torch.stack(out, 1), h


def lstm(net, x, state):
    h, c = state
    out = []
    for t in range(LENGTH):
        i, f, g, o = (x[:, t] @ net["cell.wx"] + h @ net["cell.wh"] + net["cell.b"]).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        out.append(h)
    return torch.stack(out, 1), (h, c)


def train(name, cell, gates, start, stopped):
    net = {"embed.w": leaf(0.5 * wave(len(VOCABULARY), 3, k=1)),
           "cell.wx": leaf(0.7 * wave(3, gates * HIDDEN, k=2)), "cell.wh": leaf(0.7 * wave(HIDDEN, gates * HIDDEN, k=2)),
           "cell.b": leaf(torch.zeros(gates * HIDDEN)),
           "head.w": leaf(0.7 * wave(HIDDEN, len(VOCABULARY), k=4)), "head.b": leaf(torch.zeros(len(VOCABULARY)))}
    opt = torch.optim.Adam(list(net.values()), lr=0.03)
    values = {}
    for t in range(1, 2 * STEPS + 1):
        if (t - 1) % STEPS == 0:
            state = start()
        x, y = batch((t - 1) % STEPS)
        z, last = cell(net, net["embed.w"][x], state)
        state = stopped(last)
        loss = F.cross_entropy(linear(net, "head", z).flatten(0, 1), y.flatten())
        g = grad(loss, net)
        values.update({f"L@{t}": loss, f"size@{t}": norm(g)})
        step(opt, net, clipped(g, 0.25))
    case(name, {**values, **net})


zero = lambda: torch.zeros(LANES, HIDDEN)
train("RNN", rnn, 1, zero, lambda h: h.detach())
train("LSTM", lstm, 4, lambda: (zero(), zero()), lambda s: tuple(v.detach() for v in s))
done(__file__)
