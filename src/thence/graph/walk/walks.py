"""Random walks: along arcs, against them, or out and back in turn; with restart; by weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed
from thence.graph.arcs import Arcs
from thence.graph.sample.sample import seed_array
from thence.graph.sample.side import Direction, Side, side_of
from thence.graph.walk.kernel.steps import running_sums, walk_rows
from thence.graph.walk.rows import in_order, kernel_array, share, side_for, whole

WALKS_AT_A_TIME = 4096


class Walker:
    """Walks over one relation or a mixture of some. The same seed, step and start give the same walks.

    A step from u chooses among the arcs that are read at u, each alike or in proportion to its weight. With
    ``restart`` c, a walk jumps back to its start with probability c instead of a step, and also from a node
    without arcs. Without it, a walk stops there: the rest of its row is -1.

    A walk depends on (seed, step, its start, its number) alone: not on the other starts, nor on the threads. A
    start that is given twice walks the same way twice; ask for ``num_walks`` to have several.

    Args:
        relation: the arcs, or a side of a mixture.
        direction: ``out``: along the arcs; ``into``: against them.
        alternate: every second step after a start goes the other way (out, into, out, … ), which leads from
            a source to its targets' other sources, as the walks of NERD do (Khosla, Leonhardt, Nejdl, Anand,
            "Node representation learning for directed graphs", ECML 2019).
        restart: chance to jump back to the start, below 1.
        weight: the value by which an arc is chosen; every arc alike when not given. It costs 8 bytes an arc (16
            with ``alternate``), and O(log degree) a step.
        seed: of the randomness.
        threads: at once at most; all processors when not given.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or a weight is negative or not finite.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 3], [1, 2, 2], num_nodes=4)
        >>> Walker(arcs).walk([0, 3], 3).tolist()
        [[0, 1, 2, -1], [3, 2, -1, -1]]
        >>> Walker(arcs, direction="into").walk([1], 2).tolist()
        [[1, 0, -1]]
        >>> sorted(set(Walker(arcs, alternate=True).walk([1], 2, num_walks=20)[:, 2].tolist()))
        [1, 3]
    """

    def __init__(
        self,
        relation: Arcs | Side,
        *,
        direction: Direction = "out",
        alternate: bool = False,
        restart: float = 0.0,
        weight: str | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.restart, self._seed, self._threads = share("restart", restart, zero=True), seed, threads
        side = side_for(relation, direction, weight)
        self.num_nodes, self._even = side.num_nodes, _arrays(side)
        self._odd = self._even
        if alternate:
            if not isinstance(relation, Arcs):
                raise ConfigError("a side has one direction", fix="Give the arcs to walk out and back in turn.")
            other = side_of(relation, "into" if direction == "out" else "out", weight=weight)
            self._odd = _arrays(other)

    def walk(
        self, seeds: np.ndarray | Sequence[int], length: int, *, num_walks: int = 1, step: int = 0
    ) -> np.ndarray:
        """Walk from each seed.

        Args:
            seeds: ``[B]`` node ints.
            length: steps of a walk.
            num_walks: walks from each seed.
            step: another step is another, independent draw.

        Returns:
            ``[B · num_walks, length + 1]`` int32; a row begins with its seed, the walks of a seed stand one
            after another; -1 after the end of a walk that stopped.

        Raises:
            DataError: a seed is no node.
            ConfigError: ``length`` is negative, or ``num_walks`` below 1.
        """
        length, num_walks = whole("length", length, 0), whole("num_walks", num_walks, 1)
        seeds = seed_array(seeds, self.num_nodes)
        walks = np.empty((len(seeds) * num_walks, length + 1), np.int32)
        base = np.uint64(derive_seed(self._seed, "walk", step))

        def work(begin: int, end: int) -> None:
            rows = walks[begin * num_walks : end * num_walks]
            walk_rows(self._even, self._odd, seeds[begin:end], base, num_walks, self.restart, rows)

        in_order(work, len(seeds), max(1, WALKS_AT_A_TIME // num_walks), self._threads)
        return walks


def _arrays(side: Side) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A side as the kernel takes it, with running sums of the weights instead of these."""
    indptr = kernel_array(side.indptr)
    sums = None if side.weight is None else running_sums(indptr, kernel_array(side.weight, np.float32))
    return indptr, kernel_array(side.neighbors), kernel_array(sums, np.float64)
