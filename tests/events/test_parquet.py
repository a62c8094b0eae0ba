"""Parquet that is torn: refused as a whole, or row group by row group; never guessed at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thence.base.artifact import open_artifact
from thence.base.errors import DataError
from thence.events import EventLog, ingest


def test_torn_parquet(tmp_path):
    rows = 60_000
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "timestamp": 1_767_571_200 + np.arange(rows),
            "user_id": pa.array(rng.integers(0, 10**9, rows)).cast(pa.string()),
            "item_id": pa.array(rng.integers(0, 10**9, rows)).cast(pa.string()),
            "event": ["view"] * rows,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=20_000, compression="zstd")
    whole = (tmp_path / "a.parquet").read_bytes()
    ingest(table.slice(0, 5), tmp_path / "log")
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        ingest(tmp_path / "a.parquet", tmp_path / "log")
    assert EventLog.load(tmp_path / "log").count() == 5
    group = pq.ParquetFile(pa.BufferReader(whole)).metadata.row_group(1).column(2)
    damaged = bytearray(whole)
    damaged[group.data_page_offset : group.data_page_offset + 4000] = b"\xff" * 4000
    (tmp_path / "a.parquet").write_bytes(damaged)
    report = ingest(tmp_path / "a.parquet", tmp_path / "log2")
    assert (report.read, report.accepted, report.quarantined) == (rows, 40_000, 20_000)
    assert list(report.reasons) == ["row group 1 unreadable"]
    kept = open_artifact(tmp_path / "log2", "eventlog").table("quarantine")["row"].to_numpy()
    assert kept.tolist() == list(range(20_000, 40_000))
