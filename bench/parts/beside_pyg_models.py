"""Graph transformers of ours and PyG's with the same weights, and faults of PyG 2.8.1 that ours must not have.

Ours have parameters that PyG's lack, biases of queries, keys and values: they are zero here.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from parts.beside_pyg_layers import HEADS, WIDTH, Pair, Twins, twins
from thence.encode.encoders import make_encoder
from thence.encode.layer.view import View
from thence.graph import Arcs

LAYERS = 2


class Log(nn.Module):
    """Ours with the log-softmax that PyG's models end in."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, view: View) -> Tensor:
        return torch.log_softmax(self.inner(x, view), -1)


class Whole(nn.Module):
    """PyG's model told which graph each node is of."""

    def __init__(self, inner: nn.Module, graph_of: Tensor, first: nn.Module | None = None) -> None:
        super().__init__()
        self.inner, self.first, self.graph_of = inner, first or nn.Identity(), graph_of

    def forward(self, x: Tensor, *arcs: Tensor) -> Tensor:
        return self.inner(self.first(x), *arcs, batch=self.graph_of)


def gps(graph_of: Tensor) -> Pair:
    """One layer of GPS with SAGE and softmax attention, and a linear map before it."""
    from torch_geometric.nn import GPSConv, SAGEConv

    settings = {
        "conv": "sage",
        "way": "into",
        "layers": 1,
        "heads": HEADS,
        "dropout": 0.0,
        "channels": ("full",),
    }
    ours = make_encoder("gps", WIDTH, {"dim": WIDTH, **settings})
    theirs = GPSConv(WIDTH, SAGEConv(WIDTH, WIDTH), heads=HEADS, norm="batch_norm")
    first, layer = nn.Linear(WIDTH, WIDTH), ours.layers[0]  # type: ignore[index]
    attend = layer.channel.layer
    same = twins(ours.first, first) + twins(layer.conv.seen, theirs.conv.lin_l)  # type: ignore[arg-type]
    same += twins(layer.conv.own, theirs.conv.lin_r)
    for k, part in enumerate((attend.query, attend.key, attend.value)):
        rows = slice(k * WIDTH, (k + 1) * WIDTH)
        same += [
            (part.weight, theirs.attn.in_proj_weight[rows]),
            (part.bias, theirs.attn.in_proj_bias[rows]),
        ]
    same += twins(attend.out, theirs.attn.out_proj)
    same += twins(layer.behind.widen, theirs.mlp[0]) + twins(layer.behind.narrow, theirs.mlp[3])
    for own, other in (
        (layer.conv_norm, theirs.norm1),
        (layer.channel_norm, theirs.norm2),
        (layer.behind.norm, theirs.norm3),
    ):
        same += twins(own, other)
    return Pair(ours, Whole(theirs, graph_of, first), same)


def sgformer(graph_of: Tensor) -> Pair:
    """SGFormer as PyG has it: rows of length one, N times a node's own value."""
    from torch_geometric.nn.models import SGFormer

    settings = {"attention": "rows", "layers": LAYERS, "global_layers": 1, "graph_weight": 0.5, "dropout": 0.0}
    ours = make_encoder("sgformer", WIDTH, {"dim": WIDTH, **settings})
    theirs = SGFormer(WIDTH, WIDTH, WIDTH, 1, 1, 0.0, LAYERS, 0.0)
    theirs.fc = nn.Identity()
    far, near = theirs.trans_conv, theirs.graph_conv
    same = twins(ours.global_first, far.fcs[0]) + twins(ours.local_first, near.fcs[0])  # type: ignore[arg-type]
    same += twins(ours.global_norms, far.bns) + twins(ours.local_norms, near.bns)  # type: ignore[arg-type]
    same += _attention(ours.attend[0].heads[0], far.attns[0])  # type: ignore[index]
    for own, other in zip(ours.convs, near.convs, strict=True):  # type: ignore[arg-type]
        same += _gcn(own, other)
    return Pair(Log(ours), Whole(theirs, graph_of), same, ("matrix",), norms=True)


def polynormer(graph_of: Tensor) -> Pair:
    """Polynormer with GCN in its local layers, the global part on top."""
    from torch_geometric.nn.models import Polynormer

    settings = {"conv": "gcn", "stacked": True, "layers": LAYERS, "global_layers": 1, "dropout": 0.0}
    ours = make_encoder("polynormer", WIDTH, {"dim": WIDTH, "global_dropout": 0.0, **settings})
    theirs = Polynormer(WIDTH, WIDTH, WIDTH, LAYERS, 1, 0.0, 0.0, 0.0, qk_shared=True)
    theirs.pred_global, theirs._global = nn.Identity(), True
    same: Twins = []
    for k, layer in enumerate(ours.local):  # type: ignore[arg-type]
        same += _gcn(layer.conv, theirs.local_convs[k])
        same += twins(layer.gate, theirs.h_lins[k]) + twins(layer.own, theirs.lins[k])
        same += twins(layer.norm, theirs.post_bns[k]) + twins(layer.product_norm, theirs.lns[k])
    beyond, attend = ours.beyond, theirs.global_attn[0]
    same += twins(beyond.start, theirs.ln) + twins(beyond.gate[0], attend.h_lins)  # type: ignore[union-attr,index,arg-type]
    same += twins(beyond.norms[0], attend.lns) + twins(beyond.out[0], attend.lin_out)  # type: ignore[union-attr,index]
    same += _attention(beyond.attend[0], attend)  # type: ignore[union-attr,index]
    return Pair(Log(ours), Whole(theirs, graph_of), same, ("matrix",), norms=True)


def _gcn(own: nn.Module, other: nn.Module) -> Twins:
    other.normalize = False  # type: ignore[assignment]
    return [(own.linear.weight, other.lin.weight), (own.linear.bias, other.bias)]  # type: ignore[union-attr,list-item]


def _attention(own: nn.Module, other: nn.Module) -> Twins:
    found: Twins = []
    for name, short in (("query", "q"), ("key", "k"), ("value", "v")):
        layer = getattr(own, name)
        with torch.no_grad():
            layer.bias.zero_()
        if hasattr(other, short):
            found.append((layer.weight, getattr(other, short).weight))
    return found


def many(num_graphs: int) -> View:
    """Random graphs of 10 to 50 nodes, about four arcs a node."""
    rng = np.random.default_rng(0)
    return View.stacked([_random(rng, int(size)) for size in rng.integers(10, 51, num_graphs)])


def _random(rng: np.random.Generator, size: int) -> View:
    pairs = rng.integers(0, size, (2, 4 * size))
    pairs = np.unique(pairs[:, pairs[0] != pairs[1]], axis=1)
    return View(Arcs.from_pairs(*pairs, num_nodes=size))


def faults() -> dict[str, float]:
    """How far a graph's output moves when a larger one is put beside it, and whether four heads crash."""
    from torch_geometric.nn.models import Polynormer

    rng = np.random.default_rng(0)
    small, large = _random(rng, 10), _random(rng, 100)
    both = View.stacked([small, large])
    x = torch.randn(both.num_nodes, WIDTH, generator=torch.Generator().manual_seed(0))
    figures = {}
    for name, make in (("sgformer", sgformer), ("polynormer", polynormer)):
        pair = make(torch.zeros(0, dtype=torch.int64))
        pair.share_weights()
        for who, model in (("ours", pair.ours), ("pyg", pair.theirs)):
            alone, beside = (
                _answer(model.eval(), x[: view.num_nodes], view, who == "ours") for view in (small, both)
            )
            figures[f"{who}.{name}.batch_change"] = (alone - beside[: len(alone)]).abs().max().item()
    theirs = Polynormer(WIDTH, WIDTH, WIDTH, heads=4)
    theirs._global = True
    ours = make_encoder("polynormer", WIDTH, {"dim": WIDTH, "heads": 4, "stacked": True})
    for who, model in (("ours", ours), ("pyg", Whole(theirs, small.graph_of))):
        try:
            _answer(model, x[: small.num_nodes], small, who == "ours")
            figures[f"{who}.polynormer.heads_crash"] = 0.0
        except RuntimeError:
            figures[f"{who}.polynormer.heads_crash"] = 1.0
    return figures


def _answer(model: nn.Module, x: Tensor, view: View, ours: bool) -> Tensor:
    if not ours:
        model.graph_of = view.graph_of
    with torch.no_grad():
        return model(x, view if ours else torch.from_numpy(view.arcs.pairs))
