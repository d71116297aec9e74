"""PyTorch's word on embeddings, recurrent layers and attention.

    python3 tests/stdlib/torch/sequences.py          writes sequences.json beside it
    python3 tests/stdlib/torch/sequences.py --print  prints it instead
"""
import torch
import torch.nn.functional as F
from torch import nn

from common import case, done, grads, layer, leaf, wave

IDS = torch.tensor([[1, 4, 0], [0, 3, 1]])
w = leaf(wave(5, 4, k=1))
y = F.embedding(IDS, w)
case("Embedding", {"y": y, **grads((y * wave(2, 3, 4, k=7)).sum(), dw=w)})

# ---------------------------------------------------------------- recurrent


def waves(cell, scale=0.5):
    """Weights are the transposes of `scale * wave` in our layout [In, ..]; biases are waves too where there are any."""
    with torch.no_grad():
        for name, p in cell.named_parameters():
            p.copy_(scale * wave(p.shape[1], p.shape[0], k=1).T if "weight" in name else torch.zeros_like(p))
    return cell


def params(cell, suffix="l0"):
    return {"dwx": getattr(cell, f"weight_ih_{suffix}"), "dwh": getattr(cell, f"weight_hh_{suffix}"), "db": getattr(cell, f"bias_ih_{suffix}")}


def transposed(values):
    return {name: v.T if v.dim() == 2 and "dw" in name else v for name, v in values.items()}


for start in [False, True]:
    suffix = " with a first state" if start else ""
    x, h0, c0 = leaf(wave(2, 5, 3, k=2)), leaf(wave(2, 4, k=6)), leaf(wave(2, 4, k=8))
    cell = waves(nn.GRU(3, 4, batch_first=True))
    h, last = cell(x, h0[None] if start else None)
    loss = (h * wave(2, 5, 4, k=7)).sum() + (last ** 2).sum()
    g = grads(loss, dx=x, **params(cell), dc=cell.bias_hh_l0, **({"dh0": h0} if start else {}))
    case(f"GRU{suffix}", {"h": h, "last": last, **transposed(g)})
    cell = waves(nn.LSTM(3, 4, batch_first=True))
    h, (last, memory) = cell(x, (h0[None], c0[None]) if start else None)
    loss = (h * wave(2, 5, 4, k=7)).sum() + (last ** 2).sum() + (memory * wave(2, 4, k=3)).sum()
    g = grads(loss, dx=x, **params(cell), **({"dh0": h0, "dc0": c0} if start else {}))
    case(f"LSTM{suffix}", {"h": h, "last": last, "memory": memory, **transposed(g)})

for kind in ["RNN", "GRU", "LSTM"]:
    x, cell = leaf(wave(2, 5, 3, k=2)), waves(getattr(nn, kind)(3, 4, batch_first=True, bidirectional=True))
    h, last = cell(x)
    last = last[0] if kind == "LSTM" else last
    loss = (h * wave(2, 5, 8, k=7)).sum()
    g = grads(loss, dx=x, dforth=cell.weight_ih_l0, dback=cell.weight_hh_l0_reverse)
    case(f"Bidirectional {kind}", {"h": h, "forth": last[0], "back": last[1], "dx": g["dx"], "dforth": g["dforth"].T, "dback": g["dback"].T})
    x, cell = leaf(wave(2, 5, 3, k=2)), waves(getattr(nn, kind)(3, 4, batch_first=True, num_layers=2))
    h, last = cell(x)
    last = last[0] if kind == "LSTM" else last
    g = grads((h * wave(2, 5, 4, k=7)).sum(), dx=x)
    case(f"Stacked {kind}", {"h": h, "low": last[0], "high": last[1], **g})

# ---------------------------------------------------------------- attention

q, k, v = leaf(2 * wave(2, 3, 4, k=2)), leaf(2 * wave(2, 5, 4, k=5)), leaf(wave(2, 5, 6, k=8))
KEEP = torch.tensor([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
ROWS = torch.tensor([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)


def attention(q, k, v, keep=None):
    score = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    return F.softmax(score if keep is None else score.masked_fill(~keep, -1e30), -1) @ v


CAUSAL = torch.ones(3, 5).tril().bool()
for name, keep in {"": None, ", keys kept": KEEP[:, None], ", a row that sees nothing": ROWS[:, None], ", causal": CAUSAL, ", causal and keys kept": CAUSAL & KEEP[:, None]}.items():
    y = attention(q, k, v, keep)
    case(f"attention{name}", {"y": y, **grads((y * wave(2, 3, 6, k=7)).sum(), dq=q, dk=k, dv=v)})
y = attention(q, k, v)
g, = torch.autograd.grad((y ** 2).sum(), q, create_graph=True)
case("attention, squares", grads((g ** 2).sum(), ddq=q, ddk=k, ddv=v))


def multi_head(name, causal, keep):
    # Ours is one Linear of width 3 D, w [D, 3 D] in the order q, k, v.
    net = nn.MultiheadAttention(6, 3, batch_first=True)
    with torch.no_grad():
        net.in_proj_weight.copy_(0.5 * wave(6, 18, k=1).T)
        net.out_proj.weight.copy_(0.5 * wave(6, 6, k=1).T)
        net.in_proj_bias.zero_()
        net.out_proj.bias.zero_()
    x = leaf(2 * wave(2, 5, 6, k=2))
    y, _ = net(x, x, x, key_padding_mask=None if keep is None else ~keep, attn_mask=~torch.ones(5, 5).tril().bool() if causal else None)
    g = grads((y * wave(2, 5, 6, k=7)).sum(), dx=x, dqkv=net.in_proj_weight, dqkv_b=net.in_proj_bias, dout=net.out_proj.weight, dout_b=net.out_proj.bias)
    case(name, {"y": y, **g, "dqkv": g["dqkv"].T, "dout": g["dout"].T})


multi_head("MultiHead", False, None)
multi_head("MultiHead, causal", True, None)
multi_head("MultiHead, keys kept", False, KEEP)
multi_head("MultiHead, causal, keys kept", True, KEEP)

net = nn.MultiheadAttention(6, 2, batch_first=True, kdim=3, vdim=3)
kv = wave(3, 12, k=1)
with torch.no_grad():
    net.q_proj_weight.copy_(0.5 * wave(6, 6, k=1).T)
    net.k_proj_weight.copy_(0.5 * kv[:, :6].T)
    net.v_proj_weight.copy_(0.5 * kv[:, 6:].T)
    net.out_proj.weight.copy_(0.5 * wave(6, 6, k=1).T)
    net.in_proj_bias.zero_()
    net.out_proj.bias.zero_()
x, m = leaf(2 * wave(2, 4, 6, k=2)), leaf(2 * wave(2, 5, 3, k=4))
y, _ = net(x, m, m, key_padding_mask=~KEEP)
g = grads((y * wave(2, 4, 6, k=7)).sum(), dx=x, dm=m, dq=net.q_proj_weight, dk=net.k_proj_weight, dv=net.v_proj_weight, dout=net.out_proj.weight)
case("CrossAttention", {"y": y, "dx": g["dx"], "dm": g["dm"], "dq": g["dq"].T, "dkv": torch.cat([g["dk"].T, g["dv"].T], 1), "dout": g["dout"].T})

q, k, v = leaf(wave(2, 3, 4, k=2)), leaf(wave(2, 5, 2, k=5)), leaf(wave(2, 5, 6, k=8))
wq, wk, u = leaf(wave(4, 7, k=1)), leaf(wave(2, 7, k=1)), leaf(wave(7, k=1))
score = torch.tanh((q @ wq)[:, :, None] + (k @ wk)[:, None]) @ u
y = F.softmax(score.masked_fill(~KEEP[:, None], -1e30), -1) @ v
case("AdditiveAttention", {"y": y, **grads((y * wave(2, 3, 6, k=7)).sum(), dq=q, dk=k, dv=v, dwq=wq, dwk=wk, du=u)})

rows = [[f(t / 10000 ** (2 * i / 8)) for i in range(4) for f in (torch.sin, torch.cos)] for t in torch.arange(6.0)]
case("positional_encoding", {"p": torch.tensor(rows)})
layer("Pool", lambda x: x.mean(1), wave(2, 5, 3, k=2))
layer("Pool, keys kept", lambda x: torch.stack([row[keep].mean(0) for row, keep in zip(x, KEEP)]), wave(2, 5, 3, k=2))

# ---------------------------------------------------------------- whole networks


def learns(name, cell, transposes):
    """Truncated back-propagation through time: the last state is the next first one, without its gradient."""
    table, cell, head, bias = leaf(0.5 * wave(6, 3, k=1)), waves(cell), leaf(0.5 * wave(5, 6, k=1)), leaf(torch.zeros(6))
    moved = [table, *[p for n, p in cell.named_parameters() if n != "bias_hh_l0" or transposes == 3], head, bias]
    opt = torch.optim.Adam(moved, lr=0.02)
    state, values = None, {}
    for step in range(1, 6):
        ids = ((37 * torch.arange(24) + 11 * step) % 101 % 6).reshape(4, 6)
        h, state = cell(table[ids], state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        loss = F.cross_entropy((h @ head + bias).reshape(24, 6), ids.flip(1).reshape(24))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(moved, 0.5)
        opt.step()
        values.update({f"before@{step}": loss, f"embed_w@{step}": table.clone(), f"cell_wx@{step}": cell.weight_ih_l0.T.clone(),
                       f"cell_wh@{step}": cell.weight_hh_l0.T.clone(), f"cell_b@{step}": cell.bias_ih_l0.clone(), f"head_w@{step}": head.clone()})
    case(name, values)


# Of two biases that are added only one is ours.
learns("an RNN learns with a carried state", nn.RNN(3, 5, batch_first=True), 1)
learns("a GRU learns with a carried state", nn.GRU(3, 5, batch_first=True), 3)
learns("an LSTM learns with a carried state", nn.LSTM(3, 5, batch_first=True), 4)

done(__file__)
