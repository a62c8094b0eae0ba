"""The latest neighbours: of what a node had met until its seed's time, the last so many arcs, hop by hop.

Nothing is drawn: the same seeds and times give the same sample. PyG calls it ``temporal_strategy="last"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thence.base.errors import DataError
from thence.graph.sample.collect import Collector
from thence.graph.sample.fan_out import by_time
from thence.graph.sample.kernel.draw import look_up, shorten, spans
from thence.graph.sample.reading import ALL, counts
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Side


class Latest:
    """Takes the latest ``fan_out`` arcs of each node that are not later than its seed's time.

    Args:
        sides: by name, with times; arcs of one time are taken from the end of the relation first.
        fan_out: how many arcs a node keeps in each hop, None for all of them, by name of the side.

    Raises:
        ConfigError: a fan-out is negative or no int.
        DataError: a side has no times.

    Example:
        >>> side = Side(np.array([0, 3, 3]), np.array([1, 0, 1], np.int32), time=np.array([5, 9, 7]))
        >>> latest = Latest({"met": side}, {"met": [1]})
        >>> [latest.sample([0], times=np.array([until])).entry.tolist() for until in (4, 6, 8)]
        [[], [0], [1]]
    """

    def __init__(self, sides: Mapping[str, Side], fan_out: Mapping[str, Sequence[int | None]]) -> None:
        self._sides = {name: by_time(side.checked()) for name, side in sides.items()}
        most = {name: [ALL if each is None else each for each in counts(fan_out[name])] for name in sides}
        self._hops = list(zip(*most.values(), strict=True))

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return next(iter(self._sides.values())).num_nodes if self._sides else 0

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """Take the neighbourhood of some seeds, each in a tree of its own.

        Args:
            seeds: ``[B]`` node ints.
            step: without effect.
            times: ``[B]`` int64: no arc later than its time is seen for a seed.

        Raises:
            DataError: a seed is no node, or times are missing or too few.
        """
        roots = seed_array(seeds, self.num_nodes)
        if times is None or np.shape(times) != roots.shape:
            raise DataError("each seed needs a time", fix="Give times= with seeds.")
        collector = Collector(roots, self.num_nodes, trees=True)
        for hop in self._hops:
            nodes, until = collector.frontier, times[collector.trees]
            for side, most in zip(self._sides.values(), hop, strict=True):
                begin, length = (np.empty(len(nodes), np.int64) for _ in range(2))
                spans(side.indptr, nodes, begin, length)
                shorten(_time(side), begin, length, until)
                count = np.minimum(length, most)
                inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
                entry = np.repeat(begin + length - count, count) + inside
                found = np.empty(len(entry), np.int64)
                look_up(side.neighbors, entry, found)
                collector.add(side, count=count, entry=entry, found=found)
            collector.step()
        return collector.finish()


def _time(side: Side) -> np.ndarray:
    assert side.time is not None
    return side.time
