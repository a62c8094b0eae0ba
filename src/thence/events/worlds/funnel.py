"""From view to purchase: the true probability, the delay, and what is seen in between.

The probability that a view by browsing converts within the attribution window is

    logit p = b + ease_u + charm_i - .3 · z(log price) + .5 · 1{visit of the customer's taste} + g_c(week),
    charm_i ~ N(0, .6),    g_c a random walk of the category with steps N(0, conversion_drift²),

with b such that the mean of p is ``conversion_rate`` (without drift or campaign), and p · m_i during a
campaign, at most .99. The label is Bernoulli(p), the delay comes from :class:`Delay`.

Signals, with strength s: a converting view has a *telling* cart with probability s, early between view and
purchase (at h · U³); any view without one has an *idle* cart with probability (1 - s) · cart_rate, Exp(1 h)
after the view, whatever becomes of it. Return views come alike: Poisson(2 s · return_rate) between view and
purchase when it converts, and Poisson((1 - s) · return_rate) idle ones, Exp(2 d) after the view. At s = 0 carts
and returns are independent of label and delay (an idle cart may then stand after the purchase); at s = 1 there
is a cart exactly where there will be a purchase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.browse import Views
from thence.events.worlds.catalogue import Catalogue
from thence.events.worlds.config import DAY, WorldConfig
from thence.events.worlds.customers import EASE_SD, Customers
from thence.events.worlds.effects import Effects
from thence.events.worlds.popularity import WEEK, Popularity

CHARM_SD, PRICE_EFFECT, TASTE_EFFECT = 0.6, -0.3, 0.5
MAX_PROBABILITY = 0.99
PILOT = 50_000
NEVER = -1
HOUR = DAY // 24


@dataclass(frozen=True, eq=False, repr=False)
class Appeal:
    """The fixed part of the purchase logit.

    Args:
        intercept: b.
        item: ``[num_items]`` charm and price.
        walk: ``[weeks, num_categories]`` g_c(week).
        rate: ``[num_items]`` mean purchase probability of a view, without drift or campaign.
        demand: ``[num_items]`` share of purchases by browsing, without drift, launches or campaign.
    """

    intercept: float
    item: np.ndarray
    walk: np.ndarray
    rate: np.ndarray
    demand: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes:
    """What becomes of views by browsing; arrays ``[n]``.

    Args:
        probability: true purchase probability.
        baseline: the same without the campaign.
        conversion_time: microseconds UTC, also after the end of the log; -1 for never.
    """

    probability: np.ndarray
    baseline: np.ndarray
    conversion_time: np.ndarray


def make_appeal(config: WorldConfig, catalogue: Catalogue, popularity: Popularity, seed: int) -> Appeal:
    """Charms, prices, drift, and the intercept found on a pilot sample of views."""
    rng = generator(seed, "world", "appeal")
    log_price = np.log(catalogue.price)
    z_price = (log_price - log_price.mean()) / max(float(log_price.std()), 1e-12)
    item = rng.normal(0.0, CHARM_SD, len(catalogue)) + PRICE_EFFECT * z_price
    pilot = rng.choice(len(catalogue), size=PILOT, p=popularity.weight)
    logit = item[pilot] + rng.normal(0.0, EASE_SD, PILOT) + TASTE_EFFECT * (rng.random(PILOT) < config.taste)
    weeks, categories = len(popularity.cumulative), len(popularity.edges) - 1
    steps = rng.normal(0.0, 1.0, (weeks, categories)) * config.conversion_drift
    steps[0] = 0.0
    intercept = _intercept(logit, config.conversion_rate)
    rate = _mean_probability(intercept + item, config.taste)
    demand = popularity.weight * rate
    return Appeal(intercept, item, np.cumsum(steps, axis=0), rate, demand / demand.sum())


def _mean_probability(logit: np.ndarray, taste: float) -> np.ndarray:
    """The mean of σ(logit + ease + taste effect) over customers, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    total = np.zeros(len(logit))
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        for effect, share in ((TASTE_EFFECT, taste), (0.0, 1 - taste)):
            total += weight * share / (1 + np.exp(-(logit + EASE_SD * node + effect)))
    return total


def _intercept(logit: np.ndarray, rate: float) -> float:
    """The b at which the mean of σ(b + logit) is ``rate``, by bisection."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 / (1 + np.exp(-middle - logit))).mean() < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def convert(
    config: WorldConfig,
    world: tuple[Catalogue, Appeal, Effects],
    customers: Customers,
    views: Views,
    seed: int,
    block: int,
) -> Outcomes:
    """Probability, label and purchase time of every view by browsing."""
    catalogue, appeal, effects = world
    rng = generator(seed, "world", "convert", block)
    week = (views.time - config.start) // WEEK
    logit = appeal.intercept + appeal.item[views.item] + customers.ease[views.customer]
    logit += TASTE_EFFECT * views.fond + appeal.walk[week, catalogue.category[views.item]]
    baseline = np.minimum(1 / (1 + np.exp(-logit)), MAX_PROBABILITY)
    reached = effects.active(views.time) & customers.offered[views.customer]
    factor = np.where(reached, effects.multiplier[views.item], 1.0)
    probability = np.minimum(baseline * factor, MAX_PROBABILITY)
    label = rng.random(len(views)) < probability
    part, place = rng.random(len(views)), rng.random(len(views))
    pace = customers.pace[views.customer]
    days = config.delay.draw(part, place, config.attribution_days, pace)
    time = views.time + np.maximum(1, (days * DAY).astype(np.int64))
    return Outcomes(probability, baseline, np.where(label, time, NEVER))


def signals(
    config: WorldConfig, time: np.ndarray, conversion_time: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Carts and return views of exposures.

    Args:
        config: ``signal``, ``cart_rate`` and ``return_rate`` are used.
        time: ``[n]`` when each exposure was.
        conversion_time: ``[n]`` -1 for never.
        rng: where the draws come from.

    Returns:
        Rows and times of the carts, rows and times of the return views.
    """
    count, strength = len(time), config.signal
    delay = np.where(conversion_time >= 0, conversion_time - time, 0)
    telling = (delay > 0) & (rng.random(count) < strength)
    idle = ~telling & (rng.random(count) < (1 - strength) * config.cart_rate)
    early = (delay * rng.random(count) ** 3).astype(np.int64)
    later = (rng.exponential(HOUR, count)).astype(np.int64) + 1
    carts = np.flatnonzero(telling | idle)
    cart_time = time[carts] + np.where(telling, early, later)[carts]

    told = np.repeat(np.arange(count), rng.poisson(2 * strength * config.return_rate * (delay > 0)))
    loose = np.repeat(np.arange(count), rng.poisson((1 - strength) * config.return_rate, count))
    told_time = time[told] + (delay[told] * rng.random(len(told))).astype(np.int64)
    loose_time = time[loose] + rng.exponential(2 * DAY, len(loose)).astype(np.int64) + 1
    returns = np.concatenate([told, loose])
    return (carts, cart_time), (returns, np.concatenate([told_time, loose_time]))
