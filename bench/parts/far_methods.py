"""The methods of the long-range bench, each with the same number of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from parts.far_train import Make
from thence.base.errors import ConfigError
from thence.encode.encoders import make_encoder
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph
from thence.graph.position import positions

PARAMETERS = 20_000
PLAIN = {"norm": "batch", "dropout": 0.0}
DIRECTED = {"profile": {"hops": 16, "exact": True}}


@dataclass(frozen=True)
class Method:
    """An encoder by name, its settings, and whether positions stand beside the features."""

    encoder: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    positions: str = ""


def passing(encoder: str, layers: int = 4, positions: str = "", **more: Any) -> Method:
    """Message passing with residuals and norms; along both ways of an arc where it has no direction."""
    way = {} if encoder.startswith("dir") or encoder == "mlp" else {"way": "both"}
    return Method(encoder, {**PLAIN, **way, "layers": layers, **more}, positions)


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
}


def matched(method: Method, inputs: int, parameters: int = PARAMETERS) -> Make:
    """How to make an encoder whose width brings it nearest below a number of parameters."""

    def made(inputs: int, dim: int, seed: int) -> nn.Module:
        return make_encoder(method.encoder, inputs, {**method.settings, "dim": dim}, seed=seed)

    dim = 4
    while sum(p.numel() for p in made(inputs, dim + 4, 0).parameters()) <= parameters:
        dim += 4
    return lambda inputs, seed: made(inputs, dim, seed)


def placed(graph: LabelledGraph, kind: str) -> LabelledGraph:
    """The graph with positions of a kind beside its features.

    ``directed``: reach along the arcs and against them, hop by hop. ``undirected``: the same of the graph
    without its directions, and return probabilities.
    """
    if not kind:
        return graph
    arcs = graph.arcs
    if kind == "undirected":
        source, target = np.unique(np.concatenate([arcs.pairs, arcs.pairs[::-1]], axis=1), axis=1)
        arcs = Arcs.from_pairs(source, target, num_nodes=arcs.num_nodes, directed=False)
    elif kind != "directed":
        raise ConfigError(f"no positions {kind!r}")
    found = positions(arcs, DIRECTED)
    return replace(graph, x=np.concatenate([graph.x, *found.blocks.values()], axis=1).astype(np.float32))
