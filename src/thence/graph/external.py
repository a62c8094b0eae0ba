"""Arcs from a stream that is larger than memory: the stored form of :meth:`Arcs.from_pairs`, made on disk.

Arcs come in blocks, in any order, and are spooled to a file while degrees are counted. The degrees tell at
which nodes to cut both sides into buckets of about :data:`BUCKET` arcs. Arcs are dealt to buckets by source;
each bucket is sorted in memory and appended to the out-side; and its arcs, whose positions are now known, are
dealt to buckets by target, which become the in-side in the same way. Every file is written and read from front
to back, so memory holds one bucket and what a node costs, however many arcs there are: about
100 · BUCKET + 40 · num_nodes bytes.

References:
    Distribution sort: Knuth, "The Art of Computer Programming", volume 3, section 5.4.9.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.errors import DataError
from thence.base.mapped import Column, release
from thence.graph.arcs import Arcs
from thence.graph.check import check_pairs, node_array, node_count, position_type

BUCKET = 1 << 20
"""Arcs that are sorted in memory at a time."""
PIECE = 1 << 19
"""Records that are read or dealt at a time."""
ENDS = [("source", "<i4"), ("target", "<i4")]
TWICE = "Add the weights of equal arcs first."


def arcs_from_blocks(
    blocks: Iterable[Mapping[str, np.ndarray]], *, num_nodes: int, directed: bool = True
) -> Arcs:
    """Build a relation out of core; its arrays are mapped from files that vanish with it.

    Args:
        blocks: parts of the relation, each with ``source`` and ``target`` ``[n]`` node ints, ``weight``
            ``[n]``, and further values, all of the same names and types in every block.
        num_nodes: how many nodes there are.
        directed: whether the relation has a direction.

    Returns:
        What :meth:`Arcs.from_pairs` makes of all blocks in one.

    Raises:
        DataError: as from_pairs; or blocks differ in their values, or have no weight.

    Example:
        >>> first = {"source": np.array([2, 0]), "target": np.array([1, 2]), "weight": np.ones(2)}
        >>> second = {"source": np.array([0]), "target": np.array([1]), "weight": np.ones(1)}
        >>> arcs = arcs_from_blocks([first, second], num_nodes=3)
        >>> arcs.out(0).tolist(), arcs.into(1).tolist()
        ([1, 2], [0, 2])
    """
    num_nodes = node_count(num_nodes)
    with tempfile.TemporaryDirectory(prefix="thence-arcs-") as name:
        folder = Path(name)
        spool = _Spool(folder / "spool", num_nodes)
        for block in blocks:
            spool.take(block)
        out, into = (_offsets(degree) for degree in spool.degrees)
        values, dealt = _out_side(folder, spool, out, into)
        sources = Column(spool.rows, np.int32, folder / "sources.npy")
        order = Column(spool.rows, position_type(spool.rows), folder / "order.npy")
        for records in dealt.in_order():
            sources.append(records["source"])
            order.append(records["at"])
        stored = {"indptr": out, "targets": values.pop("target").finish(), "in_indptr": into}
        named = {value: column.finish() for value, column in sorted(values.items())}
        arcs = Arcs(
            **stored, sources=sources.finish(), in_order=order.finish(), values=named, directed=directed
        )
    if not directed and not _symmetric(arcs):
        raise DataError(
            "an arc of an undirected relation lacks its reverse", fix="Give both, or directed=True."
        )
    return arcs


def _out_side(
    folder: Path, spool: _Spool, out: np.ndarray, into: np.ndarray
) -> tuple[dict[str, Column], _Buckets]:
    """Targets and values in out-order, and the arcs with their positions, dealt by target."""
    place = position_type(spool.rows)
    dealt = _Buckets(folder / "out", out, spool.record, ("source", "target"))
    for records in _pieces(spool.path, spool.record):
        dealt.deal(records)
    spool.path.unlink()
    columns = {
        name: Column(spool.rows, spool.record[name], folder / f"{name}.column.npy")
        for name in (spool.record.names or ())
        if name != "source"
    }
    turned = _Buckets(folder / "in", into, np.dtype([*ENDS, ("at", place)]), ("target", "source"))
    at = 0
    for records in dealt.in_order():
        _refuse_twice(records)
        for name, column in columns.items():
            column.append(records[name])
        ends = np.empty(len(records), turned.record)
        ends["source"], ends["target"] = records["source"], records["target"]
        ends["at"] = np.arange(at, at + len(records))
        at += len(records)
        turned.deal(ends)
    return columns, turned


class _Spool:
    """Arcs as they come, checked, in one file; out-degrees and in-degrees are counted on the way."""

    def __init__(self, path: Path, num_nodes: int) -> None:
        self.path, self.num_nodes, self.rows = path, num_nodes, 0
        self.record = np.dtype([*ENDS, ("weight", "<f4")])
        self.degrees = [np.zeros(num_nodes, np.int64) for _ in ENDS]
        path.touch()

    def take(self, block: Mapping[str, np.ndarray]) -> None:
        """Check one block and write it behind the others."""
        ends = {name: node_array(block[name], name) for name in ("source", "target")}
        values = {name: np.asarray(array) for name, array in block.items() if name not in ends}
        if "weight" not in values:
            raise DataError("a block has no weight", fix="Give weight, ones where all count alike.")
        with np.errstate(over="ignore"):  # too large becomes infinite, which is refused
            values["weight"] = values["weight"].astype(np.float32, copy=False)
        check_pairs(ends["source"], ends["target"], self.num_nodes, values)
        record = np.dtype(ENDS + [(name, array.dtype) for name, array in sorted(values.items())])
        if self.rows and record != self.record:
            raise DataError(f"a block holds {record}, those before it {self.record}")
        self.record = record
        records = np.empty(len(ends["source"]), record)
        for name, array in (ends | values).items():
            records[name] = array
        for degree, nodes in zip(self.degrees, ends.values(), strict=True):
            degree += np.bincount(nodes, minlength=self.num_nodes)
        self.rows += len(records)
        with self.path.open("ab") as stream:
            records.tofile(stream)


class _Buckets:
    """Records dealt to files by a node, then sorted file by file.

    Args:
        folder: where the files go.
        indptr: ``[num_nodes + 1]``, where each node's records begin in the order that is sought.
        record: their type.
        by: the fields to sort by; the first is the node that ``indptr`` counts.
    """

    def __init__(self, folder: Path, indptr: np.ndarray, record: np.dtype, by: tuple[str, str]) -> None:
        folder.mkdir()
        self.record = record
        self._by, self._num_nodes = by, len(indptr) - 1
        ends = np.searchsorted(indptr, np.arange(BUCKET, indptr[-1], BUCKET))
        edges = np.unique(np.concatenate([[0], ends, [self._num_nodes]]))
        self._bucket_of = np.repeat(np.arange(len(edges) - 1, dtype=np.uint16), np.diff(edges))
        self._paths = [folder / f"{bucket:05d}" for bucket in range(len(edges) - 1)]

    def deal(self, records: np.ndarray) -> None:
        """Append records to the files of their buckets; those of one bucket keep their order."""
        for at in range(0, len(records), PIECE):
            piece = records[at : at + PIECE]
            bucket = self._bucket_of[piece[self._by[0]]]
            ordered = piece.take(np.argsort(bucket, kind="stable"))
            ends = np.cumsum(np.bincount(bucket, minlength=len(self._paths)))
            for number in np.unique(bucket).tolist():
                with self._paths[number].open("ab") as stream:
                    ordered[ends[number - 1] if number else 0 : ends[number]].tofile(stream)

    def in_order(self) -> Iterator[np.ndarray]:
        """All records, sorted, bucket by bucket; the files go as they are read."""
        for path in self._paths:
            if path.exists():
                records = np.fromfile(path, self.record)
                path.unlink()
                major, minor = (records[name] for name in self._by)
                yield records.take(np.argsort(major * np.int64(self._num_nodes) + minor))


def _pieces(path: Path, record: np.dtype) -> Iterator[np.ndarray]:
    with path.open("rb") as stream:
        while len(records := np.fromfile(stream, record, PIECE)):
            yield records


def _offsets(degree: np.ndarray) -> np.ndarray:
    """``[num_nodes + 1]``: where each row begins when rows have these lengths."""
    ends = np.cumsum(degree)
    offsets = np.zeros(len(degree) + 1, position_type(int(ends[-1]) if len(ends) else 0))
    offsets[1:] = ends
    return offsets


def _refuse_twice(records: np.ndarray) -> None:
    source, target = records["source"], records["target"]
    twice = (target[1:] == target[:-1]) & (source[1:] == source[:-1])
    if twice.any():
        at = int(np.argmax(twice))
        raise DataError(f"arc {source[at]} → {target[at]} stands twice", fix=TWICE)


def _symmetric(arcs: Arcs) -> bool:
    """Every arc's reverse exists: both sides then list the same neighbours."""
    same = np.array_equal(arcs.indptr, arcs.in_indptr)
    for at in range(0, arcs.num_arcs, PIECE):
        part: Any = slice(at, at + PIECE)
        same = same and np.array_equal(arcs.targets[part], arcs.sources[part])
    release(arcs.targets)
    release(arcs.sources)
    return same
