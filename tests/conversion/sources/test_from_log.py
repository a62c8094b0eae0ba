"""Attribution in an event log against loops over its rows, and nothing later in features."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import DAY, T0, phone_case_log

from thence.base.errors import ConfigError, DataError
from thence.conversion.exposures import NEVER
from thence.conversion.sources.from_log import exposures_of
from thence.events import EventLog

WINDOW = 5
NAMES = ("click", "purchase", "cart")
ROLES = {"engagement": ["cart"]}
VIEWS = {"exposure": "view", "engagement": []}
ROWS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from("uv"), st.sampled_from("ab"), st.sampled_from(NAMES)),
    max_size=14,
)
EACH = [(0, "w", "a", "click"), (1, "w", "a", "purchase"), (2, "w", "b", "cart"), (20, "w", "b", "click")]


def log_of(rows, **columns) -> EventLog:
    time, user, item, event = (list(column) for column in zip(*rows, strict=True))
    return EventLog.from_tables(
        pa.table({"timestamp": time, "user_id": user, "item_id": item, "event": event, **columns})
    )


def attributed(rows, attribution: str, same) -> list[tuple]:
    """Each exposure with its conversion and engagement, by the rule as it is written."""
    found = []
    shown = [row for row in rows if row[3] == "click"]
    for time, user, item, _ in shown:
        mine = [row for row in rows if same(row) == same((time, user, item))]
        later = [row[0] for row in mine if row[3] == "click" and row[0] > time]
        stop = min(later, default=NEVER) if attribution == "last" else NEVER
        last = [
            t for t, event in ((r[0], r[3]) for r in mine) if event == "purchase" and time < t <= time + WINDOW
        ]
        last = [
            t for t in last if t <= stop
        ]  # strictly before it: one at the next exposure's time is still ours
        carts = [r[0] for r in mine if r[3] == "cart" and time < r[0] <= time + WINDOW and r[0] < stop]
        again = sorted({t for t in later if t <= time + WINDOW})
        again = again[:1] if attribution == "last" else [t for t in sorted(later) if t <= time + WINDOW]
        found.append((time, user, item, min(last, default=NEVER), tuple(sorted(carts)), tuple(again)))
    return found


@settings(max_examples=40)
@given(ROWS, st.sampled_from(["last", "every"]), st.booleans())
def test_attribution_is_what_the_rule_says(rows, attribution: str, by_user: bool) -> None:
    rows = sorted(rows + EACH)
    unique = [
        row for k, row in enumerate(rows) if row[3] != "click" or row not in rows[:k]
    ]  # no two clicks as one
    clicks = {(row[0], row[1]) if by_user else row[:3] for row in unique if row[3] == "click"}
    if len(clicks) < sum(row[3] == "click" for row in unique):
        return
    by = ["user_id"] if by_user else ["user_id", "item_id"]
    same = (lambda row: row[1]) if by_user else (lambda row: (row[1], row[2]))
    shown = exposures_of(log_of(unique), window=WINDOW, **ROLES, by=by, attribution=attribution)  # type: ignore[arg-type]
    expected = sorted(attributed(unique, attribution, same))
    events = shown.engagement
    told = {
        kind: [events.time[(events.owner == k) & (events.kind == place)] for k in range(len(shown))]
        for place, kind in enumerate(events.kinds)
    }
    found = sorted(
        (
            int(shown.time[k]),
            int(shown.conversion_time[k]),
            tuple(told["cart"][k].tolist()),
            tuple(told["click again"][k].tolist()),
        )
        for k in range(len(shown))
    )
    assert found == sorted((row[0], *row[3:]) for row in expected)


def test_features_are_the_events_own_and_the_catalogues() -> None:
    log = phone_case_log()
    shown = exposures_of(log, window=DAY // 2, **VIEWS, buckets=1000)
    names = shown.features.names
    assert {"user_id", "item_id", "category", "department", "brand", "hour", "weekday", "price"} <= set(names)
    assert "order_id" not in names and "event" not in names and "title" not in names
    row = dict(zip(names, [*shown.features.codes[0], *shown.features.numbers[0]], strict=True))
    assert row["price"] == pytest.approx(np.log(501)) and row["catalogue price"] == pytest.approx(np.log(501))
    assert shown.converted.tolist()[0] and shown.engagement.kinds == ("view again",)


def test_features_do_not_change_with_what_comes_later() -> None:
    rows = sorted(
        [
            *EACH,
            (4, "x", "b", "click"),
            (3, "u", "a", "click"),
            (6, "u", "a", "purchase"),
            (15, "v", "b", "click"),
        ]
    )
    whole = exposures_of(log_of(rows), window=WINDOW, **ROLES)
    early = exposures_of(log_of(rows).before(14), window=WINDOW, **ROLES)
    view = whole.before(14)
    np.testing.assert_array_equal(view.features.codes, early.features.codes)
    np.testing.assert_array_equal(view.conversion_time, early.conversion_time)
    assert early.until == 14


def test_a_column_of_the_catalogue_can_say_what_belongs_together() -> None:
    by_item = exposures_of(phone_case_log(), window=3 * DAY, **VIEWS)
    by_all = exposures_of(phone_case_log(), window=3 * DAY, **VIEWS, by=["user_id"])
    ann = int(np.searchsorted(by_all.time, T0 + 9 * DAY // 24))
    assert by_item.converted.sum() == by_all.converted.sum() == 2 and by_all.converted[ann]
    assert exposures_of(phone_case_log(), window=3 * DAY, **VIEWS, by=["user_id", "brand"]).converted.sum() == 2


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"exposure": "clack"}, ConfigError, "no event 'clack'.*'click'"),
        ({"engagement": ["carts"]}, ConfigError, "no event 'carts'.*'cart'"),
        ({"by": ["user_id", "itemid"]}, ConfigError, "no column 'itemid'.*'item_id'"),
        ({"attribution": "first"}, ConfigError, "last or every"),
        ({"window": 30}, DataError, "longer than the log"),
        ({"conversion": "redeem"}, DataError, "no exposure converted"),
        ({"conversion": "click"}, ConfigError, "two roles"),
        ({"exposure": "redeem"}, DataError, "no 'redeem'"),
    ],
)
def test_what_cannot_be_asked_is_refused(change, error, said) -> None:
    with pytest.raises(error, match=said):
        exposures_of(log_of(EACH), **({"window": WINDOW} | ROLES | change))
