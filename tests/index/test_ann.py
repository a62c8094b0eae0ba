"""Approximate indexes against the exact one: recall, filters, batches, threads, and what they refuse."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

faiss = pytest.importorskip("faiss")

from tests.index.ann_worlds import DIM, EVERY, NODES, built, clustered, thorough, world  # noqa: E402

from thence.base.errors import ConfigError, DataError, FitError  # noqa: E402
from thence.base.ids import IdMap  # noqa: E402
from thence.base.rng import generator  # noqa: E402
from thence.encode.embeddings import Embeddings  # noqa: E402
from thence.index import AnnIndex, ExactIndex, IndexOptions, build_index  # noqa: E402
from thence.index.neighbors import QUESTIONS  # noqa: E402

KINDS = ("ivf_pq", "ivf_rabitq", "hnsw")
ASKED = np.arange(0, NODES, 37)


def recall(found, exact) -> float:
    return float(
        np.mean([np.isin(row, true).mean() for row, true in zip(exact.nodes, found.nodes, strict=True)])
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_it_finds_what_it_reports(kind, question):
    index, exact = built(kind), ExactIndex(world())
    found, true = index.search(ASKED, 20, question), exact.search(ASKED, 20, question)
    assert recall(found, true) > 0.9
    assert abs(recall(found, true) - index.report.recall[question]) < 0.06
    again = np.take_along_axis(_all_scores(question), found.nodes, axis=1)
    np.testing.assert_allclose(found.scores, again, rtol=1e-4, atol=1e-4)  # exact scores of what was found
    assert (np.diff(found.scores, axis=1) <= 0).all() and (found.nodes != ASKED[:, None]).all()


def _all_scores(question: str) -> np.ndarray:
    data = world()
    if question == "next":
        return data.scores(ASKED)
    if question == "before":
        return data.scores_into(ASKED)
    rows = getattr(data, question.removeprefix("similar_"))
    return rows[ASKED] @ rows.T


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_searched_to_the_end_it_is_exact(kind, question):
    found = thorough(built(kind)).search(ASKED, 10, question)
    exact = ExactIndex(world()).search(ASKED, 10, question)
    assert recall(found, exact) > (0.97 if kind == "hnsw" else 0.9999)


def test_directions_are_not_each_other():
    index = built("ivf_pq")
    ahead, back = (index.search(ASKED, 20, question).nodes for question in ("next", "before"))
    assert np.mean([np.isin(one, other).mean() for one, other in zip(ahead, back, strict=True)]) < 0.2
    data = world()
    turned = Embeddings(data.ids, data.target, data.source)
    plain = Embeddings(data.ids, data.source, data.target)
    made = [
        build_index(one, "ivf_pq", floor=None, options=EVERY).search(ASKED, 10, question)
        for one, question in ((plain, "next"), (turned, "before"))
    ]
    assert recall(made[0], made[1]) > 0.85


@settings(max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    question=st.sampled_from(QUESTIONS),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.001, 0.01, 0.05, 0.3, 0.7, 1.0]),
    by_direction=st.booleans(),
    owned=st.sampled_from([0, 3, 300, 2900]),
    k=st.sampled_from([1, 10, 50]),
)
def test_filters_never_leave_fewer_than_exist(kind, question, seed, share, by_direction, owned, k):
    rng = generator(seed, "filters")
    along = world().target @ rng.standard_normal(DIM) if by_direction else rng.random(NODES)
    allowed = along <= np.quantile(along, share) if share else np.zeros(NODES, bool)
    queries = rng.choice(NODES, 6, replace=False)
    exclude = [rng.choice(NODES, owned, replace=False) for _ in queries]
    index = built(kind)
    found = index.search(queries, k, question, allowed=allowed, exclude=exclude)
    exact = ExactIndex(world()).search(queries, k, question, allowed=allowed, exclude=exclude)
    assert found.counts.tolist() == exact.counts.tolist()
    for row, query in enumerate(queries):
        answers = found.nodes[row][found.nodes[row] >= 0]
        assert allowed[answers].all() and query not in answers and not np.isin(answers, exclude[row]).any()
        assert len(set(answers.tolist())) == len(answers)
        if allowed.sum() < NODES * 0.02:
            assert answers.tolist() == exact.nodes[row][exact.nodes[row] >= 0].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_who_owns_the_best_gets_the_next_best(kind):
    index, exact = built(kind), ExactIndex(world())
    owned = list(exact.search(ASKED, 50).nodes)
    found, true = (one.search(ASKED, 20, exclude=owned) for one in (index, exact))
    assert recall(found, true) > (0.8 if kind == "hnsw" else 0.9) and not any(
        np.isin(*pair).any() for pair in zip(found.nodes, owned, strict=True)
    )


def test_no_node_allowed_gives_an_empty_row():
    found = built("ivf_pq").search([5], 3, allowed=np.zeros(NODES, bool))
    assert found.nodes.tolist() == [[-1, -1, -1]] and found.counts.tolist() == [0]


@pytest.mark.parametrize("kind", KINDS)
def test_batch_is_single_and_threads_change_nothing(kind):
    index = built(kind)
    whole = index.search(ASKED, 10)
    for at, node in enumerate(ASKED):
        one = index.search([node], 10)
        assert one.nodes.tolist() == whole.nodes[[at]].tolist() and (one.scores == whole.scores[at]).all()
    threads = faiss.omp_get_max_threads()
    try:
        for number in (1, 2):
            faiss.omp_set_num_threads(number)
            again = index.search(ASKED, 10)
            assert (again.nodes == whole.nodes).all() and (again.scores == whole.scores).all()
    finally:
        faiss.omp_set_num_threads(threads)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_index(kind):
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        one, two = (build_index(world(), kind, floor=None, options=EVERY) for _ in range(2))
    finally:
        faiss.omp_set_num_threads(threads)
    assert one.report.recall == two.report.recall and one.report.settings == two.report.settings
    assert (one.search(ASKED, 10).nodes == two.search(ASKED, 10).nodes).all()


def test_a_vector_is_answered_as_its_node_is():
    index, data = built("ivf_pq"), world()
    for question, role in (("next", "source"), ("before", "target"), ("similar_source", "source")):
        vectors = getattr(data, role)[ASKED]
        found = index.search_vectors(vectors, 10, question, exclude=[[node] for node in ASKED])
        assert (found.nodes == index.search(ASKED, 10, question).nodes).mean() > 0.99


def test_bad_input_is_refused():
    index = built("ivf_pq")
    with pytest.raises(ConfigError, match="k is 3001"):
        index.search([0], NODES + 1)
    with pytest.raises(ConfigError, match="unknown direction"):
        index.search([0], 3, "sideways")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="out of range"):
        index.search([NODES], 3)
    with pytest.raises(DataError, match="not bool"):
        index.search([0], 3, allowed=np.ones(3, bool))
    with pytest.raises(DataError, match="2 lists for 1 queries"):
        index.search([0], 3, exclude=[[], []])
    with pytest.raises(DataError, match=r"not \[Q, 12\]"):
        index.search_vectors(np.zeros((1, 5)), 3)
    with pytest.raises(DataError, match="not finite"):
        index.search_vectors(np.full((1, DIM), np.nan), 3)
    with pytest.raises(DataError, match="more than once"):
        Embeddings(IdMap(["a", "a"]), np.zeros((2, 2)), np.zeros((2, 2)))
    only = build_index(
        clustered(200), "ivf_pq", floor=None, options=IndexOptions(questions=("next",), queries=8)
    )
    with pytest.raises(ConfigError, match="not built for 'before'"):
        only.search([0], 3, "before")


def test_bad_settings_are_refused():
    for wrong, match in (
        ({"kind": "annoy"}, "unknown kind"),
        ({"recall": 0.0}, "recall=0.0"),
        ({"floor": 2.0}, "floor=2.0"),
        ({"k": 0}, "k=0"),
    ):
        with pytest.raises(ConfigError, match=match):
            build_index(world(), **{"kind": "ivf_pq", **wrong})
    with pytest.raises(ConfigError, match="lists=0"):
        IndexOptions(lists=0)
    with pytest.raises(ConfigError, match="no question"):
        IndexOptions(questions=())


def test_below_the_floor_nothing_is_built_unless_exact_answers_are_allowed():
    rng = generator(0, "isotropic")
    noise = Embeddings(
        IdMap([str(at) for at in range(6000)]), *(rng.standard_normal((6000, 48)) for _ in range(2))
    )
    options = IndexOptions(questions=("next",), queries=32, links=4, breadth=8)
    with pytest.raises(FitError, match=r"below 1.00.*allow_exact=True"):
        build_index(noise, "hnsw", 0.99, floor=1.0, options=options)
    index = build_index(noise, "hnsw", 0.99, floor=1.0, allow_exact=True, options=options)
    assert isinstance(index, ExactIndex) and index.report.asked == "hnsw"
    assert "hnsw finds recall@20" in index.report.reason and index.report.recall["next"] == 1.0


def test_few_nodes_are_answered_exactly():
    assert build_index(clustered(500)).report.reason == "500 nodes: scoring all is as fast"
    assert build_index(clustered(500), "exact").report.reason == "it was asked for"


def test_auto_takes_a_structure_where_it_pays(monkeypatch):
    from thence.index import build

    monkeypatch.setattr(build, "FEW", 100)
    data = clustered(20_000, bias=False)
    index = build_index(data, options=IndexOptions(questions=("next",), queries=64))
    assert isinstance(index, AnnIndex) and index.kind == "ivf_pq" and index.report.asked == "auto"
    assert index.report.recall["next"] > 0.93 and "of the work of scoring all 20,000" in index.report.reason


@pytest.mark.parametrize(
    ("name", "kind", "package"), [("faiss", "ivf_pq", "faiss-cpu"), ("scann", "scann", r"'thence\[scann\]'")]
)
def test_a_missing_library_says_what_to_install(monkeypatch, name, kind, package):
    for module in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=f"pip install {package}"):
        build_index(clustered(100), kind, options=IndexOptions(queries=4))


def test_tiny_indexes_answer_all_there_is():
    data = clustered(30)
    index = build_index(data, "ivf_pq", floor=None, options=IndexOptions(queries=5))
    exact = ExactIndex(data)
    for question in ("next", "before"):
        assert (
            index.search(np.arange(30), 30, question).nodes == exact.search(np.arange(30), 30, question).nodes
        ).all()
    with pytest.raises(ConfigError, match="3 nodes"):
        build_index(clustered(3), "ivf_pq")
