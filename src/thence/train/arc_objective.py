"""Learning from single arcs: binary cross-entropy between arcs and random pairs that are none.

    L = - mean_{(i,j) arcs} log σ(x_ij) - mean_{(i,j) absent} log(1 - σ(x_ij))
    x_ij = decoder(s_i, t_j) + b_j

This is what graph auto-encoders minimise, and what most directed graph neural networks are judged with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.encode.peer.decode import InnerProduct
from thence.graph import Arcs


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Ordered pairs, arcs first.

    Args:
        source: ``[E]`` node ints.
        target: ``[E]`` node ints.
        num_arcs: how many of them, from the first on, are arcs; the others are absent.
        fold: the part that the arcs are from, which the encoder must not look at; -1 for none.
    """

    source: np.ndarray
    target: np.ndarray
    num_arcs: int
    fold: int = -1


@dataclass(frozen=True, eq=False)
class PairSampler:
    """Draws arcs without replacement, and for each some pairs of different nodes that are no arcs.

    Args:
        arcs: the relation to learn.
        batch_size: arcs in a batch; all of them when there are fewer.
        negatives: absent pairs for each arc.
        seed: of the private generators.
        fold: ``[num_arcs]`` the part of each arc; a step draws from one part, in turn. None draws from all.

    Raises:
        ConfigError: a count is below 1.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> batch = PairSampler(arcs, negatives=2).batch(0)
        >>> batch.num_arcs, len(batch.source), bool(arcs.contains(batch.source[2:], batch.target[2:]).any())
        (2, 6, False)
    """

    arcs: Arcs
    batch_size: int = 65_536
    negatives: int = 1
    seed: int = 0
    fold: np.ndarray | None = None

    def __post_init__(self) -> None:
        if min(self.batch_size, self.negatives) < 1:
            raise ConfigError(f"batch_size={self.batch_size}, negatives={self.negatives}", fix="At least 1.")

    def batch(self, step: int) -> LabelledPairs:
        """The batch of one step, a function of the seed and the step alone."""
        rng = generator(self.seed, "arcs", step)
        part = -1 if self.fold is None else step % (int(self.fold.max(initial=-1)) + 1)
        own = np.arange(self.arcs.num_arcs) if self.fold is None else np.flatnonzero(self.fold == part)
        size = min(self.batch_size, len(own))
        at = own if size == len(own) else np.sort(rng.choice(own, size, replace=False))
        source = np.searchsorted(self.arcs.indptr, at, side="right") - 1
        absent = self._absent(rng, size * self.negatives)
        pairs = np.concatenate([np.stack([source, self.arcs.targets[at].astype(np.int64)]), absent], axis=1)
        return LabelledPairs(pairs[0], pairs[1], size, part)

    def _absent(self, rng: np.random.Generator, num: int) -> np.ndarray:
        """``[2, num]`` random pairs; those that are arcs or loops are drawn again, a few times at most."""
        num_nodes = self.arcs.num_nodes
        pairs = rng.integers(num_nodes, size=(2, num))
        for _ in range(20):
            bad = np.flatnonzero((pairs[0] == pairs[1]) | self.arcs.contains(*pairs))
            if not len(bad):
                return pairs
            pairs[:, bad] = rng.integers(num_nodes, size=(2, len(bad)))
        good = (pairs[0] != pairs[1]) & ~self.arcs.contains(*pairs)
        return pairs[:, good]


@dataclass(frozen=True, eq=False)
class ArcObjective:
    """Binary cross-entropy on a batch of arcs and absent pairs.

    Args:
        sampler: draws the batches.
        decoder: from source and target vectors to scores; the inner product when not given.
    """

    sampler: PairSampler
    decoder: nn.Module | None = None

    def of(self, encoder: nn.Module) -> ArcObjective:
        """The same for one encoder: with its ``decoder``, and drawing from each of its parts in turn."""
        fold = getattr(encoder, "fold", None)
        sampler = self.sampler if fold is None or (fold < 0).any() else replace(self.sampler, fold=fold)
        return replace(self, sampler=sampler, decoder=getattr(encoder, "decoder", None))

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch."""
        u, v = (torch.from_numpy(side).to(source.device) for side in (batch.source, batch.target))
        decode = self.decoder or InnerProduct()
        return arc_loss(decode(source[u], target[v]) + bias[v], batch.num_arcs)


def arc_loss(scores: Tensor, num_arcs: int) -> Tensor:
    """Binary cross-entropy of scores ``[E]`` whose first ``num_arcs`` belong to arcs and the rest to none.

    Example:
        >>> arc_loss(torch.zeros(3), 1).item()  # 2 log 2: chance, on both sides
        1.3862...
    """
    present, absent = scores[:num_arcs], scores[num_arcs:]
    loss = softplus(-present).mean()
    return loss + softplus(absent).mean() if len(absent) else loss
