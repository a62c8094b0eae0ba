"""Layers beside PyG's own, in one run: the same weights, the same graph, outputs and CPU time compared.

100,000 nodes and 1,000,000 arcs with skewed in-degrees, width 64, float32, one thread. Either side has what it
keeps between steps made beforehand (PyG's GCN the norms, its GAT the loops), and of PyG's forms, a list of arcs
or a sparse matrix, the faster one counts. Figures: ``pyg.METHOD.time_ratio``, ours over theirs for forward and
backward together, the median of interleaved repeats, with its spread; ``pyg.METHOD.difference``, the largest
between two outputs, and ``.gradient_difference``, between two gradients of the features as a share of their
norm: where a ReLU stands at zero to the last digit, single entries may differ by more.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import run, say
from parts.beside_pyg_layers import WIDTH, Pair, layers
from parts.beside_pyg_models import faults, gps, many, polynormer, sgformer
from thence.encode.layer.view import View
from thence.graph import Arcs

NODES, ARCS, GRAPHS = 100_000, 1_000_000, 1_000


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
    values = torch.ones(index.shape[1]) if weight is None else weight
    matrix = torch.sparse_coo_tensor(index.flip(0), values, size).to_sparse_csr()
    found = {"list": (index,) if weight is None else (index, weight), "matrix": (matrix,)}
    return {form: found[form] for form in pair.forms}


def step(layer: nn.Module, x: Tensor, pull: Tensor, *given: Any) -> tuple[Tensor, Tensor, float]:
    """What comes out, the gradient of the features, and CPU seconds of both passes."""
    own = x.clone().requires_grad_()
    begun = time.process_time()
    out = layer(own, *given)
    out.backward(pull)
    spent = time.process_time() - begun
    assert own.grad is not None
    return out.detach(), own.grad, spent


def compare(name: str, pair: Pair, view: View, repeats: int) -> dict[str, float]:
    """Largest differences, and the ratio of CPU times to the faster of PyG's forms."""
    pair.share_weights()
    rng = torch.Generator().manual_seed(0)
    x, pull = (torch.randn(view.num_nodes, WIDTH, generator=rng) for _ in range(2))
    given = {"ours": (view,), **forms(pair, view.arcs)}
    layers = {form: pair.ours if form == "ours" else pair.theirs for form in given}
    first = {form: step(layers[form], x, pull, *edges) for form, edges in given.items()}
    spent: dict[str, list[float]] = {form: [] for form in given}
    for _ in range(repeats):
        for form, edges in given.items():
            spent[form].append(step(layers[form], x, pull, *edges)[2])
    median = {form: statistics.median(seconds) for form, seconds in spent.items()}
    best = min(first.keys() - {"ours"}, key=median.__getitem__)
    ratios = [own / other for own, other in zip(spent["ours"], spent[best], strict=True)]
    others = [first[form] for form in given if form != "ours"]
    out, grad, _ = first["ours"]
    say(f"beside_pyg: {name}: {statistics.median(ratios):.2f} of PyG's {best}; CPU seconds {median}")
    return {
        f"pyg.{name}.time_ratio": statistics.median(ratios),
        f"pyg.{name}.time_ratio.std": statistics.stdev(ratios),
        f"pyg.{name}.cpu_seconds": median["ours"],
        f"pyg.{name}.difference": max((out - other[0]).abs().max().item() for other in others),
        f"pyg.{name}.gradient_difference": max(
            ((grad - other[1]).norm() / other[1].norm()).item() for other in others
        ),
    }


def convolutions(arguments: argparse.Namespace) -> dict[str, float]:
    """Message-passing layers."""
    shrink = 4 if arguments.quick else 1
    views = {
        directed: View(graph(NODES // shrink, ARCS // shrink, directed=directed)) for directed in (True, False)
    }
    figures = {}
    with one_thread():
        for name, pair in layers().items():
            figures |= compare(name, pair, views[not pair.norms], 5 if arguments.quick else 9)
    return figures


def transformers(arguments: argparse.Namespace) -> dict[str, float]:
    """Graph transformers: GPS on many small graphs, whose attention is quadratic, the others on a large one."""
    shrink, repeats = (4, 5) if arguments.quick else (1, 9)
    small, large = many(GRAPHS // shrink), View(graph(NODES // shrink, ARCS // shrink, directed=False))
    figures = {}
    with one_thread():
        for name, make, view in (
            ("gps", gps, small),
            ("sgformer", sgformer, large),
            ("polynormer", polynormer, large),
        ):
            figures |= compare(name, make(view.graph_of), view, repeats)
        return figures | faults()


@contextmanager
def one_thread() -> Iterator[None]:
    """CPU seconds of one thread, that waiting for another is no part of."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        yield
    torch.set_num_threads(threads)


PARTS: Mapping[str, Any] = {"pyg_layers": convolutions, "pyg_transformers": transformers}

if __name__ == "__main__":
    run("beside_pyg", PARTS, doc=__doc__ or "")
