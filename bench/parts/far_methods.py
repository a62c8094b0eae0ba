"""The methods of the long-range bench, each with the same number of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from parts.far_train import Make, some
from thence.encode.encoders import make_encoder
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph
from thence.graph.position import positions

PARAMETERS = 20_000
PLAIN = {"norm": "batch", "dropout": 0.0}
AT_A_TIME = 2
"""Graphs whose positions are found together."""
KINDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "directed": {"profile": {"hops": 16, "exact": True}},
    "undirected": {"profile": {"hops": 16, "exact": True}, "returns": {}},
    "spectral": {"profile": {"hops": 16, "exact": True}, "laplacian": {"k": 4, "form": "vectors"}},
}


@dataclass(frozen=True)
class Method:
    """An encoder by name, its settings, and which positions stand beside the features.

    ``looks``: the encoder is told which columns are positions, so that queries and keys see them.
    """

    encoder: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    positions: str = ""
    looks: bool = False


def passing(encoder: str, layers: int = 4, positions: str = "", **more: Any) -> Method:
    """Message passing with residuals and norms; along both ways of an arc where it has no direction."""
    way = {} if encoder.startswith("dir") or encoder == "mlp" else {"way": "both"}
    return Method(encoder, {**PLAIN, **way, "layers": layers, **more}, positions)


def ours(channels: tuple[str, ...] = ("community",), positions: str = "directed", **more: Any) -> Method:
    """The directed transformer."""
    return Method("directed", {**PLAIN, "layers": 1, "channels": channels, **more}, positions, True)


METHODS = {
    "mlp": passing("mlp"),
    "gcn": passing("gcn"),
    "sage": passing("sage"),
    "gat": passing("gat", heads=4),
    "gin": passing("gin"),
    "dir_sage": passing("dir_sage"),
    "deep_gcn": passing("gcn", layers=16),
    "deep_dir_sage": passing("dir_sage", layers=16),
    "dir_sage_positions": passing("dir_sage", positions="directed"),
    "gps": Method("gps", {**PLAIN, "layers": 2}, "undirected", True),
    "gps_own": Method("gps", {**PLAIN, "layers": 1, "heads": 1}),
    "gps_alike": Method("gps", {**PLAIN, "layers": 1, "heads": 1, "channel": {"shared": True}}),
    "gps_directed_positions": Method("gps", {**PLAIN, "layers": 2}, "directed", True),
    "sgformer": Method("sgformer", {"dropout": 0.0}),
    "sgformer_published": Method("sgformer_published", {"dropout": 0.0}),
    "sgformer_directed_positions": Method("sgformer", {"dropout": 0.0}, "directed"),
    "polynormer": Method("polynormer", {"dropout": 0.0, "global_dropout": 0.0}),
    "ours": ours(),
    "ours_without_positions": ours(positions=""),
    "ours_undirected_positions": ours(positions="undirected"),
    "ours_passing": ours(channels=(), layers=4),
    "ours_full": ours(("full",), positions="", layers=3),
    "ours_slots": ours(("slots",), positions="", layers=3),
    "dir_sage_spectral": passing("dir_sage", positions="spectral"),
    "deep_dir_sage_spectral": passing("dir_sage", layers=16, positions="spectral"),
    "ours_full_spectral": ours(("full",), positions="spectral", layers=3),
    "ours_slots_spectral": ours(("slots",), positions="spectral", layers=3),
}
QUICK = ("mlp", "gcn", "dir_sage", "sgformer", "ours", "ours_without_positions", "ours_undirected_positions")


def matched(method: Method, inputs: int, width: int, parameters: int = PARAMETERS) -> Make:
    """How to make an encoder whose dim brings it nearest below a number of parameters.

    ``width``: how many of the inputs, the last ones, are positions.
    """

    def made(inputs: int, dim: int, seed: int) -> nn.Module:
        told = {"positions": width} if method.looks else {}
        return make_encoder(method.encoder, inputs, {**method.settings, **told, "dim": dim}, seed=seed)

    dim = 4
    while sum(p.numel() for p in made(inputs, dim + 4, 0).parameters()) <= parameters:
        dim += 4
    return lambda inputs, seed: made(inputs, dim, seed)


def placed(graph: LabelledGraph, kind: str) -> LabelledGraph:
    """The graph with positions of a kind beside its features.

    ``directed``: reach along the arcs and against them, hop by hop. ``undirected``: the same of the graph
    without its directions, and return probabilities. ``spectral``: reach, and Laplacian eigenvectors.
    """
    if not kind:
        return graph
    blocks = []
    for first in range(0, graph.num_graphs, AT_A_TIME):
        arcs = some(graph, first, first + AT_A_TIME - 1)[2]
        if kind == "undirected":
            source, target = np.unique(np.concatenate([arcs.pairs, arcs.pairs[::-1]], axis=1), axis=1)
            arcs = Arcs.from_pairs(source, target, num_nodes=arcs.num_nodes, directed=False)
        found = positions(arcs, KINDS[kind])
        blocks.append(np.concatenate(list(found.blocks.values()), axis=1))
    return replace(graph, x=np.concatenate([graph.x, np.concatenate(blocks)], axis=1).astype(np.float32))
