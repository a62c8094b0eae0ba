"""Emission protocols: which exposure turns into a row when, with which label; against a walk tick by tick."""

import numpy as np
import pytest

from thence.base.rng import generator
from thence.conversion.delayed.settle import Naive, Oracle, Pretrained, Wait
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.rows import Rows, joined, late, once, settled, standing

WINDOW, END = 40, 300


def shown() -> Exposures:
    rng = generator(0, "tests", "rows")
    time = np.sort(rng.integers(0, 200, 150))
    ends = np.where(rng.random(150) < 0.6, time + rng.integers(1, 70, 150), NEVER)  # some past the window
    return Exposures.make(time, ends, window=WINDOW)


ALL = shown()


def walked(since: int, clock: int, wait: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(exposure, label) of ``once`` and of ``late``, from a walk through every tick of ``[since, clock)``."""
    first, copies = [], []
    for now in range(since, clock):
        for place, (start, end) in enumerate(zip(ALL.time.tolist(), ALL.conversion_time.tolist(), strict=True)):
            if start + wait == now:
                first.append((place, int(end <= now and end - start <= WINDOW)))
            if end == now and wait < end - start <= WINDOW:
                copies.append((place, 1))
    return sorted(first), sorted(copies)


def pairs(rows: Rows) -> list[tuple[int, int]]:
    return sorted(zip(rows.index.tolist(), rows.label.astype(int).tolist(), strict=True))


@pytest.mark.parametrize("wait", [0, 7, WINDOW])
def test_rows_come_when_a_walk_says_so(wait: int) -> None:
    for since, clock in ((0, 30), (30, 31), (30, 120), (120, END)):
        first, copies = walked(since, clock, wait)
        known = ALL.before(clock)
        assert pairs(once(known, since, wait)) == first
        assert pairs(late(known, since, wait)) == copies
        if wait == WINDOW:
            assert pairs(settled(known, since)) == first


@pytest.mark.parametrize("steps", [(END,), (50, 51, 130, END)])
def test_every_exposure_gives_each_row_once_however_often_one_asks(steps: tuple[int, ...]) -> None:
    parts, since = [], -1
    for clock in steps:
        parts += [once(ALL.before(clock), since, 5), late(ALL.before(clock), since, 5)]
        since = clock
    rows = joined(*parts)
    assert (
        sorted(rows.index[rows.label == 0].tolist())
        == np.flatnonzero(~(ALL.conversion_time - ALL.time <= 5)).tolist()
    )
    assert sorted(rows.index[rows.label == 1].tolist()) == np.flatnonzero(ALL.converted).tolist()


def test_rows_that_stand_tell_label_age_and_delay() -> None:
    known = ALL.before(90)
    rows = standing(known, np.arange(len(known)))
    age = np.minimum(90 - known.time, WINDOW)
    np.testing.assert_array_equal(rows.label, known.converted)
    np.testing.assert_allclose(rows.columns["elapsed"], age / WINDOW, rtol=1e-6)
    delay = np.where(known.converted, known.conversion_time - known.time, age)
    np.testing.assert_allclose(rows.columns["delay"], delay / WINDOW, rtol=1e-6)
    assert (rows.columns["delay"] <= 1).all() and (rows.columns["delay"] > 0).all()


def test_rows_are_taken_joined_and_added_to_with_their_columns() -> None:
    one = Rows(np.array([3, 1]), np.array([1.0, 0.0]), {"weight": np.array([0.5, 2.0])})
    two = one.take(np.array([1])).adding({"weight": np.array([4.0])})
    both = joined(one, two)
    assert both.index.tolist() == [3, 1, 1] and both.label.tolist() == [1.0, 0.0, 0.0]
    assert both.columns["weight"].tolist() == [0.5, 2.0, 4.0] and len(both) == 3
    assert one.columns["weight"].tolist() == [0.5, 2.0]


def test_labels_that_are_measured_against() -> None:
    known = ALL.before(120)
    assert len(Pretrained().rows(known, 60)) == 0
    assert pairs(Naive(7).rows(known, 60)) == walked(60, 120, 7)[0]
    assert pairs(Wait().rows(known, 60)) == walked(60, 120, WINDOW)[0]
    oracle = Oracle(ALL).rows(known, 60)
    new = np.flatnonzero((ALL.time >= 60) & (ALL.time < 120))
    np.testing.assert_array_equal(oracle.index, new)
    np.testing.assert_array_equal(oracle.label, ALL.converted[new])
    assert oracle.label.sum() > Naive(0).rows(known, 60).label.sum() == 0


def test_settled_rows_are_the_mature_exposures_with_final_labels() -> None:
    for model in (Naive(7), Wait(), Oracle(ALL)):
        rows = model.settled_rows(ALL.before(120))
        mature = np.flatnonzero(ALL.time < 120 - WINDOW)
        np.testing.assert_array_equal(rows.index, mature)
        np.testing.assert_array_equal(rows.label, ALL.converted[mature])
    assert len(Wait().settled_rows(Exposures.make([], [], window=5, until=9))) == 0


def test_columns_that_are_asked_for_are_computed_for_the_rows_that_are_left_and_once() -> None:
    computed: list[list[int]] = []

    def make(some: Rows) -> dict[str, np.ndarray]:
        computed.append(some.index.tolist())
        return {"twice": 2 * some.columns["own"]}

    rows = Rows(np.arange(4), np.ones(4, "f"), {"own": np.arange(4.0)}).asking(make)
    some = rows.take(np.array([3, 1])).take(np.array([0]))
    assert computed == []
    assert dict(some.columns) == {"own": 3.0, "twice": 6.0} and computed == [[3]]
    whole = rows.whole()
    for again in (whole.take(np.array([2])), rows.take(np.array([2]))):
        assert again.columns["twice"].tolist() == [4.0]
    assert computed == [[3], [0, 1, 2, 3]]
    assert len(rows.columns) == 2 and rows.adding({"more": np.zeros(4)}).columns["twice"].tolist() == [
        0,
        2,
        4,
        6,
    ]
