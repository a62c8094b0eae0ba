"""Written parts against the whole: their union is the graph, and a part needs no other."""

import shutil
import tempfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import cliques, relations, rows, scale_free

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.graph.check import check_stored
from thence.graph.partition import PartGraph, Partition, by_hash, store, write_parts


def global_rows(part, positions=None, relation=None):
    """Local arcs with their values in global ints."""
    arcs = part.graph.main if relation is None else part.graph[relation]
    at = np.arange(arcs.num_arcs) if positions is None else positions
    pairs = part.nodes[arcs.pairs[:, at]]
    values = [arcs.values[name][at].tolist() for name in sorted(arcs.values) if name != store.POSITION]
    return list(zip(*pairs.tolist(), *values, strict=True))


def reach(arcs, own, hops):
    """Nodes by their number of steps from the own ones, along or against arcs."""
    away = dict.fromkeys(own, 0)
    for hop in range(1, hops + 1):
        for u, v in zip(*arcs.pairs.tolist(), strict=True):
            for a, b in ((u, v), (v, u)):
                if away.get(a) == hop - 1 and b not in away:
                    away[b] = hop
    return away


@settings(max_examples=15)  # each writes three parts to the disk
@given(relations(), st.data(), st.integers(0, 3))
def test_the_union_of_the_parts_is_the_graph(arcs, data, hops):
    part = data.draw(st.lists(st.integers(0, 2), min_size=arcs.num_nodes, max_size=arcs.num_nodes))
    features = np.arange(arcs.num_nodes * 2, dtype=np.float32).reshape(arcs.num_nodes, 2)
    whole, owned = sorted(rows(arcs)), {"out": [], "into": []}
    with tempfile.TemporaryDirectory() as tmp:
        write_parts(arcs, Partition.of(arcs, part, 3), f"{tmp}/g", hops=hops, rows=features)
        for p in range(3):
            local = PartGraph.load(f"{tmp}/g", p)
            own = [node for node, of in enumerate(part) if of == p]
            away = reach(arcs, own, hops)
            check_stored(local.graph.main)
            assert local.nodes.tolist() == sorted(away, key=lambda node: (away[node], node))
            assert local.nodes[: local.num_own].tolist() == own and local.hops == hops
            assert local.owner.tolist() == [part[node] for node in local.nodes.tolist()]
            hop = np.repeat(np.arange(hops + 1), np.diff(local.hop_ptr)).tolist()
            assert hop == [away[node] for node in local.nodes.tolist()]
            assert np.asarray(local.rows).tolist() == features[local.nodes].tolist()
            assert local.graph.ids.array.to_pylist() == [str(node) for node in local.nodes.tolist()]
            inner = {node for node, steps in away.items() if steps < max(hops, 1)}
            held = [
                row
                for row in whole
                if ((row[0] in inner or row[1] in inner) if hops else (row[0] in inner and row[1] in inner))
            ]
            assert sorted(global_rows(local)) == held
            assert {*local.nodes[: local.num_complete].tolist()} == (inner if hops else set())
            at = local.graph.main.values[store.POSITION]
            assert [*zip(*arcs.pairs[:, at].tolist(), strict=True)] == [row[:2] for row in global_rows(local)]
            for side in owned:
                owned[side] += global_rows(local, local.own_arcs(side))
    if hops:
        assert sorted(owned["out"]) == sorted(owned["into"]) == whole
    else:
        inside = [row for row in whole if part[row[0]] == part[row[1]]]
        assert sorted(owned["out"]) == sorted(owned["into"]) == inside


def shop():
    """Two relations, a node table, and a division that gives the third part nothing."""
    first = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 4], num_nodes=6)
    second = Arcs.from_pairs([0, 5], [5, 0], num_nodes=6, directed=False)
    nodes = pa.table({"item_id": list("abcdef"), "count": [6, 5, 4, 3, 2, 1]})
    graph = DiGraph(IdMap("abcdef"), {"next": first, "like": second}, nodes, {"log": {"fingerprint": "f"}})
    return graph, Partition.of(first, [0, 0, 0, 1, 1, 1], 3)


def test_relations_ids_and_the_table_of_nodes_follow(tmp_path):
    graph, division = shop()
    write_parts(graph, division, tmp_path / "g")
    left, right, none = (PartGraph.load(tmp_path / "g", p) for p in range(3))
    assert left.graph.ids.array.to_pylist() == ["a", "b", "c", "d", "f"]  # d by "next", f by "like"
    assert left.graph.nodes.to_pydict() == {"item_id": list("abcdf"), "count": [6, 5, 4, 3, 1]}
    assert left.graph["like"].directed is False and left.graph["like"].num_arcs == 2
    assert right.nodes.tolist() == [3, 4, 5, 0, 2] and right.owner.tolist() == [1, 1, 1, 0, 0]
    assert none.num_own == 0 and none.graph.num_nodes == 0 and none.own_arcs("into").tolist() == []
    assert len({left.whole, right.whole, none.whole}) == 1 and left.rows is None
    assert left.graph.info["log"] == {"fingerprint": "f"}
    assert right.local([0, 1, 5, -1, 99]).tolist() == [3, -1, 2, -1, -1]
    assert none.local([0]).tolist() == [-1]
    assert (
        repr(left) == "PartGraph(part 0 of 3: 3 own nodes, 2 halo nodes in 1 hops, next: 3 arcs, like: 2 arcs)"
    )
    assert left.own_arcs(relation="like").tolist() == [0]
    with pytest.raises(ConfigError, match="no side"):
        left.own_arcs("both")


def test_a_part_is_opened_without_the_others(tmp_path):
    arcs = scale_free(3_000, 12_000)
    division = by_hash(arcs, 4)
    write_parts(arcs, division, tmp_path / "g", rows=np.arange(6000.0).reshape(3_000, 2))
    want = PartGraph.load(tmp_path / "g", 2)
    expected = sorted(global_rows(want))
    for p in (0, 1):
        shutil.rmtree(tmp_path / "g" / f"part-{p:04d}")
    for path in (tmp_path / "g" / "part-0003").rglob("*.*"):
        path.write_bytes(b"unreadable")
    (tmp_path / "g" / "part.npy").unlink()
    (tmp_path / "g" / "manifest.json").write_text("{")
    alone = PartGraph.load(tmp_path / "g", 2)
    assert sorted(global_rows(alone)) == expected
    shutil.copytree(tmp_path / "g" / "part-0002", tmp_path / "elsewhere" / "part-0002")
    assert sorted(global_rows(PartGraph.load(tmp_path / "elsewhere", 2))) == expected
    assert isinstance(alone.rows, np.memmap) and isinstance(alone.graph.main.targets, np.memmap)
    for p in (0, 3, 9):
        with pytest.raises(ArtifactError):
            PartGraph.load(tmp_path / "g", p)


def test_own_rows_are_whole_on_both_sides():
    arcs = scale_free(300, 1_200)
    with tempfile.TemporaryDirectory() as tmp:
        write_parts(arcs, by_hash(arcs, 3), f"{tmp}/g")
        local = PartGraph.load(f"{tmp}/g", 0, verify=False)
        for own in range(local.num_own):
            node = int(local.nodes[own])
            assert sorted(local.nodes[local.graph.main.out(own)].tolist()) == arcs.out(node).tolist()
            assert sorted(local.nodes[local.graph.main.into(own)].tolist()) == arcs.into(node).tolist()


def test_parts_of_two_writings_are_not_mixed_unseen(tmp_path):
    arcs = cliques(3, 2)
    write_parts(arcs, Partition.of(arcs, [0, 0, 0, 1, 1, 1]), tmp_path / "one")
    write_parts(arcs, Partition.of(arcs, [0, 0, 1, 1, 1, 1]), tmp_path / "two")
    assert PartGraph.load(tmp_path / "one", 0).whole != PartGraph.load(tmp_path / "two", 1).whole
    shutil.rmtree(tmp_path / "one" / "part-0001" / "graph")
    shutil.copytree(tmp_path / "two" / "part-0001" / "graph", tmp_path / "one" / "part-0001" / "graph")
    with pytest.raises(ArtifactError, match="different parts"):
        PartGraph.load(tmp_path / "one", 1)
    write_parts(arcs, Partition.of(arcs, [1, 1, 0, 0, 0, 0]), tmp_path / "one")  # replaced as one
    assert PartGraph.load(tmp_path / "one", 1).num_own == 2


@pytest.mark.parametrize("name", ["place/nodes.npy", "place/owner.npy", "graph/arcs.targets.npy"])
def test_a_damaged_part_is_refused(tmp_path, name):
    arcs = cliques(3, 2)
    write_parts(arcs, by_hash(arcs, 2), tmp_path / "g")
    path = tmp_path / "g" / "part-0001" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match="digest"):
        PartGraph.load(tmp_path / "g", 1)
    path.write_bytes(bytes(content[:-4]))
    with pytest.raises(ArtifactError, match="bytes"):
        PartGraph.load(tmp_path / "g", 1, verify=False)


def test_what_does_not_go_together_is_refused(tmp_path):
    arcs = cliques(3, 2)
    division = by_hash(arcs, 2)
    for more, error, message in (
        ({"hops": -1}, ConfigError, "hops is -1"),
        ({"hops": 1.5}, ConfigError, "hops is 1.5"),
        ({"rows": np.zeros((5, 2))}, DataError, r"shape \(5, 2\)"),
        ({"rows": np.array(list("abcdef"))}, DataError, "rows are <U1"),
    ):
        with pytest.raises(error, match=message):
            write_parts(arcs, division, tmp_path / "g", **more)
    with pytest.raises(DataError, match="partition of 6 nodes"):
        write_parts(cliques(4, 2), division, tmp_path / "g")
    with pytest.raises(DataError, match="cannot be divided"):
        write_parts(arcs.matrix(), division, tmp_path / "g")
    assert not (tmp_path / "g").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArtifactError):
        write_parts(arcs, division, tmp_path / "file")
    for wrong in (-1, "0"):
        with pytest.raises(ConfigError, match="part is"):
            PartGraph.load(tmp_path, wrong)
