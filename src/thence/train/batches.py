"""Batches of sources with their arcs and with candidates to tell the arcs from.

A batch is a function of the seed and the step alone: a resumed run draws what the uninterrupted one would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from thence.base.errors import DataError
from thence.base.rng import generator
from thence.graph import Arcs


@dataclass(frozen=True, eq=False)
class Batch:
    """B sources, E of their arcs, and C candidates that all of them are scored against.

    Args:
        sources: ``[B]`` node ints.
        row: ``[E]`` which source an arc belongs to, ``0 … B-1``.
        position: ``[E]`` where each arc stands in out-order.
        targets: ``[E]`` node ints.
        share: ``[E]`` the arc's share of its source's arcs; sums to 1 for each source.
        candidates: ``[C]`` distinct node ints, ascending; all targets are among them.
        column: ``[E]`` where each arc's target stands among the candidates.
        log_weight: ``[C]`` what to add to a candidate's score in a softmax's denominator so that the sum over
            the sample is an unbiased estimate of the sum over all nodes: 0 where all nodes are candidates, -inf
            for one that stands here only because it is some source's target.
    """

    sources: np.ndarray
    row: np.ndarray
    position: np.ndarray
    targets: np.ndarray
    share: np.ndarray
    candidates: np.ndarray
    column: np.ndarray
    log_weight: np.ndarray


class Sampler(Protocol):
    """What draws batches; the same step must always give the same batch, or a resumed run is another run."""

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        ...


@dataclass(frozen=True, eq=False)
class BatchSampler:
    """Draws batches of distinct sources, each with probability ∝ (weight of its arcs)^``source_power``.

    Args:
        arcs: the relation to learn.
        batch_size: sources in a batch (all that have arcs, when there are fewer).
        source_power: 1 draws sources as often as they occur, 0 all alike.
        weight_power: arcs count by weight^power within their source; above 1 trusts the strong ones more.
        candidates: 0 scores against all nodes; else this many are drawn, half of them uniformly and half by
            how often they are a target, and weighted back (log-Q correction, Bengio & Senécal 2008).
        seed: of the private generators.

    Raises:
        DataError: a weight is negative, or none is positive.
    """

    arcs: Arcs
    batch_size: int = 512
    source_power: float = 0.5
    weight_power: float = 1.0
    candidates: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        weight = self.arcs.weight
        if (weight < 0).any() or not (weight > 0).any():
            raise DataError(
                "arcs to learn from need weights above 0", where=repr(self.arcs), fix="Drop the others."
            )

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        rng = generator(self.seed, "batch", step)
        sources = self._sources(rng)
        row, position = rows_of(self.arcs, sources)
        targets = self.arcs.targets[position].astype(np.int64)
        share = self.arcs.weight[position].astype(np.float64) ** self.weight_power
        share /= np.bincount(row, weights=share, minlength=len(sources))[row]
        if not self.candidates:
            everyone = np.arange(self.arcs.num_nodes)
            return Batch(sources, row, position, targets, share, everyone, targets, np.zeros(len(everyone)))
        drawn, rate = self._draw(rng)
        candidates, at = np.unique(np.concatenate([drawn, targets]), return_inverse=True)
        times = np.bincount(at[: len(drawn)], minlength=len(candidates))
        with np.errstate(divide="ignore"):
            log_weight = np.log(times) - np.log(rate[candidates])
        return Batch(sources, row, position, targets, share, candidates, at[len(drawn) :], log_weight)

    @cached_property
    def _mass(self) -> np.ndarray:
        return np.bincount(self.arcs.pairs[0], weights=self.arcs.weight, minlength=self.arcs.num_nodes)

    def _sources(self, rng: np.random.Generator) -> np.ndarray:
        mass = self._mass
        keys = np.full(len(mass), -np.inf)
        alive = mass > 0
        keys[alive] = self.source_power * np.log(mass[alive]) + rng.gumbel(size=int(alive.sum()))
        size = min(self.batch_size, int(alive.sum()))
        return np.sort(np.argpartition(-keys, size - 1)[:size])

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Candidates, drawn with replacement, and ``[num_nodes]`` how often each is expected among them."""
        num_nodes, half = self.arcs.num_nodes, self.candidates // 2
        popular = self.arcs.targets[rng.integers(self.arcs.num_arcs, size=half)].astype(np.int64)
        drawn = np.concatenate([popular, rng.integers(num_nodes, size=self.candidates - half)])
        return drawn, half * self.arcs.in_degree / self.arcs.num_arcs + (self.candidates - half) / num_nodes


def rows_of(arcs: Arcs, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All arcs of some sources: which source each belongs to, and its position in out-order.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 2], [1, 2, 1], num_nodes=3)
        >>> row, position = rows_of(arcs, np.array([2, 0]))
        >>> row.tolist(), arcs.targets[position].tolist()
        ([0, 1, 1], [1, 1, 2])
    """
    begin, length = arcs.indptr[sources], arcs.indptr[sources + 1] - arcs.indptr[sources]
    row = np.repeat(np.arange(len(sources)), length)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    return row, begin[row] + offset
