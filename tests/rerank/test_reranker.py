"""The second stage: a scorer that keeps the contract, adds up, and knows which way arcs point."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract import scorers
from tests.rerank.shop import CONFIG, fitted, known, retrieve, shop, split

from thence.base.errors import ArtifactError, DataError
from thence.encode import Embeddings
from thence.graph import Arcs, DiGraph
from thence.rerank import Lesson, RerankedTable, Reranker, reasons, reranked_table
from thence.rerank.candidates import Finder
from thence.rerank.explain import contributions
from thence.rerank.learn import hidden_lessons

EVERYONE = np.arange(42)


def test_it_keeps_the_contract_of_scorers() -> None:
    scorers.keeps_the_contract(lambda graph: Reranker.fit(graph, retrieve, CONFIG, seed=2), known())


def test_hidden_arcs_stand_above_absent_ones() -> None:
    scores = fitted().scores(EVERYONE)
    absent = ~shop().main.contains(*np.divmod(np.arange(42 * 42), 42)).reshape(42, 42)
    hidden = scores[tuple(split().test.pairs)]
    assert (hidden[:, None] > scores[absent][None, :]).mean() > 0.9


# ---- direction


def direction(reranker: Reranker) -> float:
    """How often a hidden arc, of which neither direction is known, stands above its reverse."""
    source, target = split().test.pairs
    scores = reranker.scores(EVERYONE)
    forward, backward = scores[source, target], scores[target, source]
    return float(((forward > backward) + 0.5 * (forward == backward)).mean())


class Symmetric(Finder):
    """A mutant: every part is counted on the arcs without their direction."""

    def __init__(self, graph: DiGraph, first, num: int, *, known: bool = False, seed: int = 0) -> None:
        super().__init__(graph, first, num, known=known, seed=seed)
        pairs = [
            np.unique(np.concatenate([a.pairs, a.pairs[::-1]], 1), axis=1) for a in graph.relations.values()
        ]
        both = {
            name: Arcs.from_pairs(*pair, num_nodes=graph.num_nodes)
            for name, pair in zip(graph.relations, pairs, strict=True)
        }
        blind = DiGraph(graph.ids, both, graph.nodes)
        self.parts = Finder(blind, blind_retrieve(graph), num, seed=seed).parts


def blind_retrieve(graph: DiGraph) -> Embeddings:
    one = retrieve(graph)
    both = np.concatenate([one.source, one.target], axis=1)
    return Embeddings(graph.ids, both, np.concatenate([one.target, one.source], axis=1))


def test_it_knows_which_way_arcs_point() -> None:
    assert direction(fitted()) > 0.95


def test_a_mutant_with_symmetric_parts_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thence.rerank.learn.Finder", Symmetric)
    monkeypatch.setattr("thence.rerank.reranker.Finder", Symmetric)
    mutant = Reranker.fit(known(), blind_retrieve, CONFIG, seed=2)
    assert direction(mutant) < 0.8


def test_a_mutant_taught_the_wrong_way_round_dies() -> None:
    turned = [
        Lesson(lesson.graph, lesson.hidden.reversed()) for lesson in hidden_lessons(known(), CONFIG, seed=2)
    ]
    assert direction(Reranker.fit(known(), retrieve, CONFIG, lessons=turned, seed=2)) < 0.5


# ---- the scale


def test_what_is_no_candidate_stands_below_in_the_order_of_the_first_stage() -> None:
    few = Reranker(known(), retrieve(known()), fitted().trees, RerankFew, fitted().scale, 2)
    scores, first = few.scores(EVERYONE), few.first.scores(EVERYONE)
    sources, ptr, nodes = few.finder.candidates(EVERYONE)
    outside_any = 0
    for source in sources:
        inside = np.isin(EVERYONE, nodes[ptr[source] : ptr[source + 1]])
        outside_any += (~inside).sum()
        assert scores[source][~inside].max() < scores[source][inside].min()
        order = np.argsort(first[source][~inside])
        assert (np.diff(scores[source][~inside][order]) >= 0).all()
    assert outside_any > 42


RerankFew = type(CONFIG)(candidates=2, folds=2, negatives=1.0, trees=25, leaves=8, rate=0.3)


def test_more_is_never_asked_than_needed_and_gives_the_same() -> None:
    """A few sources are re-ranked alone, many through the whole; the scores are the same."""
    one = Reranker(known(), retrieve(known()), fitted().trees, CONFIG, fitted().scale, 2)
    alone = one.scores([5])
    assert "_whole" not in one.__dict__
    np.testing.assert_allclose(alone[0], one.scores(EVERYONE)[5], rtol=1e-5)


# ---- explanations


def test_reasons_add_up_to_the_score() -> None:
    reranker = fitted()
    sources, ptr, nodes = reranker.finder.candidates(EVERYONE)
    for source in (0, 15, 40):
        own = nodes[ptr[source] : ptr[source + 1]]
        added = contributions(reranker, source, own).sum(axis=1)
        np.testing.assert_allclose(added, reranker.scores([source])[0, own], atol=1e-3)
    assert sources[0] == 0


def test_a_reason_is_given_in_words_and_speaks_for_the_answer() -> None:
    source, target = split().test.pairs[:, 0]
    found = reasons(fitted(), int(source), int(target))
    assert found and all(reason.value > 0 and reason.words for reason in found)
    assert [reason.value for reason in found] == sorted((r.value for r in found), reverse=True)


def test_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DataError, match="out of range"):
        contributions(fitted(), 0, [42])


# ---- saved


def test_saved_and_loaded_it_says_the_same(tmp_path) -> None:
    fitted().save(tmp_path / "r")
    again = Reranker.load(tmp_path / "r", known(), retrieve(known()))
    np.testing.assert_array_equal(again.scores(EVERYONE), fitted().scores(EVERYONE))
    assert again.config == CONFIG and again.info == fitted().info


def test_what_does_not_belong_together_is_refused(tmp_path) -> None:
    fitted().save(tmp_path / "r")
    bare = DiGraph(known().ids, {"bought_after": known().main})
    with pytest.raises(DataError, match="other parts"):
        Reranker.load(tmp_path / "r", bare, retrieve(bare)).scores([0])
    raw = (tmp_path / "r" / "trees.ubj").read_bytes()
    (tmp_path / "r" / "trees.ubj").write_bytes(raw[:-9] + b"garbage!!")
    with pytest.raises(ArtifactError, match="digest"):
        Reranker.load(tmp_path / "r", known(), retrieve(known()))


def test_a_table_holds_the_best_answers_and_why(tmp_path) -> None:
    table = reranked_table(fitted(), 4)
    scores = fitted().scores(EVERYONE)
    nodes, given = table.neighbors.row(3, "next")
    scores[3, 3] = -np.inf
    np.testing.assert_allclose(given, np.sort(scores[3])[::-1][:4], rtol=1e-6)
    np.testing.assert_allclose(table.next[3], contributions(fitted(), 3, nodes)[:, :-1], rtol=1e-5, atol=1e-6)
    into, _ = table.neighbors.row(3, "before")
    np.testing.assert_allclose(
        table.before[3, 0], contributions(fitted(), int(into[0]), [3])[0, :-1], rtol=1e-5, atol=1e-6
    )
    assert table.why(3, [0])[0][0].value == np.nanmax(table.next[3, 0])
    table.save(tmp_path / "t")
    np.testing.assert_array_equal(RerankedTable.load(tmp_path / "t").next, table.next)
