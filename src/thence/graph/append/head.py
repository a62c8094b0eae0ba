"""The head of a state: everything small, and which parts the large things lie in. Replaced as one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError
from thence.base.folders import sweep
from thence.events import EventLog
from thence.events.columns import plain
from thence.events.rowhash import Sum
from thence.events.store import combined
from thence.graph.append.sightings import Share, Status
from thence.graph.append.store import Store, open_stores
from thence.graph.build import GraphConfig
from thence.graph.nodes import categories

KIND = "graphstate"
HEAD = "head"
SEEN = ("count", "first_time", "last_time")
PER_ITEM: tuple[str, ...] = (*SEEN, "customers", "tries", "hits", "sessions")
TOTALS: tuple[str, ...] = ("events", "users", "baskets", "followed", "sessions", "known_users")
LANE = 1 << 64


@dataclass(frozen=True, eq=False)
class Head:
    """What a state knows besides the rows of its stores.

    Args:
        config: the settings of the graph.
        ids: the external id of each product by code; a code is given once and for all.
        num_sorted: the first codes, which were given at the start and are in the order of the ids.
        items: by name, ``[num_items]`` int64 of each product: ``count``, ``first_time`` and ``last_time`` of
            its purchases, and the sums over customers of :class:`~thence.graph.append.sightings.Share`.
        totals: sums over all customers, and the counts of events seen and of customers known.
        span: first and last timestamp seen; (0, 0) for no events.
        parts: of each store, the parts that its segments lie in, oldest first.
        number: of the last part that was written.
        hashed: the sum of the hashes of all rows of the log.
        catalogue: what is known of products, or None.
        clock: ``start`` and ``until`` of the view of the log.
        fingerprint: of the view.
    """

    config: GraphConfig
    ids: pa.Array
    num_sorted: int
    items: dict[str, np.ndarray]
    totals: dict[str, int]
    span: tuple[int, int]
    parts: dict[str, tuple[str, ...]]
    number: int
    hashed: Sum
    catalogue: pa.Table | None
    clock: tuple[int | None, int | None]
    fingerprint: str

    def save(self, folder: Path) -> None:
        """Make this the head of the state in ``folder``, in one step."""
        with write_artifact(folder / HEAD, KIND) as draft:
            draft.table("ids", pa.table({"id": self.ids}))
            for name in PER_ITEM:
                draft.array(name, self.items[name])
            if self.catalogue is not None:
                draft.table("catalogue", self.catalogue)
            draft.counts |= {"items": len(self.ids), **self.totals}
            draft.config = {
                "settings": asdict(self.config),
                "totals": self.totals,
                "span": self.span,
                "parts": self.parts,
                "number": self.number,
                "num_sorted": self.num_sorted,
                "hashed": self.hashed.hex(),
                "clock": self.clock,
            }
            draft.fingerprint = self.fingerprint

    @classmethod
    def load(cls, folder: Path) -> Head:
        """The head of the state in ``folder``.

        Raises:
            ArtifactError: there is no state, or its head is torn.
        """
        art = open_artifact(folder / HEAD, KIND)
        try:
            known: dict[str, Any] = dict(art.config)
            settings = known["settings"] | {"relations": tuple(known["settings"]["relations"])}
            first, last = known["span"]
            start, until = known["clock"]
            return cls(
                config=GraphConfig(**settings),
                ids=art.table("ids")["id"].combine_chunks(),
                num_sorted=known["num_sorted"],
                items={name: art.array(name, mmap=False) for name in PER_ITEM},
                totals=known["totals"],
                span=(first, last),
                parts={name: tuple(parts) for name, parts in known["parts"].items()},
                number=known["number"],
                hashed=sum_of(known["hashed"]),
                catalogue=art.table("catalogue") if "catalogue.parquet" in art.files else None,
                clock=(start, until),
                fingerprint=art.fingerprint,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"the state is malformed: {error!r}", where=folder, fix="Start anew."
            ) from error

    @property
    def warm(self) -> np.ndarray:
        """``[num_items]`` bool: products that are bought often enough to have arcs."""
        return self.items["count"] >= self.config.min_count

    @property
    def paths(self) -> pa.Array:
        """``[num_items]`` category paths, null where there is none."""
        if self.catalogue is None or "category" not in self.catalogue.column_names:
            return pa.nulls(len(self.ids), pa.string())
        at = pc.index_in(self.ids, value_set=self.catalogue["item_id"])
        return plain(self.catalogue["category"].take(at)).cast(pa.string())

    @property
    def status(self) -> Status:
        """Which products count, and the category of each."""
        return Status(self.warm, categories(pa.table({"category": self.paths})))

    def stores(self, folder: Path, *, verify: bool = False) -> dict[str, Store]:
        """The stores whose segments this head names."""
        return open_stores(folder, self.parts, verify=verify)


def statuses(before: Head, after: Head) -> tuple[Status, Status]:
    """Which products count before and after, with equal codes for equal categories.

    Args:
        before: the head as it was, with rows for the products of ``after``.
        after: the head as it will be.
    """
    num = len(after.ids)
    paths = [after.paths] if before.catalogue is after.catalogue else [before.paths, after.paths]
    category = categories(pa.table({"category": pa.concat_arrays(paths)}))
    return Status(before.warm, category[:num]), Status(after.warm, category[-num:] if num else category)


def stores_of(config: GraphConfig) -> list[str]:
    """The names of the stores that a graph's relations need."""
    names, relations = ["users"], config.relations
    if set(relations) - {"co_viewed"}:
        names += ["purchases", "buyers"]
    if "co_viewed" in relations:
        names += ["looks", "lookers"]
    return [*names, *relations]


def widened(items: dict[str, np.ndarray], num: int) -> dict[str, np.ndarray]:
    """The same figures in arrays of their own, with rows of nothing for products that are new."""
    wide = {}
    for name in PER_ITEM:
        fill = {"first_time": np.iinfo(np.int64).max, "last_time": np.iinfo(np.int64).min}.get(name, 0)
        old = items.get(name, np.zeros(0, np.int64))
        wide[name] = np.concatenate([old, np.full(num - len(old), fill, np.int64)])
    return wide


def count_purchases(items: dict[str, np.ndarray], item: np.ndarray, time: np.ndarray) -> None:
    """Add purchases of products (codes ``[n]``) at times ``[n]`` to their figures, in place."""
    items["count"] += np.bincount(item, minlength=len(items["count"]))
    np.minimum.at(items["first_time"], item, time)
    np.maximum.at(items["last_time"], item, time)


def add(items: dict[str, np.ndarray], totals: dict[str, int], share: Share, sign: int) -> None:
    """Add the share of some customers to the sums, or take it out, in place."""
    for name, column in share.items.items():
        items[name] += sign * column
    for name, total in share.totals.items():
        totals[name] += sign * total


def longer(span: tuple[int, int], events: int, times: np.ndarray) -> tuple[int, int]:
    """A span of ``events`` events that takes in further times."""
    if not len(times):
        return span
    first, last = int(times.min()), int(times.max())
    return (min(first, span[0]), max(last, span[1])) if events else (first, last)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold a state for writing; what dead writers left is removed, and at the end what no head names.

    Raises:
        ArtifactError: another process is writing it.
    """
    import fcntl
    import os

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArtifactError("another process is writing this state", where=folder) from error
        tidy(folder)
        yield
        tidy(folder)
    finally:
        os.close(handle)


def tidy(folder: Path) -> None:
    """Remove parts that the head does not name, and drafts of parts whose writers are dead."""
    try:
        parts = open_artifact(folder / HEAD, KIND, verify=False).config["parts"]
    except ArtifactError:
        if (folder / HEAD).exists():
            raise
        parts = {}
    named = {part for store in parts.values() for part in store}
    for path in folder.glob("part-*"):
        if path.name not in named:
            shutil.rmtree(path, ignore_errors=True)
    for draft in folder.glob(".part-*.tmp"):
        sweep(folder / draft.name[1:].split(".")[0])


def part_name(number: int) -> str:
    """The folder of the part with a number."""
    return f"part-{number:06d}"


def fingerprint_of(hashed: Sum, catalogue: pa.Table | None, clock: tuple[int | None, int | None]) -> str:
    """The fingerprint of a view of a log from the sum of the hashes of all its rows."""
    start, until = clock
    nothing: Any = None
    return EventLog(nothing, start=start, until=until, fingerprint=combined(hashed, catalogue)).fingerprint


def sum_of(text: str) -> Sum:
    """The running sum that ``Sum.hex`` wrote."""
    rows, *lanes = (int(text[at : at + 16], 16) for at in (0, 16, 32))
    total = Sum()
    total.add(np.array(lanes, np.uint64)[:, None])
    total.rows = rows
    return total
