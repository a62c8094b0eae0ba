"""How published directed graph neural networks are trained: what they share, and what to choose among."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from thence.graph import DiGraph
from thence.train.arc_objective import ArcObjective, PairSampler
from thence.train.config import TrainConfig
from thence.train.duplex_objective import DuplexObjective

ARC_TRAIN = TrainConfig(
    steps=600,
    batch_size=65_536,
    learning_rate=3e-3,
    weight_decay=0.0,
    reverse_weight=0.0,
    validate_every=5,
    patience=30,
)
"""One step a pass over the arcs, as their papers do on small graphs; larger ones are passed over in parts."""

QUICK_TRAIN = replace(ARC_TRAIN, learning_rate=1e-2)
"""For those that learn too slowly at the rate of the others: they were stopped before they had learned."""

DUAL_DECODED_GRID: tuple[dict[str, Any], ...] = ({"folds": 5},)
DIGAE_GRID: tuple[dict[str, Any], ...] = tuple(
    {"layers": layers, "alpha": alpha, "beta": beta}
    for layers in (1, 2)
    for alpha, beta in ((0.6, 0.6), (0.4, 0.4), (0.6, 0.2), (0.2, 0.6))
)
SDGAE_GRID: tuple[dict[str, Any], ...] = (
    {"layers": 1, "rounds": 5},
    {"layers": 2, "rounds": 5},
    {"layers": 2, "rounds": 3},
)
MAGNET_GRID: tuple[dict[str, Any], ...] = tuple(
    {"order": order, "q": q} for order in (1, 2) for q in (0.05, 0.15, 0.25)
)
DUPLEX_GRID: tuple[dict[str, Any], ...] = ({"layers": 3}, {"layers": 2})
DIR_GNN_GRID: tuple[dict[str, Any], ...] = tuple(
    {"decoder": decoder, "normalize": normalize}
    for decoder in ("concat", "hadamard", "inner")
    for normalize in (True, False)
)
"""Of these decoders ``concat`` alone tells an arc from its reverse."""


def arc_objective(graph: DiGraph, config: TrainConfig) -> ArcObjective:
    """Binary cross-entropy on arcs of the main relation and as many absent pairs; the decoder comes later."""
    return ArcObjective(PairSampler(graph.main, config.batch_size, seed=config.seed))


def duplex_objective(graph: DiGraph, config: TrainConfig) -> DuplexObjective:
    """Kinds of pairs of the main relation, and whether they are tied."""
    return DuplexObjective(PairSampler(graph.main, config.batch_size, seed=config.seed))
