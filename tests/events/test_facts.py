"""What a log tells of itself: counts that are known by hand, reasons, and bins that leave no event out."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from thence.events import EventLog, ingest
from thence.events.clock import DAY
from thence.events.facts import MAX_BINS, log_facts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    into = tmp_path_factory.mktemp("facts")
    (into / "clicks.csv").write_text(
        "timestamp,user_id,item_id,event,price\n"
        "2026-01-05T10:00:00Z,u,phone,view,\n"
        "2026-01-05T10:00:00Z,u,phone,view,\n"
        "2026-01-05T23:59:59Z,u,phone,purchase,400\n"
        "2026-01-07T00:00:00Z,v,case,purchase,20\n"
        "never,v,case,view,\n"
        "2026-01-07T00:00:00Z,,case,view,\n"
        "2026-01-07T00:00:01Z,,case,view,\n"
    )
    (into / "items.csv").write_text("item_id,title\nphone,Red Phone\ncase,Case\n,Nothing\n")
    ingest([str(into / "clicks.csv")], into / "log", items=[str(into / "items.csv")])
    return into / "log"


def test_every_row_is_told_where_it_went(folder):
    facts = log_facts(folder)
    assert (facts["events"], facts["users"], facts["items"], facts["catalogue"]) == (3, 2, 2, 2)
    assert facts["first"] == "2026-01-05T10:00:00Z" and facts["last"] == "2026-01-07T00:00:00Z"
    assert facts["kinds"] == {"purchase": 2, "view": 1}
    events, items = sorted(facts["sources"], key=lambda source: source["catalogue"])
    assert events == {
        "name": "clicks.csv", "catalogue": False, "read": 7, "accepted": 3, "quarantined": 3, "duplicates": 1,
    }  # fmt: skip
    assert items["name"] == "items.csv" and items["quarantined"] == 1 and items["read"] == 3
    counts = [(one["rows"], one["catalogue"]) for one in facts["refused"]]
    assert counts[0] == (2, False) and sorted(counts[1:]) == [(1, False), (1, True)]
    assert "user_id" in facts["refused"][0]["reason"]
    assert str(folder.parent) not in json.dumps(facts, allow_nan=False)  # it goes into bundles


def test_days_without_events_are_bins_too(folder):
    facts = log_facts(folder)
    days = [(at[:10], n) for at, n in facts["over_time"]]
    assert facts["bin_days"] == 1 and days == [("2026-01-05", 2), ("2026-01-06", 0), ("2026-01-07", 1)]


@pytest.mark.parametrize(("span", "width"), [(119, 1), (120, 7), (839, 7), (840, 28), (20_000, 364)])
def test_bins_are_as_narrow_as_fits_and_hold_all(tmp_path, span, width):
    times = [3 * DAY + 5, 3 * DAY + 7, (3 + span // 2) * DAY, (3 + span) * DAY]
    table = {"timestamp": times, "user_id": list("uvwx"), "item_id": ["a"] * 4, "event": ["purchase"] * 4}
    EventLog.from_tables(pa.table(table)).save(tmp_path / "log")
    facts = log_facts(tmp_path / "log")
    assert facts["bin_days"] == width and len(facts["over_time"]) <= MAX_BINS
    assert sum(n for _, n in facts["over_time"]) == 4 and facts["over_time"][0][1] >= 2
    assert facts["over_time"][0][0].startswith("1970-01-04T00:00:00") and facts["sources"] == []
