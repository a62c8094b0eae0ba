"""Batches of single arcs, each with negatives of its own, for objectives that count arcs one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph import Arcs


@dataclass(frozen=True, eq=False)
class ArcBatch:
    """B arcs, k negatives for each, K that all share, and C pairs of a second relation.

    Args:
        sources: ``[B]`` node ints.
        targets: ``[B]`` node ints.
        position: ``[B]`` where each arc stands in out-order.
        one_way: ``[B]`` bool, the reverse does not exist.
        negatives: ``[B, k]`` node ints, drawn uniformly from all nodes.
        shared: ``[K]`` node ints, drawn uniformly from all nodes.
        beside: ``[2, C]`` arcs of the second relation.
        drawn: ``[K]`` the shared ones as nodes of the graph, in a batch whose nodes are renamed too.
        both_roles: sources are needed as targets too, and targets as sources.
    """

    sources: np.ndarray
    targets: np.ndarray
    position: np.ndarray
    one_way: np.ndarray
    negatives: np.ndarray
    shared: np.ndarray
    beside: np.ndarray
    drawn: np.ndarray
    both_roles: bool = True

    def needs(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct nodes, ascending, needed as sources and as targets."""
        ends = np.concatenate([self.beside.ravel(), *([self.sources, self.targets] if self.both_roles else [])])
        as_targets = [self.targets, self.negatives.ravel(), self.shared, ends]
        return np.unique(np.concatenate([self.sources, ends])), np.unique(np.concatenate(as_targets))

    def renamed(self, nodes: np.ndarray) -> ArcBatch:
        """The batch with each node replaced by its place in ``nodes`` (ascending)."""
        fields = ("sources", "targets", "negatives", "shared", "beside")
        return replace(self, **{name: np.searchsorted(nodes, getattr(self, name)) for name in fields})


@dataclass(frozen=True, eq=False)
class ArcSampler:
    """Draws batches of arcs: every arc once an epoch, in an order that the seed and the epoch give.

    Args:
        arcs: the relation to learn.
        beside: a second relation, of which as large a part is drawn for each batch as of the first.
        batch_size: arcs in a batch (all, when there are fewer).
        negatives: for each arc.
        shared: negatives that the whole batch shares.
        both_roles: whether the objective looks at reverses.
        seed: of the private generators.

    Raises:
        ConfigError: a count is out of range.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)
        >>> batches = [ArcSampler(arcs, batch_size=2).batch(step) for step in range(2)]
        >>> sorted(set(np.concatenate([batch.position for batch in batches]).tolist()))
        [0, 1, 2]
    """

    arcs: Arcs
    beside: Arcs | None = None
    batch_size: int = 1024
    negatives: int = 1
    shared: int = 0
    both_roles: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch_size < 1 or min(self.negatives, self.shared) < 0:
            raise ConfigError(
                f"batch_size={self.batch_size}, negatives={self.negatives}, shared={self.shared}",
                fix="A batch has at least 1 arc; negatives are at least 0.",
            )

    @property
    def steps_per_epoch(self) -> int:
        """Batches after which every arc was seen."""
        return -(-self.arcs.num_arcs // self.batch_size)

    def batch(self, step: int) -> ArcBatch:
        """The batch of one step; the last of an epoch is filled up from the epoch's first."""
        rng = generator(self.seed, "arc batch", step)
        size, num = min(self.batch_size, self.arcs.num_arcs), self.arcs.num_nodes
        epoch, at = divmod(step, self.steps_per_epoch)
        order = _order(self.seed, epoch, self.arcs.num_arcs)
        position = np.sort(np.take(order, np.arange(at * size, (at + 1) * size), mode="wrap")).astype(np.int64)
        sources = np.searchsorted(self.arcs.indptr, position, side="right") - 1
        targets = self.arcs.targets[position].astype(np.int64)
        negatives, shared = rng.integers(num, size=(size, self.negatives)), rng.integers(num, size=self.shared)
        return ArcBatch(
            sources,
            targets,
            position,
            ~self.arcs.contains(targets, sources),
            negatives,
            shared,
            self._pairs(rng, size),
            shared,
            self.both_roles,
        )

    def _pairs(self, rng: np.random.Generator, size: int) -> np.ndarray:
        if self.beside is None or not self.beside.num_arcs:
            return np.empty((2, 0), np.int64)
        share = size * self.beside.num_arcs / self.arcs.num_arcs
        count = int(share) + int(rng.random() < share % 1)
        position = rng.integers(self.beside.num_arcs, size=count)
        source = np.searchsorted(self.beside.indptr, position, side="right") - 1
        return np.stack([source, self.beside.targets[position].astype(np.int64)])


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, num_arcs: int) -> np.ndarray:
    """The order of an epoch."""
    return generator(seed, "arc order", epoch).permutation(num_arcs).astype(np.uint32)
