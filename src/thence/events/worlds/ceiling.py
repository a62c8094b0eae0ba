"""The ceiling of any recommender on a world: a scorer that ranks by the true probability of what comes next.

With P the matrix of arc probabilities, the score of i → j is the chance that a buyer of i goes on to buy j,

    s_ij = 1 - (1 - p_ij) (1 - (P²)_ij) (1 - b_ij),
    b_ij = m · (q · 1{same category} w_j / W_c + (1 - q) w_j),        q = taste² · E Σ share²,

one step along the arcs, two steps, and what the customer buys by browsing anyway: m purchases in the mean, of
which a share q fall into the same category as i through the customer's taste. The background is a mean over
customers and time, so this is the ideal ranking for a log without drift, to that approximation.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.ids import IdMap

if TYPE_CHECKING:
    from thence.events.worlds.truth import Truth


class Ceiling:
    """Scores of a world's truth; a scorer like any other.

    Args:
        truth: the world's truth.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Ceiling({len(self.ids):,} nodes, {self._truth.arcs.shape[1]:,} arcs)"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self._truth.ids

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` float32 of the arcs from each source to every node."""
        rows = np.atleast_1d(np.asarray(sources))
        same = self._truth.category[rows][:, None] == self._truth.category[None, :]
        return self._combine(self._one[rows], self._two[rows], self._background(same, self._weights))

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` float32 of the arcs from every node to each target."""
        columns = np.atleast_1d(np.asarray(targets))
        same = self._truth.category[columns][:, None] == self._truth.category[None, :]
        everywhere, inside = (weight[columns][:, None] for weight in self._weights)
        one, two = self._one_in[columns], self._two_in[columns]
        return self._combine(one, two, self._background(same, (everywhere, inside)))

    def _combine(self, one: sp.csr_matrix, two: sp.csr_matrix, background: np.ndarray) -> np.ndarray:
        missed = (1 - np.minimum(one.toarray(), 1)) * (1 - np.minimum(two.toarray(), 1)) * (1 - background)
        return (1 - missed).astype(np.float32)

    def _background(self, same: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        everywhere, inside = weights
        reuse = self._truth.taste_reuse
        bought = self._truth.browsed_purchases * (reuse * same * inside + (1 - reuse) * everywhere)
        return 1 - np.exp(-bought)

    @cached_property
    def _weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Each item's share of views in the whole shop, and inside its category."""
        weight = self._truth.popularity
        total = np.bincount(self._truth.category, weight)[self._truth.category]
        return weight, np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)

    @cached_property
    def _one(self) -> sp.csr_matrix:
        count = len(self.ids)
        return sp.csr_matrix((self._truth.probability, tuple(self._truth.arcs)), shape=(count, count))

    @cached_property
    def _two(self) -> sp.csr_matrix:
        return sp.csr_matrix(self._one @ self._one)

    @cached_property
    def _one_in(self) -> sp.csr_matrix:
        return sp.csr_matrix(self._one.T)

    @cached_property
    def _two_in(self) -> sp.csr_matrix:
        return sp.csr_matrix(self._two.T)
