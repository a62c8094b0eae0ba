"""Fan-out sampling: of each node's neighbours at most so many, hop by hop.

Without weights every set of k of a row's d entries is equally likely, and an entry's chance is k / d. With
weights entries are drawn one after another by weight among those left; see ``kernel/weighted`` for the chance.
With times a row holds only what is not later than its seed's time, and each seed has a tree of its own.

References:
    Hamilton, Ying, Leskovec, "Inductive representation learning on large graphs" (GraphSAGE), NeurIPS 2017,
    Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest
from thence.graph.sample.collect import Collector
from thence.graph.sample.kernel.draw import draw_uniform, look_up, shorten, spans
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.weighted import SHORT, accumulate, draw_weighted
from thence.graph.sample.reading import ALL, Graph, Readable, counts, named, num_nodes_of, sides_by_hop
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction, Side

FanOuts = Sequence[int | None] | Mapping[str, Sequence[int | None]]


class FanOut:
    """Draws at most ``fan_out`` neighbours of each node, without replacement.

    Args:
        graph: a relation, or several by name, among the same nodes.
        fan_out: how many neighbours a node keeps in each hop, None for all of them; for several relations
            either the same for each, or by name.
        direction: ``out`` looks at the targets of a node's arcs, ``into`` at the sources of the arcs that lead
            to it; one for all hops or one a hop. Ignored for what is a :class:`Side` already.
        weight: name of the value to draw by; uniform when not given. A :class:`Side` that has weights is drawn
            by them.
        time: name of the value that tells when an arc came to be (of a :class:`Side`, any name for its own);
            ``sample`` then needs ``times``.
        trees: give each seed a neighbourhood of its own (always so with ``time``).
        seed: of the randomness.

    Raises:
        ConfigError: a fan-out is negative or no int, hops differ in number, or a relation is unknown.
        DataError: a weight is negative or not finite, or relations have different nodes.

    Example:
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 0, 0, 1], [1, 2, 3, 3], num_nodes=4)
        >>> sample = FanOut(arcs, [2, 2], direction="into").sample([3])
        >>> sample.nodes.tolist(), sample.row.tolist(), sample.column.tolist()
        ([3, 0, 1], [0, 0, 2], [1, 2, 1])
        >>> FanOut(arcs, [-1])
        Traceback (most recent call last):
        thence.base.errors.ConfigError: a fan-out of -1 is no count. Use 0 or more, or None for all neighbours.
    """

    def __init__(
        self,
        graph: Graph,
        fan_out: FanOuts,
        *,
        direction: Direction | Sequence[Direction] = "out",
        weight: str | None = None,
        time: str | None = None,
        trees: bool = False,
        seed: int = 0,
    ) -> None:
        relations = named(graph)
        self._most = _by_relation(fan_out, relations)
        self._timed, self._trees, self._seed = time is not None, trees or time is not None, index(seed)
        hops = len(next(iter(self._most.values())))
        sides = sides_by_hop(relations, hops, direction, weight=weight, time=time)
        ready = {id(side): _Rows(side, timed=self._timed) for hop in sides for side in hop}
        self._hops = [list(zip(relations, (ready[id(side)] for side in hop), strict=True)) for hop in sides]
        self._num_nodes = num_nodes_of(relations)
        self._expected = 0

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._num_nodes

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """Draw the neighbourhood of some seeds.

        Args:
            seeds: ``[B]`` node ints.
            step: which draw; another step is another, independent draw.
            times: ``[B]`` int64 microseconds UTC: no arc later than its time is seen for a seed.

        Raises:
            DataError: a seed is no node, or times are missing, superfluous or too few.
        """
        roots = seed_array(seeds, self._num_nodes)
        until = self._until(roots, times)
        collector = Collector(roots, self._num_nodes, trees=self._trees, expected=self._expected)
        for hop, relations in enumerate(self._hops):
            nodes, words = collector.frontier, collector.words
            limit = None if until is None else until[collector.trees]
            for number, (name, rows) in enumerate(relations):
                key = key_of(self._seed, step, number)
                most = self._most[name][hop]
                count, entry, scale = rows.draw(nodes, words, key, ALL if most is None else most, limit)
                found = np.empty(len(entry), np.int64)
                look_up(rows.side.neighbors, entry, found)
                collector.add(rows.side, count=count, entry=entry, found=found, scale=scale)
            collector.step()
        sample = collector.finish()
        self._expected = len(roots) + sample.num_arcs
        return sample

    def _until(self, seeds: np.ndarray, times: np.ndarray | None) -> np.ndarray | None:
        if times is None and not self._timed:
            return None
        if times is None or not self._timed:
            said = "no times were given" if times is None else "times were given to a sampler without"
            raise DataError(
                said, fix="Name the arcs' time= when making the sampler, and give times= with seeds."
            )
        until = np.asarray(times)
        if until.shape != seeds.shape or until.dtype.kind not in "iu":
            raise DataError(f"times are {until.dtype} of shape {until.shape} for {len(seeds)} seeds")
        return until.astype(np.int64)


class _Rows:
    """A side made ready to be drawn from."""

    def __init__(self, side: Side, *, timed: bool) -> None:
        self.side = by_time(side) if timed else side
        weight = self.side.weight
        longest = int(self.side.degree.max(initial=0))
        self._total = np.empty(0 if weight is None or longest <= SHORT else len(weight))
        if weight is not None and len(self._total):
            accumulate(self.side.indptr, weight, self._total)

    def draw(
        self, nodes: np.ndarray, words: np.ndarray, key: np.uint64, most: int, until: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count of each node, and entry and scale of what was drawn."""
        begin, length, count = (np.empty(len(nodes), np.int64) for _ in range(3))
        spans(self.side.indptr, nodes, begin, length)
        if until is not None and self.side.time is not None:
            shorten(self.side.time, begin, length, until)
        bound = len(nodes) * most if most < 64 else int(np.minimum(length, most).sum())
        most = min(most, int(length.max(initial=0)))
        entry, scale = np.empty(bound, np.int64), np.empty(bound, np.float32)
        if self.side.weight is not None:
            drawn = (count, entry, scale)
            num = draw_weighted(begin, length, words, key, most, self.side.weight, self._total, drawn)
        else:
            num = draw_uniform(begin, length, words, key, most, (count, entry, scale))
        return count, entry[:num], scale[:num]


def by_time(side: Side) -> Side:
    """The side with each row in the order of time, so that what came until then is a row's beginning."""
    if side.time is None:
        raise DataError("entries have no time to sort by")
    row = np.repeat(np.arange(side.num_nodes, dtype=np.int32), side.degree)
    at = np.lexsort((side.time, row))
    order = at if side.order is None else side.order[at]
    weight = None if side.weight is None else side.weight[at]
    return Side(side.indptr, side.neighbors[at], order, weight, side.time[at])


def _by_relation(fan_out: FanOuts, relations: Mapping[str, Readable]) -> dict[str, tuple[int | None, ...]]:
    if not isinstance(fan_out, Mapping):
        return dict.fromkeys(relations, counts(fan_out))
    for name in fan_out:
        if name not in relations:
            raise ConfigError(f"no relation {name!r}", where="fan_out", fix=nearest(name, relations))
    hops = max((len(most) for most in fan_out.values()), default=0)
    most = {name: counts(fan_out.get(name, [0] * hops)) for name in relations}
    if {len(each) for each in most.values()} != {hops}:
        raise ConfigError(f"hops differ in number: {dict(fan_out)}", fix="Give each relation as many fan-outs.")
    return most
