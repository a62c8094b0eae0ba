"""How DAEMON and the BLADE-style encoder are trained: as published, and with what makes them learn.

As published, both score by cosines and compare arcs with uniformly drawn nodes. On real also-bought graphs this
does not even keep what untrained layers know (``bench/parts/why_daemon.py``). The tuned recipes keep layers,
neighbourhoods and relations, and change what the measurements say matters: a softmax with a learned temperature
over in-batch and uniform negatives, corrected for popularity; a bias for each target; free vectors as inputs; a
self term; and a rate a hundred times as high.
"""

from __future__ import annotations

from typing import Any

from thence.encode.peer.daemon import beside_of
from thence.graph import DiGraph
from thence.train.arc_batches import ArcSampler
from thence.train.blade_objective import BladeObjective
from thence.train.config import TrainConfig
from thence.train.daemon_objective import DaemonObjective
from thence.train.objective import Objective
from thence.train.pair_softmax_objective import PairSoftmaxObjective

PUBLISHED = TrainConfig(
    steps=6_000,
    batch_size=1024,
    learning_rate=1e-4,
    weight_decay=0.0,
    validate_every=100,
    schedule="constant",
)
"""Adam, 1e-4, batches of 1,024; the paper's 30 epochs are some 6,000 steps on 200,000 arcs."""
TUNED = TrainConfig(
    steps=600, batch_size=1024, learning_rate=1e-2, weight_decay=0.0, reverse_weight=0.0, validate_every=50
)
SHARED = 1024
_LEARNS: dict[str, Any] = {"inputs": "learned", "self_term": True, "temperature": 0.1, "bias": True}
DAEMON_TUNED_GRID = (
    {**_LEARNS, "fan_outs": (20, 10), "redraw": 5},
    {**_LEARNS, "fan_outs": (20,), "redraw": 5},
)
BLADE_TUNED_GRID = ({**_LEARNS, "layers": 2, "redraw": 20}, {**_LEARNS, "layers": 1, "redraw": 20})


def daemon_objective(graph: DiGraph, config: TrainConfig) -> Objective:
    """Equation 2, one negative for each arc, co-views from the relation beside the main one."""
    return DaemonObjective(ArcSampler(graph.main, beside_of(graph), config.batch_size, seed=config.seed))


def blade_objective(graph: DiGraph, config: TrainConfig) -> Objective:
    """BLADE's weighted loss, reconstructed, one negative for each arc."""
    return BladeObjective(graph.main, ArcSampler(graph.main, None, config.batch_size, seed=config.seed))


def pair_softmax_objective(graph: DiGraph, config: TrainConfig) -> Objective:
    """In-batch softmax with some uniform negatives; ``reverse_weight`` weighs one-way arcs turned round."""
    weight = config.reverse_weight
    sampler = ArcSampler(
        graph.main, None, config.batch_size, 0, SHARED, both_roles=weight > 0, seed=config.seed
    )
    return PairSoftmaxObjective(graph.main, sampler, reversed_weight=weight)
