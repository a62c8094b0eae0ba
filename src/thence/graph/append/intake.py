"""What is new, in the codes of a state: from a log that grew, or from a table of new events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.base.artifact import Artifact, open_artifact
from thence.base.errors import DataError
from thence.events import EventLog
from thence.events.store import ITEMS, KIND, part_names
from thence.graph.append.holders import USER, hashes, order_codes
from thence.graph.relation.co_viewed import LOOKS

Clock = tuple[int | None, int | None]


@dataclass(frozen=True, eq=False)
class New:
    """Events that a state does not know yet.

    Args:
        events: their rows, with the columns of a log.
        catalogue: the catalogue as it stands now, or None.
        fingerprint: of the whole log as it stands now, where it is known.
    """

    events: pa.Table
    catalogue: pa.Table | None
    fingerprint: str | None = None


@dataclass(frozen=True, eq=False)
class Coded:
    """Rows of one kind, ``[n]`` each: hashes ``[2, n]`` of users, codes of baskets and of products, times."""

    lanes: np.ndarray
    order: np.ndarray
    item: np.ndarray
    time: np.ndarray


class Codes:
    """Products by code, in the order in which they came.

    Args:
        ids: the products that have a code.
    """

    def __init__(self, ids: pa.Array) -> None:
        self.ids = ids

    def encode(self, column: Any) -> np.ndarray:
        """Codes ``[n]`` int32 of external ids; new ones get the next codes in the order of their ids."""
        coded = pc.dictionary_encode(column)
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        if isinstance(coded, pa.ChunkedArray):
            return np.zeros(0, np.int32)
        known = pc.index_in(coded.dictionary, value_set=self.ids)
        fresh = coded.dictionary.filter(pc.is_null(known))
        if len(fresh):
            self.ids = pa.concat_arrays([self.ids, fresh.take(pc.sort_indices(fresh))])
            known = pc.index_in(coded.dictionary, value_set=self.ids)
        return known.to_numpy(zero_copy_only=False).astype(np.int32)[coded.indices.to_numpy()]


def new_events(new: Any, items: Any, rows: int, clock: Clock, catalogue: pa.Table | None) -> New:
    """What a source brings that a state does not know.

    Args:
        new: the folder of a log that grew, or a table of new events alone.
        items: with a table, the whole catalogue as it stands now; None leaves it as it was.
        rows: how many rows of the log the state knows.
        clock: the view's start and clock.
        catalogue: the catalogue that the state knows.

    Raises:
        DataError: the log has fewer rows than the state knows, or another clock; a row of a table is invalid.
        ArtifactError: there is no log.
    """
    if not isinstance(new, str | Path):
        log = EventLog.from_tables(new, items)
        return New(log.events.to_pyarrow(), catalogue if log.items is None else log.items.to_pyarrow())
    if items is not None:
        raise DataError("a log has its own catalogue", where=new, fix="Leave items out, or ingest them.")
    art = open_artifact(new, KIND, verify=False)
    if art.config.get("until") != clock[1]:
        raise DataError("the log has another clock than the state", where=new, fix="Start anew.")
    known = art.table(ITEMS.removesuffix(".parquet")) if ITEMS in art.files else None
    return New(_rows_behind(art, rows), known, art.fingerprint)


def seen(events: pa.Table, clock: Clock) -> pa.Table:
    """The events that a view sees."""
    start, until = clock
    if start is not None:
        events = events.filter(pc.greater_equal(events["timestamp"], start))
    return events if until is None else events.filter(pc.less(events["timestamp"], until))


def coded(events: pa.Table, codes: Codes, *, looks: bool) -> tuple[Coded, Coded]:
    """Purchases, and views and clicks (none unless ``looks``), of events that a view sees."""
    bought = events.filter(pc.equal(events["event"], "purchase"))
    looked = (
        events.filter(pc.is_in(events["event"], value_set=pa.array(LOOKS))) if looks else events.slice(0, 0)
    )
    sides = []
    for rows in (bought, looked):
        time = rows["timestamp"].to_numpy()
        sides.append(
            Coded(
                lanes=hashes(rows["user_id"], USER),
                order=order_codes(rows["order_id"], time),
                item=codes.encode(rows["item_id"]),
                time=time,
            )
        )
    return sides[0], sides[1]


def _rows_behind(art: Artifact, rows: int) -> pa.Table:
    """The rows of a log behind its first ``rows``: ingestion leaves old rows where they are."""
    left, found = rows, []
    for name in part_names(art):
        path = art.path(name)
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                if left < size:
                    found.append(file.read_row_group(group).slice(left))
                left = max(0, left - size)
            found.append(file.schema_arrow.empty_table())
    if left:
        raise DataError(
            f"the log has {left:,} rows fewer than the state knows", where=art.folder, fix="Start anew."
        )
    return pa.concat_tables(found)
