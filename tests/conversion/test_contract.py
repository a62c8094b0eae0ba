"""What every estimator keeps to: finite probabilities, the same bytes from the same seed, and no look ahead."""

from collections.abc import Callable
from copy import copy
from functools import cache

import numpy as np
import pytest
from tests.conversion.streams import (
    REFRESHES,
    WAIT,
    WINDOW,
    Arrays,
    config,
    differing,
    leaks,
    made_of,
    other_future,
    run,
    shown,
)

from thence.base.errors import ConfigError
from thence.conversion.delayed import ESTIMATORS, GRIDS, Oracle, Protocol, make
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.settle import Naive
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab
from thence.conversion.rows import Rows, once
from thence.conversion.stream import Stream

NAMES = sorted(ESTIMATORS)
AT = Protocol(WAIT, WINDOW)


@cache
def past(name: str) -> tuple[Stream, list[Arrays]]:
    """A run of each estimator that the tests share, and what it was made of before each refresh."""
    stream, made = run(shown(), busiest(name), 0), []
    for _ in range(REFRESHES):
        made.append(made_of(stream))
        stream.refresh()
    return stream, made


def busiest(name: str) -> Estimator:
    """An estimator with the settings of its grid that do the most: the last ones."""
    return make(name, AT, {**GRIDS[name][-1], "wait": WAIT})


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_finite_and_rows_are_of_exposures_that_are_known(name: str) -> None:
    stream = past(name)[0]
    index, found = stream.predict()
    assert len(index) > 50 and stream.trained > 0
    assert np.isfinite(found).all() and (found > 0).all() and (found < 1).all()
    assert 0.02 < found.mean() < 0.7  # a quarter converts
    known = shown().before(stream.clock)
    rows = stream.estimator.rows(known, stream.clock - config().step)
    assert len(rows) and rows.index.min() >= 0 and rows.index.max() < len(known)
    assert np.isin(rows.label, (0.0, 1.0)).all()
    assert all(len(column) == len(rows) for column in rows.columns.values())
    assert all(np.isfinite(column).all() for column in rows.columns.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_refresh_that_brings_no_exposures_is_gone_through(name: str) -> None:
    stream = past(name)[0]
    known = stream.exposures.before(stream.clock)
    last = int(known.time[-1]) + 1
    rows = copy(stream.estimator).rows(known, last)
    assert (rows.index < len(known)).all()


@pytest.mark.parametrize("refreshes", [0, REFRESHES - 1])
@pytest.mark.parametrize("name", NAMES)
def test_models_are_deterministic_and_nothing_later_than_the_clock_reaches_them(
    name: str, refreshes: int
) -> None:
    """The same bytes from a second run, in which all that comes at the clock or later is another."""
    changed = other_future(shown(), config().start + refreshes * config().step)
    assert differing(past(name)[1][refreshes], made_of(run(changed, busiest(name), refreshes))) == []


class FinalPretraining(Naive):
    """Pretraining with final labels, which are not known yet: the fault of public code."""

    def __init__(self, truth: Exposures) -> None:
        super().__init__(WAIT)
        self.truth = truth

    def settled_rows(self, known: Exposures) -> Rows:
        every = once(known, int(known.time[0]), 0)
        return Rows(every.index, self.truth.converted[every.index].astype("f"))


class FinalBeside(EsDfm):
    """Auxiliary models on final labels."""

    def __init__(self, truth: Exposures) -> None:
        super().__init__(WAIT)
        self.truth = truth

    def begin(self, known: Exposures, lab: Lab) -> None:
        super().begin(self.truth.before(known.until + WINDOW), lab)


class LateCart(Naive):
    """Rows weighted by engagement that comes a day after the clock."""

    def __init__(self, truth: Exposures) -> None:
        super().__init__(WAIT)
        self.truth = truth

    def rows(self, known: Exposures, since: int) -> Rows:
        rows = super().rows(known, since)
        clock = np.full(len(rows), known.until + 86_400_000_000)
        count, _ = self.truth.engagement.so_far(clock, rows.index)
        return rows.adding({"negative": (1 - rows.label) / (1 + count[:, 0])})


@pytest.mark.parametrize(
    ("mutant", "refreshes"), [(Oracle, 2), (FinalPretraining, 0), (FinalBeside, 0), (LateCart, 2)]
)
def test_the_leak_test_finds_those_who_look_ahead(
    mutant: Callable[[Exposures], Estimator], refreshes: int
) -> None:
    assert leaks(mutant, refreshes)


def test_another_future_shares_the_past_and_nothing_else() -> None:
    clock = config().start
    changed = other_future(shown(), clock)
    old, new = shown().before(clock), changed.before(clock)
    np.testing.assert_array_equal(old.time, new.time)
    np.testing.assert_array_equal(old.conversion_time, new.conversion_time)
    np.testing.assert_array_equal(old.features.codes, new.features.codes)
    np.testing.assert_array_equal(old.features.numbers, new.features.numbers)
    seen, again = (some.engagement.so_far(some.time + WINDOW) for some in (old, new))
    np.testing.assert_array_equal(seen[0], again[0])
    np.testing.assert_array_equal(seen[1], again[1])
    later = slice(len(old), None)
    assert (shown().conversion_time[: len(old)] != changed.conversion_time[: len(old)]).sum() > 20
    assert (shown().time[later] != changed.time[later]).mean() > 0.9
    assert not np.array_equal(
        shown().engagement.so_far(shown().time + WINDOW)[0], changed.engagement.so_far(changed.time + WINDOW)[0]
    )


def test_every_estimator_has_a_grid_and_every_setting_of_it_works() -> None:
    assert sorted(GRIDS) == NAMES
    for name, grid in GRIDS.items():
        assert grid
        for settings in grid:
            assert isinstance(make(name, AT, settings), Estimator)


def test_unknown_names_and_settings_say_so() -> None:
    with pytest.raises(ConfigError, match="no estimator is called 'es-dfm'"):
        make("es-dfm", AT)
    with pytest.raises(ConfigError, match="does not have these settings: pace"):
        make("fnw", AT, {"pace": 3})
    with pytest.raises(ConfigError, match="waiting time 5"):
        Protocol(5, 4)
    assert make("naive", Protocol(0, 100), {"wait": 10_000}).rows  # cut to the window
