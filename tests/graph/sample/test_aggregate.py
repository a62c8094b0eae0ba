"""Sums over neighbours in ranges of rows: the same bytes for any number of threads, each row in one range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.graph.sample import aggregate


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 12), st.integers(1, 3))
def test_ranges_hold_every_row_once_and_few_entries(degrees, chunk, threads) -> None:
    indptr = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "CHUNK", chunk)
        ranges = aggregate.over_rows(indptr, lambda first, last: (first, last), threads=threads)
    assert [row for first, last in ranges for row in range(first, last)] == list(range(len(degrees)))
    assert all(indptr[last] - indptr[first] < chunk + max(degrees) for first, last in ranges)


def test_threads_change_no_byte(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 9, 200))])
    seen = rng.integers(0, 50, indptr[-1])
    weight, x = (rng.random(size).astype(np.float32) for size in (len(seen), (50, 7)))
    whole = aggregate.aggregate(indptr, seen, weight, x)
    monkeypatch.setattr(aggregate, "CHUNK", 40)
    parts = aggregate.aggregate(indptr, seen, weight, x, threads=2)
    np.testing.assert_array_equal(whole, parts)
    dense = np.zeros((200, 50))
    for row in range(200):
        for entry in range(indptr[row], indptr[row + 1]):
            dense[row, seen[entry]] += weight[entry]
    np.testing.assert_allclose(whole, dense @ x, rtol=1e-5, atol=1e-6)
