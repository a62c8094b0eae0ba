"""Artifacts: what is read is what was written, and whatever is torn or tampered with is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from thence.base import artifact as module
from thence.base import folders
from thence.base.artifact import MANIFEST, digest, open_artifact, version, write_artifact
from thence.base.errors import ArtifactError, ThenceError

LARGE = np.arange(2048, dtype=np.int64)


def write(folder: Path, start: int = 0) -> Path:
    with write_artifact(folder, "note") as draft:
        draft.array("large", LARGE + start)
        draft.array("small", np.array([start, 0.5]))
        draft.tensors("vectors", {"source": np.eye(2, dtype=np.float32), "bias": np.full(2, start)})
        draft.table("names", pa.table({"id": [f"n{start}", "ü"]}))
        draft.path("parts/text.txt").write_text(f"part {start}")
        draft.counts["rows"] = 2048
        draft.metrics["auc"] = 0.5
        draft.config["seed"] = start
    return folder


def read(folder: Path) -> list:
    art = open_artifact(folder, "note")
    vectors = art.tensors("vectors")
    return [
        int(art.array("large")[0]),
        float(art.array("small")[0]),
        vectors["bias"].tolist(),
        art.table("names")["id"].to_pylist(),
        art.path("parts/text.txt").read_text(),
        dict(art.counts),
        dict(art.metrics),
        dict(art.config),
    ]


def contents(start: int) -> list:
    return [
        start,
        float(start),
        [start, start],
        [f"n{start}", "ü"],
        f"part {start}",
        {"rows": 2048},
        {"auc": 0.5},
        {"seed": start},
    ]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path / "deep" / "a")) == contents(0)
    assert read(write(tmp_path / "deep" / "a", 7)) == contents(7)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_large_arrays_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    art = open_artifact(write(tmp_path / "a"), "note")
    large = art.array("large")
    assert isinstance(large, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        large[0] = 1
    assert not isinstance(art.array("large", mmap=False), np.memmap)


def test_the_same_content_has_the_same_bytes_and_fingerprint(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert digest(first / MANIFEST) == digest(second / MANIFEST)
    other = write(tmp_path / "c", 1)
    prints = [open_artifact(folder, "note").fingerprint for folder in (first, second, other)]
    assert prints[0] == prints[1] != prints[2]


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first, same, other = (write(tmp_path / name, start) for name, start in (("a", 0), ("b", 0), ("c", 1)))
    assert version(first) == version(same) != version(other)
    assert open_artifact(first, "note").fingerprint.startswith(version(first))
    assert len(version(first)) == 12
    with pytest.raises(ArtifactError, match="no artifact there"):
        version(tmp_path / "absent")


def test_the_manifest_takes_what_settings_hold(tmp_path: Path) -> None:
    with write_artifact(tmp_path / "a", "note") as draft:
        draft.config.update({"by": {2: "two", 10: "ten"}, "path": tmp_path, "pair": (1, 2)})
        draft.counts["rows"] = np.int64(3)  # type: ignore[assignment]
    art = open_artifact(tmp_path / "a", "note")
    assert art.config == {"by": {"2": "two", "10": "ten"}, "path": str(tmp_path), "pair": [1, 2]}
    assert art.counts == {"rows": 3}
    with (
        pytest.raises(ArtifactError, match="cannot hold"),
        write_artifact(tmp_path / "b", "note") as draft,
    ):
        draft.config["thing"] = object()
    assert not (tmp_path / "b").exists()


def test_a_block_that_raises_publishes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a")
    with pytest.raises(ZeroDivisionError), write_artifact(tmp_path / "a", "note") as draft:
        draft.array("large", LARGE)
        _ = 1 / 0
    assert read(tmp_path / "a") == contents(0)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_error_about_another_file_is_not_blamed_on_the_artifact(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_artifact(tmp_path / "a", "note"):
        (tmp_path / "elsewhere" / "absent.csv").read_text()


def test_only_an_artifact_or_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "file").write_bytes(b"file")
    for name in ("photos", "file"):
        with pytest.raises(ArtifactError, match="not an artifact stands there"):
            write(tmp_path / name)
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"
    (tmp_path / "empty").mkdir()
    assert read(write(tmp_path / "empty")) == contents(0)


def test_a_link_to_an_artifact_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "v1")
    (tmp_path / "current").symlink_to("v1")
    write(tmp_path / "current", 2)
    assert (tmp_path / "current").is_symlink()
    assert read(tmp_path / "v1") == read(tmp_path / "current") == contents(2)


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "x/../../a", MANIFEST])
def test_files_cannot_leave_the_draft(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match="cannot be named"), write_artifact(tmp_path / "a", "note") as draft:
        draft.path(name)


def test_object_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickle"), write_artifact(tmp_path / "a", "note") as draft:
        draft.array("things", np.array([object()]))


def test_another_kind_an_absent_one_and_an_unknown_file(tmp_path: Path) -> None:
    write(tmp_path / "a")
    with pytest.raises(ArtifactError, match="a 'note' stands where a 'digraph' was expected"):
        open_artifact(tmp_path / "a", "digraph")
    with pytest.raises(ArtifactError, match="no artifact there"):
        open_artifact(tmp_path / "b", "note")
    with pytest.raises(ArtifactError, match=r"no file 'x\.npy'"):
        open_artifact(tmp_path / "a", "note").array("x")


def test_every_byte_of_the_manifest_counts(tmp_path: Path) -> None:
    with write_artifact(tmp_path / "a", "note") as draft:
        draft.array("small", np.arange(2))
        draft.metrics["auc"] = 0.25
    path = tmp_path / "a" / MANIFEST
    whole = path.read_bytes()
    meaning = json.loads(whole)
    refused = 0
    for position in range(len(whole)):
        for flip in (0x01, 0x80):
            torn = bytearray(whole)
            torn[position] ^= flip
            path.write_bytes(torn)
            try:
                open_artifact(tmp_path / "a", "note")
            except ArtifactError:
                refused += 1
            else:  # white space between two words may change, what it says may not
                assert json.loads(torn) == meaning
    assert refused > 1.6 * len(whole)


def test_a_manifest_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a") / MANIFEST
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifactError):
            open_artifact(tmp_path / "a", "note")


@pytest.mark.parametrize("text", ["[]", "null", "3", "{}", "[" * 100_000, '{"format": 1}', "\ufeff{}"])
def test_manifests_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    (write(tmp_path / "a") / MANIFEST).write_text(text)
    with pytest.raises(ArtifactError):
        open_artifact(tmp_path / "a", "note")


def test_a_later_format_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a") / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(ArtifactError, match="format version 2, this release reads 1"):
        open_artifact(tmp_path / "a", "note")


def forge(folder: Path, **changes: object) -> None:
    """Change a manifest as an attacker would: with a digest that fits."""
    path = folder / MANIFEST
    manifest = {**json.loads(path.read_text()), **changes}
    manifest["digest"] = module._manifest_digest(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {"../outside.txt": {"sha256": "", "bytes": 3}}},
        {"files": {"/etc/passwd": {"sha256": "", "bytes": 3}}},
        {"files": {"small.npy": 3}},
        {"files": {"small.npy": {}}},
        {"files": []},
        {"counts": 3},
        {"config": None},
    ],
)
def test_forged_manifests_are_refused(tmp_path: Path, changes: dict) -> None:
    (tmp_path / "outside.txt").write_text("out")
    forge(write(tmp_path / "a"), **changes)
    with pytest.raises(ArtifactError):
        open_artifact(tmp_path / "a", "note")


FILES = ["large.npy", "small.npy", "vectors.safetensors", "names.parquet", "parts/text.txt"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_changed_or_gone_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a") / name
    whole = path.read_bytes()
    for length in {0, 1, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        for verify in (True, False):
            with pytest.raises(ArtifactError, match="bytes instead of"):
                open_artifact(tmp_path / "a", "note", verify=verify)
    for position in {0, len(whole) // 2, len(whole) - 1}:
        torn = bytearray(whole)
        torn[position] ^= 1
        path.write_bytes(torn)
        with pytest.raises(ArtifactError, match="does not match its digest"):
            open_artifact(tmp_path / "a", "note")
    path.unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        open_artifact(tmp_path / "a", "note")


def test_damage_that_goes_unverified_is_still_a_typed_error_or_other_values(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    readers = {
        "large.npy": lambda art: art.array("large"),
        "small.npy": lambda art: art.array("small"),
        "vectors.safetensors": lambda art: art.tensors("vectors"),
        "names.parquet": lambda art: art.table("names"),
    }
    faults = 0
    for name, load in readers.items():
        whole = (folder / name).read_bytes()
        for position in range(0, min(len(whole), 128)):
            torn = bytearray(whole)
            torn[position] ^= 0x5A
            (folder / name).write_bytes(torn)
            try:
                load(open_artifact(folder, "note", verify=False))
            except ArtifactError:
                faults += 1
        (folder / name).write_bytes(whole)
    assert faults > 200
    assert read(folder) == contents(0)


def test_an_artifact_replaced_after_it_was_opened_reads_no_further(tmp_path: Path) -> None:
    art = open_artifact(write(tmp_path / "a"), "note")
    mapped = art.array("large")
    write(tmp_path / "a", 5)
    for load in (art.array, art.tensors, art.table):
        name = {"array": "small", "tensors": "vectors", "table": "names"}[load.__name__]
        with pytest.raises(ArtifactError, match="replaced after it was opened"):
            load(name)
    assert int(mapped[2047]) == 2047
    assert read(tmp_path / "a") == contents(5)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_replacement_while_it_is_being_opened_is_never_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    folder = write(tmp_path / "a")
    if not exchange:
        monkeypatch.setattr(folders, "exchange", lambda first, second: False)
    original, writes = module._check_file, iter([3, 4])

    def check(*args, **options) -> None:
        start = next(writes, None)
        if start is not None:
            write(tmp_path / "a", start)
        original(*args, **options)

    monkeypatch.setattr(module, "_check_file", check)
    assert read(folder) == contents(4)


def test_a_reader_between_the_two_renames_costs_the_writer_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a")
    monkeypatch.setattr(folders, "exchange", lambda first, second: False)
    rename, seen = Path.rename, []

    def slow(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        if Path(target).name == ".a.old" and not seen:
            seen.append(read(tmp_path / "a"))
        return moved

    monkeypatch.setattr(Path, "rename", slow)
    write(tmp_path / "a", 9)
    assert seen == [contents(0)]
    assert read(tmp_path / "a") == contents(9)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_leftovers_of_the_dead_go_and_drafts_of_the_living_stay(tmp_path: Path) -> None:
    (tmp_path / ".a.0123456789ab.tmp").mkdir()
    (tmp_path / ".a.0123456789ab.tmp" / "x.npy").write_bytes(b"x")
    (tmp_path / ".a.old").mkdir()
    with write_artifact(tmp_path / "a", "note") as slow:
        slow.array("small", np.zeros(2))
        write(tmp_path / "a", 1)
        assert slow.folder.is_dir()
    assert open_artifact(tmp_path / "a", "note").array("small").tolist() == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file" / "a", Path("/proc/thence/a"), tmp_path / ("n" * 300)):
        with pytest.raises(ArtifactError) as caught:
            write(target)
        assert isinstance(caught.value, ThenceError)


def test_an_artifact_may_be_moved_and_copied(tmp_path: Path) -> None:
    write(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    (tmp_path / "a").rename(tmp_path / "moved")
    assert read(tmp_path / "copy") == read(tmp_path / "moved") == contents(0)
