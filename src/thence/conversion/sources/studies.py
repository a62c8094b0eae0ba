"""The data sets that estimators are judged on, by name, each with the span of its stream.

name               stream                                      why
criteo_world       day 35 to 60, daily                         see :mod:`~thence.conversion.sources.simulated`
drift_world
signal_world
placebo_world
demo_coupons       2017-05-29 to 2017-11-20, weekly            434 offers of four campaigns are mature by then
demo_crosssell     2017-04-01 to 2017-12-02, weekly            trials; two months of them are mature by then
demo_repurchase    the same                                    all baskets, 993,227 exposures
hospital_billing   2015-01-14 to 2016-07-27, fortnightly       1,700 cases are mature by then (stretched by 10)
traffic_fines      2007-08-01 to 2008-06-25, weekly            the 1,022 fines of 2006 are mature by then
olist_funnel       2018-03-15 to 2018-05-31, weekly            contacts of half of January are mature by then
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from thence.base.errors import ConfigError, nearest
from thence.base.progress import Progress, silent
from thence.conversion.exposures import Exposures
from thence.conversion.sources.simulated import SIZE, criteo_world, drift_world, placebo_world, signal_world
from thence.conversion.sources.study import Study
from thence.events.clock import DAY, micros

SIMULATED: dict[str, Callable[[int, int, Progress], Study]] = {
    "criteo_world": criteo_world,
    "drift_world": drift_world,
    "signal_world": signal_world,
    "placebo_world": placebo_world,
}
"""Worlds by name: functions of a seed and a size."""

SPANS = {
    "demo_coupons": ("2017-05-29", 7 * DAY, "2017-11-20"),
    "demo_crosssell": ("2017-04-01", 7 * DAY, "2017-12-02"),
    "demo_repurchase": ("2017-04-01", 7 * DAY, "2017-12-02"),
    "hospital_billing": ("2015-01-14", 14 * DAY, "2016-07-27"),
    "traffic_fines": ("2007-08-01", 7 * DAY, "2008-06-25"),
    "olist_funnel": ("2018-03-15", 7 * DAY, "2018-05-31"),
}
"""Start, step and end of real ones."""

FOLDERS = {
    "hospital_billing": "events/process_logs",
    "traffic_fines": "events/process_logs",
    "olist_funnel": "events/olist_funnel",
}
"""Where files lie below the folder of data."""


def study(
    name: str,
    seed: int = 0,
    *,
    size: int = SIZE,
    folder: str | Path | None = None,
    progress: Progress = silent,
) -> Study:
    """A data set made ready for a stream.

    Args:
        name: a key of ``SIMULATED`` or ``SPANS``.
        seed: of a simulated one; real ones are what they are.
        size: exposures of a simulated one, about.
        folder: where data lie, for those that come in files: ``FOLDERS`` below it, or the folder itself.
        progress: told how far a simulation is.

    Raises:
        ConfigError: no such data set is known, or a folder is needed.
        DataError: a file or the package is absent or another one.

    Example:
        >>> study("signal_world", size=20_000).exposures.engagement.kinds
        ('cart', 'return')
        >>> study("signal_word")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no study 'signal_word'. Did you mean 'signal_world'?
    """
    if name in SIMULATED:
        return SIMULATED[name](seed, size, progress)
    if name not in SPANS:
        raise ConfigError(f"no study {name!r}", fix=nearest(name, [*SIMULATED, *SPANS]))
    start, step, end = SPANS[name]
    return Study(name, _real(name, folder), micros(start), step, micros(end))


def _real(name: str, folder: str | Path | None) -> Exposures:
    if name == "demo_coupons":
        from thence.conversion.sources.coupons import coupon_offers

        return coupon_offers()
    if name in ("demo_crosssell", "demo_repurchase"):
        from thence.conversion.sources.cross_sell import cross_sell

        return cross_sell(trials=name == "demo_crosssell")
    if folder is None:
        raise ConfigError(f"no folder for {name}", fix="Give the folder where its file lies.")
    below = Path(folder) / FOLDERS[name]
    below = below if below.is_dir() else Path(folder)
    if name == "olist_funnel":
        from thence.conversion.sources.olist import olist_funnel

        return olist_funnel(below)
    from thence.conversion.sources.process_logs import hospital_billing, traffic_fines

    return (hospital_billing if name == "hospital_billing" else traffic_fines)(below)
