"""Session neighbours against a literal reading of their formula, and against answers known by hand."""

import math

import numpy as np
import pytest

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.encode.history.neighbours import SessionNeighbours
from thence.events.datasets.sessions import Sessions

IDS = IdMap([f"i{n}" for n in range(12)])


def drawn(seed: int, num: int, longest: int = 7) -> Sessions:
    rng = np.random.default_rng(seed)
    return Sessions.of(IDS, [rng.integers(12, size=rng.integers(1, longest)) for _ in range(num)])


def literal(known: list[list[int]], history: list[int], k: int, query, age, place, before) -> np.ndarray:
    alike, shared = [], []
    for row, items in enumerate(known):
        likeness = sum(math.exp(-(history[::-1].index(item)) / query) for item in set(history) if item in items)
        likeness *= math.exp(-(len(known) - 1 - row) / len(known) / age)
        alike.append(likeness / math.sqrt(len(items) * len(history)) if items else 0.0)
        latest = next((item for item in reversed(history) if item in items), None)
        shared.append(None if latest is None else len(items) - 1 - items[::-1].index(latest))
    scores = np.zeros(len(IDS))
    least = sorted(alike)[-k] if len(alike) > k else 0.0
    for row, items in enumerate(known):
        if shared[row] is None or alike[row] < least:
            continue
        for at, item in enumerate(items):
            away = at - shared[row]
            scores[item] += alike[row] * math.exp(-abs(away) / place) * (1.0 if away >= 0 else before)
    return scores


@pytest.mark.parametrize(
    "settings",
    [
        (math.inf, math.inf, math.inf, 1.0),
        (1.5, math.inf, math.inf, 1.0),
        (1.0, 0.5, 3.0, 1.0),
        (2.0, 0.3, 1.5, 0.2),
    ],
)
@pytest.mark.parametrize("k", [4, 500])
def test_scores_are_the_formula(settings, k) -> None:
    known, asked = drawn(1, 40), drawn(2, 15)
    query, age, place, before = settings
    scores = SessionNeighbours(known, k, query, age, place, before).scores(asked)
    expected = [literal(known.lists(), history, k, *settings) for history in asked.lists()]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


def test_what_stands_before_counts_only_where_asked_for() -> None:
    known = Sessions.of(IDS, [[0, 1]] * 3)
    case = Sessions.of(IDS, [[1]])
    assert SessionNeighbours(known, before=0.0).scores(case)[0, 0] == 0
    assert SessionNeighbours(known, before=1.0).scores(case)[0, 0] > 0


def test_the_latest_of_an_items_sessions_are_looked_at() -> None:
    known = Sessions.of(IDS, [[0, 1], [0, 2], [0, 3]])
    scores = SessionNeighbours(known, most=2).scores(Sessions.of(IDS, [[0]]))[0]
    assert scores[1] == 0 and scores[2] > 0 and scores[3] > 0


def test_one_history_leaves_nothing_behind_for_the_next() -> None:
    known, asked = drawn(3, 30), drawn(4, 6)
    scorer = SessionNeighbours(known, k=3)
    alone = np.concatenate([scorer.scores(asked.slice(n, n + 1)) for n in range(len(asked))])
    assert (scorer.scores(asked) == alone).all()


def test_a_history_nobody_shares_scores_nothing() -> None:
    known = Sessions.of(IDS, [[0, 1], []])
    assert not SessionNeighbours(known).scores(Sessions.of(IDS, [[5], []])).any()


@pytest.mark.parametrize("wrong", [{"k": 0}, {"query_decay": 0.0}, {"age_decay": -1.0}, {"before": -0.1}])
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        SessionNeighbours(drawn(0, 3), **wrong)
