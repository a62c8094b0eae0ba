"""The same expressions on DuckDB and on Spark: same arcs, counts, quarantine and fingerprint, to the bit."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from tests.engines.raw import RAW, RAW_ITEMS, compared
from tests.graph.literal import counted
from tests.worlds import PHONE_CASE_BUYERS, phone_case_tables

from thence.base.errors import DataError
from thence.events import EventLog, ingest
from thence.events import engine as engines
from thence.events.screen import screen
from thence.events.worlds import WorldConfig, simulate
from thence.graph import build as builder
from thence.graph.build import RELATIONS, GraphConfig, build_graph
from thence.graph.digraph import DiGraph

STORED = ("indptr", "targets", "in_indptr", "sources", "in_order")
ALL = GraphConfig((*RELATIONS,), min_count=1, min_support=1)


def assert_identical(one: DiGraph, other: DiGraph) -> None:
    assert (
        one.nodes.equals(other.nodes) and one.ids == other.ids and list(one.relations) == list(other.relations)
    )
    for name in one.relations:
        ours, theirs = one[name], other[name]
        for field in STORED:
            assert np.array_equal(getattr(ours, field), getattr(theirs, field)), (name, field)
        assert ours.values.keys() == theirs.values.keys()
        for value, array in ours.values.items():
            assert array.dtype == theirs.values[value].dtype, (name, value)
            assert array.tobytes() == theirs.values[value].tobytes(), (name, value)


@cache
def small_world():
    return simulate(WorldConfig(items=60, customers=300), seed=0)


def on_spark(spark, table: pa.Table):
    return engines.table_of(engines.connect(spark), "table", table)


def phone_case_on(spark) -> EventLog:
    events, items = phone_case_tables()
    return EventLog.from_tables(on_spark(spark, events), items)


@cache
def graph_on(spark) -> DiGraph:
    return build_graph(phone_case_on(spark), ALL)


# Arcs


def check_phone_and_case(build, log):
    """Arcs that are known by hand; see tests.worlds for the seven customers."""
    graph = build(log)
    assert {pair: n for pair, (n, _) in counted(graph, "bought_after").items()} == {
        ("phone", "case"): 2,
        ("phone", "charger"): 1,
        ("case", "charger"): 1,
        ("charger", "case"): 1,
        ("tea", "phone"): 1,
    }
    assert dict(zip(graph.ids.array.to_pylist(), graph.nodes["count"].to_pylist(), strict=True)) == {
        **PHONE_CASE_BUYERS,
        "tea": 3,  # dan bought it twice
    }


def swapped(pairs):
    return type(pairs)(pairs.target, pairs.source, pairs.support, pairs.last_time)


def test_arcs_known_by_hand_and_a_build_that_swaps_the_sides_of_the_join(spark, monkeypatch):
    log, config = phone_case_on(spark), GraphConfig(("bought_after",), min_count=1, min_support=1)
    assert log.events.get_backend().name == "pyspark"
    check_phone_and_case(lambda log: graph_on(spark), log)
    real = builder.bought_after

    def turned(*args, **settings):
        from dataclasses import replace

        evidence = real(*args, **settings)
        return replace(evidence, pairs=swapped(evidence.pairs))

    monkeypatch.setattr(builder, "bought_after", turned)
    with pytest.raises(AssertionError):
        check_phone_and_case(lambda log: build_graph(log, config), EventLog.from_tables(*phone_case_tables()))


def test_a_tiny_world_gives_identical_graphs(spark):
    ours = build_graph(EventLog.from_tables(*phone_case_tables()), ALL)
    theirs = graph_on(spark)
    assert_identical(ours, theirs)
    assert ours.info == theirs.info  # the fingerprint of the log included, taken on Spark's executors


def test_a_saved_world_gives_identical_graphs(spark, tmp_path):
    small_world().log.save(tmp_path / "log")
    config = GraphConfig((*RELATIONS,), min_count=3, include_cold=True)
    ours = EventLog.load(tmp_path / "log")
    theirs = EventLog.load(tmp_path / "log", engine=spark)
    moment = ours.span()[0] + 100 * 86_400_000_000
    assert ours.span() == theirs.span() and repr(ours) == repr(theirs)
    one, other = build_graph(ours.before(moment), config), build_graph(theirs.before(moment), config)
    assert_identical(one, other)
    assert one.info == other.info and all(arcs.num_arcs for arcs in one.relations.values())


# Rows


def test_every_kind_of_bad_row_is_refused_alike(spark, tmp_path):
    report = ingest(RAW, tmp_path / "log", items=RAW_ITEMS)
    found = screen(on_spark(spark, RAW))
    compared(found, tmp_path / "log", report)
    log = found.log(RAW_ITEMS)
    assert log.fingerprint == EventLog.load(tmp_path / "log").fingerprint
    assert log.events.get_backend().name == "pyspark"
    assert len(report.reasons) >= 14 and report.duplicates


def test_a_table_of_ibis_own_backend_is_taken_and_judged_where_it_lies(spark):
    import ibis

    from thence.events.spark_session import quiet

    events, items = phone_case_tables()
    with quiet():
        theirs = ibis.pyspark.connect(spark)
        spark.createDataFrame(events).createOrReplaceTempView("raw_events")
    log = EventLog.from_tables(theirs.table("raw_events"), items)
    assert log.count() == events.num_rows and log.events.to_pyarrow().equals(events)
    with pytest.raises(DataError, match=r"18 invalid rows \(event unknown: 18\)"):
        EventLog.from_tables(theirs.table("raw_events").mutate(event=ibis.literal("jump")), items)


def test_rows_travel_partition_by_partition(spark):
    table = pa.table({"a": range(1000), "b": [None if k % 3 else float(k) for k in range(1000)]})
    batches = list(engines.batches(on_spark(spark, table).order_by("a"), 300))
    assert pa.Table.from_batches(batches).equals(table) and max(batch.num_rows for batch in batches) <= 300


def test_a_screening_is_saved_from_spark(spark, tmp_path):
    rows = RAW.slice(0, 12)
    ingest(rows, tmp_path / "log", items=RAW_ITEMS)
    screen(on_spark(spark, rows)).save(tmp_path / "again", RAW_ITEMS)
    ours, theirs = EventLog.load(tmp_path / "again"), EventLog.load(tmp_path / "log")
    assert ours.fingerprint == theirs.fingerprint and repr(ours) == repr(theirs)
