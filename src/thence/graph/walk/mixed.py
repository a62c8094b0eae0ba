"""Several relations as one side: at each step a relation is chosen, then an arc of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample.side import Direction, Side, side_of


def mixture(
    relations: Mapping[str, Arcs],
    shares: Mapping[str, float] | None = None,
    *,
    direction: Direction = "out",
    weight: str | None = None,
) -> Side:
    """One side whose weighted steps choose a relation by its share, then an arc of it.

    At node u the relations that have an arc there are chosen with probability ∝ share, so a step from u to v
    has probability Σ_r share_r · w_r(u, v) / W_r(u) over Σ share_r, both over the relations with W_r(u) > 0.
    It costs 8 bytes an arc. A pair that is an arc of two relations stands twice.

    Args:
        relations: by name, over the same nodes.
        shares: by name, positive; alike when not given.
        direction: along the arcs or against them.
        weight: the value by which an arc of a relation is chosen; every arc alike when not given.

    Raises:
        ConfigError: there is no relation, or the shares are not one positive number a relation.
        DataError: the relations have different nodes, or a weight is negative or not finite.

    Example:
        >>> views = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)
        >>> buys = Arcs.from_pairs([0, 1], [2, 0], num_nodes=3)
        >>> both = mixture({"views": views, "buys": buys}, {"views": 1, "buys": 3})
        >>> both.indptr.tolist(), both.neighbors.tolist(), both.weight.tolist()
        ([0, 3, 4, 4], [1, 2, 2, 0], [0.5, 0.5, 3.0, 3.0])
    """
    if not relations:
        raise ConfigError("a mixture of no relations", fix="Give at least one.")
    shares = dict.fromkeys(relations, 1.0) if shares is None else shares
    if shares.keys() != relations.keys() or not all(0 < value < np.inf for value in shares.values()):
        raise ConfigError(f"shares are {dict(shares)}", fix=f"Give a positive one for {', '.join(relations)}.")
    sizes = {name: arcs.num_nodes for name, arcs in relations.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"relations have different nodes: {sizes}")
    sides = {name: side_of(arcs, direction, weight=weight) for name, arcs in relations.items()}
    degree = np.sum([side.degree for side in sides.values()], axis=0)
    begin = np.concatenate([[0], np.cumsum(degree, dtype=np.int64)])
    indptr = begin.astype(np.int32 if begin[-1] < 2**31 else np.int64)
    neighbors, mixed = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    begin = begin[:-1]
    for name, side in sides.items():
        place = np.repeat(begin - side.indptr[:-1], side.degree) + np.arange(len(side.neighbors))
        neighbors[place], mixed[place] = side.neighbors, shares[name] * _by_row(side)
        begin = begin + side.degree
    return Side(indptr, neighbors, weight=mixed)


def _by_row(side: Side) -> np.ndarray:
    """Each entry's weight over the sum of its row's; zero in a row that has none."""
    row = np.repeat(np.arange(side.num_nodes), side.degree)
    weight = np.ones(len(row)) if side.weight is None else side.weight.astype(np.float64)
    total = np.bincount(row, weight, side.num_nodes)[row]
    return np.divide(weight, total, out=np.zeros(len(row)), where=total > 0)
