"""Hashes and types: what is equal stays equal, whatever holds it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.events.columns import text, widen
from thence.events.dedupe import Repeats
from thence.events.rowhash import Sum, row_hashes
from thence.events.schema import wider

KEPT = [pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.date32(), pa.timestamp("us"), pa.string()]


def test_wider_is_a_join():
    for a, b, c in itertools.product(KEPT, repeat=3):
        assert wider(a, a) == a
        assert wider(a, b) == wider(b, a)
        assert wider(wider(a, b), c) == wider(a, wider(b, c))
        assert wider(pa.null(), a) == a


@given(st.lists(st.one_of(st.none(), st.integers(-(2**52), 2**52)), min_size=1))
@settings(deadline=None)
def test_widening_moves_no_hash(values):
    ints = pa.array(values, pa.int64())
    hashes = row_hashes(pa.table({"shelf": ints}))
    for type_ in (pa.float64(), pa.string()):
        assert (row_hashes(pa.table({"shelf": widen(ints, type_)})) == hashes).all()
    assert widen(widen(ints, pa.float64()), pa.string()).equals(widen(ints, pa.string()))


def test_dates_and_midnights_read_alike():
    days = pa.array([0, 17000], pa.int32()).cast(pa.date32())
    assert text(days).equals(text(days.cast(pa.timestamp("us"))))


def test_hashes_tell_rows_apart():
    column = pa.array([f"{i:07d}" for i in range(100_000)])
    hashes = row_hashes(pa.table({"item_id": column}))
    assert len(np.unique(hashes[0])) == len(np.unique(hashes[1])) == 100_000
    swapped = pa.table({"item_id": ["a", "b"], "user_id": ["b", "a"]})
    one, other = row_hashes(swapped).T
    assert (one != other).all()
    lengths = row_hashes(pa.table({"x": ["", "\0", "\0\0", "a", "a\0", None]}))
    assert len({tuple(hash_) for hash_ in lengths.T.tolist()}) == 6
    assert row_hashes(pa.table({"price": [0.0]})).tolist() == row_hashes(pa.table({"price": [-0.0]})).tolist()


@given(
    st.lists(st.integers(0, 6), max_size=40),
    st.lists(st.integers(0, 6), max_size=10),
    st.integers(0, 2**64 - 1),
)
@settings(deadline=None)
def test_repeats_like_a_set(tmp_path_factory, new, known, spread):
    def hashes(numbers):
        a = np.array(numbers, np.uint64) // np.uint64(2) * np.uint64(spread | 1)  # halves collide on purpose
        return np.stack([a, np.array(numbers, np.uint64)])

    known = sorted(set(known))
    repeats = Repeats(Path(tmp_path_factory.mktemp("r")) / "h")
    repeats.add(hashes(new[:7]))
    repeats.add(hashes(new[7:]))
    repeats.add_known(hashes(known))
    seen, expected = set(known), []
    for number in new:
        expected.append(number in seen)
        seen.add(number)
    assert repeats.find().tolist() == expected
    total = Sum()
    total.add(hashes(sorted(seen)))
    assert repeats.sum.hex() == total.hex()
