"""Only matured cohorts reach a calibrator: nothing of the future, and no label that is still open."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conversion.streams import other_future, shown

from thence.base.errors import DataError
from thence.base.rng import generator
from thence.conversion.exposures import NEVER, Exposures
from thence.decide.calibrate import VennAbers, matured
from thence.decide.calibrate.matured import final
from thence.events.clock import DAY


def scores(exposures: Exposures) -> np.ndarray:
    return generator(0, "tests", "matured").random(len(exposures))


@pytest.mark.parametrize("days", [8, 15, 25])
def test_the_future_has_no_say(days: int) -> None:
    """Mutant of the data: everything at or after the clock is replaced, and nothing changes."""
    all_ = shown()
    clock = int(all_.time[0]) + days * DAY
    score = scores(all_)
    first = matured(all_, clock, score, score + 1)
    later = all_.time >= clock - all_.window
    second = matured(
        other_future(all_, clock), clock, np.where(later, -9.0, score), np.where(later, 5, score + 1)
    )
    assert len(first) > 20 and first.positives > 0
    for name in ("score", "uncertainty", "label"):
        assert (getattr(first, name) == getattr(second, name)).all()
    one, two = VennAbers.fit(first.score, first.label), VennAbers.fit(second.score, second.label)
    assert (one.rate([0.1, 0.5]) == two.rate([0.1, 0.5])).all()


def test_what_is_matured_by_a_literal_loop() -> None:
    all_ = shown()
    clock, score = int(all_.time[0]) + 20 * DAY, scores(all_)
    expected = []
    for time, end, value in zip(all_.time, all_.conversion_time, score, strict=True):
        if time + all_.window < clock:
            expected.append((value, bool(end != NEVER and end <= time + all_.window)))
    found = matured(all_, clock, score)
    assert list(zip(found.score.tolist(), found.label.tolist(), strict=True)) == expected


def test_early_conversions_of_open_windows_are_left_out() -> None:
    """They are known to be positive, their negative neighbours are not known: the rate would be too high."""
    rng = generator(1, "tests", "matured")
    time = np.sort(rng.integers(0, 30 * DAY, 6000))
    converts = rng.random(6000) < 0.3
    ends = np.where(converts, time + rng.integers(1, 7 * DAY, 6000), NEVER)
    all_, clock = Exposures.make(time, ends, window=7 * DAY), 10 * DAY
    known = all_.before(clock)
    open_or_positive = known.mature | known.converted
    assert known.converted[open_or_positive].mean() > 0.36  # the mistake
    assert known.converted.mean() < 0.26  # the other mistake
    assert matured(all_, clock, np.zeros(6000)).label.mean() == pytest.approx(0.3, abs=0.03)


def test_scores_of_open_exposures_may_be_missing() -> None:
    day = DAY
    all_ = Exposures.make([0, 5 * day, 8 * day], [day, 6 * day, NEVER], window=2 * day, until=9 * day)
    found = matured(all_, 9 * day, [0.1, 0.2, np.nan], [1.0, 2.0, np.nan])
    assert found.score.tolist() == [0.1, 0.2] and found.label.tolist() == [True, True]
    with pytest.raises(DataError, match="place 1"):
        matured(all_, 9 * day, [0.1, np.nan, 0.3])


def test_no_clock_is_later_than_what_is_known() -> None:
    """Asking for a later moment does not make open labels final."""
    all_ = Exposures.make([0, 5 * DAY], [DAY, NEVER], window=2 * DAY, until=6 * DAY)
    assert matured(all_, 30 * DAY, [0.1, 0.2]).label.tolist() == [True]


def test_faults_are_told() -> None:
    all_ = Exposures.make([0, 5 * DAY], [DAY, NEVER], window=2 * DAY, until=6 * DAY)
    with pytest.raises(DataError, match="1 values of 2 exposures"):
        matured(all_, 6 * DAY, [0.1])
    with pytest.raises(DataError, match=r"3 values of 2 exposures \(in uncertainty\)"):
        matured(all_, 6 * DAY, [0.1, 0.2], [1, 2, 3])
    with pytest.raises(DataError, match="no label is final"):
        matured(all_, DAY, [0.1, 0.2])
    with pytest.raises(DataError, match="nothing was shown"):
        matured(all_, 0, [0.1, 0.2])


def test_open_labels_are_refused() -> None:
    all_ = Exposures.make([0, 5 * DAY], [DAY, NEVER], window=2 * DAY, until=6 * DAY)
    with pytest.raises(DataError, match="1 of 2 labels are still open"):
        final(all_)
    assert final(Exposures.make([0], [DAY], window=2 * DAY)).tolist() == [True]
