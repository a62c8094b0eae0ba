"""Gathered rows are the rows, whatever their dtype, their width, the array they go to, and the threads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.graph.rows import gather
from thence.graph.rows.gather import CHUNK, STREAM_FROM, empty

DTYPES = ["float32", "float64", "float16", "int8", "uint16", "int64", "bool"]


def matrix_of(rows, dim, dtype="float32"):
    bits = np.random.default_rng(rows * 1000 + dim).integers(0, 100, (rows, dim))
    return (bits % 2 if dtype == "bool" else bits).astype(dtype)


@given(st.sampled_from(DTYPES), st.integers(1, 140), st.lists(st.integers(0, 29), max_size=80))
def test_rows_are_those_that_indexing_finds(dtype, dim, nodes):
    matrix = matrix_of(30, dim, dtype)
    found = gather(matrix, nodes)
    assert found.dtype == matrix.dtype
    np.testing.assert_array_equal(found, matrix[np.array(nodes, int)])


@pytest.mark.parametrize("dim", [16, 100, 128])
@pytest.mark.parametrize("aligned", [True, False])
def test_large_results_are_the_same_on_any_number_of_threads(dim, aligned):
    matrix, count = matrix_of(999, dim), STREAM_FROM // (4 * dim) + CHUNK + 1
    nodes = np.random.default_rng(1).integers(0, 999, count)
    for threads in (1, 2, 3):
        out = empty(count, dim, np.dtype(np.float32)) if aligned else np.empty(count * dim + 1, np.float32)[1:]
        out = out.reshape(count, dim)
        assert gather(matrix, nodes, out, threads=threads) is out
        np.testing.assert_array_equal(out, matrix[nodes])


def test_rows_outside_the_result_are_left_alone():
    room = np.full((5, 24), 7, np.float32)
    gather(matrix_of(4, 24), [3, 1, 0], room[1:4])
    assert (room[[0, 4]] == 7).all() and (room[1:4] == matrix_of(4, 24)[[3, 1, 0]]).all()


def test_every_finite_half_becomes_the_same_float():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = np.append(halves[np.isfinite(halves)], [np.inf, -np.inf]).astype(np.float16).reshape(-1, 2)
    nodes = np.random.default_rng(0).permutation(len(halves))
    out = gather(halves, nodes, np.empty((len(nodes), 2), np.float32))
    np.testing.assert_array_equal(out.view(np.uint32), halves[nodes].astype(np.float32).view(np.uint32))


@given(st.integers(1, 140), st.lists(st.integers(0, 29), max_size=40))
def test_signed_bytes_are_multiplied_by_the_scale_of_their_row(dim, nodes):
    random = np.random.default_rng(dim)
    codes, scale = random.integers(-128, 128, (30, dim), dtype=np.int8), random.random(30).astype(np.float32)
    literal = [[np.float32(code) * scale[node] for code in codes[node]] for node in nodes]
    found = gather(codes, nodes, scale=scale)
    np.testing.assert_array_equal(found, np.array(literal, np.float32).reshape(len(nodes), dim))


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    np.save(tmp_path / "m.npy", matrix_of(700, 33))
    mapped = np.load(tmp_path / "m.npy", mmap_mode="r")
    nodes = [699, 0, 5, 699]
    np.testing.assert_array_equal(gather(mapped, nodes), matrix_of(700, 33)[nodes])
    few = np.array([5, 200], np.uint8)
    np.testing.assert_array_equal(gather(mapped, few), matrix_of(700, 33)[few])


def test_nothing_is_gathered_for_no_nodes_and_no_columns():
    assert gather(matrix_of(3, 4), []).shape == (0, 4)
    assert gather(np.empty((0, 4), np.float32), []).shape == (0, 4)
    assert gather(np.empty((3, 0), np.float32), [2, 1]).shape == (2, 0)


@pytest.mark.parametrize("node", [-1, 4, 2**40, -(2**40)])
def test_a_node_out_of_range_is_refused(node):
    with pytest.raises(DataError, match=f"node {node} is out of range"):
        gather(matrix_of(4, 2), [0, node, 3])


@pytest.mark.parametrize("nodes", [[0.0], [True], [[0]], 0, ["0"]])
def test_nodes_that_are_no_list_of_ints_are_refused(nodes):
    with pytest.raises(DataError, match="nodes are"):
        gather(matrix_of(4, 2), nodes)


@pytest.mark.parametrize(
    "matrix",
    [np.zeros(3), np.zeros((2, 2, 2)), np.array([["a"]]), np.zeros((2, 2), ">f4"), np.zeros((2, 2), complex)],
)
def test_what_is_no_matrix_of_numbers_is_refused(matrix):
    with pytest.raises(DataError, match="not a matrix"):
        gather(matrix, [0])


def test_a_matrix_that_lies_column_by_column_is_refused():
    with pytest.raises(DataError, match="row by row"):
        gather(matrix_of(4, 4).T, [0])


@pytest.mark.parametrize(
    ("codes", "scale"),
    [("float32", np.ones(4, np.float32)), ("int8", np.ones(3, np.float32)), ("int8", np.ones(4))],
)
def test_a_scale_that_does_not_fit_is_refused(codes, scale):
    with pytest.raises(DataError, match="scale"):
        gather(matrix_of(4, 4, codes), [0], scale=scale)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((1, 4), np.float32),
        np.empty((2, 4)),
        np.empty((4, 2), np.float32).T,
        np.empty((2, 4), np.float16),
    ],
)
def test_an_out_that_does_not_fit_is_refused(out):
    with pytest.raises(DataError, match="out is"):
        gather(matrix_of(4, 4), [0, 1], out)


def test_an_out_that_is_read_only_is_refused():
    out = np.empty((1, 4), np.float32)
    out.flags.writeable = False
    with pytest.raises(DataError, match="out is not contiguous and writable"):
        gather(matrix_of(4, 4), [0], out)


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(ConfigError, match="threads is 0"):
        gather(matrix_of(4, 4), [0], threads=0)
