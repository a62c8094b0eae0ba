"""Exposures at the shape of the Criteo conversion log, drawn without a world: what speed is measured on."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.net import NetConfig
from thence.events.clock import DAY

CATEGORIES, NUMBERS, BUCKETS = 9, 8, 65_536
SHAPES = {
    "logistic": NetConfig("logistic"),
    "mlp": NetConfig("mlp", 8, (128, 64)),
    "mlp_wide": NetConfig("mlp", 8, (256, 256, 128)),
    "dcn": NetConfig("dcn", 8, (128, 64)),
}


def exposures(count: int, days: int = 60, window: int = 20, seed: int = 0) -> Exposures:
    """Heavy-tailed categories, numbers of which three in ten are unknown, conversions 4 days late.

    Half of what converts is carted before, and a tenth of the rest.
    """
    rng = generator(seed, "bench", "conversion")
    codes = np.empty((count, CATEGORIES), np.int32)
    for column in range(CATEGORIES):
        codes[:, column] = np.minimum(rng.pareto(1.1, count) * 20, BUCKETS - 1)
    numbers = rng.standard_normal((count, NUMBERS), np.float32)
    numbers[rng.random((count, NUMBERS), np.float32) < 0.3] = np.nan
    time = np.sort(rng.integers(0, days * DAY, count))
    chance = 1 / (1 + np.exp(1.2 - 0.4 * (codes[:, 0] % 5 - 2)))
    converts = rng.random(count) < chance
    delay = 1 + (rng.exponential(4 * DAY, count) % (window * DAY - 1)).astype(np.int64)
    end = np.where(converts, time + delay, NEVER)
    carted = np.flatnonzero(rng.random(count) < np.where(converts, 0.5, 0.1))
    when = time[carted] + (delay[carted] * rng.random(len(carted))).astype(np.int64)
    events = Engagement.make(["cart"], carted, np.zeros(len(carted), np.uint8), when)
    features = Features(codes, numbers, (BUCKETS,) * CATEGORIES)
    return Exposures.make(time, end, window=window * DAY, features=features, engagement=events)
