"""Which rows are repeated, known exactly and in bounded memory.

The 128-bit hashes of rows are dealt to bucket files by their top bits, so that equal rows meet in one bucket,
and each bucket is settled by itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thence.events.rowhash import Sum

BUCKETS = 64
_RECORD = np.dtype([("a", "<u8"), ("b", "<u8"), ("at", "<i8")])
_KNOWN = -1


class Repeats:
    """Collects hashes, then tells which of the new rows repeat an earlier row.

    Args:
        folder: an empty folder for the bucket files.

    ``sum`` is the sum of the hashes of all rows that stand: the known ones and, after ``find``, the new ones
    that repeat nothing.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     repeats = Repeats(Path(tmp))
        ...     repeats.add(np.array([[5, 6, 5], [1, 1, 1]], np.uint64))
        ...     repeats.add_known(np.array([[6], [1]], np.uint64))
        ...     repeats.find().tolist()
        [False, True, True]
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self.sum = Sum()

    def add(self, hashes: np.ndarray) -> None:
        """Take the hashes ``[2, n]`` of the next ``n`` new rows."""
        count = hashes.shape[1]
        self.sum.add(hashes)
        self._deal(hashes, np.arange(self.rows, self.rows + count))
        self.rows += count

    def add_known(self, hashes: np.ndarray) -> None:
        """Take the hashes ``[2, n]`` of rows that stand already; they come before all new ones."""
        self.sum.add(hashes)
        self._deal(hashes, np.full(hashes.shape[1], _KNOWN))

    def find(self) -> np.ndarray:
        """``[rows]`` bool: the new rows that repeat a known one or a new one before them."""
        repeated = np.zeros(self.rows, bool)
        for path in sorted(self._folder.iterdir()):
            records = np.fromfile(path, _RECORD)
            if _distinct(records["a"]):
                path.unlink()
                continue
            records = records[_order(records)]
            same = (records["a"][1:] == records["a"][:-1]) & (records["b"][1:] == records["b"][:-1])
            again = records[1:][same]
            again = again[again["at"] != _KNOWN]
            repeated[again["at"]] = True
            self.sum.remove(np.stack([again["a"], again["b"]]))
            path.unlink()
        return repeated

    def _deal(self, hashes: np.ndarray, at: np.ndarray) -> None:
        buckets = (hashes[0] >> np.uint64(58)).astype(np.uint8)
        order = np.argsort(buckets, kind="stable")
        records = np.empty(len(order), _RECORD)
        records["a"], records["b"], records["at"] = hashes[0][order], hashes[1][order], at[order]
        ends = np.cumsum(np.bincount(buckets, minlength=BUCKETS))
        begins = np.concatenate([[0], ends[:-1]])
        for bucket in np.flatnonzero(ends > begins):
            with (self._folder / f"{bucket:02d}").open("ab") as stream:
                records[begins[bucket] : ends[bucket]].tofile(stream)


def _distinct(values: np.ndarray) -> bool:
    ordered = np.sort(values)
    return not (ordered[1:] == ordered[:-1]).any()


def _order(records: np.ndarray) -> np.ndarray:
    """The order by both lanes in which, of equal hashes, known rows come first and new ones as they came."""
    known = records["at"] == _KNOWN
    came = np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)])
    order = came[np.argsort(records["a"][came], kind="stable")]
    a, b = records["a"][order], records["b"][order]
    if ((a[1:] == a[:-1]) & (b[1:] != b[:-1])).any():  # half a collision: sort by the other half too
        return np.lexsort((records["at"], records["b"], records["a"]))
    return order
