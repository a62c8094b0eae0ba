"""A bundle is kept whole, opened checked, and refused when its parts do not fit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from tests.serve.shop import IDS, bundle

from thence.base.artifact import open_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.graph import Arcs
from thence.graph.digraph import DiGraph
from thence.index import ExactIndex, Neighbors, NeighborTable
from thence.serve import Bundle, Store


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    whole = bundle()
    whole.save(tmp_path / "b")
    again = Bundle.load(tmp_path / "b")
    assert repr(again) == repr(whole)
    np.testing.assert_array_equal(again.embeddings.scores(range(8)), whole.embeddings.scores(range(8)))
    assert str(again.graph.nodes) == str(whole.graph.nodes)
    assert again.report_html == whole.report_html and again.report == whole.report
    assert again.baseline is not None and again.baseline.name == "upside down"
    assert (
        again.version == whole.version == open_artifact(tmp_path / "b" / "model", "embeddings").fingerprint[:12]
    )
    Bundle(again.embeddings, again.graph).save(tmp_path / "b")
    assert Bundle.load(tmp_path / "b").baseline is None


@pytest.mark.parametrize(
    "part", ["model/embeddings.safetensors", "graph/nodes.arrow", "baseline/next.safetensors", "report.html"]
)
def test_a_changed_byte_anywhere_is_refused(tmp_path, part):
    bundle().save(tmp_path / "b")
    path = tmp_path / "b" / part
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ArtifactError, match="digest"):
        Bundle.load(tmp_path / "b")


def test_a_missing_part_is_refused(tmp_path):
    bundle().save(tmp_path / "b")
    shutil.rmtree(tmp_path / "b" / "graph")
    with pytest.raises(ArtifactError, match="missing"):
        Bundle.load(tmp_path / "b")
    with pytest.raises(ArtifactError):
        Bundle.load(tmp_path / "nothing")


def test_parts_of_different_shops_do_not_fit():
    whole = bundle()
    other = Embeddings(IdMap(IDS[::-1]), whole.embeddings.source, whole.embeddings.target)
    with pytest.raises(DataError, match="graph's items"):
        Bundle(other, whole.graph)
    with pytest.raises(DataError, match="baseline's items"):
        Bundle(whole.embeddings, whole.graph, NeighborTable.build(other, 2, "other"))
    assert whole.graph.nodes is not None
    shuffled = DiGraph(whole.graph.ids, whole.graph.relations, whole.graph.nodes.take(list(range(7, -1, -1))))
    with pytest.raises(DataError, match="node order"):
        Bundle(whole.embeddings, shuffled)


def same_for_all(asked: np.ndarray, space: object, k: int, bar: object) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(np.arange(k, dtype=np.int32), (len(asked), 1)), np.zeros((len(asked), k), np.float32)


def test_a_bundle_that_fails_its_questions_leaves_the_old_one_serving(monkeypatch):
    store = Store()
    first = store.publish(bundle())
    monkeypatch.setattr("thence.index.exact.scan", same_for_all)
    with pytest.raises(ArtifactError, match="wrong answers"):
        store.publish(bundle(report=False))
    assert store.live() is first


@dataclass(frozen=True)
class Poor:
    """An index that finds a share of the best answers, and others in their place."""

    exact: ExactIndex
    share: float

    @property
    def ids(self) -> IdMap:
        return self.exact.ids

    def search(self, nodes: Any, k: int, direction: Any, **more: Any) -> Neighbors:
        best = self.exact.search(nodes, len(self.ids), direction, **more)
        keep = round(self.share * k)
        order = [*range(keep), *range(k, 2 * k - keep)]
        return Neighbors(self.ids, best.query, best.nodes[:, order], best.scores[:, order], direction)


@pytest.mark.parametrize(("share", "fits"), [(1.0, True), (0.9, True), (0.8, False)])
def test_an_index_that_finds_too_little_is_refused(share: float, fits: bool) -> None:
    draw = np.random.default_rng(0)
    ids = IdMap(str(n) for n in range(40))
    model = Embeddings(ids, draw.random((40, 4)), draw.random((40, 4)))
    graph = DiGraph(ids, {"bought_after": Arcs.from_pairs([0], [1], num_nodes=40)})
    shop = Bundle(model, graph, index=cast(ExactIndex, Poor(ExactIndex(model), share)))
    store = Store()
    if fits:
        assert store.publish(shop).version == shop.version
    else:
        with pytest.raises(ArtifactError, match="finds 80% of the best answers in direction next"):
            store.publish(shop)
        assert not store.ready
