"""Ordered pairs of nodes, counted: what every relation comes down to.

A pair is one int64 while the engine counts it, source · 2³² + target: groups of one number take half the time
and memory of groups of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SHIFT = 32
TARGET = (1 << SHIFT) - 1


@dataclass(frozen=True, eq=False)
class Pairs:
    """Ordered pairs, each once, in no particular order.

    Args:
        source: ``[num_pairs]`` int32 nodes.
        target: ``[num_pairs]`` int32 nodes.
        support: ``[num_pairs]`` int32, how often the pair was seen.
        last_time: ``[num_pairs]`` int64, when last, in microseconds UTC.
    """

    source: np.ndarray
    target: np.ndarray
    support: np.ndarray
    last_time: np.ndarray

    def mirrored(self) -> Pairs:
        """Every pair in both orders, with the same numbers.

        Example:
            >>> once = Pairs(*(np.array([n]) for n in (3, 5, 2, 1_000_000)))
            >>> once.mirrored().source.tolist(), once.mirrored().target.tolist()
            ([3, 5], [5, 3])
        """
        return Pairs(
            np.concatenate([self.source, self.target]),
            np.concatenate([self.target, self.source]),
            np.tile(self.support, 2),
            np.tile(self.last_time, 2),
        )


def pair_of(source: Any, target: Any) -> Any:
    """The int64 expression that stands for an ordered pair of int expressions."""
    return source.cast("int64") * (1 << SHIFT) + target


def count_pairs(seen: Any, *, min_support: int) -> Pairs:
    """Count sightings of pairs.

    Args:
        seen: a table with one row a sighting: ``pair`` (see :func:`pair_of`) and ``time`` (µs UTC).
        min_support: pairs that were seen fewer times are left out.
    """
    counted = seen.group_by("pair").agg(support=seen.count(), last_time=seen.time.max())
    return fetch_pairs(counted.filter(counted.support >= min_support))


def fetch_pairs(counted: Any) -> Pairs:
    """Pairs from a table of ``pair``, ``support`` and ``last_time``, each pair once."""
    table = counted.select("pair", "last_time", support=counted.support.cast("int32")).to_pyarrow()
    pair = table["pair"].to_numpy()
    return Pairs(
        (pair >> SHIFT).astype(np.int32),
        (pair & TARGET).astype(np.int32),
        table["support"].to_numpy(),
        table["last_time"].to_numpy(),
    )
