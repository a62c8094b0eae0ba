"""Counting answers to a history."""

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.baseline.matrix import MatrixScorer
from thence.encode.embeddings import Embeddings
from thence.encode.history.plain import Popular, Recency, co_occurrence
from thence.events.datasets.sessions import Sessions

IDS = IdMap("abcd")


class Dense:
    """The scores of a matrix, by a class that is no MatrixScorer."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.ids, self.matrix = IDS, matrix.astype(np.float32)

    def scores(self, sources) -> np.ndarray:
        return self.matrix[np.asarray(sources)]

    def scores_into(self, targets) -> np.ndarray:
        return self.matrix.T[np.asarray(targets)]


def test_all_kinds_of_scorers_are_summed_alike() -> None:
    rng = np.random.default_rng(0)
    source, target, bias = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    vectors = Embeddings(IDS, source, target, bias)
    table = vectors.scores(range(4))
    histories = Sessions.of(IDS, [[0], [1, 2, 1], [3, 0]])
    expected = [
        sum(np.exp(-back / 2.0) * table[item] for back, item in enumerate(reversed(items)))
        for items in histories.lists()
    ]
    import scipy.sparse as sp

    for scorer in (vectors, Dense(table), MatrixScorer(IDS, sp.csr_matrix(table))):
        np.testing.assert_allclose(Recency(scorer, 2.0).scores(histories), expected, rtol=1e-4, atol=1e-5)


def test_one_vector_a_history_serves_an_index() -> None:
    rng = np.random.default_rng(1)
    vectors = Embeddings(IDS, rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
    histories = Sessions.of(IDS, [[0, 2], [1]])
    recency = Recency(vectors)
    np.testing.assert_allclose(
        recency.sources(histories) @ vectors.target.T, recency.scores(histories), rtol=1e-5
    )
    with pytest.raises(DataError):
        Recency(Dense(np.eye(4))).sources(histories)


def test_counts_keep_the_direction_and_the_distance() -> None:
    sessions = Sessions.of(IDS, [[0, 1, 2], [0, 1]])
    assert co_occurrence(sessions, window=2).matrix.toarray()[:3, :3].tolist() == [
        [0, 2, 0.5],
        [0, 0, 1],
        [0, 0, 0],
    ]
    both = co_occurrence(sessions, window=2, before=1.0).matrix.toarray()
    assert (both == both.T).all()


def test_late_sessions_count_more() -> None:
    sessions = Sessions.of(IDS, [[0, 1], [0, 2]])
    row = co_occurrence(sessions, age_decay=0.5).matrix.toarray()[0]
    assert row[2] == 1 and row[1] == pytest.approx(np.exp(-1))
    assert (
        Popular(sessions, age_decay=0.5).scores(sessions)[0, 2] > Popular(sessions, 0.5).scores(sessions)[0, 1]
    )


def test_the_power_half_gives_the_cosine() -> None:
    rng = np.random.default_rng(2)
    sessions = Sessions.of(IDS, [rng.permutation(4)[:2] for _ in range(50)])
    plain, scaled = (co_occurrence(sessions, before=1.0, power=power).matrix.toarray() for power in (0.0, 0.5))
    degree = plain.sum(1)
    np.testing.assert_allclose(scaled, plain / np.sqrt(np.outer(degree, degree)), rtol=1e-5)


def test_a_decay_must_be_positive() -> None:
    with pytest.raises(ConfigError):
        Recency(Dense(np.eye(4)), 0.0)
