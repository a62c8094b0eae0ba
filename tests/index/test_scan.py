"""Scoring every allowed node, block by block, against a sort of all scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.index.test_exact import literal, random_embeddings

from thence.base.errors import DataError
from thence.index import ExactIndex
from thence.index import scan as scanning
from thence.index.filters import Filter
from thence.index.scan import scan
from thence.index.space import check_vectors, space_of, widened


@settings(max_examples=40)
@given(
    num_nodes=st.integers(2, 40),
    seed=st.integers(0, 10_000),
    question=st.sampled_from(["next", "before"]),
    block=st.integers(1, 50),
    data=st.data(),
)
def test_equals_sorting_everything_whatever_the_block(num_nodes, seed, question, block, data):
    embeddings = random_embeddings(num_nodes, 3, seed, whole=True)
    k = data.draw(st.integers(1, num_nodes))
    queries = np.array(data.draw(st.lists(st.integers(0, num_nodes - 1), min_size=1, max_size=5)))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=num_nodes, max_size=num_nodes)))
    owned = [data.draw(st.lists(st.integers(0, num_nodes - 1), max_size=4)) for _ in queries]
    space = space_of(embeddings, question)
    bar = Filter.of(queries, num_nodes, alive=None, allowed=mask, exclude=owned)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "BLOCK", block)
        nodes, scores = scan(space.asking[queries], space, k, bar)
    for row, query in enumerate(queries):
        banned = set(owned[row]) | set(np.flatnonzero(~mask).tolist())
        expected = literal(embeddings, int(query), k, question, banned)
        assert nodes[row].tolist() == expected + [-1] * (k - len(expected))
        assert (scores[row, : len(expected)] > -np.inf).all() and (
            scores[row, len(expected) :] == -np.inf
        ).all()
        assert bar.exist()[row] == len(literal(embeddings, int(query), num_nodes, question, banned))


@pytest.mark.parametrize("question", ["similar_source", "similar_target"])
def test_similar_items_share_a_role(question):
    embeddings = random_embeddings(30, 4, 5)
    rows = getattr(embeddings, question.removeprefix("similar_"))
    found = ExactIndex(embeddings).search([7], 5, question)
    products = rows @ rows[7]
    products[7] = -np.inf
    assert found.nodes[0].tolist() == np.argsort(-products, kind="stable")[:5].tolist()
    assert found.table().column_names == ["item", "similar", "score", "rank"]
    assert set(found.table()["item"].to_pylist()) == {"i7"}


def test_a_vector_is_answered_as_its_node_is():
    embeddings = random_embeddings(50, 6, 3)
    index = ExactIndex(embeddings)
    for question, role in (("next", "source"), ("before", "target"), ("similar_target", "target")):
        vector = getattr(embeddings, role)[11]
        by_vector = index.search_vectors(vector, 8, question, exclude=[[11]])
        by_node = index.search([11], 8, question)
        assert by_vector.nodes.tolist() == by_node.nodes.tolist()
        assert by_vector.query.tolist() == [-1]
        own = embeddings.bias[11] if question == "before" else 0.0  # a vector has no bias of its own
        np.testing.assert_allclose(by_vector.scores + own, by_node.scores, atol=1e-5)
    assert index.search_vectors(embeddings.source[11], 1).table()["source"].to_pylist() == [None]


def test_scores_do_not_depend_on_the_batch():
    embeddings = random_embeddings(400, 33, 1)
    space = space_of(embeddings, "next")

    def ask(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bar = Filter.of(queries, 400, alive=None, allowed=None, exclude=None)
        return scan(np.ascontiguousarray(space.asking[queries]), space, 9, bar)

    nodes, scores = ask(np.arange(60))
    for query in range(60):
        one = ask(np.array([query]))
        assert (one[0][0] == nodes[query]).all() and (one[1][0] == scores[query]).all()


def test_bad_vectors_are_refused():
    with pytest.raises(DataError, match=r"shape \[1, 3\], not \[Q, 4\]"):
        check_vectors(np.zeros(3), 4)
    with pytest.raises(DataError, match="not finite"):
        check_vectors([[0.0, np.nan]], 2)
    with pytest.raises(DataError, match="not finite"):
        ExactIndex(random_embeddings(3, 2, 0)).search_vectors([[np.inf, 0.0]], 1)


def test_the_bias_is_a_dimension_more():
    embeddings = random_embeddings(20, 5, 2)
    rows, queries = widened(embeddings.target, embeddings.bias, 4), widened(embeddings.source, 1.0, 4)
    assert rows.shape == (20, 8)
    np.testing.assert_allclose(queries @ rows.T, embeddings.scores(range(20)), atol=1e-5)
