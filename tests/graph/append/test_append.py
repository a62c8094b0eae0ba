"""Whatever comes, in whatever batches: after each, the snapshot is the graph of the whole log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.graph.append.forge import ALL, FIRST, catalogue, check, scratch, table_of
from tests.graph.literal import DAY, MINUTE, log_of
from tests.graph.test_digraph import assert_same

from thence.graph.append import append, snapshot, snapshots, start
from thence.graph.build import RELATIONS, GraphConfig
from thence.graph.digraph import DiGraph

USERS, ITEMS = ["ann", "bob", "cleo", "dan"], ["a", "b", "c", "d", "0", "aa"]
moments = st.one_of(
    st.integers(0, 45).map(lambda day: day * DAY),
    st.tuples(st.integers(9, 13), st.integers(0, 80)).map(lambda t: t[0] * DAY + t[1] * MINUTE),
)
purchases = st.tuples(
    moments,
    st.sampled_from(USERS),
    st.sampled_from(ITEMS),
    st.just("purchase"),
    st.sampled_from([None, None, "o1", "o2"]),
)
looks = st.tuples(
    st.integers(0, 240).map(lambda minute: 12 * DAY + minute * MINUTE),
    st.sampled_from(USERS[:3]),
    st.sampled_from([*ITEMS, "g"]),
    st.sampled_from(["view", "view", "click"]),
    st.none(),
)
others = st.tuples(moments, st.sampled_from(USERS), st.sampled_from(ITEMS), st.just("cart"), st.none())
batches = st.lists(
    st.lists(st.one_of(purchases, looks, purchases, others), max_size=12), min_size=1, max_size=4
)
configs = st.builds(
    GraphConfig,
    relations=st.sampled_from([RELATIONS, ("bought_after", "same_basket"), ("same_basket", "co_viewed")]),
    min_count=st.integers(1, 3),
    min_support=st.sampled_from([None, 1, 2]),
    window_days=st.sampled_from([1.0, 28.0]),
    max_basket=st.sampled_from([2, 3, 200]),
    include_cold=st.booleans(),
)
CLEO = [(14 * DAY, "cleo", "a", "purchase", None), (16 * DAY, "cleo", "b", "purchase", None)]


@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(batches, configs, st.booleans())
@example([[(1 * DAY, "ann", "b", "purchase", None)]], ALL, True)  # b no longer after a, in no other's eyes
@example([[(9 * DAY, "ann", "c", "purchase", "o1")], [(8 * DAY, "ann", "d", "purchase", "o1")]], ALL, True)
@example(
    [CLEO, [(2 * DAY, "cleo", "b", "purchase", None), (20 * DAY, "ann", "c", "purchase", None)]], ALL, True
)
def test_the_snapshot_is_the_graph_of_the_whole_log(batches, config, catalogued):
    replay(batches, config, catalogued)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches, configs, st.booleans())
def test_the_snapshot_is_the_graph_of_the_whole_log_at_length(batches, config, catalogued):
    replay(batches, config, catalogued)


def dense_shop(seed):
    """Few products and many late events: the last time of a pair is often taken away."""
    rng = np.random.default_rng(seed)

    def some(num, first, last):
        when = rng.integers(first, last, num) * DAY + rng.integers(0, 3, num) * 10 * MINUTE
        who, what = rng.integers(0, 8, num), rng.choice(["a", "b", "c", "d", "0"], num)
        kind = rng.choice(["purchase", "purchase", "view"], num)
        order = rng.choice(["", "", "o1", "o2"], num).tolist()
        named = (one if one and event == "purchase" else None for one, event in zip(order, kind, strict=True))
        columns = (when.tolist(), [f"u{n}" for n in who], what.tolist(), kind.tolist(), named)
        return list(zip(*columns, strict=True))

    config = GraphConfig(RELATIONS, 1 + seed % 3, 1, max_basket=(2, 4, 200)[seed % 3])
    return [some(6, 5, 30) for _ in range(3)], config, True, some(70, 10, 40)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 60))])
def test_last_times_are_right_when_what_held_them_moves(seed, monkeypatch):
    looked_up = replay(*dense_shop(seed))
    if not seed:
        assert sum(looked_up) > 0
        monkeypatch.setattr(snapshots, "restore", lambda *_: 0)  # a lost maximum that stays
        with pytest.raises(AssertionError):
            replay(*dense_shop(seed))


def replay(batches, config, catalogued, first=FIRST):
    """After each batch, the snapshot is what a new state gives; after the last, what the engine builds."""
    items, looked_up = catalogue("abcd0g") if catalogued else None, []
    rows = first * config.min_count if first is FIRST else first
    with scratch() as tmp:
        made = start(log_of(rows, items), f"{tmp}/state", config)
        for number, batch in enumerate(batches):
            report = append(f"{tmp}/state", table_of(batch), f"{tmp}/graph{number % 2}")
            rows = [*rows, *batch]
            made = report.graph
            assert_same(made, start(log_of(rows, items), f"{tmp}/new{number}", config))
            assert_same(made, DiGraph.load(f"{tmp}/graph{number % 2}"))
            assert report.events == len(batch)
            looked_up.append(report.looked_up)
        assert_same(made, snapshot(f"{tmp}/state", verify=True))
        check(made, rows, items, config)
        parts = [path.name for path in Path(f"{tmp}/state").iterdir()]
        assert all(name == "head" or name.startswith("part-") for name in parts)
    return looked_up
