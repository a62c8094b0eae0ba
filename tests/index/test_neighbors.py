"""The noun Neighbors and the table in both directions: what they say, how they are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from thence.base.artifact import MANIFEST
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.index import Neighbors, NeighborTable, top_k

IDS = IdMap(["phone", "case", "charger"])


def ring() -> Embeddings:
    eye = np.eye(3, dtype=np.float32)
    return Embeddings(IDS, source=eye, target=eye[[2, 0, 1]])


def test_the_table_names_the_arc_not_the_query():
    for direction, expected in (("next", ("phone", "case")), ("before", ("charger", "phone"))):
        row = top_k(ring(), [0], 1, direction).table().to_pylist()
        assert [(r["source"], r["target"], r["score"], r["rank"]) for r in row] == [(*expected, 1.0, 1)]


def test_padding_is_left_out_of_the_table():
    nodes, scores = [[1, 2], [0, -1], [-1, -1]], [[2.0, 1.0], [3.0, -np.inf], [-np.inf, -np.inf]]
    table = Neighbors(IDS, np.arange(3), np.array(nodes), np.array(scores)).table()
    assert table["source"].to_pylist() == ["phone", "phone", "case"]
    assert table["rank"].to_pylist() == [1, 2, 1]


def test_inconsistent_neighbors_are_refused():
    with pytest.raises(DataError, match="shape"):
        Neighbors(IDS, np.array([0]), np.array([[1, 2]]), np.array([[1.0]]))
    with pytest.raises(DataError, match="queries"):
        Neighbors(IDS, np.array([0, 1]), np.array([[1]]), np.array([[1.0]]))
    with pytest.raises(DataError, match="out of range"):
        Neighbors(IDS, np.array([0]), np.array([[3]]), np.array([[1.0]]))
    with pytest.raises(ConfigError, match="unknown direction"):
        Neighbors(IDS, np.array([0]), np.array([[1]]), np.array([[1.0]]), "sideways")  # type: ignore[arg-type]


def test_save_and_load_give_the_same(tmp_path):
    found = top_k(ring(), [2, 0], 2, "before")
    found.save(tmp_path / "n")
    again = Neighbors.load(tmp_path / "n")
    assert repr(again) == repr(found) == "Neighbors(2 queries, k 2, before)"
    assert again.table().equals(found.table()) and again.ids == found.ids
    table = NeighborTable.build(ring(), k=2, name="ring")
    table.save(tmp_path / "t")
    loaded = NeighborTable.load(tmp_path / "t")
    assert loaded.name == "ring"
    for direction in ("next", "before"):
        for node in range(3):
            assert loaded.row(node, direction)[0].tolist() == table.row(node, direction)[0].tolist()


def test_the_two_directions_of_a_table_may_not_change_places():
    table = NeighborTable.build(ring(), k=1, name="ring")
    with pytest.raises(DataError, match="'before' stand where 'next' belong"):
        NeighborTable("swapped", next=table.before, before=table.next)
    with pytest.raises(DataError, match="one row for each node"):
        NeighborTable("partial", next=top_k(ring(), [0, 1], 1), before=table.before)


def test_torn_or_foreign_artifacts_are_refused(tmp_path):
    NeighborTable.build(ring(), k=1, name="ring").save(tmp_path / "t")
    with pytest.raises(ArtifactError, match="'neighbor-table' stands where"):
        Neighbors.load(tmp_path / "t")
    manifest = json.loads((tmp_path / "t" / MANIFEST).read_text())
    manifest["config"]["name"] = "another"
    (tmp_path / "t" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="digest"):
        NeighborTable.load(tmp_path / "t")
