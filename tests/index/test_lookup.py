"""A precomputed table that answers like an index: the same lists, and honest about what it does not hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.index.test_exact import random_embeddings

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.index import ExactIndex, NeighborTable, TableIndex


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    held=st.integers(1, 12),
    k=st.integers(1, 12),
    question=st.sampled_from(["next", "before"]),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    owned=st.integers(0, 6),
)
def test_it_answers_as_scoring_all_does(seed, held, k, question, share, owned):
    data, rng = random_embeddings(12, 4, seed), generator(seed, "table filters")
    exact = ExactIndex(data)
    index = TableIndex(NeighborTable.build(data, k=held, name="model"), exact)
    allowed, queries = rng.random(12) < share, np.arange(12)
    exclude = [rng.choice(12, owned, replace=False) for _ in queries]
    found = index.search(queries, k, question, allowed=allowed, exclude=exclude)
    true = exact.search(queries, k, question, allowed=allowed, exclude=exclude)
    assert (found.nodes == true.nodes).all()
    np.testing.assert_allclose(found.scores, true.scores, atol=1e-5)


def test_other_questions_go_to_the_index_behind():
    data = random_embeddings(20, 4, 1)
    exact = ExactIndex(data)
    index = TableIndex(NeighborTable.build(data, k=5, name="model"), exact)
    assert (index.search([3], 4, "similar_source").nodes == exact.search([3], 4, "similar_source").nodes).all()
    assert (
        index.search_vectors(data.source[3], 4).nodes == exact.search_vectors(data.source[3], 4).nodes
    ).all()
    assert index.report.kind == "table" and index.report.recall["next"] == 1.0


def test_alone_it_refuses_what_it_does_not_hold(tmp_path):
    data = random_embeddings(20, 4, 1)
    index = TableIndex(NeighborTable.build(data, k=5, name="model"))
    assert index.search([3], 5).counts.tolist() == [5]
    for ask, match in (
        (lambda: index.search([3], 6), "1 of 1 queries need more than 5 precomputed"),
        (lambda: index.search([3], 5, exclude=[index.search([3], 1).nodes[0]]), "need more than 5"),
        (lambda: index.search([3], 2, "similar_target"), "is not in the table"),
        (lambda: index.search_vectors(data.source[3], 2), "no row in the table"),
    ):
        with pytest.raises(ConfigError, match=match):
            ask()
    index.save(tmp_path / "table")
    assert NeighborTable.load(tmp_path / "table").name == "model"
    with pytest.raises(DataError, match="other nodes"):
        TableIndex(index.table, ExactIndex(random_embeddings(21, 4, 1)))


def test_a_whole_table_needs_nothing_behind():
    data = random_embeddings(6, 3, 2)
    index = TableIndex(NeighborTable.build(data, k=6, name="all"))
    found = index.search(np.arange(6), 6, exclude=[[0, 1]] * 6)
    exact = ExactIndex(data).search(np.arange(6), 6, exclude=[[0, 1]] * 6)
    assert (found.nodes == exact.nodes).all()
