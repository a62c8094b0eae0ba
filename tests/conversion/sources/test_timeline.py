"""Questions about each group's past, against loops over all events."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thence.conversion.sources.timeline import Timeline

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 9)), max_size=20)
ASKED = st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 10), st.integers(0, 8)), min_size=1, max_size=10)


@given(EVENTS, ASKED)
def test_a_timeline_answers_as_loops_do(events, asked) -> None:
    group, time = (np.array([event[k] for event in events], np.int64) for k in range(2))
    line = Timeline(group, time)
    who, after, span = (np.array([row[k] for row in asked], np.int64) for k in range(3))
    rows, found = line.pairs(who, after, after + span)
    last = line.last(who, after)
    for k, (g, low, length) in enumerate(asked):
        fits = [j for j, (h, t) in enumerate(events) if h == g and low < t <= low + length]
        assert sorted(found[rows == k].tolist()) == fits
        assert time[found[rows == k]].tolist() == sorted(time[found[rows == k]].tolist())
        earlier = [(t, j) for j, (h, t) in enumerate(events) if h == g and t < low]
        assert last[k] == (max(earlier)[1] if earlier else -1)
    assert line.count(who, after, after + span).tolist() == np.bincount(rows, minlength=len(asked)).tolist()


@given(EVENTS)
def test_neighbours_in_a_group(events) -> None:
    group, time = (np.array([event[k] for event in events], np.int64) for k in range(2))
    later, earlier = Timeline(group, time).following()
    for j, (g, t) in enumerate(events):
        after = sorted((u, k) for k, (h, u) in enumerate(events) if h == g and (u, k) > (t, j))
        before = sorted((u, k) for k, (h, u) in enumerate(events) if h == g and (u, k) < (t, j))
        assert later[j] == (after[0][1] if after else -1)
        assert earlier[j] == (before[-1][1] if before else -1)
