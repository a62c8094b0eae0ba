"""Personalised PageRank of some seeds by forward push, and of some targets by backward push.

A walk from the seed s stops at each node with probability α, else it follows an arc. Where it stops is

    π_s = α Σ_t (1 - α)^t e_s Pᵗ ,   P = each row of the weights divided by its sum.

Forward push (Andersen, Chung, Lang, "Local graph partitioning using PageRank vectors", FOCS 2006, section 3)
holds mass p and residuals r with π_s = p + Σ_v r(v) π_v, begins with r = e_s, and pushes a node v with
r(v) > ε · deg(v): α r(v) becomes mass, the rest goes to v's neighbours. It ends after at most 1 / (α ε) arcs,
however large the graph is. Backward push (Andersen, Borgs, Chayes, Hopcroft, Mirrokni, Teng, "Local
computation of PageRank contributions", WAW 2007) holds π_·(t) = p + Σ_v r(v) π_·(v) for one target t.
"""

from __future__ import annotations

from collections.abc import Sequence
from queue import SimpleQueue
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.sample.sample import seed_array
from thence.graph.sample.side import Direction, Side, side_of
from thence.graph.walk.kernel.push import push_from
from thence.graph.walk.nearby import Nearby, nearby
from thence.graph.walk.rows import in_order, kernel_array, share, side_for, thread_count

CHUNK = 8
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
Sizes = tuple[np.ndarray, np.ndarray]


def push(
    relation: Arcs | Side,
    seeds: np.ndarray | Sequence[int],
    alpha: float = 0.15,
    epsilon: float = 1e-4,
    *,
    direction: Direction = "out",
    weight: str | None = None,
    dangling: Literal["end", "restart"] = "end",
    threads: int | None = None,
) -> Nearby:
    """Approximate personalised PageRank of each seed by forward push.

    With deg(v) the number of arcs that are read at v, it ends with r(v) ≤ ε · deg(v) for every node, and
    then p ≤ π ≤ p + Σr in every place, and Σ (π - p) = Σr.

    Args:
        relation: the arcs, or a side of a mixture of relations.
        seeds: ``[B]`` node ints.
        alpha: the chance to stop at each step; 1 - alpha is what others call the damping factor.
        epsilon: the residual that may stay on each arc. 10⁻⁴ finds the nearest nodes well (Bojchevski et al.,
            "Scaling graph neural networks with approximate PageRank", KDD 2020, take it).
        direction: ``out``: walks follow the arcs; ``into``: they go against them.
        weight: the value by which the next arc is chosen; every arc alike when not given.
        dangling: what a walk does at a node without arcs: it ends there, or it goes back to its seed (what
            networkx does when it is given no other place).
        threads: at once at most; all processors when not given. Each needs up to 40 bytes a node.

    Returns:
        The nodes with mass of each seed; ``left`` is Σr = 1 - Σp.

    Raises:
        DataError: a seed is no node, or a weight is negative or not finite.
        ConfigError: a setting is out of range.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[3, 1, 1])
        >>> push(arcs, [0], 0.5, 1e-9).matrix().toarray().tolist()
        [[0.5, 0.125, 0.375]]
        >>> push(arcs, [0], 0.5, 1e-9, weight="weight").matrix().toarray().tolist()
        [[0.5, 0.1875, 0.3125]]
        >>> push(arcs, [2], 0.5, 1e-9, direction="into").row(0)[0].tolist()
        [2, 0, 1]
    """
    _check(alpha, epsilon)
    if dangling not in ("end", "restart"):
        raise ConfigError(f"no such end {dangling!r}", fix="dangling is 'end' or 'restart'.")
    side = side_for(relation, direction, weight)
    seeds = seed_array(seeds, side.num_nodes)
    rows, sizes = _rows(side), (kernel_array(side.indptr), kernel_array(None, np.float64))
    own = side.weight is not None
    keep, back = (1.0, 0.0) if dangling == "end" else (alpha, 1 - alpha)
    rule = (alpha, epsilon, keep, back, 0.0, own)
    found = _push_all(rows, sizes, seeds, np.ones(len(seeds)), rule, threads)
    left = np.array([row[2] for row in found], np.float64)
    return nearby(seeds, [row[:2] for row in found], side.num_nodes, left)


def contributions(
    arcs: Arcs,
    targets: np.ndarray | Sequence[int],
    alpha: float = 0.15,
    epsilon: float = 1e-4,
    *,
    weight: str | None = None,
    threads: int | None = None,
) -> Nearby:
    """Which sources' walks end at each target: the column of PageRank that forward push gives the rows of.

    It ends with r(v) ≤ ε for every node, and then p(v) ≤ π_v(t) ≤ p(v) + ε for every source v. Walks end at a
    node without arcs.

    Args:
        arcs: the relation; walks follow its arcs.
        targets: ``[B]`` node ints.
        alpha: the chance to stop at each step.
        epsilon: the residual that may stay at each node.
        weight: the value by which the next arc is chosen; every arc alike when not given.
        threads: at once at most; all processors when not given.

    Returns:
        For each target the sources v with their p(v); ``left`` is the greatest residual.

    Raises:
        DataError: a target is no node, or a weight is negative or not finite.
        ConfigError: a setting is out of range.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> contributions(arcs, [1], 0.5, 1e-9).matrix().toarray().tolist()
        [[0.125, 0.5, 0.0]]
    """
    _check(alpha, epsilon)
    side = side_of(arcs, "into", weight=weight)
    seeds = seed_array(targets, arcs.num_nodes)
    out = np.bincount(side.neighbors, side.weight, arcs.num_nodes) if side.weight is not None else None
    sizes = (kernel_array(arcs.indptr), kernel_array(out, np.float64))
    rule = (alpha, epsilon, 1.0, 0.0, (1 - alpha) / alpha, False)
    found = _push_all(_rows(side), sizes, seeds, _sizes(sizes, seeds), rule, threads)
    rows = [(nodes, mass / _sizes(sizes, nodes)) for nodes, mass, *_ in found]
    return nearby(seeds, rows, arcs.num_nodes, np.array([row[3] for row in found], np.float64))


def _check(alpha: float, epsilon: float) -> None:
    share("alpha", alpha)
    if not 0 < epsilon < np.inf:
        raise ConfigError(f"epsilon is {epsilon}", fix="It is above 0 and finite.")


def _rows(side: Side) -> Rows:
    return kernel_array(side.indptr), kernel_array(side.neighbors), kernel_array(side.weight)


def _sizes(sizes: Sizes, nodes: np.ndarray) -> np.ndarray:
    """What walks out of some nodes are divided by; 1 for a node where they end."""
    ptr, total = sizes
    size = total[nodes] if len(total) else (ptr[nodes.astype(np.int64) + 1] - ptr[nodes]).astype(np.float64)
    return np.where(size > 0, size, 1.0)


def _push_all(
    rows: Rows, sizes: Sizes, seeds: np.ndarray, start: np.ndarray, rule: tuple, threads: int | None
) -> list[tuple]:
    """The kernel's answer for each seed. Each thread has a room of its own."""
    num_nodes, rooms = len(rows[0]) - 1, SimpleQueue()
    for _ in range(min(thread_count(threads), max(1, -(-len(seeds) // CHUNK)))):
        rooms.put(_room(num_nodes))

    def work(begin: int, end: int) -> list[tuple]:
        room = rooms.get()
        try:
            return [push_from(rows, sizes, seeds[at], start[at], rule, room) for at in range(begin, end)]
        finally:
            rooms.put(room)

    return [row for part in in_order(work, len(seeds), CHUNK, threads) for row in part]


def _room(num_nodes: int) -> tuple:
    """What a thread writes on while it pushes; pages that are never touched cost no memory."""
    return (
        np.zeros(num_nodes, np.int32),
        np.empty((num_nodes, 2)),
        np.empty(num_nodes),
        np.empty(num_nodes, np.int32),
        np.empty((2, num_nodes + 1), np.int32),
    )
