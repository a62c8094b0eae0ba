"""Sessions from text files, and what is done to all of them at once."""

import gzip

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.events.datasets.sessions import Sessions, read_sessions

TEXT = "# a comment\nphone case\n\nsock phone sock\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_line_by_line(tmp_path, packed) -> None:
    path = tmp_path / ("sessions.txt.gz" if packed else "sessions.txt")
    path.write_bytes(gzip.compress(TEXT.encode()) if packed else TEXT.encode())
    sessions = read_sessions(path)
    assert [sessions.ids.decode(row) for row in sessions.lists()] == [
        ["phone", "case"],
        ["sock", "phone", "sock"],
    ]
    known = read_sessions(path, IdMap(["sock", "phone"]))
    assert known.lists() == [[1], [0, 1, 0]]


def test_what_is_no_text_is_refused(tmp_path) -> None:
    (tmp_path / "bad.txt.gz").write_bytes(b"\x1f\x8bnothing")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfd")
    for name in ("bad.txt", "bad.txt.gz", "absent.txt"):
        with pytest.raises(DataError):
            read_sessions(tmp_path / name)


def test_parts_are_the_lists_that_they_name() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.integers(5, size=rng.integers(0, 5)).tolist() for _ in range(30)]
    sessions = Sessions.of(IdMap("abcde"), rows)
    assert sessions.lists() == rows and sessions.slice(4, 9).lists() == rows[4:9]
    assert sessions.take(np.array([7, 2, 2])).lists() == [rows[7], rows[2], rows[2]]
    earlier, latest = sessions.tail(0.2)
    assert earlier.lists() + latest.lists() == rows and len(latest) == 6
    histories, following, final = sessions.prefixes()
    expected = [(row[:n], row[n], n == len(row) - 1) for row in rows for n in range(1, len(row))]
    assert list(zip(histories.lists(), following.tolist(), final.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("indptr", "items"), [([0, 3], [1]), ([1, 1], []), ([0, 2, 1], [0]), ([0, 1], [9]), ([0, 1], [-1])]
)
def test_lists_that_do_not_add_up_are_refused(indptr, items) -> None:
    with pytest.raises(DataError):
        Sessions(IdMap("ab"), np.array(indptr), np.array(items))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_tail_is_a_share(share) -> None:
    with pytest.raises(ConfigError):
        Sessions.of(IdMap("a"), [[0]]).tail(share)
