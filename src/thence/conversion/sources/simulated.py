"""The four simulated logs that estimators are judged on, each a function of a seed and a size.

All have sixty days of views with purchase rates and delays near the published ones of the Criteo conversion log
(rate .227 within thirty days; 35 % of the purchases within an hour, half within a day, 18 % after a week) and
thirty days more in which nothing is shown and all labels become final. A stream begins after 35 days, when five
days of views are mature, and is refreshed daily until day 60: 25 blocks, every one judged on final labels.

In a stationary world a model that waits is as good as one that need not, so all of them move, as real logs do:
``conversion_drift`` moves each category's purchase logit from week to week, ``popularity_drift`` lets items
come and go. Customers have sixty views each in the mean, so that there is something to learn of them.

    criteo_world    moderate drift, no engagement: the published log has none
    drift_world     twice the drift
    signal_world    moderate drift; half of the purchases have a telling cart, and return views; idle ones too
    placebo_world   the same engagement, handed to other exposures: it tells nothing and must cost nothing

Reference: O. Chapelle, "Modeling delayed feedback in display advertising", KDD 2014.
"""

from __future__ import annotations

from dataclasses import replace

from thence.base.progress import Progress, silent
from thence.conversion.sources.study import Study
from thence.conversion.sources.world import world_exposures
from thence.events.clock import DAY
from thence.events.worlds.config import WorldConfig

SHOWN_DAYS, DAYS, START_DAYS = 60, 90, 35
VIEWS_PER_CUSTOMER = 60.0
SIZE = 600_000
MODERATE = {"conversion_drift": 0.25, "popularity_drift": 3.0, "conversion_rate": 0.232}
STRONG = {"conversion_drift": 0.5, "popularity_drift": 6.0, "conversion_rate": 0.23}
SIGNAL = 0.5


def criteo_world(seed: int = 0, size: int = SIZE, progress: Progress = silent) -> Study:
    """Moderate drift, no engagement.

    Args:
        seed: of the world.
        size: exposures, about; the published log has 15,898,883.
        progress: told the customers done.

    Example:
        >>> criteo_world(size=20_000)
        Study(criteo_world: ... exposures before 2024-02-05T00:00:00Z, 25 blocks of 1 d, ... to predict)
    """
    return _study("criteo_world", size, seed, MODERATE, progress)


def drift_world(seed: int = 0, size: int = SIZE, progress: Progress = silent) -> Study:
    """Twice the drift of :func:`criteo_world`, no engagement."""
    return _study("drift_world", size, seed, STRONG, progress)


def signal_world(seed: int = 0, size: int = SIZE, progress: Progress = silent) -> Study:
    """Moderate drift, carts and return views that tell half of the purchases."""
    return _study("signal_world", size, seed, MODERATE | {"signal": SIGNAL}, progress)


def placebo_world(seed: int = 0, size: int = SIZE, progress: Progress = silent) -> Study:
    """:func:`signal_world` with its engagement shuffled between exposures, at equal times since exposure."""
    return _study("placebo_world", size, seed, MODERATE | {"signal": SIGNAL}, progress)


def _study(name: str, size: int, seed: int, settings: dict[str, float], progress: Progress) -> Study:
    base = WorldConfig.criteo(size)
    config = replace(
        base,
        days=DAYS,
        customers=max(1, round(size * DAYS / SHOWN_DAYS / VIEWS_PER_CUSTOMER)),
        views_per_customer=VIEWS_PER_CUSTOMER,
        **settings,
    )
    made = world_exposures(
        config,
        seed,
        engagement="signal" in settings,
        placebo=name == "placebo_world",
        last=config.start + SHOWN_DAYS * DAY,
        progress=progress,
    )
    start, end = (config.start + days * DAY for days in (START_DAYS, SHOWN_DAYS))
    return Study(name, made.exposures, start, DAY, end, made.probability)
