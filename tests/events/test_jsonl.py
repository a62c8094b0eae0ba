"""JSON lines: the fast path sees what the slow one sees, and no line is lost."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.events.read import jsonl as reader
from thence.events.read.blocks import Blocks
from thence.events.read.chunk import Source

PLAIN = st.builds(lambda a, b: json.dumps({"a": a, "b": b}).encode(), st.integers(0, 9), st.text(max_size=3))
ODD = st.sampled_from(
    [
        b"",
        b" \t\r",
        b"[1]",
        b"7",
        b"x" * 60,
        b'{"a":NaN}',
        b'{"a":1}{"a":2}',
        b'{"a":',
        b"1}",
        b'{"a":"\xff"}',
        b'{"b":"\\ud800"}',
        b'{"a":1.5,"b":null}',
        b'  {"a":2,"n":null} \r',
        b"\0",
        b'{"b":"2017-01-01"}',
        b'{"a":' + b"9" * 30 + b"}",
        b"[" * 20,
    ]
)


def read(path, data: bytes, *, limit: int = 1 << 20, block: int = 1 << 20, fast: bool = True):
    path.write_bytes(data)
    source = Source("file", "jsonl", len(data), "", path=path, zipped=data[:2] == b"\x1f\x8b")
    good, refused = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "Blocks", lambda source: Blocks(source, block))
        if not fast:
            patch.setattr(reader._Lines, "_whole", lambda *_: None)
        for chunk in reader.read_jsonl(source, limit):
            raws = chunk.raw(np.arange(len(chunk.rows)))
            rows = [
                tuple(sorted((k, spell(v)) for k, v in row.items() if v is not None))
                for row in chunk.table.to_pylist()
            ]
            good += zip(chunk.rows.tolist(), chunk.offsets.tolist(), rows, raws, strict=True) if rows else []
            refused += [tuple(row.values()) for row in chunk.refused.to_pylist()]
    return good, refused


def spell(value):
    """Numbers by value: what is an int in one block may be a float or text beside others."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


@given(st.lists(st.one_of(PLAIN, PLAIN, PLAIN, ODD), max_size=12), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_fast_and_slow_and_any_block_agree(tmp_path_factory, lines, block):
    path, data = tmp_path_factory.mktemp("j") / "f", b"\n".join(lines)
    good, refused = read(path, data, limit=50, fast=False)
    assert len(good) + len(refused) == sum(bool(line.strip(b" \t\r")) for line in lines)
    same_good, same_refused = read(path, data, limit=50, block=block)
    assert str(same_good) == str(good)  # as text, because nan is not nan
    assert same_refused == refused


def test_the_fast_path_is_taken(tmp_path, monkeypatch):
    calls = []
    whole = reader._Lines._whole
    monkeypatch.setattr(reader._Lines, "_whole", lambda *args: calls.append(whole(*args)) or calls[-1])
    lines = [b'{"user":"u%d","n":null,"x":%d}' % (i, i) for i in range(100)]
    good, refused = read(tmp_path / "f", b"\n".join(lines), block=400)
    assert len(good) == 100
    assert not refused
    assert calls[0] is None
    assert sum(call is not None for call in calls) == len(calls) - 1


def test_a_torn_gzip_keeps_what_came_before_and_says_so(tmp_path):
    whole = gzip.compress(b"\n".join(b'{"a":%d}' % i for i in range(5000)))
    good, refused = read(tmp_path / "f", whole[: len(whole) // 2])
    assert 1000 < len(good) < 5000
    assert [row[2][0][1] for row in good] == list(range(len(good)))
    assert [(row, reason) for row, _, reason, _ in refused] == [(len(good), "gzip stream ends early")]
    good, refused = read(tmp_path / "f", whole + b"\0\0" + gzip.compress(b'\n{"a":1}'))
    assert (len(good), refused) == (5001, [])


def test_a_damaged_gzip_is_refused_as_a_whole(tmp_path):
    whole = bytearray(gzip.compress(b"\n".join(b'{"a":%d}' % i for i in range(5000))))
    whole[len(whole) // 2] ^= 255
    with pytest.raises(DataError, match="damaged gzip"):
        read(tmp_path / "f", bytes(whole))
