"""Opening a graph: nothing is read, nothing that is damaged gets through, and old layouts still open."""

import json
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.test_arcs import arcs_of, relations
from tests.graph.test_digraph import NAMES, assert_same, edited, example

from thence.base import artifact, ids
from thence.base.artifact import MANIFEST, write_artifact
from thence.base.errors import ArtifactError
from thence.base.ids import IdMap
from thence.graph import check, position_kernel
from thence.graph.arcs import Arcs
from thence.graph.check import check_stored, position_type
from thence.graph.check_kernel import first_fault
from thence.graph.digraph import CSR_FIELDS, KIND, DiGraph


def ring(num_nodes=3000):
    node = np.arange(num_nodes)
    values = {"support": np.ones(num_nodes, np.int32), "last_time": node * 10}
    arcs = Arcs.from_pairs(node, (node + 1) % num_nodes, num_nodes=num_nodes, values=values)
    names = pa.array([f"p{i:04d}" for i in node])
    nodes = pa.table({"item_id": names, "count": node, "title": [None, *map(str, node[1:])]})
    return DiGraph(IdMap(names), {"bought_after": arcs}, nodes, {"note": 1})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opening") / "g"
    ring().save(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy that a test may damage."""
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def forge(folder):
    """Give the manifest the sizes and digests that its files now have, as whoever made the damage might."""
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    for name, entry in manifest["files"].items():
        entry |= {"bytes": (folder / name).stat().st_size, "sha256": artifact.digest(folder / name)}
    manifest["digest"] = artifact._manifest_digest(manifest)
    path.write_text(json.dumps(manifest))


def names_of(folder, ending=""):
    return sorted(
        path.name for path in folder.iterdir() if path.name != MANIFEST and path.name.endswith(ending)
    )


# Positions of arcs


@pytest.mark.parametrize(("arcs", "type_"), [(0, "int32"), (2**31 - 1, "int32"), (2**31, "int64")])
def test_positions_are_as_small_as_they_can_be(arcs, type_):
    assert np.dtype(position_type(arcs)) == type_


@settings(deadline=None, max_examples=30)
@given(relations(), st.data())
def test_wide_positions_answer_as_narrow_ones(relation, data):
    arcs = arcs_of(relation)
    narrow = {field: getattr(arcs, field) for field in ("indptr", "in_indptr", "in_order")}
    assert all(array.dtype == np.int32 for array in narrow.values())
    wide = Arcs(
        **{field: array.astype(np.int64) for field, array in narrow.items()},
        targets=arcs.targets,
        sources=arcs.sources,
        values=arcs.values,
    )
    check_stored(wide)
    ends = data.draw(st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 9))))
    source, target = [u for u, _ in ends], [v for _, v in ends]
    assert wide.positions(source, target).tolist() == arcs.positions(source, target).tolist()
    assert wide.pairs.tolist() == arcs.pairs.tolist() and wide.reverse_at.tolist() == arcs.reverse_at.tolist()
    assert wide.reversed().weight.tolist() == arcs.reversed().weight.tolist()
    assert wide.out_degree.dtype == arcs.out_degree.dtype == arcs.in_degree.dtype == np.int64


def test_halving_among_two_thousand_million_arcs_does_not_overflow():
    """Only the row that is asked for is real: its begin and end lie near the largest int32."""
    end = 2**31 - 2

    class Far:
        def __getitem__(self, at):
            return int(at) - (end - 8)

    found = np.empty(2, np.int64)
    with pytest.MonkeyPatch.context() as patch:  # as Python runs it: there a sum that overflows is an error
        patch.setattr(position_kernel, "first_from", position_kernel.first_from.py_func)
        indptr, asked = np.array([0, end - 8, end], np.int32), (np.array([1, 1]), np.array([5, 8]))
        position_kernel.positions.py_func(indptr, Far(), *asked, found)
    assert found.tolist() == [end - 3, -1]


# The compiled check


@pytest.mark.parametrize("name", [name.strip() for name in NAMES.split(";")])
def test_the_compiled_check_refuses_what_the_plain_one_refuses(name, monkeypatch):
    with pytest.raises(ArtifactError) as plain:
        check_stored(edited(name))
    monkeypatch.setattr(check, "KERNEL_FROM", 0)
    with pytest.raises(ArtifactError) as compiled:
        check_stored(edited(name))
    assert (plain.value.what == compiled.value.what) or "range" in plain.value.what


@settings(deadline=None, max_examples=60)
@given(relations(), st.data())
def test_both_checks_agree_on_any_small_change(relation, data):
    arcs = arcs_of(relation)
    assert not arcs.num_arcs or first_fault(arcs) == ""
    field = data.draw(st.sampled_from(["targets", "sources", "in_order"]))
    array = getattr(arcs, field).copy()
    if not len(array):
        return
    array[data.draw(st.integers(0, len(array) - 1))] = data.draw(st.integers(-2, 11))
    changed = Arcs(**{f: getattr(arcs, f) for f in CSR_FIELDS} | {field: array}, values=arcs.values)
    refused = False
    try:
        check_stored(changed)
    except ArtifactError:
        refused = True
    assert refused == bool(first_fault(changed)) == (array.tolist() != getattr(arcs, field).tolist())


# What opening reads


def test_a_graph_is_opened_without_being_read(saved, monkeypatch):
    graph = DiGraph.load(saved, verify=False)
    for field in CSR_FIELDS:
        assert isinstance(getattr(graph.main, field), np.memmap)
    before = pa.total_allocated_bytes()
    again = DiGraph.load(saved, verify=False)
    assert pa.total_allocated_bytes() - before < 1 << 16  # neither ids nor nodes
    with monkeypatch.context() as patch:
        patch.setattr(IdMap, "check", None)
        patch.setattr("thence.graph.digraph.check_stored", None)
        DiGraph.load(saved, verify=False)
        with pytest.raises(TypeError):
            DiGraph.load(saved)
    assert_same(again, ring())
    assert again.ids.ascending and again.ids.index("p0042") == 42


def test_the_files_themselves_lie_behind_the_arrays(saved):
    """Read-only shared maps of the saved files: whoever opens them has the same pages, and nobody a copy."""
    main = DiGraph.load(saved, verify=False).main
    for field in CSR_FIELDS:
        array = getattr(main, field)
        assert array.filename == saved / f"bought_after.{field}.npy" and array.mode == "r"


def test_graphs_of_the_older_layout_open_as_before(tmp_path):
    graph = example()
    with write_artifact(tmp_path / "g", KIND) as draft:
        draft.table("ids", pa.table({"id": graph.ids.array}))
        draft.table("nodes", graph.nodes)
        for name, arcs in graph.relations.items():
            for field in CSR_FIELDS:
                array = getattr(arcs, field)
                wide = array if field in ("targets", "sources") else array.astype(np.int64)
                draft.array(f"{name}.{field}", wide)
            for value, array in arcs.values.items():
                draft.array(f"{name}.value.{value}", array)
        draft.config |= {"relations": {n: a.directed for n, a in graph.relations.items()}}
        draft.config |= {"order": list(graph.relations), "info": graph.info}
    for verify in (True, False):
        back = DiGraph.load(tmp_path / "g", verify=verify)
        assert back.ids == graph.ids and back.nodes.equals(graph.nodes)
        assert back.main.pairs.tolist() == graph.main.pairs.tolist() and back.main.in_order.dtype == np.int64
        back.save(tmp_path / "new")
        assert DiGraph.load(tmp_path / "new").main.pairs.tolist() == graph.main.pairs.tolist()


# Hostile files


def test_a_file_that_is_cut_or_grown_or_gone_is_refused(folder):
    for name in names_of(folder):
        whole = (folder / name).read_bytes()
        for bytes_ in (b"", whole[:1], whole[:100], whole[:-1], whole + b"\0"):
            (folder / name).write_bytes(bytes_)
            for verify in (True, False):
                with pytest.raises(ArtifactError):
                    DiGraph.load(folder, verify=verify)
        (folder / name).unlink()
        with pytest.raises(ArtifactError, match="is missing"):
            DiGraph.load(folder, verify=False)
        (folder / name).write_bytes(whole)
    assert_same(DiGraph.load(folder), ring())


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_bit_that_flips_is_found_by_verification(saved, tmp_path_factory, data):
    name = data.draw(st.sampled_from([*names_of(saved), MANIFEST]))
    whole = (saved / name).read_bytes()
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    torn = bytearray(whole)
    torn[at] ^= 1 << bit
    (saved / name).write_bytes(torn)
    try:
        with pytest.raises(ArtifactError):
            DiGraph.load(saved)
    finally:
        (saved / name).write_bytes(whole)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_whatever_a_frame_says_it_opens_or_is_refused(saved, data):
    """Bytes of headers and footers change at random, sizes stay: an error of ours, or an opened graph."""
    name = data.draw(st.sampled_from(names_of(saved)))
    whole = (saved / name).read_bytes()
    frame = 128 if name.endswith(".npy") else 600
    places = st.one_of(st.integers(0, frame - 1), st.integers(len(whole) - frame, len(whole) - 1))
    torn = bytearray(whole)
    for at in data.draw(st.lists(places, min_size=1, max_size=3)):
        torn[at] = data.draw(st.integers(0, 255))
    (saved / name).write_bytes(torn)
    try:
        graph = DiGraph.load(saved, verify=False)
        assert graph.num_nodes == 3000 and graph.main.num_arcs == 3000
    except ArtifactError:
        pass
    finally:
        (saved / name).write_bytes(whole)


RESHAPED = {
    "shorter": lambda a: a[:-1],
    "longer": lambda a: np.append(a, a[-1]),
    "a table": lambda a: a.reshape(1, -1),
    "a number": lambda a: a[0],
    "empty": lambda a: a[:0],
    "of floats": lambda a: a.astype(np.float64),
    "of small ints": lambda a: a.astype(np.int16),
    "of unsigned ints": lambda a: a.astype(np.uint32),
    "of the other byte order": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "of text": lambda a: a.astype("U5"),
    "of records": lambda a: a.view([("x", a.dtype)]),
}


@pytest.mark.parametrize("field", CSR_FIELDS)
@pytest.mark.parametrize("change", RESHAPED)
def test_an_array_of_another_shape_or_type_is_refused_at_a_glance(folder, field, change):
    path = folder / f"bought_after.{field}.npy"
    np.save(path, RESHAPED[change](np.load(path)))
    forge(folder)
    for verify in (True, False):
        with pytest.raises(ArtifactError):
            DiGraph.load(folder, verify=verify)


@pytest.mark.parametrize("change", ["shorter", "longer", "a table", "a number", "of text", "of records"])
def test_a_value_of_another_shape_or_type_is_refused_at_a_glance(folder, change):
    path = folder / "bought_after.value.support.npy"
    np.save(path, RESHAPED[change](np.load(path)))
    forge(folder)
    with pytest.raises(ArtifactError):
        DiGraph.load(folder, verify=False)


def test_an_array_that_holds_code_is_refused(folder):
    path = folder / "bought_after.value.support.npy"
    path.write_bytes(pickle.dumps(print))
    forge(folder)
    with pytest.raises(ArtifactError, match="cannot be read"):
        DiGraph.load(folder, verify=False)
    np.save(path, np.array([print] * 3000), allow_pickle=True)
    forge(folder)
    with pytest.raises(ArtifactError, match="cannot be read"):
        DiGraph.load(folder, verify=False)


IDS = {
    "fewer": pa.table({"id": [f"p{i:04d}" for i in range(2999)]}),
    "null": pa.table({"id": [None, *(f"p{i:04d}" for i in range(2999))]}),
    "ints": pa.table({"id": list(range(3000))}),
    "another name": pa.table({"name": [f"p{i:04d}" for i in range(3000)]}),
}


@pytest.mark.parametrize("case", IDS)
def test_ids_that_cannot_be_those_of_the_nodes_are_refused_at_a_glance(folder, case):
    from thence.base.mapped import write_table

    write_table(folder / "ids.arrow", IDS[case])
    forge(folder)
    with pytest.raises(ArtifactError):
        DiGraph.load(folder, verify=False)


@pytest.mark.parametrize("swap", [(0, 1), (0, 0)])
def test_ids_out_of_order_or_twice_are_refused_when_all_is_looked_at(folder, swap):
    from thence.base.mapped import write_table

    order = np.arange(3000)
    order[[0, 1]] = order[list(swap)][::-1]
    write_table(folder / "ids.arrow", pa.table({"id": ring().ids.array.take(pa.array(order))}))
    forge(folder)
    with pytest.raises(ArtifactError, match="not in ascending order"):
        DiGraph.load(folder)
    with pytest.raises(ArtifactError, match="not in ascending order"):
        DiGraph.load(folder, verify=False).check()


# Ids that are found by halving


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8")), unique=True), st.lists(st.text()))
def test_halving_finds_what_a_dictionary_finds(names, others):
    names = sorted(names, key=lambda name: name.encode("utf-8"))
    others = [other for other in others if other.isprintable()]
    plain = IdMap(names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "HALVED_FROM", 0)
        patch.setattr(ids, "HALVED_SHARE", 0)
        halved = IdMap(names)
        assert halved.ascending
        asked = pa.array([*names, *others, None], pa.string())
        assert halved.encode(asked, missing="mark").tolist() == [
            *range(len(names)),
            *(plain._find(o) if o in plain else -1 for o in others),
            -1,
        ]
        assert [name in halved for name in [*names, *others]] == [name in plain for name in [*names, *others]]
        assert halved._index is None


def test_maps_know_whether_they_ascend():
    assert IdMap(["a", "b", "ü", "ÿ"]).ascending and IdMap([]).ascending and IdMap(["x"]).ascending
    assert not IdMap(["b", "a"]).ascending
