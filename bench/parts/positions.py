"""Positions of directed graphs: what they cost from 10⁴ to 2·10⁶ nodes, and what cheap forms of them lose.

The graphs are simulated: nodes live in communities of about 500, in which degrees follow a power law, and
communities in 32 areas on a ring. Half of the arcs stay in the community, three in ten lead to the next area,
the rest anywhere. Each graph is positioned in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))

from thence.base.rng import generator  # noqa: E402
from thence.graph import Arcs  # noqa: E402

COMMUNITY, AREAS = 500, 32
STAYS, FOLLOWS = 0.5, 0.3
MORE = 1.12
"""Pairs drawn for each arc, since popular ones fall together."""


def simulate(nodes: int, arcs: int, seed: int = 0) -> Arcs:
    """A graph of about so many arcs; the ints of its nodes say nothing of where they live."""
    rng = generator(seed, "bench", "positions")
    communities = max(AREAS, nodes // COMMUNITY)
    begins = np.linspace(0, nodes, communities + 1).astype(np.int64)
    area = communities // AREAS

    def drawn(community: np.ndarray) -> np.ndarray:
        """A node of each community; the one of rank r with a chance that falls as r^-2/3."""
        size = begins[community + 1] - begins[community]
        return begins[community] + (size * rng.random(len(community)) ** 3).astype(np.int64)

    count, kind = int(MORE * arcs), rng.random(int(MORE * arcs))
    home = rng.integers(0, communities, count)
    near, there = kind < STAYS, kind < STAYS + FOLLOWS
    on = ((home // area + 1) % AREAS) * area + rng.integers(0, area, count)
    away = rng.integers(0, communities, count)
    source, target = (
        drawn(home),
        drawn(np.where(near, home, np.where(there, np.minimum(on, communities - 1), away))),
    )
    keys = np.unique((source * nodes + target)[source != target])
    keys = keys[rng.random(len(keys)) < arcs / len(keys)]
    names = rng.permutation(nodes).astype(np.int32)
    return Arcs.from_pairs(names[keys // nodes], names[keys % nodes], num_nodes=nodes)
