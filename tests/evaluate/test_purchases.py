"""First purchases: a basket by hand, a literal second formula on random logs, and no leak across the cut."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.evaluate.purchases import first_purchase_cases
from thence.events.log import EventLog

CUT = 100


def log_of(rows):
    """Rows (time, user, item, order or None, event)."""
    names = ("timestamp", "user_id", "item_id", "order_id", "event")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns["order_id"] = pa.array(columns["order_id"], pa.string())
    return EventLog.from_tables(pa.table({name: pa.array(column) for name, column in columns.items()}))


def found(log, ids, **options):
    cases = first_purchase_cases(log.before(CUT), log.since(CUT), ids, **options)
    users = sorted(set(cases.group.tolist()))
    keys = zip(cases.group, ids.decode(cases.source), ids.decode(cases.target), strict=True)
    pairs = {(users.index(g), s, t): w for (g, s, t), w in zip(keys, cases.weight.tolist(), strict=True)}
    return pairs, cases


def test_a_week_by_hand():
    log = log_of(
        [
            (10, "u", "tea", "o1", "purchase"),
            (20, "u", "cup", "o2", "view"),  # seeing is not buying
            (110, "u", "tea", "o3", "purchase"),
            (110, "u", "cup", "o3", "purchase"),
            (110, "u", "car", "o3", "purchase"),  # not among the ids
            (120, "u", "cup", "o4", "purchase"),
            (120, "u", "jam", "o4", "purchase"),
            (130, "v", "tea", None, "purchase"),
            (130, "v", "jam", None, "purchase"),
            (131, "v", "cup", None, "purchase"),  # another moment, another basket
        ]
    )
    ids = IdMap(["tea", "cup", "jam"])
    pairs, cases = found(log, ids)
    assert pairs == {
        (0, "tea", "cup"): 1,
        (0, "cup", "jam"): 1,
        (1, "tea", "jam"): 1,
        (1, "jam", "tea"): 1,
    }
    assert cases.popularity.tolist() == [1, 0, 0]
    assert cases.known is None
    repeated, _ = found(log, ids, repeat=True)
    assert repeated == {(0, "cup", "tea"): 1, (0, "jam", "cup"): 1}


def literal(rows, ids, repeat):
    """Loops over baskets, straight from the definition."""
    bought = [row for row in rows if row[4] == "purchase"]
    baskets = {}
    for time, user, item, order, _ in bought:
        if time >= CUT and item in ids:
            lines = baskets.setdefault((user, order if order is not None else time), {})
            lines[item] = min(time, lines.get(item, time))
    pairs = Counter()
    for (user, _), lines in baskets.items():
        for j, time in lines.items():
            had = any(row[1] == user and row[2] == j and (row[0] < CUT or row[0] < time) for row in bought)
            if had == repeat:
                pairs.update((user, i, j) for i in lines if i != j)
    return pairs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("repeat", [False, True])
def test_random_logs_against_the_literal_definition(seed, repeat, monkeypatch):
    monkeypatch.setattr("thence.evaluate.purchases.CHUNK_PAIRS", 50)  # so that chunks are met
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(600):
        time = int(rng.integers(60, 160))
        order = None if rng.random() < 0.3 else f"o{time // 7}"
        event = "purchase" if rng.random() < 0.9 else "view"
        rows.append((time, f"u{rng.integers(6)}", f"i{rng.integers(25)}", order, event))
    rows = list(dict.fromkeys(rows))
    ids = IdMap([f"i{i}" for i in range(20)])
    cases = first_purchase_cases(log_of(rows).before(CUT), log_of(rows).since(CUT), ids, repeat=repeat)
    users = sorted({row[1] for row in rows if row[0] >= CUT and row[2] in ids and row[4] == "purchase"})
    got = Counter()
    triples = zip(cases.group, ids.decode(cases.source), ids.decode(cases.target), cases.weight, strict=True)
    for group, source, target, weight in triples:
        got[users[group], source, target] += weight
    assert got == literal(rows, ids, repeat)


def test_large_baskets_are_left_out_and_counted():
    rows = [(110, "u", f"i{i}", "big", "purchase") for i in range(6)]
    rows += [(120, "v", f"i{i}", "small", "purchase") for i in range(2)]
    ids = IdMap([f"i{i}" for i in range(6)])
    pairs, cases = found(log_of(rows), ids, max_basket=5)
    assert len(pairs) == 2
    assert cases.info["baskets left out"] == 1


def test_nothing_to_judge_on_is_said():
    rows = [(10, "u", "tea", "a", "purchase"), (110, "u", "tea", "b", "purchase")]
    with pytest.raises(DataError, match="no basket after the cut"):
        found(log_of(rows), IdMap(["tea"]))
    with pytest.raises(DataError, match="known item"):
        found(log_of(rows), IdMap(["cup"]))
