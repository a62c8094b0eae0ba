"""Logs that are wrong in a plausible way are caught: the real one passes each check, each mutant fails.

A check is a function of the implementation under test. It states facts that are known by hand.
"""

from __future__ import annotations

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thence.events import EventLog, IngestReport, TimeSplit, ingest, sessions
from thence.events.rowhash import row_hashes

ROWS = [
    # timestamp, user, item, event
    (10, "ann", "phone", "purchase"),
    (20, "bob", "phone", "view"),
    (30, "ann", "case", "purchase"),
    (40, "bob", "phone", "purchase"),
    (50, "ann", "charger", "cart"),
    (60, "bob", "case", "purchase"),
]


def fails(check, *mutant):
    with pytest.raises(AssertionError):
        check(*mutant)


def raw():
    times, users, items, events = zip(*ROWS, strict=True)
    return pa.table({"timestamp": times, "user_id": users, "item_id": items, "event": events})


def times(log):
    return sorted(log.events.timestamp.to_pyarrow().to_pylist())


# The clock and the split


def check_clock(before):
    log = EventLog.from_tables(raw())
    assert times(before(log, 40)) == [10, 20, 30]
    assert times(before(before(log, 30), 60)) == [10, 20]


def check_split(split):
    found = split(EventLog.from_tables(raw()), 30, 50)
    assert times(found.train) == [10, 20]
    assert times(found.valid) == [30, 40]
    assert times(found.test) == [50, 60]
    assert times(found.known) == [10, 20, 30, 40]


def inclusive(log, moment):
    return EventLog(log._all.filter(log._all.timestamp <= moment), until=moment)


def forgetful(log, moment):
    return EventLog(log._all, start=log.start, until=moment)  # the last clock wins over an earlier one


def of(train, valid, test, known):
    return TimeSplit(*(EventLog(part) for part in (train, valid, test)), 30, 50, EventLog(known))


def leave_last_out(log, valid, test):
    """Each user's last event is the test: what Bob does at 40 is trained on, though Ann is judged on less."""
    events = log.events
    ranked = events.mutate(
        back=ibis.row_number().over(ibis.window(group_by="user_id", order_by=events.timestamp.desc()))
    )
    return of(
        ranked.filter(ranked.back > 1), ranked.filter(ranked.back == 1), ranked.filter(ranked.back == 0), events
    )


def at_random(log, valid, test):
    part = log.events.timestamp % 30
    events = log.events
    return of(events.filter(part == 10), events.filter(part == 20), events.filter(part == 0), events)


def late(log, valid, test):
    """Train reaches up to the test, over the validation piece."""
    right = log.split(valid, test)
    return TimeSplit(right.known, right.valid, right.test, valid, test, right.known)


def test_the_clock_and_the_split():
    check_clock(EventLog.before)
    fails(check_clock, inclusive)
    fails(check_clock, forgetful)
    fails(check_clock, lambda log, moment: log)
    check_split(EventLog.split)
    for mutant in (leave_last_out, at_random, late):
        fails(check_split, mutant)
    fails(check_split, lambda log, valid, test: log.split(valid + 1, test))


# The loader


def check_loader(load, folder):
    table = raw().append_column("price", pa.array([300.0, None, 20.0, 310.0, None, 25.0]))
    table = table.append_column("discount", pa.array([5.0, 0.0, None, 0.0, 0.0, 1.0]))
    table = table.append_column("shelf", pa.array(["p", "p", "c", "p", "g", "c"]))
    pq.write_table(table.select(table.column_names[::-1]), folder / "a.parquet", row_group_size=2)
    log = load(folder / "a.parquet", folder / "log")
    rows = sorted(log.events.to_pyarrow().to_pylist(), key=lambda row: row["timestamp"])
    assert [(r["timestamp"] // 10**6, r["user_id"], r["item_id"], r["event"]) for r in rows] == ROWS
    assert [r["price"] for r in rows] == [300.0, None, 20.0, 310.0, None, 25.0]
    assert [r["discount"] for r in rows] == [5.0, 0.0, None, 0.0, 0.0, 1.0]
    assert [r["shelf"] for r in rows] == ["p", "p", "c", "p", "g", "c"]
    assert all(r["order_id"] is None and r["quantity"] is None for r in rows)


def load(path, folder):
    ingest(path, folder)
    return EventLog.load(folder)


def changed(change):
    """A loader that reads rightly and then gets it wrong."""
    return lambda path, folder: EventLog(change(load(path, folder).events))


def test_the_loader(tmp_path_factory):
    def fresh():
        return tmp_path_factory.mktemp("l")

    check_loader(load, fresh())
    mutants = {
        "swaps users and items": lambda t: t.mutate(user_id=t.item_id, item_id=t.user_id),
        "swaps price and discount": lambda t: t.mutate(price=t.discount, discount=t.price),
        "drops a further column": lambda t: t.mutate(shelf=ibis.null("string")),
        "reads null as zero": lambda t: t.mutate(price=t.price.fill_null(0.0)),
        "loses the last row group": lambda t: t.filter(t.timestamp < 50 * 10**6),
        "reads seconds as milliseconds": lambda t: t.mutate(timestamp=t.timestamp // 1000),
        "takes what is equal but for the time for a duplicate": lambda t: t.distinct(
            on=["user_id", "item_id"], keep="first"
        ),
    }
    for mutant in mutants.values():
        fails(check_loader, changed(mutant), fresh())


# The account


def check_account(read, folder):
    table = pa.concat_tables([raw(), raw().slice(0, 2), raw().slice(3, 1)])
    users = table["user_id"].to_pylist()
    users[8] = None
    report = read(table.set_column(1, "user_id", pa.array(users)), folder / "log")
    assert (report.read, report.accepted, report.quarantined, report.duplicates) == (9, 6, 1, 2)
    assert report.exceeds(0.11)
    assert not report.exceeds(1 / 9)
    again = read(raw(), folder / "log")
    assert (again.read, again.accepted, again.duplicates) == (6, 0, 6)


def test_the_account(tmp_path_factory):
    def fresh():
        return tmp_path_factory.mktemp("a")

    def counting(change):
        def read(table, folder):
            r = ingest(table, folder)
            return IngestReport(**{"read": r.read, "accepted": r.accepted, "quarantined": r.quarantined,
                                   "duplicates": r.duplicates} | change(r))  # fmt: skip

        return read

    check_account(ingest, fresh())
    fails(check_account, counting(lambda r: {"accepted": r.accepted + r.duplicates, "duplicates": 0}), fresh())
    fails(check_account, counting(lambda r: {"read": r.read - r.quarantined}), fresh())
    fails(
        check_account,
        counting(lambda r: {"duplicates": r.duplicates + r.quarantined, "quarantined": 0}),
        fresh(),
    )
    fails(check_account, lambda table, folder: ingest(table, folder / str(table.num_rows)), fresh())  # forgets


# Hashes and sessions


def check_hash(hashes):
    one = hashes(pa.table({"user_id": ["a", "a", "ab", None], "item_id": ["b", "c", "", "a"]}))
    assert len(set(one)) == 4
    turned = hashes(pa.table({"item_id": ["b", "a"], "user_id": ["a", "b"]}))
    assert turned[0] == one[0] != turned[1]


def test_the_hash_of_a_row():
    def real(table):
        return [tuple(pair) for pair in row_hashes(table).T.tolist()]

    check_hash(real)
    fails(
        check_hash, lambda t: ["".join(str(v) for v in row.values()) for row in t.to_pylist()]
    )  # column order
    fails(check_hash, lambda t: [hash(frozenset(map(str, row.values()))) for row in t.to_pylist()])  # no names


def check_sessions(count):
    minutes = [0, 29, 59, 90, 90]
    log = EventLog.from_tables(
        pa.table(
            {
                "timestamp": [minute * 60_000_000 for minute in minutes],
                "user_id": ["u", "u", "u", "u", "v"],
                "item_id": list("abcde"),
                "event": ["view"] * 5,
            }
        )
    )
    found = {(r["user_id"], r["item_id"]): r["session"] for r in count(log).to_pyarrow().to_pylist()}
    assert found == {("u", "a"): 0, ("u", "b"): 0, ("u", "c"): 0, ("u", "d"): 1, ("v", "e"): 0}


def test_sessions():
    check_sessions(sessions)
    fails(check_sessions, lambda log: sessions(log, 29.5))  # a pause of the gap itself opens one
    fails(check_sessions, lambda log: log.events.mutate(session=log.events.timestamp // (30 * 60_000_000)))
    fails(check_sessions, lambda log: sessions(log.events.mutate(user_id=ibis.literal("u"))))
