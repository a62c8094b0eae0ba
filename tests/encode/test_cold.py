"""Cold products: what they borrow, from whom, and that they borrow nothing that is theirs to find out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.ids import IdMap
from thence.encode import Embeddings
from thence.encode.baseline import BASELINES
from thence.encode.cold import (
    alike,
    alike_in,
    category_popularity,
    feature_knn,
    is_warm,
    lend,
    place_cold,
    with_cold_arcs,
)
from thence.graph import Arcs, DiGraph

WARM = np.array([True, True, True, False, False])
FEATURES = sp.csr_matrix(np.array([[1.0, 0], [2, 0], [0, 3], [5, 0], [0, 0]]))


def shop() -> DiGraph:
    """Two phones lead to a case, socks lead to shoes; another phone and a nameless thing are cold."""
    arcs = Arcs.from_pairs([0, 1, 3], [2, 2, 4], num_nodes=7, weight=[1.0, 3.0, 9.0])
    category = ["phone", "phone", "case", "sock", "shoe", "phone", None]
    ids = [f"p{i}" for i in range(7)]
    return DiGraph(IdMap(ids), {"bought_after": arcs}, pa.table({"item_id": ids, "category": category}))


def test_the_nearest_by_cosine_whatever_their_length() -> None:
    shares = alike(FEATURES, WARM, k=5).toarray()
    np.testing.assert_allclose(shares[3], [0.5, 0.5, 0, 0, 0], rtol=1e-6)
    assert not shares[4].any() and not shares[:3].any()  # no feature: no neighbours; the warm keep their own


def test_equal_ones_are_taken_by_strength() -> None:
    for strength, chosen in (([1, 2, 0, 0, 0], 1), ([2, 1, 0, 0, 0], 0)):
        assert alike(FEATURES, WARM, 1, np.array(strength)).toarray()[3].argmax() == chosen


def test_shares_against_a_literal_formula() -> None:
    rng = np.random.default_rng(0)
    dense = rng.random((30, 4)) * (rng.random((30, 4)) < 0.6)
    warm = rng.random(30) < 0.6
    shares = alike(sp.csr_matrix(dense), warm, k=4).toarray()
    unit = dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    for cold in np.flatnonzero(~warm):
        cosine = np.where(warm, unit @ unit[cold], 0.0)
        kept = np.sort(cosine)[-4]
        expected = np.where(cosine >= max(kept, 1e-9), cosine, 0.0)
        if np.count_nonzero(expected) <= 4 and expected.any():
            np.testing.assert_allclose(shares[cold], expected / expected.sum(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["counts", "item_cf", "svd", "page_rank"])
def test_lending_is_the_mean_of_rows_and_of_columns(name: str) -> None:
    graph = shop()
    scorer, shares = BASELINES[name](graph), alike_in(graph, 3)
    lent, everyone = lend(scorer, shares), np.arange(7)
    plain, mixed = scorer.scores(everyone), lent.scores(everyone)
    np.testing.assert_allclose(mixed[5, :5], plain[[0, 1], :5].mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(mixed[:5, 5], plain[:5, [0, 1]].mean(axis=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(mixed[:5, :5], plain[:5, :5], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lent.scores_into(everyone), mixed.T, rtol=1e-4, atol=1e-6)
    assert isinstance(lent, Embeddings) == isinstance(scorer, Embeddings)  # an index can serve it


def test_roles_stay_apart() -> None:
    vectors = Embeddings(IdMap("abcde"), np.eye(5), 7 * np.eye(5))
    placed = place_cold(vectors, alike(FEATURES, WARM))
    assert placed.source[3].tolist() == pytest.approx([0.5, 0.5, 0, 0, 0])
    assert placed.target[3].tolist() == pytest.approx([3.5, 3.5, 0, 0, 0])
    assert placed.source[4].tolist() == vectors.source[4].tolist()


def test_arcs_of_the_cold_lead_away_from_them() -> None:
    graph = with_cold_arcs(shop(), alike_in(shop()))
    assert graph.main.out(5).tolist() == [0, 1] and graph.main.into(5).tolist() == []
    assert graph.main.num_arcs == shop().main.num_arcs + 2
    beside = with_cold_arcs(shop(), alike_in(shop()), "alike")
    assert beside.main.num_arcs == 3 and beside["alike"].pairs.tolist() == [[5, 5], [0, 1]]
    undirected = shop().with_relation("alike", Arcs.from_pairs([0, 1], [1, 0], num_nodes=7, directed=False))
    assert with_cold_arcs(undirected, alike_in(shop()), "alike")["alike"].num_arcs == 6


def test_plain_answers() -> None:
    knn, popular = feature_knn(shop(), 2), category_popularity(shop())
    for scorer in (knn, popular):
        assert int(np.delete(scorer.scores([5])[0], 5).argmax()) == 2  # what follows phones: the case
    assert not knn.scores([6]).any()
    assert int(popular.scores([6])[0].argmax()) == 4  # no category: what is popular everywhere
    assert is_warm(shop()).tolist() == [True] * 5 + [False] * 2


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError):
        alike(FEATURES, WARM, k=0)
    with pytest.raises(DataError, match="finite"):
        alike(sp.csr_matrix([[np.nan], [1.0]]), np.array([True, False]))
    bare = DiGraph(shop().ids, shop().relations)
    for method in (alike_in, feature_knn, category_popularity):
        with pytest.raises(DataError, match="catalogue"):
            method(bare)
    empty = DiGraph(shop().ids, {"none": Arcs.from_pairs([], [], num_nodes=7)}, shop().nodes)
    for method in (feature_knn, category_popularity):
        with pytest.raises(FitError, match="no arcs"):
            method(empty)
    assert not alike(FEATURES, np.zeros(5, bool)).nnz
