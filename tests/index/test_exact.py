"""The exact index against a second, literal formula: sort everything, take the first k."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.index import ExactIndex, top_k


def random_embeddings(num_nodes: int, dim: int, seed: int, *, whole: bool = False) -> Embeddings:
    """Random vectors; ``whole`` numbers make ties frequent and sums exact."""
    rng = generator(seed, "test embeddings")
    if whole:
        source, target = (rng.integers(-2, 3, (num_nodes, dim)).astype(np.float32) for _ in range(2))
        bias = rng.integers(-1, 2, num_nodes).astype(np.float32)
    else:
        source, target = (rng.normal(size=(num_nodes, dim)).astype(np.float32) for _ in range(2))
        bias = rng.normal(size=num_nodes).astype(np.float32)
    return Embeddings(IdMap([f"i{i}" for i in range(num_nodes)]), source, target, bias)


def literal(embeddings: Embeddings, query: int, k: int, direction: str, banned: set[int]) -> list[int]:
    """Score each pair by the formula, sort by (-score, id), leave out the query and what is banned."""
    assert embeddings.bias is not None
    ranked = []
    for other in range(len(embeddings.ids)):
        if other == query or other in banned:
            continue
        source, target = (query, other) if direction == "next" else (other, query)
        score = float(embeddings.source[source] @ embeddings.target[target] + embeddings.bias[target])
        ranked.append((-score, other))
    return [other for _, other in sorted(ranked)[:k]]


@settings(max_examples=60, deadline=None)
@given(
    num_nodes=st.integers(2, 30),
    dim=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    direction=st.sampled_from(["next", "before"]),
    data=st.data(),
)
def test_equals_sorting_everything_with_ties_by_node_id(num_nodes, dim, seed, direction, data):
    embeddings = random_embeddings(num_nodes, dim, seed, whole=True)
    k = data.draw(st.integers(1, num_nodes))
    queries = data.draw(st.lists(st.integers(0, num_nodes - 1), min_size=1, max_size=6))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=num_nodes, max_size=num_nodes)))
    owned = [data.draw(st.lists(st.integers(0, num_nodes - 1), max_size=4)) for _ in queries]
    found = ExactIndex(embeddings).search(queries, k, direction, allowed=mask, exclude=owned)
    for row, query in enumerate(queries):
        banned = set(owned[row]) | set(np.flatnonzero(~mask).tolist())
        expected = literal(embeddings, query, k, direction, banned)
        assert found.nodes[row].tolist() == expected + [-1] * (k - len(expected))


def test_the_directions_differ_and_swapping_the_roles_swaps_the_answers():
    embeddings = random_embeddings(50, 8, seed=1)
    assert embeddings.bias is not None
    plain = Embeddings(embeddings.ids, embeddings.source, embeddings.target)
    swapped = Embeddings(embeddings.ids, embeddings.target, embeddings.source)
    every = np.arange(50)
    after, before = (ExactIndex(plain).search(every, 5, d) for d in ("next", "before"))
    assert (after.nodes != before.nodes).any(axis=1).all()
    np.testing.assert_array_equal(ExactIndex(swapped).search(every, 5, "before").nodes, after.nodes)
    np.testing.assert_array_equal(ExactIndex(swapped).search(every, 5, "next").nodes, before.nodes)


def test_scores_are_those_of_the_embeddings():
    embeddings = random_embeddings(40, 6, seed=2)
    after = ExactIndex(embeddings).search([3, 7], 10, "next")
    before = ExactIndex(embeddings).search([3, 7], 10, "before")
    for row, query in enumerate((3, 7)):
        np.testing.assert_allclose(
            after.scores[row], embeddings.scores([query])[0, after.nodes[row]], rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            before.scores[row], embeddings.scores_into([query])[0, before.nodes[row]], rtol=1e-5, atol=1e-6
        )


def test_one_way_ring_has_one_right_answer_each_way():
    n, eye = 12, np.eye(12, dtype=np.float32)
    ring = Embeddings(IdMap(map(str, range(n))), source=eye, target=np.roll(eye, 1, axis=0))
    every = np.arange(n)
    np.testing.assert_array_equal(ExactIndex(ring).search(every, 1).nodes[:, 0], (every + 1) % n)
    np.testing.assert_array_equal(ExactIndex(ring).search(every, 1, "before").nodes[:, 0], (every - 1) % n)


def test_batches_do_not_show(monkeypatch):
    embeddings = random_embeddings(60, 4, seed=3, whole=True)
    whole = ExactIndex(embeddings).search(np.arange(60), 7)
    monkeypatch.setattr("thence.index.exact.BATCH_BYTES", 4 * 60 * 7)
    told = []
    parts = top_k(embeddings, np.arange(60), 7, progress=lambda task, done, total: told.append((done, total)))
    np.testing.assert_array_equal(parts.nodes, whole.nodes)
    np.testing.assert_array_equal(parts.scores, whole.scores)
    assert told[-1] == (60, 60) and len(told) == 9


def test_filters_leave_k_answers_while_k_exist():
    embeddings = random_embeddings(200, 4, seed=4)
    allowed = np.zeros(200, dtype=bool)
    allowed[[5, 50, 150, 199]] = True
    found = ExactIndex(embeddings).search([0, 5], 3, allowed=allowed, exclude=[[], [50]])
    assert found.counts.tolist() == [3, 2]
    assert set(found.nodes[1].tolist()) == {150, 199, -1}
    assert found.scores[1, 2] == -np.inf


class Fixed:
    """A scorer with a matrix of scores."""

    def __init__(self, matrix):
        self.matrix, self.ids = np.asarray(matrix, np.float32), IdMap(map(str, range(len(matrix))))

    def scores(self, sources):
        return self.matrix[np.asarray(sources)]

    def scores_into(self, targets):
        return self.matrix.T[np.asarray(targets)]


def test_any_scorer_is_answered_and_minus_infinity_never():
    scorer = Fixed([[0, 1, -np.inf], [5, 0, 2], [-np.inf, -np.inf, 0]])
    assert top_k(scorer, [0, 1, 2], 2).nodes.tolist() == [[1, -1], [0, 2], [-1, -1]]
    assert top_k(scorer, [0, 1, 2], 2, "before").nodes.tolist() == [[1, -1], [0, -1], [1, -1]]
    assert scorer.matrix[0, 0] == 0  # a scorer's own memory is left alone


@pytest.mark.parametrize("k", [0, -1, 4, 1.5, "2"])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ConfigError, match="from 1 to 3"):
        top_k(Fixed(np.zeros((3, 3))), [0], k)


def test_bad_input_is_refused_with_typed_errors():
    scorer = Fixed(np.zeros((3, 3)))
    with pytest.raises(ConfigError, match=r"unknown direction 'nxt'.*Did you mean 'next'"):
        top_k(scorer, [0], 1, "nxt")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="node 3 is out of range"):
        top_k(scorer, [0, 3], 1)
    with pytest.raises(DataError, match="node -1 is out of range"):
        top_k(scorer, [-1], 1)
    with pytest.raises(DataError, match="NaN"):
        top_k(Fixed([[0, np.nan], [0, 0]]), [0], 1)
    with pytest.raises(DataError, match="allowed is"):
        top_k(scorer, [0], 1, allowed=np.ones(2, dtype=bool))
    with pytest.raises(DataError, match="allowed is"):
        top_k(scorer, [0], 1, allowed=np.ones(3))
    with pytest.raises(DataError, match="1 lists for 2 queries"):
        top_k(scorer, [0, 1], 1, exclude=[[2]])
    with pytest.raises(DataError, match="node 9 is out of range"):
        top_k(scorer, [0], 1, exclude=[[9]])


def test_no_queries_no_answers():
    assert top_k(Fixed(np.zeros((3, 3))), [], 2).nodes.shape == (0, 2)
