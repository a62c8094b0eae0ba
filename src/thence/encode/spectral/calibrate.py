"""From a score that ranks to the log odds of an arc, without changing any source's ranking.

    log odds_ij = α_i x_ij + c_i ,    α_i = e^(a + a' z_i) ,    c_i = c · φ(i)

with φ(i) the source's log degrees out and in, learned by logistic regression on hidden arcs against random
pairs and against the reverses of hidden one-way arcs. As α_i > 0 and c_i belong to the source alone, each list
stays as it is; what they add is that scores of different sources, and of an arc and its reverse, can be
compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from thence.base.rng import generator
from thence.graph import Arcs

PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class Odds:
    """What turns a source's scores into log odds.

    Args:
        slope: a and a'.
        offset: c, for a constant, log out-degree and log in-degree.
    """

    slope: tuple[float, float]
    offset: tuple[float, ...]

    def at(self, level: np.ndarray, known: Arcs) -> tuple[np.ndarray, np.ndarray]:
        """α and c of every source, ``[num_nodes]`` float32 each."""
        alpha = np.exp(self.slope[0] + self.slope[1] * level)
        return alpha.astype(np.float32), (facts(known) @ np.array(self.offset)).astype(np.float32)


def facts(known: Arcs) -> np.ndarray:
    """``[num_nodes, 3]``: φ."""
    return np.stack([np.ones(known.num_nodes), np.log1p(known.out_degree), np.log1p(known.in_degree)], axis=1)


def labelled(known: Arcs, hidden: Arcs, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs to learn odds on: ``[2, P]`` nodes, ``[P]`` whether they are arcs, ``[P]`` weights.

    Hidden arcs weigh as much as all pairs that are none; those are half random, half reverses of hidden arcs
    that exist in no direction but theirs.
    """
    rng = generator(seed, "odds")
    arcs = hidden.pairs
    arcs = arcs[:, np.sort(rng.choice(arcs.shape[1], min(PAIRS, arcs.shape[1]), replace=False))]
    drawn = rng.integers(known.num_nodes, size=arcs.shape)
    back = arcs[::-1]
    none = [
        pairs[:, ~(known.contains(*pairs) | hidden.contains(*pairs) | (pairs[0] == pairs[1]))]
        for pairs in (drawn, back)
    ]
    groups = [(arcs, 1.0, 1.0), *((pairs, 0.0, 0.5) for pairs in none if pairs.shape[1])]
    pairs = np.concatenate([group for group, *_ in groups], axis=1)
    sizes = [group.shape[1] for group, *_ in groups]
    label = np.repeat([value for _, value, _ in groups], sizes)
    weight = np.repeat([share / size for (*_, share), size in zip(groups, sizes, strict=True)], sizes)
    return pairs, label, weight


def learn_odds(
    score: np.ndarray, pairs: np.ndarray, label: np.ndarray, weight: np.ndarray, level: np.ndarray, known: Arcs
) -> Odds:
    """Fit the odds.

    Args:
        score: ``[P]`` scores x of the pairs.
        pairs: ``[2, P]``, as :func:`labelled` gives them.
        label: ``[P]``, 1 for arcs.
        weight: ``[P]``.
        level: ``[num_nodes]`` z.
        known: arcs that the scores have seen.
    """
    scale = max(float(np.std(score)), 1e-6)
    x, y, w, z, phi = (
        torch.from_numpy(np.ascontiguousarray(array, np.float64))
        for array in (score / scale, label, weight, level[pairs[0]], facts(known)[pairs[0]])
    )
    unknown = torch.zeros(2 + phi.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([unknown], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logit = torch.exp(unknown[0] + unknown[1] * z) * x + phi @ unknown[2:]
        loss = binary_cross_entropy_with_logits(logit, y, w, reduction="sum") + 1e-4 * unknown.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    found = unknown.detach().numpy()
    return Odds((float(found[0] - np.log(scale)), float(found[1])), tuple(map(float, found[2:])))
