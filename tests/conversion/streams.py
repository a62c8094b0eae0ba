"""A tiny stream that every estimator runs through, another future for it, and what a model is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from thence.base.rng import generator
from thence.conversion.engagement import Engagement
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.keep import learner_arrays
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.conversion.stream import Stream, StreamConfig
from thence.events.clock import DAY
from thence.events.worlds import WorldConfig, simulate

Arrays = dict[str, bytes]
WINDOW, WAIT = 6 * DAY, DAY // 4
REFRESHES = 3


@cache
def shown() -> Exposures:
    """About 3,000 exposures of 30 days with all that became of them; half of those that convert are carted."""
    config = replace(WorldConfig.criteo(3_000), items=50, days=30)
    truth = simulate(config, seed=0).truth.exposures
    rng, n = generator(0, "tests", "stream"), len(truth)
    numbers = rng.normal(size=(n, 1)).astype(np.float32)
    numbers[rng.random(n) < 0.1] = np.nan
    features = Features(np.stack([truth.item, truth.customer % 30], 1), numbers, (50, 30), ("item", "who", "n"))
    late = np.maximum((truth.conversion_time - truth.time) // 4, 1)
    ends = np.where(truth.conversion_time < 0, NEVER, truth.time + late)
    carted = rng.random(n) < np.where(ends == NEVER, 0.1, 0.5)
    soon = np.where(ends == NEVER, DAY, ends - truth.time)
    when = truth.time + (soon * rng.uniform(0.1, 0.9, n)).astype(np.int64)
    cart = np.flatnonzero(carted)
    events = Engagement.make(["cart"], cart, np.zeros(len(cart), np.uint8), when[cart])
    return Exposures.make(truth.time, ends, window=WINDOW, features=features, engagement=events)


def config(seed: int = 0) -> StreamConfig:
    start = int(shown().time[0]) + 12 * DAY
    learn = LearnConfig(batch_size=64, learning_rate=0.02, visits=1.0, passes=2)
    return StreamConfig(start, DAY, net=NetConfig(dim=4, hidden=(8,)), learn=learn, seed=seed)


def other_future(all_: Exposures, clock: int) -> Exposures:
    """The same exposures up to a moment, and everything at or after it different.

    Conversions that were to come do not, others come instead; engagement goes elsewhere; later exposures have
    other features and other times.
    """
    rng = generator(clock, "tests", "future")
    known = int(np.searchsorted(all_.time, clock))
    time = all_.time.copy()
    time[known:] = np.sort(rng.integers(clock, int(all_.time[-1]) + DAY, len(time) - known))
    ends = all_.conversion_time.copy()
    open_ = ends >= clock
    chosen = rng.random(len(ends)) < 0.5
    instead = np.maximum(time, clock) + rng.integers(1, 3 * DAY, len(ends))
    ends = np.where(open_, np.where(chosen, instead, NEVER), ends)
    codes, numbers = all_.features.codes.copy(), all_.features.numbers.copy()
    codes[known:], numbers[known:] = codes[known:][::-1].copy(), numbers[known:][::-1] + 3.0
    features = Features(codes, numbers, all_.features.buckets, all_.features.names)
    old = all_.engagement
    past = old.time < clock
    more = rng.integers(0, len(ends), 500)
    when = np.maximum(time[more], clock) + rng.integers(0, DAY, 500)
    events = Engagement.make(
        old.kinds,
        np.concatenate([old.owner[past], more]),
        np.zeros(int(past.sum()) + 500, np.uint8),
        np.concatenate([old.time[past], when]),
    )
    return Exposures.make(time, ends, window=all_.window, features=features, engagement=events)


def run(all_: Exposures, estimator: Estimator, refreshes: int = REFRESHES, seed: int = 0) -> Stream:
    """A stream that has begun and been refreshed some times."""
    stream = Stream(all_, estimator, config(seed))
    stream.begin()
    for _ in range(refreshes):
        stream.refresh()
    return stream


def made_of(stream: Stream) -> Arrays:
    """Every byte of the main model, its optimizer, and of what stands beside it."""
    arrays = {**learner_arrays(stream.learner, "main"), **stream.estimator.state()}
    arrays["scale"] = np.concatenate(
        [stream.learner.net.mean.numpy(force=True), stream.learner.net.deviation.numpy(force=True)]
    )
    return {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}


def leaks(make: Callable[[Exposures], Estimator], refreshes: int) -> list[str]:
    """The names of arrays that change when what nobody can know is replaced, after some refreshes.

    Args:
        make: the estimator; it is given all exposures, from which an honest one takes nothing.
        refreshes: how many; 0 looks at what a stream begins with.
    """
    clock = config().start + refreshes * config().step
    first = made_of(run(shown(), make(shown()), refreshes))
    changed = other_future(shown(), clock)
    second = made_of(run(changed, make(changed), refreshes))
    return differing(first, second)


def differing(first: Arrays, second: Arrays) -> list[str]:
    """The names of arrays whose bytes differ, or that only one has."""
    return sorted(name for name in first | second if first.get(name) != second.get(name))
