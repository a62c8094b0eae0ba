"""Histories into a graph: order, gaps, moments, powers, from lists, arrays and logs alike."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from tests.worlds import phone_case_log

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.baseline.counts import counts
from thence.encode.peer.history import Histories, ProjectionConfig, projected

PLAIN = ProjectionConfig(decay=1.0, window=99, user_power=0, source_power=0, target_power=0)


def random_sessions(seed: int = 0) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    return [["abcdef"[k] for k in rng.integers(6, size=rng.integers(1, 8))] for _ in range(40)]


def literal(sessions: list[list[str]], ids: IdMap, config: ProjectionConfig) -> np.ndarray:
    weight, lines = np.zeros((len(ids), len(ids))), np.zeros(len(ids))
    for session in sessions:
        nodes = ids.encode(session)
        np.add.at(lines, nodes, 1)
        for p, q in combinations(range(len(nodes)), 2):
            if nodes[p] != nodes[q] and q - p <= config.window:
                weight[nodes[p], nodes[q]] += config.decay ** (q - p - 1) / len(nodes) ** config.user_power
    return weight / np.outer(lines**config.source_power, lines**config.target_power)


@pytest.mark.parametrize("config", [PLAIN, ProjectionConfig(), ProjectionConfig(0.5, 2, 1.0, 1.0, 0.3)])
def test_sessions_are_counted_pair_by_pair(config: ProjectionConfig) -> None:
    sessions = random_sessions()
    graph = projected(Histories.from_sessions(sessions), config)
    expected = literal(sessions, graph.ids, config)
    np.testing.assert_allclose(counts(graph).scores(np.arange(6)), expected, rtol=1e-5)


def test_without_order_it_is_the_two_step_walk_from_item_to_user_to_item() -> None:
    """Where users had each item once, both orders together have the chances of the walk, 1 / n_i · 1 / a_u."""
    sessions = [list("abc"), list("cab"), list("bd"), list("dca")]
    graph = projected(Histories.from_sessions(sessions), ProjectionConfig(1.0, 99, 1.0, 1.0, 0.0))
    had = np.array([[item in session for item in "abcd"] for session in sessions], float)
    walk = (had / had.sum(0)).T @ (had / had.sum(1)[:, None])
    np.fill_diagonal(walk, 0)
    items = had.sum(0)
    one = counts(graph).scores(np.arange(4)) * items[:, None]
    np.testing.assert_allclose((one + one.T) / items[:, None], walk, rtol=1e-6)


def test_what_came_at_one_moment_counts_half_each_way() -> None:
    histories = Histories.from_arrays(["u", "u", "u"], ["a", "b", "c"], [5, 5, 9])
    graph = projected(histories, ProjectionConfig(0.5, 1, 0, 0, 0))
    assert counts(graph).scores([0, 1, 2]).tolist() == [[0, 0.5, 1], [0.5, 0, 1], [0, 0, 0]]


def test_lists_arrays_in_any_order_and_logs_are_the_same() -> None:
    sessions = random_sessions()
    lines = [(u, item, at) for u, session in enumerate(sessions) for at, item in enumerate(session)]
    order = np.random.default_rng(1).permutation(len(lines))
    user, item, time = (np.array([lines[k][part] for k in order]) for part in range(3))
    ours, theirs = Histories.from_sessions(sessions), Histories.from_arrays(user, item, time)
    for field in ("user", "moment", "node"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))
    assert ours.ids == theirs.ids


def test_a_log_gives_its_purchases_in_order_up_to_its_clock() -> None:
    graph = projected(Histories.from_log(phone_case_log()), PLAIN)
    scorer, at = counts(graph), graph.ids.encode(["phone", "case", "charger"])
    phone, case, charger = scorer.scores(at)[:, at]
    assert phone.tolist() == [0, 3, 2]  # a second apart in one order is an order too
    assert case.tolist() == [0, 0, 1] and charger.tolist() == [0, 1, 0]
    log = phone_case_log()
    early = projected(Histories.from_log(log.before(log.span()[0] + 3 * 86_400_000_000)), PLAIN)
    assert early.main.num_arcs < graph.main.num_arcs


def test_items_that_are_not_asked_for_are_left_out() -> None:
    histories = Histories.from_sessions([["a", "x", "b"]], IdMap(["b", "a", "c"]))
    graph = projected(histories, ProjectionConfig(0.5, 1, 0, 0, 0))
    assert graph.main.pairs.tolist() == [[1], [0]] and graph.num_nodes == 3


def test_histories_turned_round_turn_the_arcs_round() -> None:
    """A projection that forgot the order would say the same of both."""
    sessions = random_sessions()
    forward = projected(Histories.from_sessions(sessions), PLAIN)
    backward = projected(Histories.from_sessions([session[::-1] for session in sessions]), PLAIN)
    a, b = (graph.main.matrix().toarray() for graph in (forward, backward))
    np.testing.assert_allclose(a, b.T, rtol=1e-6)
    assert np.abs(a - b).max() > 0.2 * a.max()


@pytest.mark.parametrize("sessions", [[], [[]], [["a"], ["b"]]])
def test_histories_without_pairs_have_no_arcs(sessions: list[list[str]]) -> None:
    assert projected(Histories.from_sessions(sessions)).main.num_arcs == 0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(DataError):
        Histories.from_arrays(["u"], ["a", "b"], [1, 2])
    with pytest.raises(ConfigError):
        ProjectionConfig(decay=0.0)
    with pytest.raises(ConfigError):
        ProjectionConfig(window=0)
