"""CSV taken apart: like Python's reader where that agrees with the rules, and no byte unaccounted."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.events.read import csv as reader
from thence.events.read.blocks import Blocks
from thence.events.read.chunk import Source

BYTES = st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"1", b"\xff", b"\0"]), max_size=80)


def read(path, data: bytes, *, limit: int = 1 << 20, block: int = 1 << 20, delimiter=None):
    """Good rows as (row, offset, fields, raw), and refused ones as (row, offset, reason, raw)."""
    path.write_bytes(data)
    source = Source("file", "csv", len(data), "", path=path, zipped=data[:2] == b"\x1f\x8b")
    good, refused = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "Blocks", lambda source: Blocks(source, block))
        for chunk in reader.read_csv(source, delimiter, limit):
            raws = chunk.raw(np.arange(len(chunk.rows)))
            fields = [tuple(row.values()) for row in chunk.table.to_pylist()]
            good += (
                zip(chunk.rows.tolist(), chunk.offsets.tolist(), fields, raws, strict=True) if fields else []
            )
            refused += [tuple(row.values()) for row in chunk.refused.to_pylist()]
    return good, refused


def test_quotes_newlines_and_faults(tmp_path):
    data = b'\xef\xbb\xbfa,b\n1,2\r\n\n"x,1","l1\nl2"\n4\n5" nail,"ab"cd\nq,"op""en\n7,\xff'
    good, refused = read(tmp_path / "f", data)
    assert [row[2] for row in good] == [
        (b"1", b"2"),
        (b"x,1", b"l1\nl2"),
        (b'5" nail', b"abcd"),
        (b"7", b"\xff"),
    ]
    assert [row[0] for row in good] == [0, 1, 3, 5]
    assert refused == [
        (2, data.index(b"4\n"), "row has 1 fields instead of 2", "4"),
        (4, data.index(b"q,"), "quote not closed within 1048576 bytes", 'q,"op""en'),
    ]
    for row, offset, _, raw in good[:3]:
        assert data[offset:].startswith(raw.encode()), row


@given(BYTES)
@settings(deadline=None)
def test_like_pythons_reader(tmp_path_factory, pieces):
    body = b"".join(pieces).replace(b"\0", b"")
    good, refused = read(tmp_path_factory.mktemp("c") / "f", b"a,b\n" + body)
    if any("quote" in reason for _, _, reason, _ in refused):
        return  # Python's reader reads an open quote to the end of the file
    if b"\r" in body.replace(b"\r\n", b"") or b"\r" in b"".join(v for row in good for v in row[2]):
        return  # Python's reader takes a lone carriage return for a line's end
    rows = [row for row in csv.reader(io.StringIO(body.decode("latin1"), newline="")) if row]
    expected = [tuple(value.encode("latin1") for value in row) for row in rows if len(row) == 2]
    assert [row[2] for row in good] == expected
    assert len(refused) == len(rows) - len(expected)


@given(BYTES, st.integers(1, 9), st.integers(5, 12))
@settings(max_examples=100, deadline=None)
def test_blocks_do_not_show(tmp_path_factory, pieces, block, limit):
    path, data = tmp_path_factory.mktemp("c") / "f", b"a,b\n" + b"".join(pieces)
    assert read(path, data) == read(path, data, block=block)
    assert read(path, data, limit=limit) == read(path, data, limit=limit, block=block)


def test_a_row_beyond_the_limit_costs_only_itself(tmp_path):
    data = b"a,b\n1,2\n3," + b"x" * 100 + b'\n"5,6\n7,8\n'
    for block in (7, 1000):
        good, refused = read(tmp_path / "f", data, limit=20, block=block)
        assert [row[2] for row in good] == [(b"1", b"2"), (b"7", b"8")]
        assert [(row[0], row[2]) for row in refused] == [
            (1, "row longer than 20 bytes"),
            (2, "quote not closed within 20 bytes"),
        ]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_header_tells_the_delimiter(tmp_path, delimiter):
    data = delimiter.join(["a", "b", "c"]) + "\n" + delimiter.join(["1", "2,5", "3"]) + "\n"
    good, _ = read(tmp_path / "f", data.replace("2,5", "2.5").encode())
    assert good[0][2] == (b"1", b"2.5", b"3")


def test_headers_that_cannot_be_read(tmp_path):
    assert read(tmp_path / "f", b"") == ([], [])
    assert read(tmp_path / "f", b"a,b") == ([], [])
    with pytest.raises(DataError, match="not UTF-8"):
        read(tmp_path / "f", b"a,\xff\n1,2\n")
    with pytest.raises(DataError, match="longer than 9 bytes"):
        read(tmp_path / "f", b"a" * 30 + b"\n1\n", limit=9)
