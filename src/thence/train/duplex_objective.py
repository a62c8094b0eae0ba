"""What DUPLEX minimises: which of four kinds a pair of nodes is, and whether it is tied at all.

    H_ij = Σ_d z_i,d · conj(z_j,d)        P_k ∝ exp(-|H_ij - value_k|)        values i, -i, 1, 0
    L = - mean log P_kind  +  λ · mean BCE(σ(⟨a_i, a_j⟩), [tied])

An arc whose reverse is one too is of the kind ``both``, others are ``forward``; absent pairs are ``reverse``
where their reverse is an arc, else ``neither``. No arcs need be turned round to teach ``reverse``: H_ji is the
conjugate of H_ij, so that the loss of an arc and of its reverse are the same number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from thence.encode.peer.duplex import hermitian, kind_logits
from thence.graph import Arcs
from thence.train.arc_objective import PairSampler

FORWARD, REVERSE, BOTH, NEITHER = range(4)


@dataclass(frozen=True, eq=False)
class DuplexObjective:
    """:func:`duplex_loss` over a batch of arcs and absent pairs.

    Args:
        sampler: draws the batches.
        existence: λ, weight of the second term.

    References:
        Ke, Yu, Li, Zhang, "DUPLEX: Dual GAT for Complex Embedding of Directed Graphs", ICML 2024. There λ may
        fall from epoch to epoch; here it stays.
    """

    sampler: PairSampler
    existence: float = 0.3

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch."""
        kinds = torch.from_numpy(pair_kinds(self.sampler.arcs, batch.source, batch.target)).to(source.device)
        u, v = (torch.from_numpy(side).to(source.device) for side in (batch.source, batch.target))
        return duplex_loss(source[u], target[v], kinds, self.existence)


def pair_kinds(arcs: Arcs, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Of each ordered pair: 0 an arc alone, 1 its reverse alone, 2 both, 3 neither.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)
        >>> pair_kinds(arcs, np.array([1, 2, 0, 0]), np.array([2, 1, 1, 2])).tolist()
        [0, 1, 2, 3]
    """
    along, against = (np.asarray(arcs.contains(*pair), bool) for pair in ((source, target), (target, source)))
    return np.select([along & against, along, against], [BOTH, FORWARD, REVERSE], NEITHER).astype(np.int64)


def duplex_loss(source: Tensor, target: Tensor, kinds: Tensor, existence: float = 0.3) -> Tensor:
    """The loss of pairs.

    Args:
        source: [a, θ] of each pair's source ``[n, 2 · dim]``.
        target: of its target.
        kinds: ``[n]``, as :func:`pair_kinds` gives them.
        existence: λ.

    Example:
        >>> z = torch.tensor([[1.0, torch.pi / 2]]), torch.tensor([[1.0, 0.0]])  # H = i
        >>> right, wrong = (duplex_loss(*z, torch.tensor([kind])).item() for kind in (0, 1))
        >>> right < wrong
        True
    """
    logits = kind_logits(*hermitian(source, target))
    (a, _), (b, _) = (side.chunk(2, dim=-1) for side in (source, target))
    tied = (kinds != NEITHER).to(a.dtype)
    return cross_entropy(logits, kinds) + existence * binary_cross_entropy_with_logits((a * b).sum(-1), tied)
