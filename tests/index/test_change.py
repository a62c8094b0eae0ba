"""Nodes that come, change and go: the index answers as one of the new vectors would, the old one as before."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("faiss")

from tests.index.ann_worlds import NODES, built, clustered, thorough, world

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.index import ExactIndex, IndexOptions, build_index, load_index, measured

KINDS = ("ivf_pq", "ivf_rabitq", "hnsw")
ASKED = np.arange(0, NODES, 61)


def churned(kind: str):
    """The shared index after 100 new nodes, 100 with new vectors, and 100 deleted."""
    rows = clustered(200, seed=9)
    names = [f"new{at}" for at in range(100)] + [f"i{at}" for at in range(500, 600)]
    changes = Embeddings(IdMap(names), rows.source, rows.target, rows.bias)
    return built(kind).upsert(changes).delete([f"i{at}" for at in range(1000, 1100)]), changes


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_by_the_new_vectors(kind):
    index, changes = churned(kind)
    data = index.embeddings
    assert data.ids.decode(range(NODES, NODES + 100)) == [f"new{at}" for at in range(100)]
    assert (data.source[500:600] == changes.source[100:]).all() and (
        data.target[:500] == world().target[:500]
    ).all()
    queries = np.concatenate([ASKED, np.arange(500, 520), np.arange(NODES, NODES + 20)])
    alive = np.ones(len(data.ids), bool)
    alive[1000:1100] = False
    for question in ("next", "before", "similar_target"):
        found = thorough(index).search(queries, 10, question)
        exact = ExactIndex(data).search(queries, 10, question, allowed=alive)
        hit = np.mean([np.isin(row, true).mean() for row, true in zip(exact.nodes, found.nodes, strict=True)])
        assert hit > (0.97 if kind == "hnsw" else 0.999)
        assert not np.isin(found.nodes, np.arange(1000, 1100)).any()
    everything = index.search([0], len(data.ids))
    assert everything.counts.tolist() == [len(data.ids) - 100 - 1]


@pytest.mark.parametrize("kind", KINDS)
def test_recall_after_a_tenth_has_changed(kind):
    index, _ = churned(kind)
    assert index.report.recall == {} and index.report.changed == pytest.approx(0.1, abs=0.01)
    again = measured(index)
    assert min(again.report.recall.values()) > 0.9 and again.report.queries == 256


def test_the_index_before_answers_as_it_did():
    index = built("ivf_pq")
    before = index.search(ASKED, 10)
    churned("ivf_pq")
    after = index.search(ASKED, 10)
    assert (before.nodes == after.nodes).all() and len(index.ids) == NODES


def test_what_was_deleted_can_come_back():
    first = built("ivf_pq").search(ASKED, 20).nodes
    loved = int(np.bincount(first.ravel()).argmax())
    asked, name = np.setdiff1d(ASKED, [loved]), f"i{loved}"
    index = built("ivf_pq").delete([name])
    assert not (index.search(asked, 20).nodes == loved).any()
    data = world()
    part = slice(loved, loved + 1)
    back = index.upsert(Embeddings(IdMap([name]), data.source[part], data.target[part], data.bias[part]))
    assert len(back.ids) == NODES
    again, before = (one.search(asked, 20).nodes for one in (back, built("ivf_pq")))
    assert (again == loved).sum() == (before == loved).sum() > 0
    assert (again == before).mean() > 0.95


def test_changes_are_kept(tmp_path):
    index, _ = churned("ivf_pq")
    index.save(tmp_path / "index")
    again = load_index(tmp_path / "index", index.embeddings)
    assert (again.search(ASKED, 10).nodes == index.search(ASKED, 10).nodes).all()
    assert again.report.changed == index.report.changed


def test_bad_changes_are_refused():
    index, rng = built("ivf_pq"), generator(0, "bad changes")
    with pytest.raises(DataError, match="dimension 5"):
        index.upsert(Embeddings(IdMap(["x"]), *(rng.standard_normal((1, 5)) for _ in range(2))))
    with pytest.raises(DataError, match="unknown"):
        index.delete(["nobody"])
    plain = build_index(clustered(300, bias=False), "ivf_pq", floor=None, options=IndexOptions(queries=8))
    with pytest.raises(DataError, match="without biases"):
        plain.upsert(clustered(10))


def test_scann_answers_and_changes_too(tmp_path):
    pytest.importorskip("scann")
    index = build_index(world(), "scann", floor=None, options=IndexOptions(questions=("next",), queries=64))
    assert index.report.recall["next"] > 0.9
    rows = clustered(60, seed=9)
    changes = Embeddings(IdMap([f"new{at}" for at in range(60)]), rows.source, rows.target, rows.bias)
    later = measured(index.upsert(changes).delete(["i3"]))
    assert later.report.recall["next"] > 0.88 and (later.search(ASKED, 100).nodes >= NODES).any()
    later.save(tmp_path / "index")
    again = load_index(tmp_path / "index", later.embeddings)
    assert (again.search(ASKED, 10).nodes == later.search(ASKED, 10).nodes).all()
