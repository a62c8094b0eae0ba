"""Uniform: as many arcs as asked for, each as likely as any other: the floor for the others."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.sparsify.check import share_asked
from thence.graph.sparsify.draw import budget_left, certain_units, corrected, units_of


def uniform(
    arcs: Arcs, share: float, *, seed: int = 0, reweight: bool = True, keep_structure: bool = False
) -> Arcs:
    """Keep a simple random sample of the arcs, of exactly the rounded share (at least one arc).

    Args:
        arcs: the relation; of an undirected one pairs are drawn.
        share: of arcs to keep, above 0 and at most 1.
        seed: same seed, same arcs.
        reweight: divide the weights by the chance to be kept, so that expected weights are the given ones.
        keep_structure: keep a spanning structure for certain, and draw the rest.

    Raises:
        ConfigError: the share is out of range, or does not hold the structure.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> uniform(arcs, 0.5).weight.tolist()
        [2.0, 2.0]
    """
    share = share_asked(share)
    unit, count = units_of(arcs)
    certain = certain_units(arcs, unit, count, keep_structure)
    chance = certain.astype(np.float64)
    free = np.flatnonzero(~certain)
    if len(free):
        size = max(round(budget_left(share * count, certain)), 1)
        picked = generator(seed, "sparsify", "uniform").choice(free, size, replace=False)
        certain[picked] = True
        chance[free] = size / len(free)
    keep = certain[unit]
    return corrected(arcs, keep, chance[unit]) if reweight else arcs.select(keep)
