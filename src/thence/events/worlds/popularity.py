"""How often each item is looked at by browsing: a Zipf law, drift from week to week, and launch dates.

    w_i(week) = rank_i^-a · r_i · exp(drift · z_i · (week / weeks - ½)) · 1{launched}

where r_i is 1 for devices and ``stray`` for accessories and consumables, and z_i ~ N(0, 1). An item is drawn
from the whole shop, or from one category with the category drawn by its weight; both ways give the same
marginal, so taste moves *who* looks at an item and never *how often* it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.catalogue import DEVICE, Catalogue
from thence.events.worlds.config import DAY, WorldConfig

WEEK = 7 * DAY
COLD_FROM, COLD_UNTIL = 0.6, 1.2


@dataclass(frozen=True, eq=False, repr=False)
class Popularity:
    """Weights of the items over time.

    Args:
        rank: ``[num_items]`` from 1, the order of the Zipf law.
        weight: ``[num_items]`` rank^-a · r, adding up to 1; without drift and launches.
        launch_time: ``[num_items]`` int64 microseconds; the start of the log for items that were there.
        cumulative: ``[weeks, num_items]`` running sums of w_i(week).
        edges: ``[num_categories + 1]`` first item of each category.
        category_weight: ``[num_categories]`` adding up to 1.
    """

    rank: np.ndarray
    weight: np.ndarray
    launch_time: np.ndarray
    cumulative: np.ndarray
    edges: np.ndarray
    category_weight: np.ndarray

    def draw(self, week: np.ndarray, category: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Items ``[n]``, by the inverse of the cumulative weights.

        Args:
            week: ``[n]`` week of the log.
            category: ``[n]`` category to draw from, -1 for the whole shop.
            uniform: ``[n]`` uniform numbers in [0, 1).
        """
        items = np.empty(len(week), np.int32)
        order = np.argsort(week, kind="stable")
        bounds = np.searchsorted(week[order], np.arange(len(self.cumulative) + 1))
        for number, cumulative in enumerate(self.cumulative):
            rows = order[bounds[number] : bounds[number + 1]]
            padded = np.concatenate([[0.0], cumulative])
            focus = category[rows]
            low = np.where(focus >= 0, padded[self.edges[focus]], 0.0)
            high = np.where(focus >= 0, padded[self.edges[focus + 1]], padded[-1])
            empty = high <= low
            low, high = np.where(empty, 0.0, low), np.where(empty, padded[-1], high)
            point = np.minimum(low + (high - low) * uniform[rows], np.nextafter(high, 0.0))
            items[rows] = np.searchsorted(cumulative, point, side="right")
        return items


def make_popularity(config: WorldConfig, catalogue: Catalogue, seed: int) -> Popularity:
    """Ranks, launches and weekly weights of a catalogue's items.

    A share ``cold_share`` of the items is launched on the first day of a week between 60 % and 120 % of the
    log: two thirds of them late in the log, one third after it.
    """
    rng = generator(seed, "world", "popularity")
    rank = rng.permutation(len(catalogue)) + 1
    weight = rank**-config.popularity_exponent * np.where(catalogue.role == DEVICE, 1.0, config.stray)
    weight /= weight.sum()
    weeks = -(-int(config.days) // 7)
    cold = rng.permutation(len(catalogue))[: round(config.cold_share * len(catalogue))]
    launch_week = np.zeros(len(catalogue), np.int64)
    first, last = max(1, int(np.ceil(COLD_FROM * weeks))), int(np.ceil(COLD_UNTIL * weeks))
    launch_week[cold] = rng.integers(first, last + 1, size=len(cold))
    trend = rng.normal(size=len(catalogue))
    cumulative = np.empty((weeks, len(catalogue)))
    for week in range(weeks):
        moved = weight
        if config.popularity_drift:
            moved = weight * np.exp(config.popularity_drift * trend * (week / weeks - 0.5))
        np.cumsum(np.where(launch_week <= week, moved, 0.0), out=cumulative[week])
    edges = np.searchsorted(catalogue.category, np.arange(int(catalogue.category[-1]) + 2))
    return Popularity(
        rank=rank,
        weight=weight,
        launch_time=config.start + launch_week * WEEK,
        cumulative=cumulative,
        edges=edges,
        category_weight=np.add.reduceat(weight, edges[:-1]),
    )
