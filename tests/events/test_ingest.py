"""Ingest accounts for every row, whatever the bytes, lets nothing in twice, and says why it refuses."""

from __future__ import annotations

import gzip
import json
import math

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.artifact import open_artifact
from thence.base.errors import ConfigError, DataError
from thence.events import EventLog, IngestOptions, ingest
from thence.events.clock import DAY, micros

HEADER = b"timestamp,user_id,item_id,event,price\n"
FIELDS = st.sampled_from(
    [b"2026-01-05", b"1767571200", b"99999999999", b"-5", b"", b"nan", b"u1", b"\xff\xfe", b"view",
     b"PURCHASE ", b"1.5", b"-1", b"inf", b'"a\nb"', b'"', b"\0", b"x" * 300, "ü".encode(), b" "]
)  # fmt: skip
ROWS = st.lists(
    st.one_of(st.lists(FIELDS, min_size=1, max_size=6).map(b",".join), st.binary(max_size=30)), max_size=15
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=4), st.just([1]),
    st.sampled_from(["2026-01-05", 1767571200, "view", "cart", "u", 2.5]),
)  # fmt: skip
OBJECTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("timestamp", "user_id", "item_id", "event", "price", "shelf"), VALUES)
)


def rows_of(folder):
    return EventLog.load(folder).events.to_pyarrow().to_pylist()


def quarantine_of(folder):
    return open_artifact(folder, "eventlog").table("quarantine").to_pylist()


def check_account(report, folder, read):
    """The three counts add up and agree with what stands on disk; the quarantine holds every refused row."""
    assert report.read == read == report.accepted + report.quarantined + report.duplicates
    assert sum(report.reasons.values()) == report.quarantined
    assert open_artifact(folder, "eventlog").counts["events"] == report.accepted
    kept = quarantine_of(folder)
    assert len(kept) == report.quarantined
    assert len({row["row"] for row in kept}) == len(kept)
    assert all(row["reason"] and row["source"] for row in kept)


@given(ROWS)
@settings(max_examples=30, deadline=None)
def test_any_bytes_as_csv_are_accounted_for(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("i")
    path = folder / "a.csv"
    path.write_bytes(HEADER + b"\n".join([b"2026-01-05,u,i,view,1", *rows]))
    report = ingest(path, folder / "log", options=IngestOptions(time_unit="s"))
    check_account(report, folder / "log", report.read)
    lines = [line for line in b"\n".join(rows).split(b"\n") if line.rstrip(b"\r")]
    quoted = any(b'"' in row for row in rows)
    assert report.read <= 1 + len(lines) if quoted else report.read == 1 + len(lines)
    data = path.read_bytes()
    for row in quarantine_of(folder / "log"):
        start = row["raw"].encode().split(b"\\x")[0].split(b"\n")[0][:20]
        assert data[row["offset"] :].startswith(start), row


@given(
    st.lists(st.one_of(OBJECTS.map(lambda row: json.dumps(row).encode()), st.binary(max_size=20)), max_size=12)
)
@settings(max_examples=30, deadline=None)
def test_any_bytes_as_json_lines_are_accounted_for(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("i")
    whole = {"timestamp": "2026-01-05", "user_id": "u", "item_id": "i", "event": "view", "price": 1}
    data = b"\n".join([json.dumps(whole).encode(), *lines])
    (folder / "a.jsonl").write_bytes(data)
    try:
        report = ingest(folder / "a.jsonl", folder / "log", options=IngestOptions(time_unit="s"))
    except DataError as error:  # a column of nothing but objects or truth values
        assert "are no" in str(error)
        return
    check_account(report, folder / "log", sum(bool(line.strip(b" \t\r")) for line in data.split(b"\n")))


def test_each_reason(tmp_path):
    now = 1_767_571_200
    base = {"timestamp": now, "user_id": "u", "item_id": "i", "event": "view", "price": 1.0, "quantity": 1.0}
    wrong = {
        "timestamp missing": {"timestamp": None},
        "timestamp in the future": {"timestamp": now * 2},
        "timestamp before 1970": {"timestamp": -1},
        "user_id missing": {"user_id": ""},
        "item_id missing": {"item_id": " \t"},
        "user_id longer than 256 characters": {"user_id": "ü" * 257},
        "event missing": {"event": None},
        "event unknown": {"event": "teleport"},
        "price not finite": {"price": math.inf},
        "price negative": {"price": -0.01},
        "quantity not finite": {"quantity": -math.inf},
    }
    rows = [base | {"item_id": "ü" * 256}, *(base | change for change in wrong.values())]
    columns = {name: [row[name] for row in rows] for name in base}
    report = ingest(pa.table(columns), tmp_path / "log", options=IngestOptions(latest="2026-12-31"))
    assert report.reasons == dict.fromkeys(wrong, 1)
    assert [row["reason"] for row in quarantine_of(tmp_path / "log")] == list(wrong)
    assert json.loads(quarantine_of(tmp_path / "log")[9]["raw"]) == rows[10]
    assert len(rows_of(tmp_path / "log")) == 1


def test_text_reasons_of_csv(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        HEADER
        + b"soon,u,i,view,1\n2026-01-05,\xff,i,view,1\n2026-01-05,u,i,view,cheap\n2026-01-05,u,i,view,NaN\n"
        b"2026-01-05,u,i,view\n2026-01-05,u,i, View ,\n"
    )
    report = ingest(tmp_path / "a.csv", tmp_path / "log")
    assert set(report.reasons) == {
        "timestamp unreadable",
        "invalid UTF-8",
        "price not a number",
        "price not finite",
        "row has 4 fields instead of 5",
    }
    (row,) = rows_of(tmp_path / "log")
    assert (row["event"], row["price"], row["timestamp"]) == ("view", None, micros("2026-01-05"))
    assert quarantine_of(tmp_path / "log")[1]["raw"].startswith("2026-01-05,\\xff,i")


def test_a_ten_megabyte_string_is_one_refused_row(tmp_path):
    big = b"x" * 10_000_000
    lines = [b"2026-01-05,u,i,view,1", b"2026-01-05,u," + big + b",view,1", b"2026-01-06,u,i,view,1"]
    (tmp_path / "a.csv").write_bytes(HEADER + b"\n".join(lines))
    (tmp_path / "b.jsonl").write_bytes(
        b'{"timestamp":1767571200,"user_id":"u","item_id":"' + big + b'","event":"view"}\n'
        b'{"timestamp":1767571200,"user_id":"u","item_id":"j","event":"view"}'
    )
    report = ingest([tmp_path / "a.csv", tmp_path / "b.jsonl"], tmp_path / "log")
    assert (report.read, report.accepted) == (5, 3)
    assert report.reasons == {"row longer than 1048576 bytes": 2}
    assert all(len(row["raw"]) == 1024 for row in quarantine_of(tmp_path / "log"))
    table = pa.table({"timestamp": [1], "user_id": ["u"], "item_id": [big.decode()], "event": ["view"]})
    report = ingest(table, tmp_path / "other", options=IngestOptions(time_unit="us"))
    assert report.reasons == {"item_id longer than 256 characters": 1}
    assert len(quarantine_of(tmp_path / "other")[0]["raw"]) == 1024


EVENTS = {
    "timestamp": [1_767_571_200 + i for i in range(6)],
    "user_id": list("uuvvww"),
    "item_id": list("abcabc"),
    "event": ["view", "cart", "purchase"] * 2,
    "price": [1.0, 2.5, None, 4.0, 5.0, 6.0],
    "shelf": [1, 2, 3, None, 5, 6],
}


def write_all(folder):
    """The same six events in each format, columns in another order each time."""
    table = pa.table(EVENTS)
    pq.write_table(table, folder / "a.parquet", row_group_size=2)
    frame = table.select(list(reversed(table.column_names))).to_pandas().astype({"shelf": "Int64"})
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_csv(folder / "a.tsv", index=False, sep="\t")
    (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    lines = "".join(
        json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in table.to_pylist()
    )
    (folder / "a.jsonl").write_text(lines)
    return table


def test_all_formats_say_the_same(tmp_path):
    table = write_all(tmp_path)
    sources = [*sorted(tmp_path.glob("a.*")), table, table.to_pandas(), ibis.memtable(table)]
    prints = set()
    for number, source in enumerate(sources):
        report = ingest(source, tmp_path / f"log{number}")
        assert (report.read, report.accepted) == (6, 6), (source, report)
        prints.add(EventLog.load(tmp_path / f"log{number}").fingerprint)
    assert len(prints) == 1
    report = ingest(tmp_path, tmp_path / "all")  # the folder, searched through
    assert (report.read, report.accepted, report.duplicates) == (30, 6, 24)
    assert [one.accepted for one in report.sources] == [6, 0, 0, 0, 0]
    assert ingest(str(tmp_path / "*.csv*"), tmp_path / "globbed").read == 12


def test_twice_is_once(tmp_path):
    write_all(tmp_path)
    (tmp_path / "bad.csv").write_text("timestamp,user_id,item_id,event\n2026-01-05,u,a,view\n,u,a,view\n")
    sources = [tmp_path / "a.parquet", tmp_path / "bad.csv"]
    items = pa.table({"item_id": ["a", "b", "a"], "title": ["x", "y", "z"]})
    first = ingest(sources, tmp_path / "log", items=items)
    assert first.items
    assert (first.items.read, first.items.accepted, first.items.duplicates) == (3, 2, 1)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "log").rglob("*")}
    print_ = EventLog.load(tmp_path / "log").fingerprint
    again = ingest(sources, tmp_path / "log", items=items)
    assert (again.read, again.accepted, again.quarantined, again.duplicates) == (8, 0, 1, 7)
    assert not again.changed
    assert again.items
    assert again.items.duplicates == 3
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "log").rglob("*")} == before
    assert EventLog.load(tmp_path / "log").fingerprint == print_
    titles = EventLog.load(tmp_path / "log").items.to_pyarrow()  # type: ignore[union-attr]
    assert dict(zip(titles["item_id"].to_pylist(), titles["title"].to_pylist(), strict=True)) == {
        "a": "z",
        "b": "y",
    }


def test_a_folder_of_another_run_is_not_polluted_by_a_refusal(tmp_path):
    """A source read again under other rules replaces its old refusals."""
    (tmp_path / "a.csv").write_text("when,user_id,item_id,event\n4102444800,u,a,view\n1767571200,u,b,view\n")
    rename = {"when": "timestamp"}
    assert ingest(tmp_path / "a.csv", tmp_path / "log", rename=rename).quarantined == 1
    late = ingest(
        tmp_path / "a.csv", tmp_path / "log", rename=rename, options=IngestOptions(latest="2200-01-01")
    )
    assert (late.accepted, late.quarantined, late.duplicates) == (1, 0, 1)
    assert quarantine_of(tmp_path / "log") == []
    (line,) = open_artifact(tmp_path / "log", "eventlog").config["sources"]
    assert (line["accepted"], line["quarantined"]) == (2, 0)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("uv"), st.sampled_from("ab"), st.integers(0, 2)),
        max_size=25,
    ),
    st.integers(0, 25),
    st.sampled_from([("int64", "double"), ("int64", "string"), ("bool", "int64"), ("double", "string"), None]),
)
@settings(max_examples=15, deadline=None)
def test_appending_is_rebuilding(tmp_path_factory, rows, cut, types):
    """A log grown in two steps equals one made in one step, and holds each distinct row once."""
    folder = tmp_path_factory.mktemp("i")
    tables = []
    for number, part in enumerate((rows[:cut], rows[cut:])):
        columns = {
            "timestamp": pa.array([row[0] for row in part], pa.int64()),
            "user_id": pa.array([row[1] for row in part], pa.string()),
            "item_id": pa.array([row[2] for row in part], pa.string()),
            "event": pa.array(["view"] * len(part), pa.string()),
        }
        if types:
            columns["shelf"] = pa.array([row[3] for row in part], pa.int64()).cast(types[number])
        tables.append(pa.table(columns))
    options = IngestOptions(time_unit="s")
    both = ingest(tables, folder / "once", options=options)
    one, two = (ingest(table, folder / "grown", options=options) for table in tables)
    assert one.accepted + two.accepted == both.accepted
    grown, once = EventLog.load(folder / "grown"), EventLog.load(folder / "once")
    assert grown.fingerprint == once.fingerprint
    assert grown.events.schema() == once.events.schema()
    key = lambda row: str(sorted(row.items()))  # noqa: E731
    assert sorted(map(key, rows_of(folder / "grown"))) == sorted(map(key, rows_of(folder / "once")))
    assert once.fingerprint == EventLog.from_tables(once.events.to_pyarrow()).fingerprint
    if not types:
        assert both.accepted == len({row[:3] for row in rows})


def test_missing_columns_name_the_nearest(tmp_path):
    table = pa.table({"timestamp": [1], "userid": ["u"], "item_id": ["i"], "event": ["view"]})
    with pytest.raises(DataError, match=r"'user_id' is missing.*Did you mean 'userid'.*rename="):
        ingest(table, tmp_path / "log")
    assert not (tmp_path / "log").exists()
    with pytest.raises(DataError, match=r"no column 'usr' to rename.*Did you mean 'userid'"):
        ingest(table, tmp_path / "log", rename={"usr": "user_id"})
    with pytest.raises(DataError, match="two columns are called 'item_id'"):
        ingest(table, tmp_path / "log", rename={"userid": "item_id"})
    with pytest.raises(DataError, match='event="purchase"'):
        ingest(table.drop_columns(["event"]), tmp_path / "log", rename={"userid": "user_id"})
    report = ingest(
        table.drop_columns(["event"]), tmp_path / "log", rename={"userid": "user_id"}, event="purchase"
    )
    assert report.accepted == 1
    assert rows_of(tmp_path / "log")[0]["event"] == "purchase"
    with pytest.raises(ConfigError, match="Did you mean 'purchase'"):
        ingest(table, tmp_path / "log", event="purchas")


def test_sources_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        ingest(tmp_path / "nothing*.csv", tmp_path / "log")
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"format of \.xlsx is not known"):
        ingest(tmp_path / "a.xlsx", tmp_path / "log")
    with pytest.raises(DataError, match="a int is no table"):
        ingest([7], tmp_path / "log")
    with pytest.raises(DataError, match="nothing to read"):
        ingest([], tmp_path / "log")


def test_further_columns_keep_and_widen_their_types(tmp_path):
    base = {"timestamp": [1_767_571_200], "user_id": [7], "item_id": [8.0], "event": ["view"]}
    more = {
        "flag": [True], "tags": [["a", "b"]], "day": pa.array([17000], pa.int32()).cast(pa.date32()),
        "none": pa.nulls(1),
        "at": pa.array([1_500_000_000_000], pa.timestamp("ms", "UTC")), "small": pa.array([3], pa.uint8()),
        "word": pa.array(["x"]).dictionary_encode(), "raw": [b"bytes"], "huge": pa.array([2**63], pa.uint64()),
    }  # fmt: skip
    ingest(pa.table(base | more), tmp_path / "log")
    types = {name: str(type_) for name, type_ in EventLog.load(tmp_path / "log").events.schema().items()}
    assert types["user_id"] == types["item_id"] == "string"
    assert [types[name] for name in ("at", "day", "flag", "huge", "none", "raw", "small", "tags", "word")] == [
        "timestamp(6)", "date", "boolean", "string", "string", "string", "int64", "string", "string"
    ]  # fmt: skip
    ingest(pa.table(base | {"user_id": [9], "none": [5], "small": [0.5], "flag": ["no"]}), tmp_path / "log")
    log = EventLog.load(tmp_path / "log")
    types = {name: str(type_) for name, type_ in log.events.schema().items()}
    assert [types[name] for name in ("none", "small", "flag")] == ["int64", "float64", "string"]
    rows = log.events.order_by("user_id").to_pyarrow().to_pylist()
    assert [(row["user_id"], row["none"], row["small"], row["flag"]) for row in rows] == [
        ("7", None, 3.0, "true"),
        ("9", 5, 0.5, "no"),
    ]
    assert (rows[0]["tags"], rows[0]["item_id"], rows[0]["huge"]) == ('["a", "b"]', "8", str(2**63))


def test_progress_and_shares(tmp_path):
    seen = []
    (tmp_path / "a.csv").write_bytes(HEADER + b"2026-01-05,u,i,view,1\n2026-01-05,u,i,view,-1\n")
    report = ingest(tmp_path / "a.csv", tmp_path / "log", progress=lambda *told: seen.append(told))
    size = (tmp_path / "a.csv").stat().st_size
    assert (f"read {tmp_path / 'a.csv'}", size, size) in seen
    assert report.rejected_share == 0.5
    assert [report.exceeds(share) for share in (None, 0.5, 0.49, 0.0)] == [False, False, True, True]
    nothing = ingest(pa.table(EVENTS).slice(0, 0), tmp_path / "empty")
    assert (nothing.read, nothing.rejected_share) == (0, 0.0)
    assert EventLog.load(tmp_path / "empty").count() == 0


def test_options_are_checked():
    for wrong in (
        {"time_unit": "min"},
        {"latest": "soon"},
        {"events": ("View",)},
        {"delimiter": ",,"},
        {"max_row_bytes": 0},
    ):
        with pytest.raises(ConfigError):
            IngestOptions(**wrong)


def test_the_default_latest_is_a_day_from_now(tmp_path):
    now = pd.Timestamp.now("UTC").value // 1000
    table = pa.table(
        {
            "timestamp": [now, now + DAY // 2, now + 2 * DAY],
            "user_id": ["u"] * 3,
            "item_id": ["i"] * 3,
            "event": ["view"] * 3,
        }
    )
    report = ingest(table, tmp_path / "log")
    assert (report.accepted, report.reasons) == (2, {"timestamp in the future": 1})


def test_nothing_is_overwritten_that_is_no_log(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "precious").write_text("x")
    with pytest.raises(Exception, match="not an artifact"):
        ingest(pa.table(EVENTS), tmp_path / "log")
    assert (tmp_path / "log" / "precious").read_text() == "x"


def test_ids_of_spaces_of_any_kind_and_of_broken_bytes_are_missing(tmp_path):
    ids = [b"\xff", b" ", "\u00a0".encode(), "\u3000\u00a0".encode(), b"ann", "änne".encode()]
    rows = pa.table(
        {
            "timestamp": pa.array([1_000_000] * len(ids)),
            "user_id": pa.array(ids, pa.binary()),
            "item_id": ["phone"] * len(ids),
            "event": ["purchase"] * len(ids),
        }
    )
    report = ingest(rows, tmp_path / "log")
    assert report.accepted == 2 and report.quarantined == 4
    assert sum(report.reasons.values()) == 4 and report.reasons["user_id missing"] >= 3
