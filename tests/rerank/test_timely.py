"""Parts that a log tells at its clock, against the log read line by line, and the re-ranker over them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError
from thence.encode.baseline.recent import DAY
from thence.evaluate import first_purchase_cases
from thence.events import EventLog
from thence.graph import Arcs, DiGraph
from thence.graph.build import GraphConfig, build_graph
from thence.rerank.learn import RerankConfig
from thence.rerank.parts import part_table
from thence.rerank.timely import Known, TimelyReranker
from thence.rerank.timely_parts import timely_parts

pytest.importorskip("xgboost")
START = 1_500_000_000_000_000
CONFIG = GraphConfig(relations=("same_basket",), min_count=3)


def shop(users: int = 40, weeks: int = 12, items: int = 24, seed: int = 0) -> EventLog:
    """Customers buy in one kind each week; kinds are six items wide, the first of each leads to the others."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for week in range(weeks):
            kind = int(rng.integers(items // 6))
            for item in {
                6 * kind,
                *(6 * kind + int(k) for k in rng.integers(6, size=2)),
                int(rng.integers(items)),
            }:
                at = START + week * 7 * DAY + user
                rows.append((at, f"u{user:03}", f"i{item:02}", "purchase", f"o{user}-{week}"))
    names = ("timestamp", "user_id", "item_id", "event", "order_id")
    events = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    ids = [f"i{k:02}" for k in range(items)]
    catalogue = pa.table({"item_id": ids, "category": [f"shop > kind {k // 6}" for k in range(items)]})
    return EventLog.from_tables(events, catalogue)


def known_at(log: EventLog, week: int, until: int | None = None) -> Known:
    clock = START + week * 7 * DAY
    before = log.before(clock)
    graph = build_graph(before, CONFIG)
    if until is None:
        return Known(graph, before)
    cases = first_purchase_cases(before, log.since(clock).before(START + until * 7 * DAY), graph.ids)
    n = graph.num_nodes
    pair, at = np.unique(cases.source * n + cases.target, return_inverse=True)
    after = Arcs.from_pairs(*np.divmod(pair, n), num_nodes=n, weight=np.bincount(at, weights=cases.weight))
    return Known(graph, before, after=after)


@pytest.fixture(scope="module")
def log() -> EventLog:
    return shop()


@pytest.fixture(scope="module")
def lesson(log: EventLog) -> Known:
    return known_at(log, 4, 8)


@pytest.fixture(scope="module")
def now(log: EventLog) -> Known:
    return known_at(log, 8)


def everything(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    nodes = np.concatenate([np.delete(np.arange(n), i) for i in range(n)]).astype(np.int32)
    return np.arange(n), np.arange(0, n * n, n - 1)[: n + 1].astype(np.int64), nodes


def read_lines(log: EventLog, graph: DiGraph, clock: int) -> list[tuple]:
    rows = log.events.order_by("timestamp").to_pyarrow().to_pylist()
    seen, lines = set(), []
    for row in rows:
        key = (row["user_id"], row["item_id"])
        lines.append(
            (
                row["order_id"],
                graph.ids.index(row["item_id"]),
                (clock - row["timestamp"]) / DAY,
                key not in seen,
                row["user_id"],
            )
        )
        seen.add(key)
    return lines


def test_pairs_and_products_are_what_the_log_says_line_by_line(log: EventLog) -> None:
    clock = START + 4 * 7 * DAY
    before = log.before(clock)
    graph = build_graph(before, CONFIG)
    at = everything(graph.num_nodes)
    parts = {part.name: part.values(at) for part in timely_parts(before, graph.ids)}
    lines = read_lines(before, graph, clock)
    baskets: dict[str, list] = {}
    owners: dict[int, set] = {}
    for line in lines:
        baskets.setdefault(line[0], []).append(line)
        owners.setdefault(line[1], set()).add(line[4])
    source, target = np.repeat(at[0], np.diff(at[1])), at[2]
    for k in range(0, len(target), 37):
        i, j = source[k], target[k]
        slow = new_both = beside = small = 0.0
        for rows in baskets.values():
            own = {row[1]: row for row in rows}
            if i in own and j in own:
                new = own[j][3]
                beside += 1
                slow += new * 2 ** (-own[j][2] / 84.0)
                small += new / np.sqrt(len(own))
                new_both += new and own[i][3]
        assert parts["timely.fading"][k] == pytest.approx(slow, rel=1e-4)
        assert parts["timely.small_baskets"][k] == pytest.approx(small, rel=1e-4)
        assert parts["timely.new_together"][k] == new_both
        assert parts["timely.beside"][k] == beside
        both = len(owners[i] & owners[j])
        assert parts["timely.both"][k] == both
        assert parts["timely.have_share"][k] == pytest.approx(both / len(owners[i]))
        assert parts["timely.had_share"][k] == pytest.approx(both / len(owners[j]))
        assert parts["timely.target_firsts_14"][k] == sum(
            row[3] for row in lines if row[1] == j and row[2] < 14
        )
        assert parts["timely.source_purchases"][k] == sum(row[1] == i for row in lines)


def test_nothing_later_than_the_clock_is_seen(log: EventLog) -> None:
    clock = START + 8 * 7 * DAY
    graph = build_graph(log.before(clock), CONFIG)
    at = everything(graph.num_nodes)
    short = EventLog.from_tables(log.before(clock).events.to_pyarrow())
    for one, other in zip(
        timely_parts(log.before(clock), graph.ids), timely_parts(short.before(clock), graph.ids), strict=True
    ):
        np.testing.assert_array_equal(one.values(at), other.values(at))


def test_a_taught_re_ranker_finds_the_kind_and_answers_both_ways_alike(lesson: Known, now: Known) -> None:
    config = RerankConfig(candidates=12, negatives=1.0, trees=20)
    ranker = TimelyReranker.fit(now, [lesson], config)
    everyone = np.arange(len(ranker.ids))
    scores = ranker.scores(everyone)
    assert scores.shape == (24, 24) and np.isfinite(scores).all()
    np.testing.assert_allclose(ranker.scores_into(everyone), scores.T, atol=1e-5)
    np.testing.assert_array_equal(ranker.scores([3, 1]), scores[[3, 1]])
    names = ranker.ids.decode(everyone)
    kind = np.array([int(name[1:]) // 6 for name in names])
    np.fill_diagonal(scores, -np.inf)
    best = np.argsort(-scores, axis=1)[:, :3]
    assert (kind[best] == kind[:, None]).mean() > 0.8
    again = TimelyReranker.fit(now, [lesson], config)
    np.testing.assert_array_equal(again.scores(everyone)[0], ranker.scores(everyone)[0])


def test_candidates_stand_above_all_others(lesson: Known, now: Known) -> None:
    ranker = TimelyReranker.fit(now, [lesson], RerankConfig(candidates=2, trees=5))
    _, ptr, nodes = ranker.now.candidates(np.array([5]), 2)
    scores = ranker.scores([5])[0]
    others = np.setdiff1d(np.arange(24), [*nodes[: ptr[1]], 5])
    assert len(others) and scores[nodes].min() > scores[others].max()


def test_lessons_without_a_future_or_from_the_future_are_refused(lesson: Known, now: Known) -> None:
    with pytest.raises(ConfigError, match="came after"):
        TimelyReranker.fit(now, [replace(lesson, after=None)])
    with pytest.raises(ConfigError, match="clock"):
        TimelyReranker.fit(lesson, [replace(now, after=lesson.after)])


def test_the_table_has_a_column_for_every_part(now: Known) -> None:
    known = now
    at = known.candidates(np.arange(3), 4)
    table = part_table(known.parts, at)
    assert table.shape == (len(at[2]), len(known.parts)) and np.isfinite(table).all()
    assert len({part.name for part in known.parts}) == len(known.parts)
