"""Lessons hide what they ask for; candidates are fresh; parts see the lesson's graph alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.rerank.shop import CONFIG, known, retrieve, shop

from thence.base.errors import ConfigError, FitError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.rerank import Lesson, RerankConfig, Reranker
from thence.rerank.candidates import Finder
from thence.rerank.learn import examples, hidden_lessons, logistic
from thence.rerank.parts import columns, part_table


def test_a_lesson_hides_its_share_and_nothing_is_lost() -> None:
    graph = known()
    whole = set(map(tuple, graph.main.pairs.T.tolist()))
    for lesson in hidden_lessons(graph, CONFIG, seed=3):
        left, hidden = (set(map(tuple, arcs.pairs.T.tolist())) for arcs in (lesson.graph.main, lesson.hidden))
        assert not left & hidden and left | hidden == whole
        assert abs(len(hidden) - 0.2 * len(whole)) <= 1
        assert lesson.graph.relations["viewed"] is graph.relations["viewed"]


def test_pairs_are_hidden_together_when_asked() -> None:
    pairs = np.array([[i, j] for i in range(8) for j in range(8) if i != j]).T
    graph = DiGraph(IdMap([f"n{k}" for k in range(8)]), {"a": Arcs.from_pairs(*pairs, num_nodes=8)})
    (lesson,) = hidden_lessons(graph, RerankConfig(folds=1, whole_pairs=True))
    assert not lesson.graph.main.contains(*lesson.hidden.pairs[::-1]).any()


def test_the_first_stage_never_sees_a_hidden_arc() -> None:
    """Every graph that it is fitted to lacks its lesson's arcs; the last is the whole."""
    seen: list[DiGraph] = []

    def spy(graph: DiGraph):
        seen.append(graph)
        return retrieve(graph)

    Reranker.fit(known(), spy, CONFIG, seed=2)
    lessons = list(hidden_lessons(known(), CONFIG, seed=2))
    assert [graph.main.num_arcs for graph in seen] == [
        *(lesson.graph.main.num_arcs for lesson in lessons),
        known().main.num_arcs,
    ]
    for graph, lesson in zip(seen[:-1], lessons, strict=True):
        assert not graph.main.contains(*lesson.hidden.pairs).any()


def test_parts_are_those_of_the_lessons_graph_and_labels_those_of_its_hidden_arcs() -> None:
    (lesson, _) = hidden_lessons(known(), CONFIG, seed=2)
    first = retrieve(lesson.graph)
    taught = examples(lesson, first, CONFIG, seed=4)
    assert "viewed.weight" in taught.names and "category.lift" in taught.names
    assert not taught.table[:, taught.names.index("bought_after.weight")].any()  # what is hidden is not there
    finder = Finder(lesson.graph, first, CONFIG.candidates, seed=4)
    at = finder.candidates(np.flatnonzero(lesson.hidden.out_degree))
    np.testing.assert_array_equal(taught.table, part_table(finder.parts, at))
    source = np.repeat(at[0], np.diff(at[1]))
    np.testing.assert_array_equal(taught.label, lesson.hidden.contains(source, at[2]))
    assert taught.found == pytest.approx(taught.label.sum() / lesson.hidden.num_arcs)


@pytest.mark.parametrize("keep", [False, True])
def test_candidates_are_others_once_and_known_ones_only_on_demand(keep: bool) -> None:
    graph = known()
    sources, ptr, nodes = Finder(graph, retrieve(graph), 10, known=keep).candidates(np.array([3, 0, 20]))
    assert sources.tolist() == [3, 0, 20]
    for row, source in enumerate(sources):
        own = nodes[ptr[row] : ptr[row + 1]]
        assert source not in own and (np.diff(own) > 0).all() and len(own) >= 10
        assert np.isin(graph.main.into(source), own).all()
        assert np.isin(graph.relations["viewed"].out(source), own).all()
        assert graph.main.contains(np.full(len(own), source), own).any() == keep


def test_a_source_has_the_same_parts_in_every_company() -> None:
    graph = known()
    finder = Finder(graph, retrieve(graph), 12)
    together = finder.candidates(np.arange(42))
    table = part_table(finder.parts, together)
    for source in (0, 17, 41):
        alone = finder.candidates(np.array([source]))
        part = slice(together[1][source], together[1][source + 1])
        np.testing.assert_array_equal(alone[2], together[2][part])
        np.testing.assert_allclose(part_table(finder.parts, alone), table[part], rtol=1e-5, atol=1e-6)


def test_category_pairs_count_arcs() -> None:
    """All arcs lead from kind c to kind c + 1, so their lift is the largest, by its formula."""
    graph = shop()
    finder = Finder(graph, retrieve(graph), 42, known=True)
    at = np.array([0]), np.array([0, 2]), np.array([14, 1], np.int32)
    table = part_table(finder.parts, at)
    lift = table[:, columns(finder.parts).index("category.lift")]
    arcs = int((graph.main.pairs[0] < 14).sum())
    expected = np.log((np.array([arcs, 0]) + 1) / (arcs + 4) / ((14 + 1) / (42 + 4)))
    np.testing.assert_allclose(lift, expected, rtol=1e-5)


def test_logistic_regression_finds_the_rates_of_two_groups() -> None:
    """Of ones 3 in 4 are true, of zeros 1 in 4: log odds of ±log 3."""
    x = np.repeat([0.0, 1.0], 4000)
    y = np.tile([1, 0, 0, 0], 1000).tolist() + np.tile([1, 1, 1, 0], 1000).tolist()
    slope, offset = logistic(x, np.array(y))
    assert offset == pytest.approx(-np.log(3), abs=1e-3) and slope == pytest.approx(2 * np.log(3), abs=1e-3)


def test_weights_of_hidden_arcs_count_as_given() -> None:
    graph = known()
    (lesson, _) = hidden_lessons(graph, CONFIG)
    heavy = lesson.hidden.with_value("weight", np.arange(1, lesson.hidden.num_arcs + 1))
    taught = examples(Lesson(lesson.graph, heavy), retrieve(lesson.graph), CONFIG)
    assert (taught.weight[~taught.label] == 1).all()
    assert taught.weight[taught.label].mean() == pytest.approx(1.0)
    assert np.ptp(taught.weight[taught.label]) > 1


def test_what_cannot_be_learned_is_refused() -> None:
    empty = DiGraph(IdMap("abc"), {"a": Arcs.from_pairs([], [], num_nodes=3)})
    with pytest.raises(FitError, match="no arcs"):
        Reranker.fit(empty, retrieve)
    one = DiGraph(IdMap("abc"), {"a": Arcs.from_pairs([0], [1], num_nodes=3)})
    with pytest.raises(FitError, match="no arcs to learn from"):
        Reranker.fit(one, retrieve)
    with pytest.raises(ConfigError, match="out of range"):
        RerankConfig(hidden=1.0)


def test_what_repeats_is_learned_from_lessons_of_a_later_period() -> None:
    """Known arcs alone come again in the period, so with known candidates they stand first."""
    graph = known()
    again = graph.main.select(np.random.default_rng(0).random(graph.main.num_arcs) < 0.5)
    config = replace(CONFIG, known=True)
    reranker = Reranker.fit(graph, retrieve, config, lessons=[Lesson(graph, again)])
    scores = reranker.scores(np.arange(42))
    is_known = graph.main.contains(*np.divmod(np.arange(42 * 42), 42)).reshape(42, 42)
    assert scores[is_known].min() > np.quantile(scores[~is_known], 0.99)
