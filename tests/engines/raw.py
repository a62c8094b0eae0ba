"""A table with every kind of row that a log may be offered, and the comparison with what ``ingest`` made."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thence.events import EventLog, IngestReport
from thence.events.quarantine import FILE
from thence.events.screen import Screened

LONG = "x" * 257
GOOD = {
    "timestamp": "2024-01-05T10:11:12.5+02:00",
    "user_id": "ann",
    "item_id": "phone",
    "event": "purchase",
    "order_id": "o1",
    "price": "9.5",
    "quantity": 2.0,
    "discount": 0.0,
    "shelf": "a",
    "level": 3,
}
ODD: dict[str, list] = {
    "timestamp": [
        *("2024-01-05", "2024/02/29 10:11", "2024-01-05 10:11:12,5 +02:00", "2024-01-05T23:59:59-0530"),
        *("2024-01-05T10:11:12.1234567Z", "2024-01-05t10:11z", "2024-01-05T10:11 UTC", "1704067200"),
        *("1704067200.1234565", "+1704067200.5", "-0.0000001", ".5", "5.", " 1704067200\t", "0"),
        *("2024-02-30", "2023-02-29", "2024-13-01", "2024-01-05T24:00", "2024-01-05Z", "2024-01-05T10:11+2"),
        *("2024-01-05T10:11 UTX", "2024-01-05T10:11:12.", "2024-01/05", "soon", "+", ".", "1_0", "9" * 20),
        *(None, "", " \t", "9999-01-01", "9000000000000000009", "9000000000000000010", "1969-12-31", "-5"),
        "0000-01-01",
    ],
    "user_id": [None, "", " ", "\u00a0\u3000", "\t", LONG, "é" * 256, " ann", "a b"],
    "item_id": [None, "", " ", "\r\n", LONG],
    "event": [" View ", "PURCHASE\t", "\u00a0cart", "", "  ", None, "jump", "vıew"],
    "order_id": [None, "", "  ", LONG],
    "price": [
        *("1", "1e5", " 2.5 ", "+.5", "5.", "-0", "", " ", None),
        *("x", "1_0", "--1", "1e", "0x10", "-1", "-1e-9", "nan", "inf", "-Infinity", "1e999"),
    ],
    "quantity": [None, -1.0, -0.0, float("nan"), float("inf"), 1e308],
    "discount": [None, -1.0, float("-inf")],
    "shelf": [None, "", " b "],
    "level": [None, -7],
}
"""Values beside the good ones."""


def forged() -> pa.Table:
    rows = [GOOD, dict(GOOD), dict(GOOD)]
    for name, values in ODD.items():
        for at, value in enumerate(values):
            row = GOOD | {"item_id": f"{name} {at}", name: value}
            rows += [row, dict(row)] if at % 4 == 0 else [row]
    rows += [
        GOOD | {"timestamp": "soon", "user_id": None, "price": "x"},
        GOOD | {"user_id": LONG, "event": "jump"},
    ]
    return pa.Table.from_pylist(rows)


RAW = forged()
RAW_ITEMS = pa.table({"item_id": ["phone", "case"], "category": ["Phones", "Cases"], "shelf": [1, 2]})


def sorted_rows(table: pa.Table) -> list[str]:
    """The rows of a table as text, in an order of their own; -0.0 is 0.0."""
    return sorted(
        repr([value + 0 if isinstance(value, float) else value for value in row.values()])
        for row in table.select(sorted(table.column_names)).to_pylist()
    )


def compared(found: Screened, folder: Path, report: IngestReport) -> None:
    """Assert that a screening found what ``ingest`` wrote and reported."""
    ours = found.report
    for count in ("read", "accepted", "quarantined", "duplicates"):
        assert getattr(ours, count) == getattr(report, count), (count, ours, report)
    assert dict(ours.reasons) == dict(report.reasons)
    log = EventLog.load(folder).events.to_pyarrow()
    accepted = found.accepted.to_pyarrow()
    if log.num_rows:  # ingest keeps no further columns of a log without rows
        assert accepted.column_names == log.column_names and accepted.schema.types == log.schema.types
    assert sorted_rows(accepted) == sorted_rows(log)
    refused = pq.read_table(folder / FILE)["reason"].to_pylist()
    assert sorted(found.quarantined.to_pyarrow()["reason"].to_pylist()) == sorted(refused)
    assert sum(found.duplicates.to_pyarrow()["repeats"].to_pylist()) == report.duplicates
