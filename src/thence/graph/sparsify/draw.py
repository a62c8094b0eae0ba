"""Drawing arcs with known chances, and the weights that make up for those not drawn.

An arc of chance p that is drawn gets the weight w/p, so that its expected weight is w whatever the chances:
sums of weights, cuts and the Laplacian of the sample have those of the whole for expectation (Horvitz &
Thompson 1952).
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import pair_of
from thence.graph.sparsify.structure import structure


def units_of(arcs: Arcs) -> tuple[np.ndarray, int]:
    """What is drawn together: ``[num_arcs]`` ints and how many: arcs, or pairs of an undirected relation."""
    return (np.arange(arcs.num_arcs), arcs.num_arcs) if arcs.directed else pair_of(arcs)


def certain_units(arcs: Arcs, unit: np.ndarray, count: int, keep_structure: bool) -> np.ndarray:
    """``[count]`` bool: units that are kept without being drawn."""
    certain = np.zeros(count, bool)
    if keep_structure:
        certain[unit[structure(arcs)]] = True
    return certain


def budget_left(budget: float, certain: np.ndarray) -> float:
    """How many units may be drawn besides the certain ones.

    Raises:
        ConfigError: the structure alone takes the budget, and arcs that are never drawn could not be made up
            for.
    """
    left = budget - int(certain.sum())
    if left <= 0 and not certain.all():
        raise ConfigError(
            f"the spanning structure alone is {certain.mean():.1%} of the arcs",
            fix="Keep a larger share, or keep no structure.",
        )
    return left


def chances(score: np.ndarray, budget: float) -> np.ndarray:
    """Chances p = min(1, c · score) that add up to a budget.

    Args:
        score: ``[n]`` non-negative; a score of 0 has the chance 0.
        budget: expected number of draws; all of positive score are certain when they are fewer.

    Returns:
        ``[n]`` float64.

    Example:
        >>> chances(np.array([8.0, 1.0, 1.0, 0.0]), 2.0).tolist()
        [1.0, 0.5, 0.5, 0.0]
    """
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    rest = np.cumsum(falling[::-1])[::-1]
    sure = 0
    if budget < np.count_nonzero(score):
        with np.errstate(divide="ignore", invalid="ignore"):
            over = falling * (budget - np.arange(len(score))) >= rest
        sure = int(np.argmin(over)) if not over.all() else len(score)
    else:
        return (score > 0).astype(np.float64)
    p = np.zeros(len(score))
    p[:sure] = 1.0
    p[sure:] = falling[sure:] * ((budget - sure) / rest[sure])
    back = np.empty(len(score))
    back[order] = p
    return back


def drawn(arcs: Arcs, chance: np.ndarray, seed: int, name: str) -> Arcs:
    """Draw each unit independently with its chance, and correct weights.

    Args:
        arcs: the relation.
        chance: ``[units]`` from 0 to 1.
        seed: same seed, same draw.
        name: of the generator.
    """
    unit, count = units_of(arcs)
    hit = generator(seed, "sparsify", name).random(count) < chance
    return corrected(arcs, hit[unit], chance[unit])


def corrected(arcs: Arcs, keep: np.ndarray, chance: np.ndarray) -> Arcs:
    """The arcs at which ``keep`` holds, weights divided by their chance (both ``[num_arcs]``)."""
    weight = arcs.weight.astype(np.float64)
    weight[keep] /= chance[keep]
    return arcs.with_value("weight", weight).select(keep)
