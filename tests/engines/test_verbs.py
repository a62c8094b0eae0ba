"""``--engine spark`` on the command line: the same log, the same graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import command, said
from tests.worlds import DAY, T0, tiny_world

from thence.graph.digraph import DiGraph


@pytest.mark.slow
def test_spark_writes_the_same_log_and_graph(spark, tmp_path: Path) -> None:
    rows = tiny_world().log.before(T0 + 6 * DAY).events.to_pyarrow()
    pq.write_table(rows, tmp_path / "events.parquet")
    graphs = {}
    for engine in ("duckdb", "spark"):
        log, into = tmp_path / f"log-{engine}", tmp_path / f"graph-{engine}"
        told = said("ingest", tmp_path / "events.parquet", "--engine", engine, "--into", log)
        assert (told["read"], told["accepted"]) == (rows.num_rows, rows.num_rows)
        build = ["graph", "build", log, "--relation", "bought_after", "--min-count", "2"]
        assert command(*build, "--engine", engine, "--into", into)[0] == 0
        graphs[engine] = DiGraph.load(into)
    one, other = graphs["duckdb"], graphs["spark"]
    assert one.ids == other.ids and np.array_equal(one.main.pairs, other.main.pairs)
    assert all(np.array_equal(one.main.values[v], other.main.values[v]) for v in one.main.values)
    again = ["ingest", tmp_path / "events.parquet", "--engine", "spark", "--into"]
    assert command(*again, tmp_path / "log-spark")[0] == 2
    (tmp_path / "events.csv").write_text("timestamp,user_id,item_id,event\n")
    assert command("ingest", tmp_path / "events.csv", "--engine", "spark", "--into", tmp_path / "no")[0] == 2
