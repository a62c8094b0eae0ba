"""Append: new events, the next snapshot, equal to what a build from the whole log gives.

A *state* stands beside the log: the purchases of each customer, and the counts of each pair of products, those
included that are seen too seldom to be arcs. New events touch some customers. What these customers gave to the
counts is taken out, what they give now is put in, and from the counts the graph is assembled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.progress import Progress, silent
from thence.events import EventLog
from thence.events.rowhash import row_hashes
from thence.events.store import combined
from thence.graph.append.assemble import assemble
from thence.graph.append.change import World, changed, restore
from thence.graph.append.counted import Columns, concat, take
from thence.graph.append.groups import distinct
from thence.graph.append.head import (
    HEAD,
    Head,
    add,
    count_purchases,
    fingerprint_of,
    longer,
    part_name,
    statuses,
    stores_of,
    sum_of,
    widened,
    writing,
)
from thence.graph.append.holders import holder_keys, number_users, users_of
from thence.graph.append.intake import Codes, New, coded, new_events, seen
from thence.graph.append.report import AppendReport
from thence.graph.append.sightings import names_on, shares_of
from thence.graph.append.start import first_part
from thence.graph.append.store import KIND, ROWS, grow
from thence.graph.build import GraphConfig
from thence.graph.digraph import DiGraph


def start(
    log: EventLog, state: str | Path, config: GraphConfig | None = None, *, progress: Progress = silent
) -> DiGraph:
    """Begin a state, from which later snapshots follow by :func:`append`.

    Args:
        log: the log as it is now; its clock holds for all snapshots.
        state: a new folder.
        config: what to build.
        progress: told the events read, then the buckets of customers counted.

    Returns:
        The graph of the log, equal to that of :func:`~thence.graph.build.build_graph`.

    Raises:
        DataError: the log has no purchases, or no product was bought ``min_count`` times.
        ArtifactError: a state stands there already.

    Example:
        >>> import tempfile
        >>> import pyarrow as pa
        >>> def bought(*rows):
        ...     time, user, item = zip(*rows)
        ...     day = [86_400_000_000 * when for when in time]
        ...     return pa.table({"timestamp": day, "user_id": user, "item_id": item,
        ...                      "event": ["purchase"] * len(rows)})
        >>> monday = bought((1, "ann", "phone"), (2, "ann", "case"), (1, "bob", "phone"))
        >>> config = GraphConfig(relations=("bought_after",), min_count=1)
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     graph = start(EventLog.from_tables(monday), f"{tmp}/state", config)
        ...     report = append(f"{tmp}/state", bought((3, "bob", "case")), f"{tmp}/tuesday")
        ...     graph.main.num_arcs, report.graph.main.num_arcs, DiGraph.load(f"{tmp}/tuesday")
        (0, 1, DiGraph(2 nodes, bought_after: 1 arcs))
    """
    folder = Path(state).resolve()
    with writing(folder):
        if (folder / HEAD).exists():
            raise ArtifactError("a state stands there already", where=folder, fix="Append to it.")
        head = first_part(log, config or GraphConfig(), folder, progress)
        graph = assemble(head, head.stores(folder))
        head.save(folder)
    return graph


def append(
    state: str | Path,
    new: Any,
    graph: str | Path | None = None,
    *,
    items: Any = None,
    progress: Progress = silent,
) -> AppendReport:
    """Take in what is new, and make the next snapshot.

    The old state stands until the new one is complete: whenever the process dies, one of them is whole, and
    appending again ends where it would have ended. Snapshots that were saved before are not touched.

    Args:
        state: the folder of the state.
        new: the folder of the log, which has grown by ingestion: the state knows which of its rows are new, and
            verifies that the others are those it knows. Or the new events alone, as a table.
        graph: where to save the snapshot; not saved when None.
        items: with a table, the whole catalogue as it stands now; None leaves it as it was.
        progress: told the step that is done.

    Returns:
        The snapshot and what was done.

    Raises:
        DataError: the log is not the one that the state stands for; rows of a table are invalid.
        ArtifactError: there is no state, another process writes it, or it is torn.
    """
    folder, clock = Path(state).resolve(), _Clock(progress)
    with writing(folder):
        head = Head.load(folder)
        with clock.step("read"):
            found = new_events(new, items, head.hashed.rows, head.clock, head.catalogue)
            step = _Step(folder, head, found)
        with clock.step("count"):
            after = step.count()
        with clock.step("assemble"):
            made = assemble(after, after.stores(folder))
        with clock.step("publish"):
            if graph is not None:
                made.save(graph)
            after.save(folder)
    return AppendReport(made, step.events.num_rows, step.touched, step.pairs, step.looked_up, clock.seconds)


def snapshot(state: str | Path, *, verify: bool = False) -> DiGraph:
    """The graph of a state as it stands.

    Args:
        state: its folder.
        verify: compare the SHA-256 of every file; else only sizes are compared.

    Raises:
        ArtifactError: there is no state, or it is torn.
    """
    folder = Path(state).resolve()
    head = Head.load(folder)
    return assemble(head, head.stores(folder, verify=verify))


class _Clock:
    """CPU seconds by step."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds[name] = time.process_time() - begun
        self._progress(name, len(self.seconds), 4)


class _Step:
    """One append, from the new events to the next head."""

    def __init__(self, folder: Path, head: Head, new: New) -> None:
        self.folder, self.head = folder, head
        self.config = head.config
        hashed = sum_of(head.hashed.hex())
        hashed.add(row_hashes(new.events))
        if new.fingerprint not in (None, combined(hashed, new.catalogue)):
            raise DataError(
                "the log is not the one that the state stands for, grown by some rows",
                where=folder,
                fix="Start a new state from it.",
            )
        self.events = seen(new.events, head.clock)
        self.codes = Codes(head.ids)
        bought, looked = coded(self.events, self.codes, looks="co_viewed" in self.config.relations)
        items = widened(head.items, len(self.codes.ids))
        count_purchases(items, bought.item, bought.time)
        self.rows = {"purchases": bought, "looks": looked}
        times = self.events["timestamp"].to_numpy()
        events = head.totals["events"]
        self.after = replace(
            head,
            ids=self.codes.ids,
            items=items,
            totals=head.totals | {"events": events + self.events.num_rows},
            span=longer(head.span, events, times),
            number=head.number + 1,
            hashed=hashed,
            catalogue=new.catalogue,
            fingerprint=fingerprint_of(hashed, new.catalogue, head.clock),
        )
        self.touched, self.looked_up, self.pairs = 0, 0, {}

    def count(self) -> Head:
        """Count the touched customers again, and write what changes into a part of its own."""
        stores = self.head.stores(self.folder)
        self.world = World(stores, self.config)
        rows = self._numbered(stores["users"])
        fresh: dict[str, Columns] = {"users": rows.pop("users")}
        self._recount(rows, fresh)
        for side, holders in (("purchases", "buyers"), ("looks", "lookers")):
            fresh[side], fresh[holders] = rows[side], {"key": holder_keys(rows[side])}
        name = part_name(self.after.number)
        parts = {}
        with write_artifact(self.folder / name, KIND) as draft:
            for store in stores_of(self.config):
                parts[store] = grow(stores[store], fresh[store], draft, self.config.min_support)
                if len(fresh[store]["key"]):
                    parts[store] = (*parts[store], name)
        return replace(self.after, parts=parts)

    def _numbered(self, users: Any) -> dict[str, Columns]:
        """The new rows with the numbers of their customers, sorted by them; and the customers who are new."""
        sides = list(self.rows)
        lanes = np.concatenate([self.rows[side].lanes for side in sides], axis=1)
        numbers, fresh = number_users(lanes, users, self.head.totals["known_users"])
        self.after.totals["known_users"] += len(fresh["key"])
        tables, begin = {"users": fresh}, 0
        for side in sides:
            rows, end = self.rows[side], begin + len(self.rows[side].item)
            table = {"key": numbers[begin:end], "order": rows.order, "item": rows.item, "time": rows.time}
            begin = end
            table = {column: table[column] for column in ROWS[side]}
            tables[side] = take(table, np.argsort(table["key"], kind="stable"))
        return tables

    def _recount(self, rows: dict[str, Columns], fresh: dict[str, Columns]) -> None:
        """For each side, the share of the touched customers before and after; the pairs that differ."""
        as_it_was = replace(
            self.after, items=widened(self.head.items, len(self.after.ids)), catalogue=self.head.catalogue
        )
        before, after = statuses(as_it_was, self.after)
        warmer = np.flatnonzero(before.warm != after.warm)
        moved = np.flatnonzero((before.category != after.category) & after.warm)
        everyone = [np.zeros(0, np.int64)]
        for side, holders in (("purchases", "buyers"), ("looks", "lookers")):
            names = names_on(side, self.config)
            if not names:
                continue
            altered = distinct(warmer, moved) if "substitute" in names else warmer
            stores = self.world.stores
            touched = distinct(rows[side]["key"], users_of(altered, stores[holders]))
            everyone.append(touched)
            old = stores[side].of(touched)
            lines = concat([old, rows[side]])
            known = np.arange(len(lines["key"])) < len(old["key"])
            shares = shares_of(lines, known, names, (before, after), self.config)
            for share, sign in zip(shares, (-1, 1), strict=True):
                add(self.after.items, self.after.totals, share, sign)
            for name in names:
                found, lost = changed(name, shares[0].pairs[name], shares[1].pairs[name], stores[name])
                self.looked_up += restore(name, found, lost, rows[side], after, self.world)
                self.pairs[name] = len(found["key"])
                fresh[name] = found
        self.touched = len(distinct(*everyone))
