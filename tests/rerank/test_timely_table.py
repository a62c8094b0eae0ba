"""The table of a timely re-ranker says what the re-ranker says, and its trees survive being saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.rerank.test_timely import known_at, shop

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.rerank.learn import RerankConfig
from thence.rerank.timely import TimelyReranker, lesson_examples
from thence.rerank.timely_table import timely_table

pytest.importorskip("xgboost")
SETTINGS = RerankConfig(candidates=12, negatives=1.0, trees=15, leaves=7)


@pytest.fixture(scope="module")
def reranker() -> TimelyReranker:
    log = shop()
    return TimelyReranker.fit(known_at(log, 8), [known_at(log, 4, 8)], SETTINGS)


def test_a_row_is_the_order_of_the_scores_and_reasons_add_up_to_them(reranker: TimelyReranker) -> None:
    table = timely_table(reranker, 5)
    constant = []
    for node in range(len(reranker.ids)):
        scores = reranker.scores([node])[0]
        scores[node] = -np.inf
        nodes, found = table.neighbors.row(node, "next")
        np.testing.assert_array_equal(found, np.sort(scores)[::-1][:5])
        np.testing.assert_array_equal(found, scores[nodes])
        constant.append(found - table.next[node].sum(axis=1))
        assert len(table.neighbors.row(node, "before")[0]) == 0
    np.testing.assert_allclose(np.ravel(constant), constant[0][0], atol=1e-4)
    assert {reason.group for reason in table.why(0, [0])[0]} <= set(table.groups)
    assert {"arc", "category", "factors", "other"} <= set(table.groups) and "first" not in table.groups


def test_quick_reasons_add_up_as_exact_ones_do(reranker: TimelyReranker) -> None:
    _, parts = next(reranker.tables())
    exact, quick = (reranker.trees.contributions(parts, quick=how) for how in (False, True))
    np.testing.assert_allclose(quick.sum(1), exact.sum(1), atol=1e-4)
    np.testing.assert_allclose(quick.sum(1), reranker.trees.margins(parts), atol=1e-4)
    assert np.corrcoef(quick[:, :-1].ravel(), exact[:, :-1].ravel())[0, 1] > 0.8


def test_k_out_of_range_is_refused(reranker: TimelyReranker) -> None:
    for k in (0, len(reranker.ids)):
        with pytest.raises(ConfigError):
            timely_table(reranker, k)


def test_asked_of_some_sources_it_says_the_same_of_them(reranker: TimelyReranker) -> None:
    few = reranker.of([7, 2])
    np.testing.assert_array_equal(few.scores([2, 7]), reranker.scores([2, 7]))
    base = reranker.now.scorers["backed_off"].scores([3])[0]
    np.testing.assert_array_equal(np.argsort(few.scores([3])[0])[-3:], np.argsort(base)[-3:])


def test_what_came_after_is_said_without_working_anything_out_again() -> None:
    lesson = known_at(shop(), 4, 8)
    now = replace(lesson, after=None)
    parts = now.parts
    then = now.then(lesson.after)
    assert then.parts is parts and then.scorers is now.scorers and then.after is lesson.after
    np.testing.assert_array_equal(
        lesson_examples(then, SETTINGS).label, lesson_examples(lesson, SETTINGS).label
    )


def test_saved_trees_stand_again_and_wrong_ones_are_refused(reranker: TimelyReranker, tmp_path) -> None:
    reranker.save(tmp_path / "reranker")
    again = TimelyReranker.load(tmp_path / "reranker", reranker.now)
    assert (again.config, again.info) == (reranker.config, reranker.info)
    np.testing.assert_array_equal(again.scores([0, 5]), reranker.scores([0, 5]))
    bare = replace(reranker.now.graph, nodes=None)
    with pytest.raises(DataError, match="other parts"):
        TimelyReranker.load(tmp_path / "reranker", replace(reranker.now, graph=bare)).check()
    data = bytearray((tmp_path / "reranker" / "trees.ubj").read_bytes())
    data[-1] ^= 1
    (tmp_path / "reranker" / "trees.ubj").write_bytes(data)
    with pytest.raises(ArtifactError, match="digest"):
        TimelyReranker.load(tmp_path / "reranker", reranker.now)
