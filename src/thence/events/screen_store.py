"""What a screening found, written as the artifact that ``ingest`` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.artifact import write_artifact
from thence.events import engine
from thence.events.columns import conform
from thence.events.parts import PartWriter
from thence.events.quarantine import FILE, QuarantineWriter, shown_rows
from thence.events.report import IngestReport
from thence.events.rowhash import Sum, row_hashes
from thence.events.schema import CORE, ITEM_CORE, unify
from thence.events.screen import Screened
from thence.events.store import KIND, combined, finish, remove
from thence.events.tables import to_items

SOURCE = "screened table"


def save_screened(screened: Screened, folder: str | Path, items: Any = None) -> IngestReport:
    """Write accepted rows, catalogue and quarantine; rows pass through this process partition by partition.

    Args:
        screened: what became of the rows.
        folder: where the log is to stand.
        items: a catalogue, as :meth:`EventLog.from_tables` takes it.

    Raises:
        DataError: the catalogue has invalid rows.
    """
    known = None
    if items is not None:
        known = to_items(engine.connect(), items).to_pyarrow()
        known = conform(known, unify([known.schema], ITEM_CORE))
    with write_artifact(folder, KIND) as draft:
        writer, total = PartWriter(lambda number: draft.path(f"fresh/{number:05d}.parquet")), Sum()
        schema = unify([screened.accepted.schema().to_pyarrow()], CORE)
        for batch in engine.batches(screened.accepted):
            table = conform(pa.Table.from_batches([batch]), schema)
            writer.write(table)
            total.add(row_hashes(table))
        finish(draft, [], writer.close(), np.zeros(total.rows, bool), known)
        remove(draft.folder / "fresh")
        refused = QuarantineWriter(draft.path(FILE))
        for batch in engine.batches(screened.quarantined):
            refused.add(SOURCE, "", _refusals(pa.Table.from_batches([batch])))
        refused.close()
        report = screened.report
        draft.counts["quarantined"] = report.quarantined
        draft.config |= {"until": None, "sources": []}
        draft.fingerprint = combined(total, known)
        return report


def _refusals(table: pa.Table) -> pa.Table:
    """Rows of the quarantine; a table has neither row numbers nor offsets."""
    nowhere = pa.nulls(table.num_rows, pa.int64())
    raws = shown_rows(table.drop(["reason"]), np.arange(table.num_rows))
    columns = {"row": nowhere, "offset": nowhere, "reason": table["reason"], "raw": pa.array(raws, pa.string())}
    return pa.table(columns)
