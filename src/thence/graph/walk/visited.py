"""The nodes that restarting walks visit most: a neighbourhood that follows the walk, not the hop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.graph.sample.sample import seed_array
from thence.graph.walk.nearby import Nearby, nearby
from thence.graph.walk.rows import whole
from thence.graph.walk.walks import Walker

VISITS_AT_A_TIME = 1 << 22


def visits(
    walker: Walker, seeds: np.ndarray | Sequence[int], *, num_walks: int = 100, length: int = 10, step: int = 0
) -> Nearby:
    """The share of visits that each node has among those of some walks from each seed.

    The start does not count, nor what follows the end of a walk that stopped. With restart c and long walks
    the shares tend to personalised PageRank with α = c, the walk going back to its seed at a node without arcs
    (``push(…, alpha=c, dangling="restart")``). ``top_k`` of the result gives the importance neighbourhood of
    PinSage (Ying et al., KDD 2018).

    Args:
        walker: how to walk; restart and direction are its own.
        seeds: ``[B]`` node ints.
        num_walks: walks from each seed.
        length: steps of a walk.
        step: another step is another, independent draw.

    Raises:
        DataError: a seed is no node.
        ConfigError: ``num_walks`` or ``length`` is below 1.

    Example:
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)
        >>> near = visits(Walker(arcs, restart=0.5), [0, 2], num_walks=10)
        >>> near.top_k(2)[0].tolist()
        [[1, 2], [-1, -1]]
        >>> float(near.row(0)[1].sum())
        1.0
    """
    num_walks, length = whole("num_walks", num_walks, 1), whole("length", length, 1)
    seeds = seed_array(seeds, walker.num_nodes)
    rows: list[tuple[np.ndarray, np.ndarray]] = []
    chunk = max(1, VISITS_AT_A_TIME // (num_walks * length))
    for at in range(0, len(seeds), chunk):
        part = seeds[at : at + chunk]
        seen = walker.walk(part, length, num_walks=num_walks, step=step)[:, 1:].reshape(len(part), -1)
        rows += _count(np.sort(seen, axis=1))
    return nearby(seeds, rows, walker.num_nodes)


def _count(seen: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each row's nodes (sorted, -1 left out) and their shares."""
    first = np.ones(seen.shape, bool)
    first[:, 1:] = seen[:, 1:] != seen[:, :-1]
    begin = np.flatnonzero(first)
    nodes = seen.ravel()[begin]
    count = np.diff(begin, append=seen.size).astype(np.float64)
    real = nodes >= 0
    row = begin[real] // seen.shape[1]
    total = np.bincount(row, count[real], len(seen))
    bounds = np.searchsorted(row, np.arange(1, len(seen)))
    shares = count[real] / total[row]
    return list(zip(np.split(nodes[real], bounds), np.split(shares, bounds), strict=True))
