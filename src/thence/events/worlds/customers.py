"""Customers: how active they are, what they like, how easily they buy and how long they wait.

    activity_u  ~ log-normal(σ = 1), mean 1            visits ~ Poisson(activity_u · views_per_customer / 3)
    taste_u     = three categories drawn by their weight, with shares ~ Dirichlet(1, 1, 1)
    ease_u      ~ N(0, .8), added to the logit of buying
    pace_u      = exp(spread · N(0, 1)), multiplies the delay

Customers are made in blocks, each from a generator of its own, so a block never depends on how many blocks
there are before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.popularity import Popularity

TASTES = 3
EASE_SD = 0.8


@dataclass(frozen=True, eq=False, repr=False)
class Customers:
    """A block of customers; arrays with one row a customer.

    Args:
        activity: ``[n]``, mean 1.
        tastes: ``[n, 3]`` int32 categories; one may stand twice.
        shares: ``[n, 3]`` share of each taste, adding up to 1.
        ease: ``[n]`` added to the logit of buying.
        pace: ``[n]`` multiplies the delay.
        offered: ``[n]`` bool, whether the campaign reaches the customer.
    """

    activity: np.ndarray
    tastes: np.ndarray
    shares: np.ndarray
    ease: np.ndarray
    pace: np.ndarray
    offered: np.ndarray

    def __len__(self) -> int:
        """How many customers."""
        return len(self.activity)


def make_customers(config: WorldConfig, popularity: Popularity, seed: int, block: int, count: int) -> Customers:
    """The ``count`` customers of one block."""
    rng = generator(seed, "world", "customers", block)
    chances = np.cumsum(popularity.category_weight)[:-1]
    tastes = np.searchsorted(chances, rng.random((count, TASTES)), side="right").astype(np.int32)
    shares = rng.dirichlet(np.ones(TASTES), size=count)
    reach = config.campaign.customer_share if config.campaign else 1.0
    return Customers(
        activity=np.exp(rng.normal(-0.5, 1.0, count)),
        tastes=tastes,
        shares=shares,
        ease=rng.normal(0.0, EASE_SD, count),
        pace=np.exp(config.delay.spread * rng.normal(size=count)),
        offered=rng.random(count) < reach,
    )
