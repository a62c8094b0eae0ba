"""Which pairs come together more often than by chance, and how sure that is.

A pair that is seen n times where chance alone would show it E times has a rate λ, n ~ Poisson(λ E). Most pairs
have a rate near one, few a far higher one; over all pairs rates follow a mixture of two gamma distributions,

    λ ~ (1 - π) Gamma(a₀, b₀) + π Gamma(a₁, b₁),     a₀ / b₀ < a₁ / b₁ ,

fitted to the pairs that are seen at all. ``sure`` is the share of the upper one given n and E. It is the
gamma-Poisson shrinker (DuMouchel, "Bayesian data mining in large frequency tables", The American Statistician
1999, eq. 4 and 7), here for counts truncated at zero. With all numbers free the likelihood has several tops and
the two change places, so the lower one keeps a mean near one and the upper one the shape a₁ = 2. Chance knows
kinds: with W_cd the sightings between kinds c and d,

    E_ij = out_i in_j · W_cd / (out_c in_d) .
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from thence.base.rng import generator
from thence.encode.baseline.backed_off import kinds
from thence.graph import Arcs

PAIRS = 100_000
SHAPES, MEANS, ABOVE, SHARES = (0.5, 50.0), (0.3, 2.0), (2.0, 50.0), (1e-6, 0.3)
"""Bounds: shape and mean of the lower distribution, mean of the upper one, and the upper one's share."""
SHAPE = 2.0
"""Shape of the upper distribution."""
STARTS = ((1.0, 0.0, 2.5, -4.0), (1.0, 0.0, 3.5, -6.0))


@dataclass(frozen=True)
class Mixture:
    """Two gamma distributions of rates.

    Args:
        background: shape and rate of the lower one.
        signal: shape and rate of the upper one.
        share: of all pairs whose rate is from the upper one.
    """

    background: tuple[float, float]
    signal: tuple[float, float]
    share: float

    def sure(self, seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """How likely it is that a pair's rate is from the upper distribution.

        Args:
            seen: ``[n]`` counts.
            expected: ``[n]`` counts by chance, positive.

        Example:
            >>> one = Mixture((5.0, 5.0), (2.0, 0.1), 0.01)
            >>> often, once = one.sure(np.array([8.0, 1.0]), np.array([0.5, 0.5]))
            >>> bool(often > 0.9 > 0.1 > once)
            True
        """
        low = np.log1p(-self.share) + log_count(seen, expected, *self.background)
        high = np.log(self.share) + log_count(seen, expected, *self.signal)
        return 1 / (1 + np.exp(np.clip(low - high, -700, 700)))


def log_count(seen: np.ndarray, expected: np.ndarray, shape: float, rate: float) -> np.ndarray:
    """Log probability of counts whose rate is gamma distributed: negative binomial.

    Example:
        >>> every = log_count(np.arange(200.0), np.full(200, 2.0), 1.5, 0.5)
        >>> round(float(np.exp(every).sum()), 6)
        1.0
    """
    from scipy.special import gammaln

    part = gammaln(shape + seen) - gammaln(shape) - gammaln(seen + 1)
    return part + shape * np.log(rate / (rate + expected)) + seen * np.log(expected / (rate + expected))


def fit_mixture(seen: np.ndarray, expected: np.ndarray, *, seed: int = 0) -> Mixture:
    """The mixture under which counts of pairs that are seen at least once are most likely.

    Args:
        seen: ``[n]`` counts, at least 1.
        expected: ``[n]`` counts by chance, positive.
        seed: of the draw of pairs where there are very many.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> by_chance, led = rng.uniform(0.05, 0.5, 40_000), np.arange(40_000) < 800
        >>> seen = rng.poisson(np.where(led, 20.0, 1.0) * by_chance)
        >>> there = seen > 0
        >>> sure = fit_mixture(seen[there], by_chance[there]).sure(seen[there], by_chance[there])
        >>> bool(led[there][sure > 0.5].mean() > 0.8)
        True
    """
    from scipy.optimize import minimize

    some = generator(seed, "chance").permutation(len(seen))[:PAIRS]
    n, e = np.asarray(seen, np.float64)[some], np.maximum(np.asarray(expected, np.float64)[some], 1e-9)

    def cost(x: np.ndarray) -> float:
        a0, b0, a1, b1, share = _unpacked(x)
        low, high = np.log1p(-share), np.log(share)
        shown = np.logaddexp(low + log_count(n, e, a0, b0), high + log_count(n, e, a1, b1))
        none = np.logaddexp(low + a0 * np.log(b0 / (b0 + e)), high + a1 * np.log(b1 / (b1 + e)))
        return float(-(shown - np.log(np.maximum(-np.expm1(none), 1e-300))).mean())

    settings = {"maxiter": 1000, "xatol": 1e-3, "fatol": 1e-6}
    runs = [minimize(cost, start, method="Nelder-Mead", options=settings) for start in STARTS]
    a0, b0, a1, b1, share = _unpacked(min(runs, key=lambda run: run.fun).x)
    return Mixture((a0, b0), (a1, b1), share)


def expected(arcs: Arcs, kind: np.ndarray) -> np.ndarray:
    """``[num_arcs]`` how often each arc would be seen by chance.

    Args:
        arcs: weighted by sightings.
        kind: ``[num_nodes]`` code of each node's kind, -1 for none.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [2, 3, 2], num_nodes=4, weight=[1.0, 1.0, 2.0])
        >>> expected(arcs, np.zeros(4, np.int64)).tolist()  # out 2 and 2, in 3 and 1, of 4
        [1.5, 0.5, 1.5]
    """
    size = int(kind.max(initial=-1)) + 2
    code = np.where(kind < 0, size - 1, kind)
    source, target = arcs.pairs
    weight = arcs.weight.astype(np.float64)
    out, into = (np.bincount(end, weight, arcs.num_nodes) for end in (source, target))
    one, other = code[source], code[target]
    between = sp.csr_matrix((weight, (one, other)), (size, size))
    led, followed = np.asarray(between.sum(axis=1)).ravel(), np.asarray(between.sum(axis=0)).ravel()
    pair = np.asarray(between[one, other]).ravel()
    return out[source] * into[target] * pair / np.maximum(led[one] * followed[other], 1e-300)


def sure_arcs(arcs: Arcs, kind: np.ndarray, *, seed: int = 0) -> Arcs:
    """Arcs weighted by how sure it is that they are seen more often than by chance.

    Args:
        arcs: weighted by sightings, each at least 1.
        kind: ``[num_nodes]`` code of each node's kind, -1 for none.
        seed: of the draw of pairs where there are very many.

    Example:
        >>> sure_arcs(Arcs.from_pairs([], [], num_nodes=3), np.zeros(3, np.int64)).num_arcs
        0
    """
    if not arcs.num_arcs:
        return arcs
    by_chance = np.maximum(expected(arcs, kind), 1e-9)
    mixture = fit_mixture(arcs.weight, by_chance, seed=seed)
    return arcs.with_value("weight", mixture.sure(arcs.weight.astype(np.float64), by_chance).astype(np.float32))


def wider_kinds(nodes: pa.Table | None, num_nodes: int) -> np.ndarray:
    """``[num_nodes]`` code of the level above each node's category, of the category where there is none.

    Example:
        >>> table = pa.table({"category": ["Shop > Phones > Smart", "Shop > Phones > Cases", "Garden", None]})
        >>> wider_kinds(table, 4).tolist()
        [1, 1, 2, 0]
    """
    if nodes is None or "category" not in nodes.column_names:
        return np.zeros(num_nodes, np.int64)
    paths = nodes["category"].cast(pa.string()).to_pylist()
    above = [None if path is None else path.rpartition(">")[0].strip() or path for path in paths]
    return kinds(pa.table({"level": pa.array(above, pa.string())}), ("level",), num_nodes)


def _unpacked(x: np.ndarray) -> tuple[float, float, float, float, float]:
    """Shapes and rates of both distributions and the share, from four unbounded numbers."""
    odds = np.exp(np.clip(x, -30, 30))
    shape, mean, above = (
        float(np.clip(v, *ends)) for v, ends in zip(odds, (SHAPES, MEANS, ABOVE), strict=False)
    )
    return shape, shape / mean, SHAPE, SHAPE / above, float(np.clip(odds[3] / (1 + odds[3]), *SHARES))
