"""Rows come back as their way of keeping promises, the cache stays within its bound, and damage is refused."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thence.base.artifact import write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.graph.rows import Rows
from thence.graph.rows.encoding import BLOCK, encode

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
KEPT = ["float32", "float16", "int8"]


def features(rows=60, dim=40):
    return np.random.default_rng(3).standard_normal((rows, dim)).astype(np.float32)


def everything(folder, **options):
    rows = Rows.load(folder, **options)
    return rows[np.arange(len(rows))]


@given(arrays(np.float32, (4, 3), elements=FINITE))
def test_signed_bytes_are_at_most_half_a_scale_away(block):
    codes, scale = encode(block, np.dtype(np.int8))
    assert scale is not None and (codes != -128).all()
    back = codes * scale[:, None].astype(np.float64)
    assert (np.abs(back - block) <= scale[:, None] / 2 * (1 + 1e-5)).all()
    assert (codes[block == 0] == 0).all()


def test_singles_come_back_bit_by_bit_and_halves_as_the_nearest(tmp_path):
    x = features()
    x[0, 0], x[0, 1] = -0.0, 1e-45
    Rows.write(tmp_path / "single", [x])
    assert everything(tmp_path / "single").tobytes() == x.tobytes()
    Rows.write(tmp_path / "half", [x], kept="float16")
    assert everything(tmp_path / "half").tobytes() == x.astype(np.float16).astype(np.float32).tobytes()
    Rows.write(tmp_path / "again", [everything(tmp_path / "half")], kept="float16")
    np.testing.assert_array_equal(everything(tmp_path / "again"), everything(tmp_path / "half"))


def test_whole_multiples_of_a_power_of_two_come_back_from_signed_bytes_as_they_were(tmp_path):
    x = np.array([[127, -3, 0], [0, 0, 0], [31.75, -31.75, 0.25]], np.float32)
    Rows.write(tmp_path / "rows", [x], kept="int8")
    np.testing.assert_array_equal(everything(tmp_path / "rows"), x)


@pytest.mark.parametrize("kept", KEPT)
def test_chunks_dense_or_sparse_of_any_size_are_the_same_file(tmp_path, kept):
    x = features()
    x[np.abs(x) < 1] = 0
    splits = {"whole": [x], "odd": [x[:1], x[1:1], x[1:50], x[50:]], "wide": [x.astype(np.float64)]}
    splits["sparse"] = [sp.csr_matrix(x[:33]), sp.csr_array(x[33:])]
    for name, chunks in splits.items():
        Rows.write(tmp_path / name, iter(chunks), kept=kept)
    files = {(tmp_path / name / "matrix.npy").read_bytes() for name in splits}
    assert len(files) == 1
    assert len({everything(tmp_path / name).tobytes() for name in splits}) == 1


def test_a_chunk_is_encoded_piece_by_piece_and_none_is_kept(tmp_path):
    def chunks():
        for value in range(12):
            yield sp.csr_array(([float(value)], ([0], [5])), shape=(3000, 1000))

    tracemalloc.start()
    Rows.write(tmp_path / "rows", chunks(), kept="float16")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "rows/matrix.npy").stat().st_size > 70_000_000
    assert peak < 6 * BLOCK
    assert Rows.load(tmp_path / "rows", verify=False)[np.arange(0, 36_000, 3000)][:, 5].tolist() == list(
        range(12)
    )


@pytest.mark.parametrize("kept", KEPT)
def test_a_cache_changes_nothing_but_where_rows_are_read(tmp_path, kept):
    x, use = features(), np.random.default_rng(1).random(60)
    Rows.write(tmp_path / "rows", [x], kept=kept, use=use)
    nodes = np.random.default_rng(2).integers(0, 60, 500)
    plain = Rows.load(tmp_path / "rows")
    assert plain.cached_bytes == 0 and plain.hit_share(nodes) == 0
    width = 40 * {"float32": 4, "float16": 2, "int8": 1}[kept] + 4 * (kept == "int8")
    for most in (1, 239, 240 + width - 1, 240 + width, 240 + 17 * width, 60 * width, 10**9):
        rows = Rows.load(tmp_path / "rows", cache_bytes=most, threads=1 + most % 2)
        count = 60 if most >= 60 * width else max(0, (most - 240) // width)
        held = np.isin(nodes, np.argsort(-use)[:count])
        assert rows.cached_bytes <= most and rows.hit_share(nodes) == held.mean()
        np.testing.assert_array_equal(rows[nodes], plain[nodes])


def test_memory_stays_within_the_bound_while_a_cache_is_filled(tmp_path):
    x, most = np.zeros((50_000, 64), np.float32), 3_000_000
    Rows.write(tmp_path / "rows", [x])
    use = np.arange(50_000)
    tracemalloc.start()
    rows = Rows.load(tmp_path / "rows", cache_bytes=most, use=use)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.99 * most < rows.cached_bytes <= now < most + 100_000
    assert peak < most + 3 * 8 * 50_000 + 200_000


def test_use_given_on_loading_wins(tmp_path):
    Rows.write(tmp_path / "rows", [features(10, 4)], use=np.arange(10))
    assert Rows.load(tmp_path / "rows", cache_bytes=40 + 16).hit_share([9]) == 1
    assert Rows.load(tmp_path / "rows", cache_bytes=40 + 16, use=-np.arange(10)).hit_share([0]) == 1


def test_rows_go_where_they_are_told(tmp_path):
    Rows.write(tmp_path / "rows", [features()], kept="int8")
    rows, out = Rows.load(tmp_path / "rows"), np.empty((2, 40), np.float32)
    assert rows.gather([5, 5], out) is out and (len(rows), rows.dim) == (60, 40)
    np.testing.assert_array_equal(out, rows[[5, 5]])
    with pytest.raises(DataError, match="out is"):
        rows.gather([5], out)


def test_no_rows_are_rows_too(tmp_path):
    Rows.write(tmp_path / "rows", [np.empty((0, 3))], use=np.empty(0))
    rows = Rows.load(tmp_path / "rows", cache_bytes=10)
    assert rows[[]].shape == (0, 3)
    with pytest.raises(DataError, match="out of range"):
        rows[[0]]


@pytest.mark.parametrize("node", [-1, 60])
def test_a_node_out_of_range_is_refused(tmp_path, node):
    Rows.write(tmp_path / "rows", [features()], use=np.arange(60))
    for most in (0, 1000, 10**6):
        rows = Rows.load(tmp_path / "rows", cache_bytes=most)
        with pytest.raises(DataError, match="out of range"):
            rows[[0, node]]
        with pytest.raises(DataError, match="out of range"):
            rows.hit_share([node])


@pytest.mark.parametrize(
    ("chunks", "what"),
    [
        ([], "no chunk"),
        ([np.empty((2, 0))], "no chunk"),
        ([np.zeros((1, 2)), np.zeros((1, 3))], "3 columns, those before 2"),
        ([np.zeros(3)], "shape"),
        ([np.array([["a"]])], "chunk of rows"),
        ([np.array([[np.nan]])], "not finite"),
        ([np.array([[1e39]])], "too large for float32"),
        ([sp.csr_array(np.array([[np.inf, 0]]))], "not finite"),
    ],
)
def test_chunks_that_make_no_matrix_are_refused_and_nothing_is_left(tmp_path, chunks, what):
    with pytest.raises(DataError, match=what):
        Rows.write(tmp_path / "rows", chunks)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(DataError, match="too large for float16"):
        Rows.write(tmp_path / "rows", [np.array([[65_520.0]])], kept="float16")
    with pytest.raises(ConfigError, match="kept as 'float61'"):
        Rows.write(tmp_path / "rows", [features()], kept="float61")  # type: ignore[arg-type]
    for use in (np.ones(59), np.full(60, np.nan), np.array(["a"] * 60)):
        with pytest.raises(DataError, match="use is"):
            Rows.write(tmp_path / "rows", [features()], use=use)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_needs_a_bound_and_to_know_what_is_used(tmp_path):
    Rows.write(tmp_path / "rows", [features()])
    with pytest.raises(ConfigError, match="asked for most"):
        Rows.load(tmp_path / "rows", cache_bytes=1000)
    with pytest.raises(ConfigError, match="cache_bytes is -1"):
        Rows.load(tmp_path / "rows", cache_bytes=-1)
    with pytest.raises(ConfigError, match="threads is 0"):
        Rows.load(tmp_path / "rows", threads=0)
    with pytest.raises(DataError, match="use is"):
        Rows.load(tmp_path / "rows", cache_bytes=1000, use=np.ones(3))


@pytest.mark.parametrize("name", ["matrix.npy", "scale.npy", "hot.npy"])
def test_damaged_and_truncated_files_are_refused(tmp_path, name):
    Rows.write(tmp_path / "rows", [features()], kept="int8", use=np.arange(60))
    path = tmp_path / "rows" / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    for verify in (True, False):
        with pytest.raises(ArtifactError, match="bytes instead of"):
            Rows.load(tmp_path / "rows", verify=verify)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ArtifactError, match="digest"):
        Rows.load(tmp_path / "rows")
    path.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        Rows.load(tmp_path / "rows")


GOOD = {
    "matrix": np.ones((3, 2), np.int8),
    "scale": np.ones(3, np.float32),
    "hot": np.array([1, 2, 0], np.int32),
}


@pytest.mark.parametrize(
    "bad",
    [
        {"matrix": np.ones((3, 2), np.int16)},
        {"matrix": np.ones((2, 3), np.int8)},
        {"matrix": np.asfortranarray(np.ones((3, 2), np.int8))},
        {"matrix": np.ones(6, np.int8)},
        {"scale": np.ones(2, np.float32)},
        {"scale": np.ones(3)},
        {"scale": np.array([1, np.nan, 1], np.float32)},
        {"hot": np.array([1, 1, 0], np.int32)},
        {"hot": np.array([1, -2, 3], np.int32)},
        {"hot": np.array([1, 0], np.int32)},
        {"hot": np.array([1, 2, 0])},
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(tmp_path, bad):
    with write_artifact(tmp_path / "rows", "rows") as draft:
        for name, array in {**GOOD, **bad}.items():
            np.save(draft.path(f"{name}.npy"), array)
        draft.counts.update(rows=3, dim=2)
        draft.config["kept"] = "int8"
    with pytest.raises(ArtifactError, match=r"not what the manifest says|order of use"):
        Rows.load(tmp_path / "rows", cache_bytes=1)


def test_another_kind_is_refused(tmp_path):
    with write_artifact(tmp_path / "note", "note") as draft:
        draft.array("matrix", np.ones((3, 2), np.float32))
    with pytest.raises(ArtifactError, match="'note' stands where a 'rows'"):
        Rows.load(tmp_path / "note")
    with pytest.raises(ArtifactError, match="no artifact there"):
        Rows.load(tmp_path / "nothing")


def test_a_scale_goes_with_signed_bytes_alone():
    with pytest.raises(DataError, match="rows of int8 without a scale"):
        Rows(np.ones((2, 2), np.int8))
    with pytest.raises(DataError, match="rows of float64"):
        Rows(np.ones((2, 2)))
