"""Whom an encoder looks at: the neighbourhood of each node in each role, drawn afresh when it is asked for.

A relation gives two sparse matrices: ``out`` leads a source to targets, ``into`` a target to sources. Kinds:

- ``strongest``: the largest damped shares (:func:`~thence.encode.propagate.neighborhoods`); nothing is drawn.
- ``uniform``: up to k neighbours, every one alike.
- ``weighted``: up to k neighbours, drawn by e(u → v) = d_out(u) · d_in(v).
- ``radius``: as uniform, and a node of fewer than k neighbours fills up with what restarting walks visit most.
- ``adaptive``: all that a degree can decide: a budget from the power law fitted to the degrees, chances by
  e(u → v) where there are more neighbours than that, and walks where there are fewer.

Walks keep to their role. ``along``: a source goes on along the arcs, u → v → w, to what follows what follows
it; a target against them. ``alternate``: there and back in turn, u → v ← x → w, to what those lead to who share
a target with it (the double cover, :func:`~thence.graph.sample.roles.roles_side`); only nodes of the right role
are kept.

References:
    Virinchi, Saladi, "BLADE: biased neighborhood sampling based graph neural network for directed graphs",
    WSDM 2023, reconstructed: its formulas are not public.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError, nearest
from thence.base.rng import derive_seed
from thence.encode.propagate import neighborhoods
from thence.graph import Arcs
from thence.graph.sample import FanOut, NeighborSampler
from thence.graph.sample.adaptive import Adaptive, Reach
from thence.graph.sample.roles import roles_side

Kind = Literal["strongest", "uniform", "weighted", "radius", "adaptive"]
KINDS: tuple[Kind, ...] = ("strongest", "uniform", "weighted", "radius", "adaptive")
Pair = tuple[sp.csr_matrix, sp.csr_matrix]


@dataclass(frozen=True)
class Neighborhood:
    """Which neighbours a node looks at.

    Args:
        kind: see the module.
        fan_out: k, how many at most.
        least: the budget of a node with one neighbour (``adaptive`` alone); k for all when not given.
        combine: ``mean``: rows sum to one; ``sum``: a direct neighbour counts 1.
        far: what a node found by a walk counts beside a direct neighbour, on average over its row; from 0 to 1.
        walk: ``along`` or ``alternate``.
        reach: how walks go.
        power: how strongly common neighbours are damped (``strongest`` alone).

    Raises:
        ConfigError: there is no such kind, way of walking or of combining, or a number is out of range.

    Example:
        >>> Neighborhood(kind="adaptiv")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no kind 'adaptiv'. Did you mean 'adaptive'?
    """

    kind: Kind = "adaptive"
    fan_out: int = 32
    least: int | None = None
    combine: Literal["mean", "sum"] = "mean"
    far: float = 0.5
    walk: Literal["along", "alternate"] = "along"
    reach: Reach = field(default_factory=Reach)
    power: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"no kind {self.kind!r}", fix=nearest(self.kind, KINDS))
        if self.combine not in ("mean", "sum") or self.walk not in ("along", "alternate"):
            raise ConfigError(
                f"combine={self.combine!r}, walk={self.walk!r}", fix="mean or sum; along or alternate."
            )
        if self.fan_out < 1 or not 0 <= self.far <= 1 or not 0 <= (self.least or 0) <= self.fan_out:
            raise ConfigError(
                f"out of range: {self}",
                fix="fan_out is at least 1, far from 0 to 1, least from 0 to fan_out.",
            )


class Neighborhoods:
    """Draws the neighbourhoods of every node of a relation; the same seed and step give the same.

    Args:
        arcs: the relation.
        settings: which neighbours.
        seed: of what is drawn.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)  # 0 → 1 → 2
        >>> near = Neighborhoods(path, Neighborhood("uniform", fan_out=2))
        >>> out, into = near.draw(0)
        >>> out.toarray().tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
        >>> far = Neighborhoods(path, Neighborhood("radius", fan_out=2, far=0.25, combine="sum"))
        >>> out, into = far.draw(0)  # 0 looks beyond 1 at 2, and as a target 2 beyond 1 at 0
        >>> out.toarray()[0].tolist(), into.toarray()[2].tolist()
        ([0.0, 1.0, 0.25], [0.25, 1.0, 0.0])
    """

    def __init__(self, arcs: Arcs, settings: Neighborhood, *, seed: int = 0) -> None:
        self.settings, self._arcs = settings, arcs
        self._fixed = self._strongest() if settings.kind == "strongest" else None
        self._drawn: list[NeighborSampler] = []
        if self._fixed is None and self._alternates:
            self._drawn = [self._sampler("roles", seed)]
        elif self._fixed is None:
            self._drawn = [self._sampler(way, seed) for way in ("out", "into")]

    @property
    def redrawn(self) -> bool:
        """Whether another step gives other neighbourhoods."""
        return self._fixed is None

    def draw(self, step: int = 0) -> Pair:
        """Matrices ``out`` and ``into``, both ``[num_nodes, num_nodes]`` float32.

        Args:
            step: which draw; another step is another, independent draw.
        """
        if self._fixed is not None:
            return self._fixed
        num = self._arcs.num_nodes
        if not self._alternates:
            out, into = (self._matrix(sampler, num, step) for sampler in self._drawn)
            return out, into
        both = self._matrix(self._drawn[0], 2 * num, step)
        return sp.csr_matrix(both[:num, num:]), sp.csr_matrix(both[num:, :num])

    @property
    def _alternates(self) -> bool:
        return self.settings.walk == "alternate" and self.settings.kind in ("radius", "adaptive")

    def _sampler(self, way: Literal["out", "into", "roles"], seed: int) -> NeighborSampler:
        own, k = self.settings, [self.settings.fan_out]
        graph = roles_side(self._arcs) if way == "roles" else self._arcs
        direction = "out" if way == "roles" else way
        seed = derive_seed(seed, "neighborhood", way)
        if own.kind == "uniform":
            return FanOut(graph, k, direction=direction, seed=seed)
        return Adaptive(
            graph,
            k,
            direction=direction,
            by_score=own.kind in ("weighted", "adaptive"),
            least=own.least if own.kind == "adaptive" else None,
            reach=own.reach if own.kind in ("radius", "adaptive") else None,
            seed=seed,
        )

    def _strongest(self) -> Pair:
        pair = neighborhoods(self._arcs, fan_out=self.settings.fan_out, power=self.settings.power)
        return pair if self.settings.combine == "mean" else (_ones(pair[0]), _ones(pair[1]))

    def _matrix(self, sampler: NeighborSampler, num: int, step: int) -> sp.csr_matrix:
        """One draw for every node: locals are the nodes themselves, and rows ascend."""
        sample = sampler.sample(np.arange(num), step=step)
        far = sample.entry < 0
        value = np.ones(sample.num_arcs, np.float32)
        count = np.bincount(sample.row[far], minlength=num)
        value[far] = self.settings.far * sample.scale[far] * count[sample.row[far]]
        row, column = sample.row, sample.column
        if self._alternates:  # a source looks at targets, a target at sources
            right = (row < num // 2) != (column < num // 2)
            row, column, value = row[right], column[right], value[right]
        if self.settings.combine == "mean":
            value /= np.maximum(np.bincount(row, value, num), 1e-12)[row].astype(np.float32)
        indptr = np.zeros(num + 1, np.int64)
        np.cumsum(np.bincount(row, minlength=num), out=indptr[1:])
        return sp.csr_matrix((value, column, indptr), shape=(num, num))


def crossing(pair: Pair) -> sp.csr_matrix:
    """``[2n, 2n]`` over both roles: sources look at targets, targets at sources, as a directed relation says.

    Row i is node i as a source, row n + i as a target.

    Example:
        >>> out, into = Neighborhoods(Arcs.from_pairs([0], [1], num_nodes=2), Neighborhood("uniform")).draw()
        >>> [pair.tolist() for pair in crossing((out, into)).nonzero()]  # source 0 at target 1 and back
        [[0, 3], [3, 0]]
    """
    out, into = pair
    return sp.csr_matrix(sp.bmat([[None, out], [into, None]], format="csr"))


def beside(pair: Pair) -> sp.csr_matrix:
    """``[2n, 2n]`` over both roles: sources look at sources, targets at targets, as co-views say it.

    Example:
        >>> pair = Neighborhoods(Arcs.from_pairs([0], [1], num_nodes=2), Neighborhood("uniform")).draw()
        >>> [pair.tolist() for pair in beside(pair).nonzero()]
        [[0, 3], [1, 2]]
    """
    return sp.csr_matrix(sp.bmat([[pair[0], None], [None, pair[1]]], format="csr"))


def _ones(matrix: sp.csr_matrix) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
