"""How a log lies in its artifact: parts of events, the catalogue, the quarantine, and the ledger of sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.artifact import Artifact, Draft, write_artifact
from thence.events import engine
from thence.events.parts import Part, PartWriter, open_writer, settle
from thence.events.quarantine import FILE, SCHEMA
from thence.events.rowhash import Sum, row_hashes
from thence.events.schema import ITEM_CORE

if TYPE_CHECKING:
    import numpy as np

    from thence.events.log import EventLog

KIND = "eventlog"
EVENTS = "events"
ITEMS = "items.parquet"


def part_names(art: Artifact) -> list[str]:
    """The files of events of an opened artifact, in order."""
    return sorted(name for name in art.files if name.startswith(f"{EVENTS}/"))


def parts_of(art: Artifact) -> list[Part]:
    """The parts of an opened artifact; columns of which nothing is known yet have type ``null``."""
    unknown = set(art.config.get("unknown", ()))
    parts = []
    for name in part_names(art):
        path = art.path(name)
        stored = pq.read_schema(path).remove_metadata()
        fields = [pa.field(field.name, pa.null()) if field.name in unknown else field for field in stored]
        parts.append(Part(path, pq.read_metadata(path).num_rows, pa.schema(fields)))
    return parts


def finish(draft: Draft, old: list[Part], new: list[Part], dropped: np.ndarray, items: pa.Table | None) -> None:
    """Bring the parts into their final form and write down what the artifact holds, its ledger excepted."""
    parts, kept = settle(old, new, lambda number: draft.path(f"{EVENTS}/part-{number:05d}.parquet"), dropped)
    if items is not None:
        pq.write_table(items, draft.path(ITEMS), compression="zstd")
    draft.counts["events"] = sum(part.rows for part in parts)
    draft.counts["items"] = items.num_rows if items is not None else 0
    draft.config["unknown"] = [
        name for name, type_ in zip(kept.names, kept.types, strict=True) if type_ == pa.null()
    ]


def combined(events: Sum, items: pa.Table | None) -> str:
    """The fingerprint of a log from those of its events and of its catalogue."""
    catalogue = Sum()
    if items is not None:
        catalogue.add(row_hashes(items, ITEM_CORE))
    return hashlib.sha256(json.dumps([KIND, events.hex(), catalogue.hex()]).encode()).hexdigest()


def fingerprint_of(events: Any, items: Any) -> str:
    """The fingerprint of Ibis tables, read once, where they lie or in batches."""
    total = engine.hash_sum(events)
    return combined(total, None if items is None else items.to_pyarrow())


def save_log(log: EventLog, folder: str | Path) -> None:
    """Write what a view of a log sees as an artifact of its own; it has no quarantine and no sources."""
    import numpy as np

    with write_artifact(folder, KIND) as draft:
        writer, total = PartWriter(lambda number: draft.path(f"fresh/{number:05d}.parquet")), Sum()
        for batch in engine.batches(log.events):
            table = pa.Table.from_batches([batch])
            writer.write(table)
            total.add(row_hashes(table))
        items = None if log.items is None else log.items.to_pyarrow()
        finish(draft, [], writer.close(), np.zeros(total.rows, bool), items)
        remove(draft.folder / "fresh")
        open_writer(draft.path(FILE), SCHEMA).close()
        draft.config |= {"until": log.until, "sources": []}
        draft.counts["quarantined"] = 0
        draft.fingerprint = combined(total, items)


def remove(*folders: Path) -> None:
    """Remove scratch folders of a draft."""
    import shutil

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def last_of_each(items: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """One catalogue: the last row of each item, in the order in which items first came."""
    from thence.events.columns import conform

    table = pa.concat_tables([conform(piece, schema) for piece in items])
    numbered = table.append_column("_at", pa.array(range(table.num_rows), pa.int64()))
    last = numbered.group_by("item_id", use_threads=False).aggregate([("_at", "max")])
    return table.take(last["_at_max"])
