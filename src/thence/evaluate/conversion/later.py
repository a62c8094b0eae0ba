"""How a conversion model does on exposures that it never saw: made after its clock, their labels final since.

Three questions, each beside what was seen, with Wilson's interval at 95 %:

    rates    of exposures with like probabilities, p mean against the share that converted
    ages     of those still silent at age a, p (1 - F) / (1 - p F) mean against the share that converted after a
    delays   F(a) as known at the clock against the share of later conversions that had come by a

Intervals take exposures as independent; those of one customer are not quite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thence.base.errors import DataError
from thence.conversion.delays import still
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.evaluate.conversion.metrics import auc, calibration, ece, nll
from thence.evaluate.wilson import wilson
from thence.events.clock import DAY, HOUR, MINUTE, SECOND, Moment, iso, micros

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel

BINS = 10
COME = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of the conversions at whose ages calibration is looked at."""
GROUPS = ("quick", "median", "slow")
MOST = 10_000
"""Exposures of a group whose told curves are averaged, evenly spread over time."""


def judge_later(model: ConversionModel, exposures: Exposures, at: Moment | None = None) -> dict[str, Any]:
    """The figures, as JSON can hold them; ages in seconds.

    Args:
        model: fitted; it saw nothing at or after its clock.
        exposures: any that include some from after the clock.
        at: until when labels are known; the clock of the exposures when None.

    Returns:
        ``first``, ``last``, ``known_until`` in ISO 8601; ``exposures``, ``conversions``, ``rate``, ``told``
        (mean probability), ``calibration`` (their ratio), ``auc``, ``nll``, ``plain_rate`` and ``plain_nll``
        (the rate of the newest cohort that was final at the clock, for everybody), ``ece``; ``rates``, ``ages``
        and ``groups`` as lists of rows, and
        ``delays``, shares at the ages of the model's curve. What cannot be said is None or empty.

    Raises:
        DataError: no exposure since the model's clock has a final label, or its columns are others.

    Example:
        >>> from thence.conversion.learn import LearnConfig
        >>> from thence.conversion.model import ConversionModel
        >>> times, colour = np.arange(400) * HOUR, np.arange(400)[:, None] % 2
        >>> bought = np.where(np.arange(400) % 4 == 3, times + HOUR, NEVER)
        >>> features = Features(colour, np.zeros((400, 0)), (2,))
        >>> shown = Exposures.make(times, bought, window=DAY, features=features)
        >>> model = ConversionModel("wait", learn=LearnConfig(32, 0.03, passes=5)).fit(shown, at=300 * HOUR)
        >>> found = judge_later(model, shown, at=400 * HOUR)
        >>> found["exposures"], found["conversions"], 0.8 < found["calibration"] < 1.2
        (76, 19, True)
    """
    until = exposures.until if at is None else min(micros(at), exposures.until)
    known = exposures.before(until)
    first, stop = known.since(model.clock), int(known.mature.sum())
    if stop <= first:
        raise DataError(
            f"no exposure since {iso(model.clock)}, of which nothing was learned, has a final label yet",
            where="exposures",
            fix="Give a longer log, or a model that was fitted at an earlier --at.",
        )
    features, label = known.features[first:stop], known.converted[first:stop]
    delay = np.where(label, known.conversion_time[first:stop] - known.time[first:stop], NEVER)
    chance = model.predict_proba(features)[:, 1]
    last = int(known.time[stop - 1])
    return {
        "first": iso(int(known.time[first])),
        "last": iso(last),
        "known_until": iso(last + known.window if until == NEVER else until),
        **_sums(label, chance, _plain(model, exposures)),
        "rates": _rates(label, chance),
        **_delays(model, features, chance, delay),
    }


def _plain(model: ConversionModel, exposures: Exposures) -> float | None:
    """The rate at the clock: of the newest window of exposures that were final, else of all the model knew."""
    known = exposures.before(model.clock)
    final = int(known.mature.sum())
    label = known.converted[known.since(model.clock - 2 * model.window) : final]
    if label.any():
        return float(label.mean())
    return None if model.delays is None else model.delays.conversions / model.delays.exposures


def _sums(label: np.ndarray, chance: np.ndarray, plain: float | None) -> dict[str, Any]:
    hits = int(label.sum())
    return {
        "exposures": len(label),
        "conversions": hits,
        "rate": hits / len(label),
        "told": float(chance.mean()),
        "calibration": calibration(label, chance) if hits else None,
        "auc": auc(label, chance) if 0 < hits < len(label) else None,
        "nll": nll(label, chance),
        "plain_rate": plain,
        "plain_nll": None if plain is None else nll(label, np.full(len(label), plain)),
        "ece": ece(label, chance, BINS),
    }


def _rates(label: np.ndarray, chance: np.ndarray) -> list[dict[str, Any]]:
    """Bins of as many exposures; equal probabilities share one."""
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, chance, side="left")
    rows = []
    for one in np.unique(place):
        inside = place == one
        span = {"from": float(chance[inside].min()), "to": float(chance[inside].max())}
        rows.append(span | _beside(chance[inside], label[inside]))
    return rows


def _delays(
    model: ConversionModel, features: Features, chance: np.ndarray, delay: np.ndarray
) -> dict[str, list[Any]]:
    """What is told of delays: by age, for all, and where the model knows each one's, for groups."""
    curve, converted = model.delays, delay != NEVER
    if curve is None:
        return {"ages": [], "delays": [], "groups": []}
    rows = []
    for age in dict.fromkeys(neat(curve.age(share)) if share else 0 for share in COME):
        silent = delay > age
        if age >= model.window or not silent.any():
            continue
        left = still(chance[silent], model.delay_by(features.take(np.flatnonzero(silent)), age))
        rows.append({"age": age / SECOND} | _beside(left, converted[silent]))
    seen = _come(delay[converted], curve.ages) if converted.any() else []
    return {"ages": rows, "delays": seen, "groups": _groups(model, features, chance, delay)}


def _groups(
    model: ConversionModel, features: Features, chance: np.ndarray, delay: np.ndarray
) -> list[dict[str, Any]]:
    """Thirds by how soon the model expects them: the curve that it tells, and the one that was seen."""
    curve = model.delays
    if curve is None or not model.own_delays:
        return []
    soon = model.delay_by(features, curve.age(0.5))
    third = np.argsort(np.argsort(-soon, kind="stable")) * len(GROUPS) // len(soon)
    found = []
    for place, name in enumerate(GROUPS):
        inside = np.flatnonzero(third == place)
        if not len(inside):
            continue
        some = inside[np.unique(np.linspace(0, len(inside) - 1, MOST).astype(np.int64))]
        part, weight = features.take(some), chance[some]
        told = [min(float(weight @ model.delay_by(part, age) / weight.sum()), 1.0) for age in curve.ages]
        here = delay[inside]
        seen = _come(here[here != NEVER], curve.ages) if (here != NEVER).any() else []
        found.append({"name": name, "exposures": len(inside), "conversions": int((here != NEVER).sum())})
        found[-1] |= {"told": told, "seen": seen}
    return found


def _come(delay: np.ndarray, ages: np.ndarray) -> list[float]:
    return (np.searchsorted(np.sort(delay), ages, side="right") / len(delay)).tolist()


def _beside(told: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    """What was told of some exposures, and what was seen of them."""
    count, hits = len(label), int(label.sum())
    low, high = wilson([hits], [count])
    return {
        "count": count,
        "conversions": hits,
        "told": float(told.mean()),
        "seen": hits / count,
        "low": float(low[0]),
        "high": float(high[0]),
    }


def neat(age: int) -> int:
    """An age in microseconds as people say it: in whole minutes, hours or days, at least one minute.

    Example:
        >>> neat(100 * SECOND) // SECOND, neat(5 * HOUR + 9 * MINUTE) // HOUR, neat(13 * DAY + HOUR) // DAY
        (120, 5, 13)
    """
    unit = MINUTE if age < 2 * HOUR else HOUR if age < 3 * DAY else DAY
    return max(round(age / unit) * unit, MINUTE)
