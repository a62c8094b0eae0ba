"""What is at the edge of sense: nothing left to answer, nothing to tell apart, numbers that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.index.ann_worlds import built, clustered

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.index import AnnIndex, ExactIndex, IndexOptions, build_index, measured, top_k
from thence.index.kernels import put
from thence.index.space import has_bias

KINDS = ("ivf_pq", "ivf_rabitq", "hnsw")
NEXT = IndexOptions(questions=("next",), queries=32)


def named(source: np.ndarray, target: np.ndarray) -> Embeddings:
    return Embeddings(IdMap([f"i{node}" for node in range(len(source))]), source, target)


@pytest.mark.parametrize("kind", KINDS)
def test_with_every_node_deleted_nothing_is_answered_and_nothing_is_claimed(kind: str):
    world = clustered(200)
    index = build_index(world, kind, floor=None, options=NEXT)
    assert isinstance(index, AnnIndex)
    index = index.delete(world.ids.array.to_pylist())
    assert (index.search([0, 7], k=3).nodes == -1).all()
    again = measured(index)
    assert again.report.recall == {} and again.report.queries == 0  # no query is left to measure with
    one = measured(index.upsert(named(world.source[:1], world.target[:1])))
    assert one.search([5], k=2).nodes.tolist() == [[0, -1]] and one.report.recall == {}


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_that_tell_nothing_apart_are_all_as_good(kind: str):
    nought = np.zeros((300, 8), np.float32)
    index = build_index(named(nought, nought), kind, options=NEXT)
    assert index.report.recall["next"] == 1.0
    found = index.search(np.arange(300), k=5)
    assert (found.scores == 0).all() and (found.nodes != np.arange(300)[:, None]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vector_many_times_over_is_found_once_each(kind: str):
    row = np.random.default_rng(0).standard_normal((1, 8)).astype(np.float32)
    same = np.repeat(row, 400, axis=0)
    found = build_index(named(same, same), kind, options=NEXT).search([3], k=50).nodes[0]
    assert len(set(found.tolist())) == 50 and (found >= 0).all() and 3 not in found


def test_one_product_has_no_neighbors():
    one = np.ones((1, 4), np.float32)
    index = build_index(named(one, one))
    assert index.search([0], k=1).nodes.tolist() == [[-1]]
    assert index.search_vectors(one, k=1).nodes.tolist() == [[0]]


@pytest.mark.parametrize("index", [built("ivf_pq"), ExactIndex(clustered(50))])
@pytest.mark.parametrize("nodes", [[0.5], [True], ["i0"], [np.nan]])
def test_what_is_no_node_is_refused(index: AnnIndex | ExactIndex, nodes: list):
    with pytest.raises(DataError, match="whole numbers"):
        index.search(nodes, k=1)
    with pytest.raises(DataError, match="whole numbers"):
        index.search([0], k=1, exclude=[nodes])
    with pytest.raises(DataError, match="whole numbers"):
        top_k(index.embeddings, nodes, k=1)


@pytest.mark.parametrize("vector", [[[1e300] * 12], [["a"] * 12], [[np.inf] * 12]])
def test_vectors_beyond_float32_are_refused(vector: list):
    for index in (built("ivf_pq"), ExactIndex(clustered(50))):
        with pytest.raises(DataError):
            index.search_vectors(vector, k=1)


def test_a_score_that_is_no_number_is_no_answer():
    nodes, scores = np.array([[4, -1]], np.int32), np.array([[1.0, -np.inf]], np.float32)
    put(nodes, scores, 0, 9, np.float32(np.nan))
    assert nodes.tolist() == [[4, -1]]


def test_a_graph_that_is_lost_further_down_is_not_asked_there():
    world = clustered(2000)
    index = build_index(world, "hnsw", floor=None, options=NEXT)
    assert isinstance(index, AnnIndex)
    assert index.report.settings["recall@100"]["next"] > 0.9
    assert index.efforts["next"].deepest is None
    lost = replace(index, efforts={"next": replace(index.efforts["next"], reach=20, pool=20, deepest=20)})
    exact = ExactIndex(world)
    assert (lost.search([7], k=21).nodes == exact.search([7], k=21).nodes).all()
    owned = exact.search(np.arange(9), k=30).nodes
    found = lost.search(np.arange(9), k=20, exclude=[*owned[:8], []])
    assert (found.nodes[:8] == exact.search(np.arange(8), k=20, exclude=list(owned[:8])).nodes).all()


def test_one_long_list_does_not_weigh_on_the_whole_batch(monkeypatch: pytest.MonkeyPatch):
    index, pools = built("ivf_pq"), []
    engine = type(index.sides["target"].engine)
    plain = engine.candidates

    def watched(self, queries, pool, reach):
        pools.append((len(queries), pool))
        return plain(self, queries, pool, reach)

    monkeypatch.setattr(engine, "candidates", watched)
    index.search(np.arange(40), k=20, exclude=[list(range(100, 160))] + [[]] * 39)
    assert [count for count, _ in pools[:2]] == [39, 1] and pools[0][1] < pools[1][1]


def test_whether_there_is_a_bias_is_looked_up_once():
    class Counted(np.ndarray):
        asked = 0

        def any(self, *args, **kwargs):  # type: ignore[override]
            Counted.asked += 1
            return super().any(*args, **kwargs)

    world = clustered(40)
    object.__setattr__(world, "bias", world.bias.view(Counted))  # type: ignore[union-attr]
    assert has_bias(world) and has_bias(world) and Counted.asked == 1
