"""A state from a whole log: customers are dealt to buckets, counted bucket by bucket, and the counts merged.

Memory holds one bucket at a time, and in the merge one block, whatever the size of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.artifact import Draft, write_artifact
from thence.base.progress import Progress, silent
from thence.events import EventLog, engine
from thence.events.rowhash import Sum, row_hashes
from thence.events.store import remove
from thence.graph.append.counted import Columns, added, merge, newest, take
from thence.graph.append.head import (
    TOTALS,
    Head,
    add,
    count_purchases,
    fingerprint_of,
    longer,
    part_name,
    stores_of,
    widened,
)
from thence.graph.append.holders import holder_keys, number_users
from thence.graph.append.intake import Coded, Codes, coded, seen
from thence.graph.append.sightings import names_on, share_of
from thence.graph.append.store import KIND, ROWS, Store, Writer
from thence.graph.build import GraphConfig

BATCH = 1 << 20
BUCKET_ROWS = 500_000
LINE = np.dtype([("a", "<u8"), ("b", "<u8"), ("order", "<i8"), ("time", "<i8"), ("item", "<i4")])


class Start:
    """One start, from the first row read to the head.

    Args:
        log: the whole log.
        config: the graph's settings.
        draft: the first part.
        progress: told the events read, then the buckets counted.
    """

    def __init__(self, log: EventLog, config: GraphConfig, draft: Draft, progress: Progress = silent) -> None:
        self.log, self.config, self.draft, self.progress = log, config, draft, progress
        self.clock = (log.start, log.until)
        self.scratch = draft.folder / "scratch"
        self.scratch.mkdir()
        self.bits = max(0, min(8, int(log.count() // BUCKET_ROWS).bit_length()))
        self.hashed, self.codes = Sum(), Codes(pa.array([], pa.string()))
        self.items, self.totals, self.span = widened({}, 0), dict.fromkeys(TOTALS, 0), (0, 0)

    def run(self) -> Head:
        """Read, count and merge."""
        self._read()
        self._sort_codes()
        catalogue = None if self.log.items is None else self.log.items.to_pyarrow()
        names = stores_of(self.config)
        head = Head(
            config=self.config,
            ids=self.codes.ids,
            items=self.items,
            totals=self.totals,
            span=self.span,
            parts={name: (part_name(1),) for name in names},
            number=1,
            hashed=self.hashed,
            catalogue=catalogue,
            clock=self.clock,
            num_sorted=len(self.codes.ids),
            fingerprint=fingerprint_of(self.hashed, catalogue, self.clock),
        )
        self._count(head, [name for name in ("users", "purchases", "looks") if name in names])
        for name in names:
            if name not in ("users", "purchases", "looks"):
                self._merge(name)
        remove(self.scratch)
        return head

    def _read(self) -> None:
        """Hash all rows, and deal the ones that count to buckets by customer."""
        looks, rows = "co_viewed" in self.config.relations, 0
        whole = EventLog(self.log._all) if self.clock != (None, None) else self.log
        for batch in engine.batches(whole.events, BATCH):
            table = pa.Table.from_batches([batch])
            self.hashed.add(row_hashes(table))
            known = seen(table, self.clock)
            self.span = longer(self.span, self.totals["events"], known["timestamp"].to_numpy())
            self.totals["events"] += known.num_rows
            bought, looked = coded(known, self.codes, looks=looks)
            self.items = widened(self.items, len(self.codes.ids))
            count_purchases(self.items, bought.item, bought.time)
            self._deal("purchases", bought)
            self._deal("looks", looked)
            rows += table.num_rows
            self.progress("read events", rows, None)

    def _deal(self, side: str, rows: Coded) -> None:
        lines = np.empty(len(rows.item), LINE)
        lines["a"], lines["b"] = rows.lanes
        lines["order"], lines["time"], lines["item"] = rows.order, rows.time, rows.item
        bucket = self._bucket(rows.lanes[0])
        lines = lines[np.argsort(bucket, kind="stable")]
        ends = np.cumsum(np.bincount(bucket, minlength=1 << self.bits))
        for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if end > begin:
                with (self.scratch / f"{side}.{number:03d}").open("ab") as stream:
                    lines[begin:end].tofile(stream)

    def _bucket(self, lane: np.ndarray) -> np.ndarray:
        if not self.bits:
            return np.zeros(len(lane), np.uint8)
        return (lane >> np.uint64(64 - self.bits)).astype(np.uint8)

    def _sort_codes(self) -> None:
        """Give the products the codes that put them in the order of their ids."""
        order = pc.sort_indices(self.codes.ids).to_numpy()
        self.items = {name: column[order] for name, column in self.items.items()}
        self.place = np.empty(len(order), np.int32)
        self.place[order] = np.arange(len(order), dtype=np.int32)
        self.codes.ids = self.codes.ids.take(pa.array(order))

    def _count(self, head: Head, sides: list[str]) -> None:
        status = head.status
        with ExitStack() as stack:
            writers = {name: stack.enter_context(Writer(self.draft, name)) for name in sides}
            for number in range(1 << self.bits):
                tables = self._bucket_tables(number, writers)
                for side, holders in (("purchases", "buyers"), ("looks", "lookers")):
                    share = share_of(tables[side], names_on(side, self.config), status, self.config)
                    add(head.items, head.totals, share, 1)
                    for name, table in share.pairs.items():
                        self._save_run(f"{name}.{number:03d}", table)
                    self._save_run(f"{holders}.{number:03d}", {"key": holder_keys(tables[side])})
                self.progress("count customers", number + 1, 1 << self.bits)

    def _save_run(self, stem: str, table: Columns) -> None:
        if len(table["key"]):
            for column, array in table.items():
                np.save(self.scratch / f"{stem}.{column}.npy", array)

    def _bucket_tables(self, number: int, writers: dict[str, Writer]) -> dict[str, Columns]:
        """Number the customers of a bucket and write its rows down; its purchases and looks."""
        lines = {}
        for side in ("purchases", "looks"):
            path = self.scratch / f"{side}.{number:03d}"
            lines[side] = np.fromfile(path, LINE) if path.exists() else np.zeros(0, LINE)
        both = np.concatenate([lines["purchases"], lines["looks"]])
        nobody = Store("users", (), ())
        users, known = number_users(np.stack([both["a"], both["b"]]), nobody, self.totals["known_users"])
        self.totals["known_users"] += len(known["key"])
        writers["users"].write(known)
        tables, begin = {}, 0
        for side in ("purchases", "looks"):
            rows, end = lines[side], begin + len(lines[side])
            table = {"key": users[begin:end], "order": rows["order"], "time": rows["time"]}
            table["item"] = self.place[rows["item"]]
            begin = end
            table = {name: table[name] for name in ROWS[side]}
            tables[side] = take(table, np.argsort(table["key"], kind="stable"))
            if side in writers:
                writers[side].write(tables[side])
        return tables

    def _merge(self, name: str) -> None:
        with Writer(self.draft, name, self.config.min_support) as writer:
            for block in merge(list(self._runs(name)), newest if name in ("buyers", "lookers") else added):
                writer.write(block)

    def _runs(self, name: str) -> Iterator[Columns]:
        for path in sorted(self.scratch.glob(f"{name}.*.key.npy")):
            stem = path.name.removesuffix("key.npy")
            paths = {column: self.scratch / f"{stem}{column}.npy" for column in ROWS[name]}
            yield {column: np.load(at, mmap_mode="r", allow_pickle=False) for column, at in paths.items()}


def first_part(log: EventLog, config: GraphConfig, folder: Path, progress: Progress) -> Head:
    """Write the first part of a state into ``folder``; the head that it calls for, not yet saved."""
    with write_artifact(folder / part_name(1), KIND) as draft:
        return Start(log, config, draft, progress).run()
