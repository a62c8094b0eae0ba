"""Layers beside PyG's own, in one run: the same weights, the same graph, outputs and CPU time compared.

100,000 nodes and 1,000,000 arcs with skewed in-degrees, width 64, float32, one thread. Either side has what it
keeps between steps made beforehand (PyG's GCN the norms, its GAT the loops), and of PyG's forms, a list of arcs
or a sparse matrix, the faster one counts. Figures: ``pyg.METHOD.time_ratio``, ours over theirs for forward and
backward together, the median of interleaved repeats, with its spread; ``pyg.METHOD.difference``, the largest
between two outputs, and ``.gradient_difference``, between two gradients of the features.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import run, say
from thence.encode.layer.dir import Dir
from thence.encode.layer.gat import GAT, GATv2
from thence.encode.layer.gcn import GCN
from thence.encode.layer.gin import GIN
from thence.encode.layer.sage import SAGE
from thence.encode.layer.view import View
from thence.graph import Arcs

NODES, ARCS, WIDTH, HEADS = 100_000, 1_000_000, 64, 4


@dataclass
class Pair:
    """A layer of ours, PyG's, and which parameter of theirs each of ours is.

    Args:
        ours: called with features and a view.
        theirs: called with features and arcs.
        names: theirs by ours.
        loops: whether PyG is given the loops beforehand.
        sparse: whether PyG's layer has a form for a sparse matrix.
        norms: whether PyG is given GCN's norms beforehand; they differ on directed graphs, so this one's arcs
            stand both ways.
    """

    ours: nn.Module
    theirs: nn.Module
    names: Mapping[str, str]
    loops: bool = False
    sparse: bool = True
    norms: bool = False

    def share_weights(self) -> None:
        """Give PyG's layer the numbers of ours."""
        own, other = dict(self.ours.named_parameters()), dict(self.theirs.named_parameters())
        if set(own) != set(self.names) or set(other) != set(self.names.values()):
            raise ValueError(f"{sorted(own)} are not all of {sorted(other)}")
        with torch.no_grad():
            for mine, yours in self.names.items():
                other[yours].copy_(own[mine].reshape(other[yours].shape))


def pairs() -> dict[str, Pair]:
    """What is compared."""
    from torch_geometric.nn import DirGNNConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv

    def net() -> nn.Module:
        return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

    each = WIDTH // HEADS
    both = {
        f"{way}.seen.{part}": f"conv_{there}.lin_l.{part}"
        for way, there in (("into", "in"), ("out", "out"))
        for part in ("weight", "bias")
    }
    return {
        "gcn": Pair(
            GCN(WIDTH, WIDTH),
            GCNConv(WIDTH, WIDTH, normalize=False),
            {"linear.weight": "lin.weight", "linear.bias": "bias"},
            norms=True,
        ),
        "sage": Pair(
            SAGE(WIDTH, WIDTH),
            SAGEConv(WIDTH, WIDTH),
            {"seen.weight": "lin_l.weight", "seen.bias": "lin_l.bias", "own.weight": "lin_r.weight"},
        ),
        "gin": Pair(
            GIN(WIDTH, WIDTH),
            GINConv(net(), train_eps=True),
            {"epsilon": "eps"}
            | {
                f"{own}.{part}": f"nn.{at}.{part}"
                for own, at in (("first", 0), ("last", 2))
                for part in ("weight", "bias")
            },
        ),
        "gat": Pair(
            GAT(WIDTH, WIDTH, heads=HEADS),
            GATConv(WIDTH, each, heads=HEADS, add_self_loops=False),
            {"value.weight": "lin.weight", "of_row": "att_dst", "of_column": "att_src", "bias": "bias"},
            loops=True,
            sparse=False,
        ),
        "gatv2": Pair(
            GATv2(WIDTH, WIDTH, heads=HEADS),
            GATv2Conv(WIDTH, each, heads=HEADS, add_self_loops=False),
            {"weight": "att", "bias": "bias"}
            | {
                f"{own}.{part}": f"{other}.{part}"
                for own, other in (("value", "lin_l"), ("row", "lin_r"))
                for part in ("weight", "bias")
            },
            loops=True,
            sparse=False,
        ),
        "dir": Pair(
            Dir(WIDTH, WIDTH, conv=SAGE, alpha=0.3),
            DirGNNConv(SAGEConv(WIDTH, WIDTH, root_weight=False), alpha=0.7),
            both | {"own.weight": "lin.weight", "own.bias": "lin.bias"},
            sparse=False,
        ),
    }


def graph(num_nodes: int, num_arcs: int, *, directed: bool) -> Arcs:
    """Random arcs: sources alike, targets the more likely the smaller their number."""
    rng = np.random.default_rng(0)
    source = rng.integers(0, num_nodes, num_arcs)
    target = (num_nodes * rng.random(num_arcs) ** 2).astype(np.int64)
    found = np.stack([source, target])[:, source != target]
    if not directed:
        found = np.concatenate([found[:, ::2], found[::-1, ::2]], axis=1)
    return Arcs.from_pairs(*np.unique(found, axis=1), num_nodes=num_nodes)


def forms(pair: Pair, arcs: Arcs) -> dict[str, tuple[Tensor, ...]]:
    """What PyG's layer may be given for the arcs."""
    from torch_geometric.nn.conv.gcn_conv import gcn_norm
    from torch_geometric.utils import add_self_loops

    index, size = torch.from_numpy(arcs.pairs), (arcs.num_nodes, arcs.num_nodes)
    weight = None
    if pair.loops:
        index = add_self_loops(index, num_nodes=arcs.num_nodes)[0]
    if pair.norms:
        index, weight = gcn_norm(index, num_nodes=arcs.num_nodes)
    found: dict[str, tuple[Tensor, ...]] = {"list": (index,) if weight is None else (index, weight)}
    if pair.sparse:
        values = torch.ones(index.shape[1]) if weight is None else weight
        found["matrix"] = (torch.sparse_coo_tensor(index.flip(0), values, size).to_sparse_csr(),)
    return found


def step(layer: nn.Module, x: Tensor, pull: Tensor, *given: Any) -> tuple[Tensor, Tensor, float]:
    """What comes out, the gradient of the features, and CPU seconds of both passes."""
    own = x.clone().requires_grad_()
    begun = time.process_time()
    out = layer(own, *given)
    out.backward(pull)
    spent = time.process_time() - begun
    assert own.grad is not None
    return out.detach(), own.grad, spent


def compare(name: str, pair: Pair, arcs: Arcs, repeats: int) -> dict[str, float]:
    """Largest differences, and the ratio of CPU times to the faster of PyG's forms."""
    pair.share_weights()
    rng = torch.Generator().manual_seed(0)
    x, pull = (torch.randn(arcs.num_nodes, WIDTH, generator=rng) for _ in range(2))
    given = {"ours": (View(arcs),), **forms(pair, arcs)}
    layers = {form: pair.ours if form == "ours" else pair.theirs for form in given}
    first = {form: step(layers[form], x, pull, *edges) for form, edges in given.items()}
    spent: dict[str, list[float]] = {form: [] for form in given}
    for _ in range(repeats):
        for form, edges in given.items():
            spent[form].append(step(layers[form], x, pull, *edges)[2])
    median = {form: statistics.median(seconds) for form, seconds in spent.items()}
    best = min(first.keys() - {"ours"}, key=median.__getitem__)
    ratios = [own / other for own, other in zip(spent["ours"], spent[best], strict=True)]
    apart = [max((first["ours"][at] - first[form][at]).abs().max().item() for form in given) for at in range(2)]
    say(f"beside_pyg: {name}: {statistics.median(ratios):.2f} of PyG's {best}; CPU seconds {median}")
    return {
        f"pyg.{name}.time_ratio": statistics.median(ratios),
        f"pyg.{name}.time_ratio.std": statistics.stdev(ratios),
        f"pyg.{name}.cpu_seconds": median["ours"],
        f"pyg.{name}.difference": apart[0],
        f"pyg.{name}.gradient_difference": apart[1],
    }


def convolutions(arguments: argparse.Namespace) -> dict[str, float]:
    """Message-passing layers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    num_nodes, num_arcs = (NODES // 4, ARCS // 4) if arguments.quick else (NODES, ARCS)
    made = {directed: graph(num_nodes, num_arcs, directed=directed) for directed in (True, False)}
    figures = {}
    for name, pair in pairs().items():
        figures |= compare(name, pair, made[not pair.norms], 5 if arguments.quick else 9)
    torch.set_num_threads(threads)
    return figures


PARTS: Mapping[str, Any] = {"pyg": convolutions}

if __name__ == "__main__":
    run("beside_pyg", PARTS, doc=__doc__ or "")
