"""Effective-resistance sampling: arcs that hold the graph together stay, redundant ones are thinned.

In the symmetrised graph with Laplacian L the effective resistance of the nodes u and v is

    R(u, v) = (e_u − e_v)ᵀ L⁺ (e_u − e_v)

and an arc of weight w has the leverage w · R: the share of random spanning trees that hold it (for a pair, the
leverages of both arcs together). Arcs are drawn with chances min(1, c · w · R), c set by the share to keep, and
weights divided by them; cuts and quadratic forms of L are then close to those of the whole with the fewest
arcs.

Two estimates of R: ``degree``, 1/d_u + 1/d_v with weighted degrees, is free and within a factor of 1 /
(spectral gap) of R, right where the graph mixes fast (Lovász 1993, corollary 3.3); ``projection`` solves
``projections`` Laplacian systems and has a relative error of about √(2/projections).

References:
    Spielman & Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40(6), 2011, theorem
    1 and section 4. The directions are those of the arcs; only the chances look at the symmetrised graph.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import cg

from thence.base.errors import ConfigError, FitError, nearest
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import pair_of, symmetrised
from thence.graph.sparsify.check import share_asked, sources_of, weights_of
from thence.graph.sparsify.draw import budget_left, certain_units, chances, drawn, units_of

Estimate = Literal["degree", "projection"]
ESTIMATES = ("degree", "projection")
TOLERANCE, STEPS = 1e-4, 1_000


def sample_resistance(
    arcs: Arcs,
    share: float,
    *,
    estimate: Estimate = "degree",
    projections: int = 64,
    seed: int = 0,
    keep_structure: bool = False,
    progress: Progress = silent,
) -> Arcs:
    """Draw arcs by effective resistance; expected weights are the given ones.

    Args:
        arcs: the relation, weights not negative.
        share: expected share of arcs to keep, above 0 and at most 1.
        estimate: ``degree`` or ``projection``.
        projections: how many systems ``projection`` solves.
        seed: same seed, same arcs.
        keep_structure: keep a spanning structure for certain, and draw the rest.
        progress: told after each system solved.

    Raises:
        ConfigError: a setting is unknown or out of range, or the share does not hold the structure.
        DataError: a weight is negative or not finite.
        FitError: a system cannot be solved.

    Example:
        >>> ring = [0, 1, 2, 3], [1, 2, 3, 0]
        >>> sample_resistance(Arcs.from_pairs(*ring, num_nodes=4), 1.0).num_arcs
        4
    """
    share = share_asked(share)
    score = leverage(arcs, estimate=estimate, projections=projections, seed=seed, progress=progress)
    unit, count = units_of(arcs)
    certain = certain_units(arcs, unit, count, keep_structure)
    chance = np.ones(count)
    if not certain.all():
        together = np.bincount(unit, score, minlength=count)
        left = budget_left(share * count, certain)
        chance[~certain] = chances(together[~certain], left)
    return drawn(arcs, chance, seed, "resistance")


def leverage(
    arcs: Arcs,
    *,
    estimate: Estimate = "degree",
    projections: int = 64,
    seed: int = 0,
    progress: Progress = silent,
) -> np.ndarray:
    """The estimated leverage w · R of each arc.

    Returns:
        ``[num_arcs]`` float64, positive where the weight is. ``projection`` gives at most the arc's share of
        its pair's weight, and values that add up to about num_nodes minus the number of components (Foster
        1949).

    Raises:
        ConfigError: the estimate is unknown, or ``projections`` below 1.
        DataError: a weight is negative or not finite.
        FitError: a system cannot be solved.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)  # a path: each arc is in every spanning tree
        >>> leverage(arcs, estimate="projection").round(6).tolist(), leverage(arcs).tolist()
        ([1.0, 1.0], [1.5, 1.5])
    """
    if estimate not in ESTIMATES or projections < 1:
        fix = nearest(str(estimate), ESTIMATES) if estimate not in ESTIMATES else "Give at least 1."
        raise ConfigError(f"estimate={estimate!r}, projections={projections}", fix=fix)
    weight, source = weights_of(arcs), sources_of(arcs)
    degree = np.zeros(arcs.num_nodes)
    for ends in (source, arcs.targets):
        degree += np.bincount(ends, weight, arcs.num_nodes)
    if estimate == "degree":
        inverse = 1.0 / np.where(degree > 0, degree, np.inf)  # 0 where nothing weighs
        return weight * (inverse[source] + inverse[arcs.targets])
    pair, count = pair_of(arcs)
    together = np.bincount(pair, weight, minlength=count)
    resistance = _projected(arcs, pair, together, degree, (projections, seed, progress))
    bounded = np.clip(together * resistance, 1e-6, 1.0)
    return weight * (bounded / np.maximum(together, 1e-300))[pair]


def _projected(
    arcs: Arcs,
    pair: np.ndarray,
    together: np.ndarray,
    degree: np.ndarray,
    how: tuple[int, int, Progress],
) -> np.ndarray:
    """R of each pair as the mean over random signs q of (z_u − z_v)², where L z = Bᵀ W^½ q."""
    projections, seed, progress = how
    first = np.full(len(together), arcs.num_arcs)
    np.minimum.at(first, pair, np.arange(arcs.num_arcs))
    u, v = sources_of(arcs)[first], arcs.targets[first]
    laplacian = sp.diags(degree).tocsr() - symmetrised(arcs, arcs.weight.astype(np.float64))
    inverse = sp.diags(1.0 / np.where(degree > 0, degree, 1.0))
    root, signs = np.sqrt(together), generator(seed, "sparsify", "projection")
    total = np.zeros(len(together))
    for done in range(projections):
        flow = np.where(signs.integers(0, 2, len(root)) == 1, root, -root)
        right = np.bincount(u, flow, arcs.num_nodes) - np.bincount(v, flow, arcs.num_nodes)
        z, failed = cg(laplacian, right, rtol=TOLERANCE, maxiter=STEPS, M=inverse)
        if failed:
            raise FitError(f"a Laplacian system is not solved in {STEPS} steps", fix="Use estimate='degree'.")
        total += (z[u] - z[v]) ** 2
        progress("resistance", done + 1, projections)
    return total / projections
