"""Every neighbour sampler, made alike, for the contract that all of them keep (contract/test_samplers.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.sample import Direction, FanOut, NeighborSampler, Side
from thence.graph.sample.adaptive import Adaptive
from thence.graph.sample.labor import Labor
from thence.graph.sample.ladies import Ladies
from thence.graph.sample.saint import Saint
from thence.graph.sample.shadow import Shadow

Make = Callable[[Arcs | Side, Direction, int], NeighborSampler]


@dataclass(frozen=True)
class Case:
    """A sampler and what it promises beyond what every one does.

    Args:
        make: from a relation, a direction and a seed of randomness.
        most: how many neighbours a node gets at most in a hop; None for no bound.
        unbiased: with all nodes as seeds, the mean over steps of the drawn first-hop arcs' ``scale`` is 1 for
            every arc of the graph.
        direct: every drawn arc is one of the graph (else ``entry`` is -1 where it is none).
        sides: takes a :class:`Side` with arcs that stand twice or lead from a node to itself.
    """

    make: Make
    most: int | None = None
    unbiased: bool = True
    direct: bool = True
    sides: bool = True


CASES: dict[str, Case] = {
    "fan_out": Case(lambda g, d, s: FanOut(g, [3, 2], direction=d, seed=s), most=3),
    "fan_out_all": Case(lambda g, d, s: FanOut(g, [None, 1], direction=d, seed=s)),
    "fan_out_weighted": Case(
        lambda g, d, s: FanOut(g, [3, 2], direction=d, weight="weight", seed=s), most=3, sides=False
    ),
    "fan_out_trees": Case(lambda g, d, s: FanOut(g, [3, 2], direction=d, trees=True, seed=s), most=3),
    "labor": Case(lambda g, d, s: Labor(g, [3, 2], direction=d, seed=s)),
    "labor_important": Case(lambda g, d, s: Labor(g, [3, 2], direction=d, importance=2, seed=s)),
    "labor_weighted": Case(lambda g, d, s: Labor(g, [3, 2], direction=d, weight="weight", seed=s), sides=False),
    "labor_exact": Case(lambda g, d, s: Labor(g, [3, 2], direction=d, exact=True, seed=s), most=3, sides=False),
    "labor_exact_important": Case(
        lambda g, d, s: Labor(g, [3, 2], direction=d, exact=True, importance=1, seed=s), most=3, sides=False
    ),
    "labor_exact_weighted": Case(
        lambda g, d, s: Labor(g, [3, 2], direction=d, exact=True, weight="weight", seed=s), most=3, sides=False
    ),
    # chances of LADIES range too widely here to average over some steps: test_ladies has its own graph
    "ladies": Case(lambda g, d, s: Ladies(g, [6, 4], direction=d, seed=s), unbiased=False),
    "ladies_weighted": Case(
        lambda g, d, s: Ladies(g, [6, 4], direction=d, weight="weight", seed=s), unbiased=False, sides=False
    ),
    "ladies_keep": Case(lambda g, d, s: Ladies(g, [6, 4], direction=d, keep_seeds=True, seed=s)),
    "shadow": Case(lambda g, d, s: Shadow(g, [3, 2], direction=d, seed=s), unbiased=False),
    "saint_walk": Case(
        lambda g, d, s: Saint(g, "walk", 3, roots=4, direction=d, rounds=20, seed=s), unbiased=False
    ),
    "adaptive": Case(
        lambda g, d, s: Adaptive(g, [3, 2], direction=d, seed=s), most=3, unbiased=False, direct=False
    ),
    "adaptive_near": Case(
        lambda g, d, s: Adaptive(g, [3, 2], direction=d, by_score=False, least=1, reach=None, seed=s), most=3
    ),
    "adaptive_weighted": Case(
        lambda g, d, s: Adaptive(g, [3, 2], direction=d, weight="weight", reach=None, seed=s),
        most=3,
        sides=False,
    ),
}


def hub_graph() -> Arcs:
    """40 nodes: node 0 leads to 1 … 36, whose weights differ, some of them on in a path; 37 and 38 lead to 0;
    39 is isolated. No arc stands in both directions."""
    pairs = (
        [(0, j) for j in range(1, 37)] + [(j, j + 1) for j in range(1, 12)] + [(j, j + 2) for j in range(1, 9)]
    )
    pairs += [(37, 0), (38, 0), (37, 38)]
    source, target = np.array(pairs).T
    weight = 0.5 + (np.arange(len(pairs)) * 7 % 11) / 2
    return Arcs.from_pairs(source, target, num_nodes=40, weight=weight)
