"""Mapped files: what was written comes back, in pieces or whole, and columns are filled exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thence.base import mapped
from thence.base.mapped import Column, map_table, release, write_array, write_table


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(st.sampled_from([np.int32, np.int64, np.float32]), hnp.array_shapes(max_dims=2), elements={}))
def test_a_mapped_array_goes_over_piece_by_piece(tmp_path_factory, array) -> None:
    folder = tmp_path_factory.mktemp("mapped")
    write_array(folder / "a.npy", array)
    whole = np.load(folder / "a.npy", mmap_mode="r")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapped, "BLOCK_BYTES", 8)
        write_array(folder / "b.npy", whole)
    assert (folder / "a.npy").read_bytes() == (folder / "b.npy").read_bytes()


def test_memory_that_is_given_back_reads_the_same_again(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(100_000))
    whole = np.load(tmp_path / "a.npy", mmap_mode="r")
    total = int(whole.sum())
    release(whole)
    release(whole[5:])
    assert int(whole.sum()) == total


def test_changes_that_are_only_in_memory_are_never_given_back(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(10_000))
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[:] = 7
    release(private)
    assert (private == 7).all()
    release(np.arange(3))  # no map at all


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_column_is_what_was_appended(tmp_path: Path, on_disk: bool) -> None:
    column = Column(5, np.float32, tmp_path / "c.npy" if on_disk else None)
    column.append(np.array([1, 2]))
    column.append(np.zeros(0))
    column.append(np.arange(9.0)[3:9:2])
    assert column.finish().tolist() == [1, 2, 3, 5, 7]


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_column_that_is_not_full_is_refused(tmp_path: Path, on_disk: bool) -> None:
    column = Column(3, np.int32, tmp_path / "c.npy" if on_disk else None)
    column.append(np.array([1]))
    with pytest.raises(ValueError, match="1 values came of 3"):
        column.finish()
    empty = Column(0, np.int32, tmp_path / "e.npy" if on_disk else None)
    assert empty.finish().tolist() == []


def test_a_table_comes_back_in_one_chunk(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.chunked_array([["a", "b"], ["ü", ""]]),
            "price": [1.5, None, 2.0, None],
            "tags": [["x"], [], None, ["y", "z"]],
        }
    )
    write_table(tmp_path / "t.arrow", table)
    back = map_table(tmp_path / "t.arrow")
    assert back.equals(table) and back["id"].num_chunks == 1
    write_table(tmp_path / "e.arrow", table.slice(0, 0))
    assert map_table(tmp_path / "e.arrow").equals(table.slice(0, 0))


def test_a_table_is_not_read_when_it_is_opened(tmp_path: Path) -> None:
    write_table(tmp_path / "t.arrow", pa.table({"n": np.arange(1_000_000)}))
    before = pa.total_allocated_bytes()
    table = map_table(tmp_path / "t.arrow")
    assert pa.total_allocated_bytes() - before < 1 << 16
    assert table["n"][999_999].as_py() == 999_999
