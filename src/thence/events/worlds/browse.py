"""Visits and views: who looks at what, when, before anything is bought.

A visit begins at a uniform time of the log. With probability ``taste`` it keeps to one category of the
customer's taste, chosen by its share; otherwise it roams the whole shop. The number of its views is geometric,
three in the mean, about a minute apart, of items drawn by popularity. After a view, with probability
``compare``, a substitute of that item is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.affinity import Affinity
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.customers import Customers
from thence.events.worlds.popularity import WEEK, Popularity

VIEWS_PER_VISIT = 3.0
SECOND = 1_000_000
BROWSED, COMPARED, FOLLOWED = 0, 1, 2
ORIGINS = ("browsed", "compared", "followed")


@dataclass(frozen=True, eq=False, repr=False)
class Views:
    """Views of a block of customers, sorted by customer and time; arrays ``[n]``.

    Args:
        customer: int within the block.
        item: item int.
        time: microseconds UTC.
        origin: place in :data:`ORIGINS`.
        fond: whether the visit keeps to a category of the customer's taste.
    """

    customer: np.ndarray
    item: np.ndarray
    time: np.ndarray
    origin: np.ndarray
    fond: np.ndarray

    def __len__(self) -> int:
        """How many views."""
        return len(self.item)


def browse(
    config: WorldConfig, popularity: Popularity, affinity: Affinity, customers: Customers, seed: int, block: int
) -> Views:
    """All views by browsing of one block of customers."""
    rng = generator(seed, "world", "browse", block)
    mean_visits = customers.activity * (config.views_per_customer / VIEWS_PER_VISIT)
    visitor = np.repeat(np.arange(len(customers), dtype=np.int32), rng.poisson(mean_visits))
    begin = config.start + (rng.random(len(visitor)) * (config.end - config.start)).astype(np.int64)
    fond = rng.random(len(visitor)) < config.taste
    shares = np.cumsum(customers.shares[visitor], axis=1)
    slot = (rng.random(len(visitor))[:, None] >= shares[:, :-1]).sum(axis=1)
    focus = np.where(fond, customers.tastes[visitor, slot], -1)
    length = rng.geometric(1 / VIEWS_PER_VISIT, len(visitor))
    visit = np.repeat(np.arange(len(visitor)), length)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(length) - length, length)
    time = begin[visit] + ((place + rng.random(len(visit))) * 60 * SECOND).astype(np.int64)
    inside = time < config.end
    visit, time = visit[inside], time[inside]
    item = popularity.draw((time - config.start) // WEEK, focus[visit], rng.random(len(visit)))
    views = Views(visitor[visit], item, time, np.zeros(len(visit), np.int8), fond[visit])
    return _with_comparisons(config, popularity, affinity, views, rng)


def _with_comparisons(
    config: WorldConfig, popularity: Popularity, affinity: Affinity, views: Views, rng: np.random.Generator
) -> Views:
    """Add views of substitutes, leave out items that are not there yet, and sort."""
    source, target = affinity.substitutes
    start = np.searchsorted(source, np.arange(len(popularity.rank) + 1))
    row = np.flatnonzero(rng.random(len(views)) < config.compare)
    degree = (start[1:] - start[:-1])[views.item[row]]
    row, degree = row[degree > 0], degree[degree > 0]
    chosen = start[views.item[row]] + (rng.random(len(row)) * degree).astype(np.int64)
    other = target[chosen].astype(np.int32)
    time = views.time[row] + ((20 + 30 * rng.random(len(row))) * SECOND).astype(np.int64)
    there = (popularity.launch_time[other] <= time) & (time < config.end)
    row, other, time = row[there], other[there], time[there]
    customer = np.concatenate([views.customer, views.customer[row]])
    times = np.concatenate([views.time, time])
    order = np.lexsort((times, customer))
    return Views(
        customer=customer[order],
        item=np.concatenate([views.item, other])[order],
        time=times[order],
        origin=np.concatenate([views.origin, np.full(len(row), COMPARED, np.int8)])[order],
        fond=np.concatenate([views.fond, views.fond[row]])[order],
    )
