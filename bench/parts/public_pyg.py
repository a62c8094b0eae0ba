"""Classic networks of PyTorch Geometric's layers on public graphs: is it our layers, or the recipe?

``gcn_pyg``, ``sage_pyg`` and ``gat_pyg`` are trained by the settings of ``gcn``, ``sage`` and ``gat``, for as
many steps, and judged at the step that is best on the valid split. Loops are added to the arcs, as the code
behind arXiv 2406.08993 does; sums over arcs are products with a sparse matrix where the layer allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import identity
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

from thence.graph.labelled import LabelledGraph
from thence.task.metric import METRICS

PEERS = ("gcn_pyg", "sage_pyg", "gat_pyg")


class Classic(nn.Module):
    """Convolutions, each with a linear map beside it where there are residuals, and a linear map at the end."""

    def __init__(self, kind: str, width: int, classes: int, settings: Mapping[str, Any]) -> None:
        from torch_geometric.nn import GATConv, GCNConv, SAGEConv

        super().__init__()
        dim, layers = settings["dim"], settings["layers"]
        conv = {
            "gcn": GCNConv,
            "sage": SAGEConv,
            "gat": lambda wide, dim: GATConv(wide, dim, add_self_loops=False, bias=False),
        }[kind]
        widths = [width] + [dim] * (layers - 1)
        self.convs = nn.ModuleList([conv(wide, dim) for wide in widths])
        self.beside = nn.ModuleList([nn.Linear(wide, dim) for wide in widths if settings["residual"]])
        normed = settings["norm"] == "batch"
        self.norms = nn.ModuleList([nn.BatchNorm1d(dim) if normed else nn.Identity() for _ in widths])
        self.last = nn.Linear(dim, classes)
        self.rate: float = settings["dropout"]

    def forward(self, x: Tensor, arcs: Tensor) -> Tensor:
        for layer, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            seen = conv(x, arcs)
            if self.beside:
                seen = seen + self.beside[layer](x)
            x = dropout(norm(seen).relu(), self.rate, self.training)
        return self.last(x)


def judged_by_pyg(
    method: str, graph: LabelledGraph, settings: Mapping[str, Any], training: Mapping[str, Any], metric: str
) -> float:
    """The test figure at the step that is best on the valid split.

    Args:
        method: one of ``PEERS``.
        graph: an undirected graph.
        settings: of our encoder of that name.
        training: ``steps``, ``validate_every``, ``learning_rate``, ``weight_decay`` and ``seed``.
        metric: by which steps are compared.
    """
    torch.manual_seed(training["seed"])
    kind = method.removesuffix("_pyg")
    x = torch.from_numpy(np.ascontiguousarray(graph.x, np.float32))
    labels = torch.from_numpy(graph.y)
    net = Classic(kind, x.shape[1], graph.num_classes, settings)
    arcs = _arcs(graph, whole=kind != "gat")
    rows = {part: graph.part(part) for part in ("train", "valid", "test")}
    decay = {"lr": training["learning_rate"], "weight_decay": training["weight_decay"]}
    optimizer = torch.optim.Adam(net.parameters(), **decay)
    learned = torch.from_numpy(rows["train"])
    best = {"valid": -1.0, "test": 0.0}
    for step in range(1, training["steps"] + 1):
        net.train()
        optimizer.zero_grad()
        cross_entropy(net(x, arcs)[learned], labels[learned]).backward()
        optimizer.step()
        if step % training["validate_every"]:
            continue
        net.eval()
        with torch.no_grad():
            scores = torch.softmax(net(x, arcs), 1).numpy()
        found = {part: METRICS[metric](graph.y[rows[part]], scores[rows[part]]) for part in best}
        best = max(best, found, key=lambda figures: figures["valid"])
    return best["test"]


def _arcs(graph: LabelledGraph, whole: bool) -> Tensor:
    """Both ways and with loops: a sparse matrix where ``whole``, else pairs ``[2, num_arcs]``."""
    seen = (graph.arcs.matrix() + identity(graph.arcs.num_nodes, format="csr")).tocsr()
    if not whole:
        return torch.from_numpy(np.stack(seen.nonzero())).long()
    parts = (torch.from_numpy(part) for part in (seen.indptr, seen.indices, np.ones(seen.nnz, np.float32)))
    return torch.sparse_csr_tensor(*parts, size=seen.shape, check_invariants=False)
