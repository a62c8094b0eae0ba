"""The ceiling of any recommender on a world: a scorer that ranks by the true probability of what comes next.

The score of i → j is the chance that a buyer of i later buys j, from five sources taken as independent,

    s_ij = 1 - (1 - P_ij) (1 - (PP)_ij) (1 - C_ij) (1 - S_ij) (1 - f(x_ij)):

    P_ij     the arc's probability, times the share of the time in which j is there;
    (PP)_ij  two steps along the arcs;
    C_ij     a common cause, Σ_d r_d P_di P_dj / (2 r_i): the phone behind the case leads to the charger too, in
             either order; r = m₀ w + Pᵀ r are the purchases of each item per customer;
    S_ij     a comparison in the same visit, in either order, when i and j are substitutes;
    f(x_ij)  browsing: each purchase is of j with chance x_ij = q 1{same category} w_j / W_c + (1 - q) w_j, w
             the demand, q the share that taste and visit keep in the category. For a customer with n purchases
             the chance that j is not among those before i but among those after it, averaged over the place of
             i and over purchases, is f(x) = Σ_u [(1 - (1 - x)^n_u) / x - n_u (1 - x)^(n_u - 1)] / Σ_u n_u.

The background is a mean over customers: on it, a method that sees very many customers of few items may come
level with the ceiling. On what the arcs cause it is exact: :meth:`Ceiling.arcs_only`.
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

SURE = 0.999
ROUNDS = 12
GRID = np.geomspace(1e-9, 1.0, 400)


class Ceiling:
    """Scores of a world's truth; a scorer like any other.

    Args:
        truth: the world's truth.
        presence: ``[num_items]`` share of the time in question in which each item is there.
        background: whether comparisons and browsing count, or what the arcs cause alone.
    """

    def __init__(self, truth: Truth, presence: np.ndarray, background: bool = True) -> None:
        self._truth, self._presence, self._weight = truth, presence, float(background)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Ceiling({len(self.ids):,} nodes, {self._truth.arcs.shape[1]:,} arcs)"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self._truth.ids

    def arcs_only(self) -> Ceiling:
        """The same without the background: exact for purchases that follow along arcs."""
        return Ceiling(self._truth, self._presence, background=False)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` float32 of the arcs from each source to every node."""
        rows = np.atleast_1d(np.asarray(sources))
        same = self._truth.category[rows][:, None] == self._truth.category[None, :]
        return self._combine(self._missed[rows], same, *self._demand)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` float32 of the arcs from every node to each target."""
        columns = np.atleast_1d(np.asarray(targets))
        same = self._truth.category[columns][:, None] == self._truth.category[None, :]
        everywhere, inside = (demand[columns][:, None] for demand in self._demand)
        return self._combine(self._missed_into[columns], same, everywhere, inside)

    def _combine(
        self, missed: sp.csr_matrix, same: np.ndarray, everywhere: np.ndarray, inside: np.ndarray
    ) -> np.ndarray:
        """1 - exp(Σ log(1 - chance of each source))."""
        reuse = self._truth.taste_reuse
        chance = reuse * same * inside + (1 - reuse) * everywhere
        browsed = np.interp(np.log(np.maximum(chance, GRID[0])), np.log(GRID), self._first_later)
        return -np.expm1(missed.toarray() + self._weight * np.log1p(-browsed)).astype(np.float32)

    @cached_property
    def _first_later(self) -> np.ndarray:
        """The values of f on the grid."""
        number = np.arange(len(self._truth.browsed))
        bought = number * self._truth.browsed
        table = np.empty(len(GRID))
        for k, x in enumerate(GRID):
            stays = np.log1p(-min(x, SURE))
            inside = -np.expm1(number * stays) / x - number * np.exp((number - 1) * stays)
            table[k] = (self._truth.browsed * inside).sum() / max(bought.sum(), 1)
        return np.clip(table, 0.0, SURE)

    @cached_property
    def _demand(self) -> tuple[np.ndarray, np.ndarray]:
        """Each item's share of purchases by browsing in the whole shop, and inside its category."""
        demand = self._truth.demand * self._presence
        demand = demand / demand.sum()
        total = np.bincount(self._truth.category, demand)[self._truth.category]
        return demand, np.divide(demand, total, out=np.zeros_like(demand), where=total > 0)

    @cached_property
    def _missed(self) -> sp.csr_matrix:
        """The sparse part of Σ log(1 - chance)."""
        truth, count = self._truth, len(self.ids)
        probability = truth.probability * self._presence[truth.arcs[1]]
        one = _sparse(truth.arcs, probability, count)
        parts = [one, one @ one]
        if self._weight:
            mean = np.average(np.arange(len(truth.browsed)), weights=truth.browsed)
            rate = self._demand[0] * mean
            for _ in range(ROUNDS):
                rate = self._demand[0] * mean + one.T @ rate
            inverse = np.divide(0.5, rate, out=np.zeros(count), where=rate > 0)
            parts.append(sp.diags_array(inverse) @ one.T @ sp.diags_array(rate) @ one)
            chance = truth.compare_chance * self._presence[truth.substitutes[1]]
            parts.append(_sparse(truth.substitutes, chance, count))
        total = sp.csr_matrix((count, count))
        for part in parts:
            missed = sp.csr_matrix(part)
            missed.data = np.log1p(-np.minimum(missed.data, SURE))
            total = sp.csr_matrix(total + missed)
        return total

    @cached_property
    def _missed_into(self) -> sp.csr_matrix:
        return sp.csr_matrix(self._missed.T)


def _sparse(pairs: np.ndarray, values: np.ndarray, count: int) -> sp.csr_matrix:
    return sp.csr_matrix((values, (pairs[0], pairs[1])), shape=(count, count))
