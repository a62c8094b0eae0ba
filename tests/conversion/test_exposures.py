"""The clock: what was known at a moment and nothing later, against literal loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features

WINDOW = 20
MOMENTS = st.integers(0, 60)


@st.composite
def exposures(draw: st.DrawFn) -> Exposures:
    """A few exposures, with conversions inside and outside the window, and events at any time after them."""
    time = draw(st.lists(MOMENTS, min_size=1, max_size=12))
    delays = [draw(st.one_of(st.none(), st.integers(1, 2 * WINDOW))) for _ in time]
    ends = [NEVER if delay is None else at + delay for at, delay in zip(time, delays, strict=True)]
    count = draw(st.integers(0, 15))
    owner = [draw(st.integers(0, len(time) - 1)) for _ in range(count)]
    kind = [draw(st.integers(0, 1)) for _ in range(count)]
    at = [time[of] + draw(st.integers(0, WINDOW)) for of in owner]
    codes = np.arange(len(time))[:, None]
    features = Features(codes, np.asarray(time, float)[:, None], (99,))
    events = Engagement.make(["cart", "look"], owner, kind, at)
    return Exposures.make(time, ends, window=WINDOW, features=features, engagement=events)


@given(exposures(), MOMENTS)
def test_nothing_later_than_the_clock_is_known(shown: Exposures, at: int) -> None:
    known = shown.before(at)
    assert known.until == at and (known.time < at).all()
    assert (known.conversion_time[known.conversion_time != NEVER] < at).all()
    assert len(known) == len(known.features) == int((shown.time < at).sum())
    for place in range(len(known)):
        end = int(shown.conversion_time[place])
        label = end < at and end - shown.time[place] <= WINDOW
        assert known.converted[place] == label
        assert known.mature[place] == (shown.time[place] + WINDOW < at)
        assert known.elapsed[place] == min(at - shown.time[place], WINDOW)
    _, last = known.engagement.so_far(np.full(len(known), NEVER))
    assert (last < at).all()


@given(exposures(), exposures(), MOMENTS)
def test_what_comes_later_changes_nothing(shown: Exposures, other: Exposures, at: int) -> None:
    """Two histories that agree up to a moment have the same view of it."""
    later = other.time + at
    ends = np.where(other.conversion_time == NEVER, NEVER, other.conversion_time + at)
    early = shown.before(at)
    joined = Exposures.make(
        np.concatenate([early.time, later]),
        np.concatenate([shown.conversion_time[: len(early)], ends]),
        window=WINDOW,
        features=Features(
            np.concatenate([early.features.codes, other.features.codes]),
            np.concatenate([early.features.numbers, other.features.numbers]),
            (99,),
        ),
    )
    view = joined.before(at)
    np.testing.assert_array_equal(view.time, early.time)
    np.testing.assert_array_equal(view.conversion_time, early.conversion_time)
    np.testing.assert_array_equal(view.features.codes, early.features.codes)


@given(exposures(), MOMENTS, MOMENTS)
def test_a_clock_is_only_turned_back(shown: Exposures, one: int, other: int) -> None:
    twice, once = shown.before(one).before(other), shown.before(min(one, other))
    assert twice.until == once.until
    for name in ("time", "conversion_time", "converted", "mature"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))
    clock = np.full(len(once), NEVER)
    for mine, theirs in zip(twice.engagement.so_far(clock), once.engagement.so_far(clock), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@given(exposures(), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 90)), max_size=8), MOMENTS)
def test_engagement_so_far_is_what_a_loop_counts(
    shown: Exposures, asked: list[tuple[int, int]], at: int
) -> None:
    known = shown.before(at)
    asked = [(row, clock) for row, clock in asked if row < len(known)]
    rows, clocks = np.array([a[0] for a in asked], np.int64), np.array([a[1] for a in asked], np.int64)
    count, last = known.engagement.so_far(clocks, rows)
    events = shown.engagement
    for place, (row, clock) in enumerate(asked):
        for kind in range(2):
            seen = [
                int(time)
                for owner, which, time in zip(events.owner, events.kind, events.time, strict=True)
                if owner == row and which == kind and time < min(clock, at)
            ]
            assert count[place, kind] == len(seen)
            assert last[place, kind] == max(seen, default=-1)


@given(exposures(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_come_does_not_matter(shown: Exposures, random) -> None:
    order = np.array(random.sample(range(len(shown)), len(shown)), np.int64)
    place = np.argsort(order)
    events = shown.engagement
    mixed = Exposures.make(
        shown.time[order],
        shown.conversion_time[order],
        window=WINDOW,
        features=shown.features.take(order),
        engagement=Engagement.make(events.kinds, place[events.owner], events.kind, events.time),
    )
    key = [
        tuple(row) for row in zip(shown.time, shown.conversion_time, shown.features.codes[:, 0], strict=True)
    ]
    back = [
        tuple(row) for row in zip(mixed.time, mixed.conversion_time, mixed.features.codes[:, 0], strict=True)
    ]
    assert sorted(key) == sorted(back)
    told = {row[2]: mixed.engagement.so_far(np.full(len(mixed), NEVER))[0][k] for k, row in enumerate(back)}
    for k, row in enumerate(key):
        np.testing.assert_array_equal(told[row[2]], shown.engagement.so_far(np.full(len(shown), NEVER))[0][k])


@pytest.mark.parametrize(
    ("time", "end", "until", "said"),
    [
        ([5, 3], [NEVER, NEVER], NEVER, "not sorted"),
        ([3, 5], [3, NEVER], NEVER, "not later than its exposure"),
        ([3, 5], [2, NEVER], NEVER, "not later than its exposure"),
        ([3, 5], [9, NEVER], 9, "later than the clock"),
        ([3, 5], [4, NEVER], 5, "later than the clock"),
        ([3, 5], [4], NEVER, "do not fit together"),
    ],
)
def test_exposures_that_cannot_be_are_refused(time, end, until, said) -> None:
    with pytest.raises(DataError, match=said):
        Exposures(Features.none(len(time)), np.array(time), np.array(end), WINDOW, until)
