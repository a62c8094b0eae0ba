"""A state follows a log that grows, and refuses one that it does not know or a part that is torn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from tests.graph.append.forge import ALL, FIRST, LATE, MORE, catalogue, check, scratch, table_of
from tests.graph.literal import DAY, log_of
from tests.graph.test_digraph import assert_same

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.events import EventLog
from thence.events import ingest as ingest_any
from thence.events.options import IngestOptions
from thence.events.worlds import WorldConfig, simulate
from thence.graph.append import append, snapshot, start
from thence.graph.append.store import KIND
from thence.graph.build import RELATIONS, GraphConfig, build_graph
from thence.graph.digraph import DiGraph


def ingest(table, log, items=None):
    ingest_any(table, log, items=items, options=IngestOptions(time_unit="us"))


@pytest.fixture
def folder():
    with scratch() as tmp:
        yield tmp


# A log that grows


def test_a_log_that_grows_is_followed(folder):
    log, state = f"{folder}/log", f"{folder}/state"
    ingest(table_of(FIRST), log, items=catalogue("abc"))
    first = start(EventLog.load(log), state, ALL)
    assert_same(first, build_graph(EventLog.load(log), ALL))
    first.save(f"{folder}/first")
    for number, batch in enumerate((LATE, LATE, FIRST[:2] + MORE)):  # duplicates are dropped by ingestion
        ingest(table_of(batch), log)
        report = append(state, log, f"{folder}/{number}")
        assert_same(report.graph, build_graph(EventLog.load(log), ALL))
        assert report.events == (2, 0, 2)[number]
    assert_same(DiGraph.load(f"{folder}/first"), first)
    assert_same(DiGraph.load(f"{folder}/0"), build_graph(log_of(FIRST + LATE, catalogue("abc")), ALL))
    assert DiGraph.load(f"{folder}/2").info["log"]["fingerprint"] == open_artifact(log, "eventlog").fingerprint


def test_columns_that_come_later_and_widen_change_nothing(folder):
    log, state = f"{folder}/log", f"{folder}/state"
    ingest(table_of(FIRST).append_column("shelf", pa.array([1, 2, 3, 4])), log)
    start(EventLog.load(log), state, ALL)
    more = table_of(LATE).append_column("shelf", pa.array(["x", None])).append_column("isle", pa.array([1, 2]))
    ingest(more, log)
    assert_same(append(state, log).graph, build_graph(EventLog.load(log), ALL))


def test_a_catalogue_that_changes_moves_substitutes(folder):
    log, state = f"{folder}/log", f"{folder}/state"
    rows = [*FIRST, (15 * DAY, "ann", "c", "purchase", None), (16 * DAY, "bob", "c", "purchase", None)]
    rows += [(3 * DAY, "cleo", "a", "purchase", None), (4 * DAY, "cleo", "b", "purchase", None)]
    ingest(table_of(rows), log, items=catalogue("abc"))
    config = GraphConfig(RELATIONS, min_count=1, min_support=1, include_cold=True)
    before = start(EventLog.load(log), state, config)
    moved = catalogue("abcdg").set_column(2, "category", pa.array(["z", "x > y", "x > y", "x", None]))
    ingest(table_of([]), log, items=moved)
    after = append(state, log).graph
    assert_same(after, build_graph(EventLog.load(log), config))
    pairs = [graph["substitute"].pairs.tolist() for graph in (before, after)]
    assert pairs == [[[0, 1], [1, 0]], [[1, 2], [2, 1]]] and after.num_nodes == 5


def test_the_whole_catalogue_is_given_beside_a_table(folder):
    start(log_of(FIRST, catalogue("ab")), f"{folder}/state", ALL)
    items = catalogue("abcd").append_column("colour", pa.array(["red", None, "blue", "red"]))
    report = append(f"{folder}/state", table_of(LATE), items=items)
    check(report.graph, FIRST + LATE, items, ALL)
    check(append(f"{folder}/state", table_of(MORE)).graph, FIRST + LATE + MORE, items, ALL)


def test_the_clock_of_a_view_holds_for_all_its_snapshots(folder):
    def view(rows):
        return log_of(rows).since(10 * DAY).before(20 * DAY)

    start(view(FIRST + MORE), f"{folder}/state", ALL)
    report = append(f"{folder}/state", table_of(LATE))
    assert report.events == 1
    assert_same(report.graph, build_graph(view(FIRST + MORE + LATE), ALL))
    report = append(f"{folder}/state", table_of(MORE))
    assert report.events == report.users == 0
    assert_same(report.graph, build_graph(view(FIRST + MORE + LATE + MORE), ALL))


# What is refused


def test_a_log_that_is_not_the_known_one_grown_is_refused(folder):
    ingest(table_of(FIRST), f"{folder}/log")
    start(EventLog.load(f"{folder}/log"), f"{folder}/state", ALL)
    ingest(table_of(FIRST[:2] + LATE + MORE), f"{folder}/other")
    ingest(table_of(LATE), f"{folder}/short")
    with pytest.raises(DataError, match="not the one that the state stands for"):
        append(f"{folder}/state", f"{folder}/other")
    with pytest.raises(DataError, match="2 rows fewer"):
        append(f"{folder}/state", f"{folder}/short")
    log_of(FIRST).before(30 * DAY).save(f"{folder}/clocked")
    with pytest.raises(DataError, match="another clock"):
        append(f"{folder}/state", f"{folder}/clocked")
    with pytest.raises(DataError, match="its own catalogue"):
        append(f"{folder}/state", f"{folder}/log", items=catalogue("ab"))
    assert_same(snapshot(f"{folder}/state"), build_graph(EventLog.load(f"{folder}/log"), ALL))


def test_invalid_rows_are_refused_and_nothing_changes(folder):
    made = start(log_of(FIRST), f"{folder}/state", ALL)
    with pytest.raises(DataError, match="invalid rows"):
        append(f"{folder}/state", table_of([(1, None, "a", "purchase", None)]))
    assert_same(snapshot(f"{folder}/state"), made)


def test_a_state_is_started_once_and_from_purchases(folder):
    with pytest.raises(DataError, match="no product was bought once"):
        start(log_of([]), f"{folder}/state", ALL)
    with pytest.raises(ArtifactError, match="no artifact there"):
        append(f"{folder}/state", table_of(LATE))
    start(log_of(FIRST), f"{folder}/state", ALL)
    with pytest.raises(ArtifactError, match="stands there already"):
        start(log_of(FIRST), f"{folder}/state", ALL)


def test_a_torn_part_is_refused(folder):
    start(log_of(FIRST), f"{folder}/state", ALL)
    path = next(iter((open_artifact(f"{folder}/state/part-000001", KIND).folder).glob("bought_after.key.npy")))
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ArtifactError, match="bytes instead of"):
        append(f"{folder}/state", table_of(LATE))
    path.write_bytes(content[:-1] + b"\x7f")
    with pytest.raises(ArtifactError, match="digest"):
        snapshot(f"{folder}/state", verify=True)


# An arc turned round in the state is seen


@pytest.mark.parametrize("name", ["bought_after", "same_basket"])
def test_an_arc_turned_round_in_the_state_breaks_equality(folder, name):
    rows = [*FIRST, (12 * DAY, "eve", "c", "purchase", "o"), (12 * DAY, "eve", "d", "purchase", "o")]
    rows += [(13 * DAY, "eve", "d", "purchase", None), (14 * DAY, "ann", "c", "purchase", "o2")]
    rows += [(14 * DAY, "ann", "a", "purchase", "o2")]
    config = GraphConfig(("bought_after", "same_basket"), min_count=1, min_support=1)
    start(log_of(rows), f"{folder}/state", config)
    check(append(f"{folder}/state", table_of(MORE)).graph, rows + MORE, None, config)
    turn_round(f"{folder}/state", name)
    with pytest.raises(AssertionError):
        check(snapshot(f"{folder}/state"), rows + MORE, None, config)
    with pytest.raises(AssertionError):
        check(append(f"{folder}/state", table_of(LATE)).graph, rows + MORE + LATE, None, config)


def turn_round(state, name):
    """Turn the first one-way pair of a relation's oldest segment round, wherever the state keeps it."""
    part = open_artifact(f"{state}/head", "graphstate").config["parts"][name][0]
    art = open_artifact(f"{state}/{part}", KIND)
    arrays = {file[: -len(".npy")]: np.array(art.array(file[: -len(".npy")])) for file in art.files}
    turned = None
    for table in (name, f"{name}.arcs"):
        key = arrays[f"{table}.key"]
        back = (key & 0xFFFFFFFF) << 32 | key >> 32
        if turned is None:
            turned = key[~np.isin(back, key)][0]
        arrays[f"{table}.key"] = key = np.where(key == turned, back, key)
        order = np.argsort(key)
        for column in ("key", "support", "last_time"):
            arrays[f"{table}.{column}"] = arrays[f"{table}.{column}"][order]
    with write_artifact(f"{state}/{part}", KIND) as draft:
        for file, array in arrays.items():
            draft.array(file, array)


# Many appends


def test_segments_stay_few_and_the_graph_right(folder):
    world = simulate(WorldConfig(items=80, customers=600, days=40), seed=3)
    events = world.events.combine_chunks()
    config = GraphConfig(RELATIONS, min_count=3)
    cut = [0, *range(2000, 4600, 200), events.num_rows]
    state = f"{folder}/state"
    start(EventLog.from_tables(events.slice(0, cut[1]), world.items), state, config)
    for begin, end in pairwise(cut[1:]):
        report = append(state, events.slice(begin, end - begin))
    assert_same(report.graph, build_graph(EventLog.from_tables(events, world.items), config))
    parts = open_artifact(f"{state}/head", "graphstate").config["parts"]
    assert max(len(some) for some in parts.values()) <= 4
