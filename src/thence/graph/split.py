"""Splits of one relation into what a model may see and what it is judged on.

Three ways, because each answers another question:

* :func:`split_arcs` at random, as papers do: which of the missing arcs does the model restore?
* the same with ``leak_free=True``: both directions of a pair fall on the same side. A random split leaves the
  reverse of many test arcs among the train arcs, and repeating the reverse then passes for skill.
* :func:`split_nodes`, cold start: whole nodes are held out, with every arc that touches them.

The default of the house for event logs is neither: it is the temporal split of the log itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.arcs import Arcs

TRAIN, VALID, TEST = 0, 1, 2
Fractions = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ArcSplit:
    """Three relations over the same nodes that share no arc and together are the whole.

    Args:
        train: arcs that a model may see.
        valid: arcs for choosing settings and for early stopping.
        test: arcs to judge on.
    """

    train: Arcs
    valid: Arcs
    test: Arcs

    def __repr__(self) -> str:
        """One line with the counts."""
        return _describe("ArcSplit", self.train, self.valid, self.test)


@dataclass(frozen=True, eq=False)
class NodeSplit:
    """A cold-start split: nodes are divided, and arcs follow their nodes.

    Args:
        train: arcs between two train nodes.
        valid: arcs that touch a validation node and no test node.
        test: arcs that touch a test node.
        part: ``[num_nodes]`` int8, 0 for train, 1 for validation, 2 for test nodes.
    """

    train: Arcs
    valid: Arcs
    test: Arcs
    part: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        return _describe("NodeSplit", self.train, self.valid, self.test)

    def nodes(self, part: int) -> np.ndarray:
        """The node ints of one part (``TRAIN``, ``VALID`` or ``TEST``), ascending."""
        return np.flatnonzero(self.part == part)


def split_arcs(
    arcs: Arcs, fractions: Fractions = (0.75, 0.05, 0.20), seed: int = 0, *, leak_free: bool = False
) -> ArcSplit:
    """Divide arcs at random.

    Args:
        arcs: the relation; it is not changed.
        fractions: shares of train, validation and test arcs; they add up to 1.
        seed: same seed, same split.
        leak_free: keep both directions of a pair on the same side. An undirected relation is always split so.

    Returns:
        Parts whose sizes are the rounded shares, exactly for single arcs and within one arc for pairs.

    Raises:
        ConfigError: the fractions are negative or do not add up to 1.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 1, 2], [1, 0, 2, 3], num_nodes=4)
        >>> split = split_arcs(arcs, (0.5, 0.0, 0.5), seed=1, leak_free=True)
        >>> split.train.num_arcs, split.valid.num_arcs, split.test.num_arcs
        (2, 0, 2)
        >>> bool(split.test.contains(*split.train.pairs[::-1]).any())  # no reverse of a train arc is tested
        False

    References:
        The 75/5/20 protocol: Virinchi et al., "Recommending Related Products Using Graph Neural Networks in
        Directed Graphs", ECML-PKDD 2022, section 5.
    """
    bounds = _bounds(fractions, arcs.num_arcs)
    if leak_free or not arcs.directed:
        low, high = np.sort(arcs.pairs, axis=0)
        _, unit, size = np.unique(low * arcs.num_nodes + high, return_inverse=True, return_counts=True)
    else:
        unit, size = np.arange(arcs.num_arcs), np.ones(arcs.num_arcs, np.int64)
    order = generator(seed, "split", "arcs").permutation(len(size))
    before = np.cumsum(size[order]) - size[order]
    part = np.empty(len(size), np.int8)
    part[order] = np.searchsorted(bounds, before, side="right")
    return ArcSplit(*_divide(arcs, part[unit]))


def split_nodes(arcs: Arcs, fractions: Fractions = (0.75, 0.05, 0.20), seed: int = 0) -> NodeSplit:
    """Divide nodes at random and hide every arc that touches a node that is held out.

    Args:
        arcs: the relation; it is not changed.
        fractions: shares of train, validation and test nodes; they add up to 1.
        seed: same seed, same split.

    Raises:
        ConfigError: the fractions are negative or do not add up to 1.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> split = split_nodes(arcs, (0.75, 0.0, 0.25), seed=0)
        >>> split.train.num_arcs, split.test.num_arcs, len(split.nodes(TEST))  # one cold node, its two arcs
        (2, 2, 1)

    References:
        Cold start, 75/5/20 of the nodes: Virinchi et al., ECML-PKDD 2022, section 5.
    """
    bounds = _bounds(fractions, arcs.num_nodes)
    order = generator(seed, "split", "nodes").permutation(arcs.num_nodes)
    part = np.empty(arcs.num_nodes, np.int8)
    part[order] = np.searchsorted(bounds, np.arange(arcs.num_nodes), side="right")
    return NodeSplit(*_divide(arcs, part[arcs.pairs].max(axis=0)), part=part)


def _bounds(fractions: Fractions, total: int) -> np.ndarray:
    """Where the second and the third part begin, in units of ``total``."""
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1.0, abs_tol=1e-9):
        raise ConfigError(
            f"fractions {tuple(fractions)} are not three shares that add up to 1",
            fix="For example (0.75, 0.05, 0.20).",
        )
    return np.rint(np.cumsum(fractions[:2]) * total).astype(np.int64)


def _divide(arcs: Arcs, part: np.ndarray) -> tuple[Arcs, Arcs, Arcs]:
    return arcs.select(part == TRAIN), arcs.select(part == VALID), arcs.select(part == TEST)


def _describe(name: str, train: Arcs, valid: Arcs, test: Arcs) -> str:
    return f"{name}(train {train.num_arcs:,}, valid {valid.num_arcs:,}, test {test.num_arcs:,} arcs)"
