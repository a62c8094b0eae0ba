"""A graph comes back as it was saved, says what it was built from, and is refused when it makes no sense."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.graph.literal import DAY, bought, log_of

from thence.base.artifact import MANIFEST, open_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.build import GraphConfig, build_graph
from thence.graph.digraph import CSR_FIELDS, DiGraph

IDS = IdMap(["phone", "case", "charger", "tea"])


def example():
    """Phone → case (3), phone → charger (2), case → phone (1); case and charger are looked at together."""
    bought_after = Arcs.from_pairs(
        [0, 0, 1],
        [1, 2, 0],
        num_nodes=4,
        weight=[3.0, 2.0, 1.0],
        values={"support": np.array([3, 2, 1], np.int32), "last_time": np.array([30, 20, 10])},
    )
    co_viewed = Arcs.from_pairs([1, 2], [2, 1], num_nodes=4, directed=False)
    nodes = pa.table({"item_id": IDS.array, "count": [4, 3, 2, 0], "title": ["Phone", "Case", None, "Tea"]})
    return DiGraph(IDS, {"bought_after": bought_after, "co_viewed": co_viewed}, nodes, {"note": [1, 2]})


def assert_same(one, other):
    assert one.ids == other.ids and one.info == other.info
    assert list(one.relations) == list(other.relations)
    assert (one.nodes is None) == (other.nodes is None) and (one.nodes is None or one.nodes.equals(other.nodes))
    for name, arcs in one.relations.items():
        back = other.relations[name]
        assert back.directed == arcs.directed and back.values.keys() == arcs.values.keys()
        for field in CSR_FIELDS:
            assert getattr(back, field).tolist() == getattr(arcs, field).tolist()
            assert getattr(back, field).dtype == getattr(arcs, field).dtype
        for value, array in arcs.values.items():
            assert back.values[value].tolist() == array.tolist() and back.values[value].dtype == array.dtype


def test_a_graph_comes_back_as_it_was_saved(tmp_path):
    graph = example()
    graph.save(tmp_path / "g")
    for verify in (True, False):
        assert_same(graph, DiGraph.load(tmp_path / "g", verify=verify))


def test_the_manifest_counts(tmp_path):
    example().save(tmp_path / "g")
    manifest = json.loads((tmp_path / "g" / MANIFEST).read_text())
    assert manifest["counts"] == {"nodes": 4, "arcs.bought_after": 3, "arcs.co_viewed": 2}
    assert manifest["config"]["order"] == ["bought_after", "co_viewed"]


def test_a_graph_says_what_it_was_built_from(tmp_path):
    log = log_of(bought([], (1, "ann", "phone"), (2, "ann", "case"), (9, "bob", "phone")))
    known = log.before(5 * DAY)
    config = GraphConfig(relations=("bought_after",), min_count=1, min_support=1)
    build_graph(known, config).save(tmp_path / "g")
    graph = DiGraph.load(tmp_path / "g")
    assert graph.info["log"] == {
        "fingerprint": known.fingerprint,
        "events": 2,
        "first": DAY,
        "last": 2 * DAY,
        "start": None,
        "until": 5 * DAY,
    }
    assert GraphConfig(**{**graph.info["config"], "relations": ("bought_after",)}) == config
    assert graph.info["config"]["relations"] == ["bought_after"]
    assert open_artifact(tmp_path / "g", "digraph").fingerprint == known.fingerprint != log.fingerprint
    assert graph.with_relation("more", graph.main).info == graph.info


def test_large_arrays_are_memory_mapped_and_read_only(tmp_path):
    source = np.arange(3000)
    arcs = Arcs.from_pairs(source, (source + 1) % 3000, num_nodes=3000)
    DiGraph(IdMap(map(str, source)), {"r": arcs}).save(tmp_path / "g")
    main = DiGraph.load(tmp_path / "g").main
    assert isinstance(main.targets, np.memmap) and isinstance(main.weight, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        main.weight[0] = 0
    assert main.reversed().out(1).tolist() == [0]


def test_the_main_relation_is_the_first_and_others_are_found_by_name(tmp_path):
    graph = example()
    assert graph.main is graph["bought_after"] and graph["co_viewed"].num_arcs == 2
    with pytest.raises(DataError, match="Did you mean 'co_viewed'"):
        graph["co_view"]
    turned = DiGraph(IDS, dict(reversed(graph.relations.items())))
    turned.save(tmp_path / "g")
    assert list(DiGraph.load(tmp_path / "g").relations) == ["co_viewed", "bought_after"]
    assert list(graph.with_relation("bought_after", graph.main.reversed()).relations) == list(graph.relations)


@pytest.mark.parametrize("name", ["../evil", "a/b", "a.value", "", ".hidden", "a b", "x" * 65, "ä", "-r"])
def test_a_relation_cannot_be_named_like_a_path(name):
    with pytest.raises(DataError, match="cannot be named"):
        DiGraph(IDS, {name: Arcs.from_pairs([0], [1], num_nodes=4)})


def test_parts_that_do_not_fit_are_refused():
    arcs = Arcs.from_pairs([0], [1], num_nodes=3)
    with pytest.raises(DataError, match="has 3 nodes, the graph 4"):
        DiGraph(IDS, {"r": arcs})
    with pytest.raises(DataError, match="at least one relation"):
        DiGraph(IDS, {})
    with pytest.raises(DataError, match="1 rows in the node table for 4"):
        DiGraph(IDS, {"r": Arcs.from_pairs([0], [1], num_nodes=4)}, pa.table({"item_id": ["phone"]}))


def edited(name):
    """A change to one stored array of the example's main relation: bytes are whole, sense is not."""
    arcs = example().main

    def of(field, values, dtype=None):
        array = getattr(arcs, field)
        return replace(arcs, **{field: np.array(values, dtype or array.dtype)})

    weight = dict(arcs.values)
    return {
        "indptr falls": of("indptr", [0, 3, 2, 3, 3]),
        "indptr ends early": of("indptr", [0, 2, 2, 2, 2]),
        "indptr begins late": of("indptr", [1, 2, 3, 3, 3]),
        "indptr is short": of("indptr", [0, 3]),
        "indptr wraps": of("indptr", [0, 2**31 - 1, -(2**31), 3, 3]),
        "indptr of floats": of("indptr", [0, 2, 3, 3, 3], np.float64),
        "target too large": of("targets", [1, 4, 0]),
        "target negative": of("targets", [-1, 2, 0]),
        "targets fall": of("targets", [2, 1, 0]),
        "target twice": of("targets", [1, 1, 0]),
        "self-loop": of("targets", [0, 2, 0]),
        "targets of int64": of("targets", [1, 2, 0], np.int64),
        "targets are a table": replace(arcs, targets=np.zeros((3, 1), np.int32)),
        "in-side of other arcs": of("sources", [2, 0, 0]),
        "in_indptr of other arcs": of("in_indptr", [0, 1, 3, 3, 3]),
        "in_order swapped": of("in_order", [2, 1, 0]),
        "in_order out of range": of("in_order", [2, 0, 3]),
        "in_order negative": of("in_order", [2, 0, -2]),
        "in_order short": of("in_order", [2, 0]),
        "sources missing": of("sources", [1, 0]),
        "sides swapped": replace(arcs, indptr=arcs.in_indptr, targets=arcs.sources),
        "no weight": replace(arcs, values={"support": arcs.values["support"]}),
        "weight not finite": replace(arcs, values=weight | {"weight": np.array([1, np.nan, 2], np.float32)}),
        "value too short": replace(arcs, values=weight | {"lift": np.ones(2, np.float32)}),
        "value of text": replace(arcs, values=weight | {"lift": np.array(["a", "b", "c"])}),
        "undirected with one-way arcs": replace(arcs, directed=False),
    }[name]


NAMES = """indptr falls;indptr ends early;indptr begins late;indptr is short;indptr wraps;indptr of floats;
target too large;target negative;targets fall;target twice;self-loop;targets of int64;targets are a table;
in-side of other arcs;in_indptr of other arcs;in_order swapped;in_order out of range;in_order negative;
in_order short;sources missing;sides swapped;no weight;weight not finite;value too short;value of text;
undirected with one-way arcs"""


AT_A_GLANCE = """indptr ends early;indptr begins late;indptr is short;indptr of floats;targets of int64;
targets are a table;in_order short;sources missing;no weight;value too short;value of text"""
"""What is seen without reading the arrays: types, shapes, first and last offsets."""


@pytest.mark.parametrize("name", [name.strip() for name in NAMES.split(";")])
def test_a_damaged_graph_with_right_digests_is_refused(name, tmp_path, monkeypatch):
    graph = example()
    with monkeypatch.context() as patch:
        patch.setattr("thence.graph.digraph.DiGraph.__post_init__", lambda self: None)
        replace(graph, relations={**graph.relations, "bought_after": edited(name)}).save(tmp_path / "g")
    for verify in (True, False):
        if not verify and name not in [name.strip() for name in AT_A_GLANCE.split(";")]:
            with pytest.raises(ArtifactError, match=r"relation 'bought_after'"):
                DiGraph.load(tmp_path / "g", verify=False).check()
            continue
        with pytest.raises(ArtifactError, match=r"relation 'bought_after'|inconsistent graph"):
            DiGraph.load(tmp_path / "g", verify=verify)


def test_nodes_in_another_order_are_refused(tmp_path):
    graph = example()
    replace(graph, nodes=graph.nodes.take([1, 0, 2, 3])).save(tmp_path / "g")
    with pytest.raises(ArtifactError, match="not in the order of the ids"):
        DiGraph.load(tmp_path / "g")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("order", ["absent"]),
        ("order", None),
        ("order", []),
        ("order", ["../x"]),
        ("relations", []),
        ("info", 3),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(key, value, tmp_path, monkeypatch):
    from thence.base import artifact

    example().save(tmp_path / "g")
    path = tmp_path / "g" / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["config"][key] = value
    manifest["digest"] = artifact._manifest_digest(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError):
        DiGraph.load(tmp_path / "g")
