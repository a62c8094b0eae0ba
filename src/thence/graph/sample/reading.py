"""What the samplers share: which sides a sampler reads in which hop, and rows read whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.sample.kernel.draw import draw_uniform, look_up, spans
from thence.graph.sample.side import Direction, Side, read_side

Readable = Arcs | Side
ALL = np.iinfo(np.int64).max
Graph = DiGraph | Readable | Mapping[str, Readable]


def named(graph: Graph) -> dict[str, Readable]:
    """Relations by name, whatever they came as; checked to be among the same nodes.

    Raises:
        DataError: there is none, or they have different nodes.
    """
    if isinstance(graph, DiGraph):
        return dict(graph.relations)
    relations: dict[str, Readable] = dict(graph) if isinstance(graph, Mapping) else {"arcs": graph}
    sizes = {name: arcs.num_nodes for name, arcs in relations.items()}
    if len(set(sizes.values())) != 1:
        raise DataError("relations are not among the same nodes", where=str(sizes), fix="Give at least one.")
    return relations


def counts(fan_out: Sequence[int | None]) -> tuple[int | None, ...]:
    """Fan-outs, checked.

    Raises:
        ConfigError: one is negative or no int.
    """
    for most in fan_out:
        whole = isinstance(most, int | np.integer) and not isinstance(most, bool)
        if most is not None and not (whole and most >= 0):
            raise ConfigError(
                f"a fan-out of {most} is no count", fix="Use 0 or more, or None for all neighbours."
            )
    return tuple(fan_out)


def sides_by_hop(
    graph: Graph,
    hops: int,
    direction: Direction | Sequence[Direction],
    *,
    weight: str | None = None,
    time: str | None = None,
) -> list[list[Side]]:
    """The sides of every relation, hop by hop; each is made once.

    Args:
        graph: a relation, or several by name.
        hops: how many hops.
        direction: one for all hops, or one a hop; ignored for what is a :class:`Side` already.
        weight: name of the value that becomes the weight; for a :class:`Side`, its weight counts as it is.
        time: name of the value that becomes the time, likewise.

    Raises:
        ConfigError: there are more or fewer directions than hops.
        DataError: a weight is negative or not finite, or relations have different nodes.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)
        >>> [[side.degree.tolist() for side in hop] for hop in sides_by_hop(arcs, 2, ["out", "into"])]
        [[[2, 0, 0]], [[0, 1, 1]]]
    """
    relations = named(graph)
    ways: list[Direction] = [direction] * hops if isinstance(direction, str) else list(direction)
    if len(ways) != hops:
        raise ConfigError(f"{len(ways)} directions for {hops} hops", fix="Give one, or one a hop.")
    made: dict[tuple[str, str], Side] = {}
    for way in dict.fromkeys(ways):
        for name, arcs in relations.items():
            made[name, way] = read_side(arcs, way, weight=weight, time=time)
    return [[made[name, way] for name in relations] for way in ways]


def num_nodes_of(graph: Graph) -> int:
    """How many nodes the relations are among."""
    return next(iter(named(graph).values())).num_nodes


def whole_rows(side: Side, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every entry of some rows: how many a row ``[n]``, the entries ``[e]`` and the neighbours ``[e]``, int64.

    Example:
        >>> side = Side(np.array([0, 1, 3]), np.array([1, 0, 1], np.int32))
        >>> [part.tolist() for part in whole_rows(side, np.array([1]))]
        [[2], [1, 2], [0, 1]]
    """
    begin, length, count = (np.empty(len(nodes), np.int64) for _ in range(3))
    spans(side.indptr, nodes, begin, length)
    total = int(length.sum())
    entry, scale = np.empty(total, np.int64), np.empty(total, np.float32)
    most = int(length.max(initial=0))
    draw_uniform(begin, length, nodes, np.uint64(0), most, (count, entry, scale))
    found = np.empty(total, np.int64)
    look_up(side.neighbors, entry, found)
    return count, entry, found


def no_times(times: np.ndarray | None, sampler: str) -> None:
    """Refuse times where a sampler cannot heed them.

    Raises:
        DataError: some were given.
    """
    if times is not None:
        raise DataError(f"{sampler} knows no times", fix="FanOut and Shadow with time= do.")


def at_least(value: int, least: int, what: str) -> int:
    """A count, checked.

    Raises:
        ConfigError: it is no int, or too small.

    Example:
        >>> at_least(-1, 0, "importance")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: importance is -1. It is an int of at least 0.
    """
    try:
        number = least - 1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ConfigError(f"{what} is {value}", fix=f"It is an int of at least {least}.")
    return number


def rows_ascend(relation: Readable) -> bool:
    """Whether every row lists its neighbours in ascending order, each once; always so for :class:`Arcs`."""
    if isinstance(relation, Arcs):
        return True
    falls = np.flatnonzero(np.diff(relation.neighbors) <= 0) + 1
    return bool(np.isin(falls, relation.indptr).all())
