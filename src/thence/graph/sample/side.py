"""One side of a relation as a sampler reads it: for each node, the neighbours that it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs

Direction = Literal["out", "into"]


@dataclass(frozen=True, eq=False)
class Side:
    """Rows of neighbours. Unlike :class:`Arcs` it may hold an arc twice and arcs from a node to itself.

    Args:
        indptr: ``[num_nodes + 1]`` int32 or int64, where each node's neighbours begin.
        neighbors: ``[num_entries]`` int32, the neighbours, row by row.
        order: ``[num_entries]`` int, where each entry's arc stands in the relation; None when just there.
        weight: ``[num_entries]`` float32, non-negative; None for ones.
        time: ``[num_entries]`` int64 microseconds UTC, when each arc came to be; None when unknown.
    """

    indptr: np.ndarray
    neighbors: np.ndarray
    order: np.ndarray | None = None
    weight: np.ndarray | None = None
    time: np.ndarray | None = None

    @property
    def num_nodes(self) -> int:
        """How many nodes have a row."""
        return len(self.indptr) - 1

    @property
    def degree(self) -> np.ndarray:
        """``[num_nodes]`` int, how many neighbours each node has."""
        return np.diff(self.indptr)

    def checked(self) -> Side:
        """This side, which is known to make sense afterwards: kernels trust what they read.

        Raises:
            DataError: rows do not follow one another, a neighbour is no node, lengths differ, or a weight is
                negative or not finite.

        Example:
            >>> Side(np.array([0, 1]), np.array([7])).checked()
            Traceback (most recent call last):
            thence.base.errors.DataError: neighbour 7 is out of range (in 1 nodes)
        """
        rows, num = self.indptr, len(self.neighbors)
        if not len(rows) or rows[0] != 0 or rows[-1] != num or (rows[1:] < rows[:-1]).any():
            raise DataError("rows do not follow one another", where=f"indptr of {num} entries")
        for name in ("order", "weight", "time"):
            array = getattr(self, name)
            if array is not None and array.shape != (num,):
                raise DataError(f"{name} has shape {array.shape} for {num} entries")
        wrong = (self.neighbors < 0) | (self.neighbors >= self.num_nodes)
        if wrong.any():
            where = f"{self.num_nodes} nodes"
            raise DataError(f"neighbour {self.neighbors[np.argmax(wrong)]} is out of range", where=where)
        if self.weight is not None:
            check_weight(self.weight, "weight")
        return self

    def positions(self, entries: np.ndarray) -> np.ndarray:
        """``[e]`` int64: where the arcs of some entries stand in the relation; -1 stays -1."""
        if self.order is None or not len(entries):
            return entries.astype(np.int64)
        return np.where(entries >= 0, self.order[np.maximum(entries, 0)], -1).astype(np.int64)


def side_of(
    arcs: Arcs, direction: Direction = "out", *, weight: str | None = None, time: str | None = None
) -> Side:
    """The side of a relation that looks along its arcs (``out``) or against them (``into``).

    Args:
        arcs: the relation.
        direction: ``out``: the neighbours of i are the targets of its arcs; ``into``: the sources of the arcs
            that lead to it.
        weight: name of the value to weight entries by.
        time: name of the value that tells when an arc came to be, such as ``last_time``.

    Raises:
        ConfigError: there is no such direction.
        DataError: there is no such value, or a weight is negative or not finite.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> side_of(arcs, "into").degree.tolist(), side_of(arcs, "into").positions(np.array([2])).tolist()
        ([0, 1, 2], [2])
    """
    if direction not in ("out", "into"):
        raise ConfigError(f"no direction {direction!r}", fix="It is 'out' or 'into'.")
    out = direction == "out"
    indptr, neighbors = (arcs.indptr, arcs.targets) if out else (arcs.in_indptr, arcs.sources)
    order = None if out else arcs.in_order

    def value(name: str | None) -> np.ndarray | None:
        if name is None:
            return None
        if name not in arcs.values:
            raise DataError(f"arcs have no value {name!r}", fix=f"They have: {', '.join(arcs.values)}.")
        return arcs.values[name] if out else arcs.values[name][order]

    drawn = value(weight)
    if drawn is not None:
        drawn = drawn.astype(np.float32, copy=False)
        check_weight(drawn, str(weight))
    moments = value(time)
    return Side(indptr, neighbors, order, drawn, None if moments is None else moments.astype(np.int64))


def read_side(
    graph: Arcs | Side, direction: Direction = "out", *, weight: str | None = None, time: str | None = None
) -> Side:
    """What a sampler reads of what it was given: :func:`side_of` a relation, or a side that makes sense.

    Raises:
        ConfigError: there is no such direction.
        DataError: there is no such value, or the side makes no sense or lacks what is asked for.
    """
    if isinstance(graph, Arcs):
        return side_of(graph, direction, weight=weight, time=time)
    for name, asked in (("weight", weight), ("time", time)):
        if asked is not None and getattr(graph, name) is None:
            raise DataError(f"the side has no {name}", fix=f"Make it with {name}=.")
    return graph.checked()


def check_weight(weight: np.ndarray, name: str) -> None:
    """Refuse weights that nothing can be drawn by.

    Raises:
        DataError: one is negative or not finite.
    """
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise DataError(f"{name!r} is negative or not finite for some arc", fix="Drop those arcs first.")
