"""The only reader and writer of saved things: a folder, a manifest, digests, and an atomic rename.

An artifact is a folder with ``manifest.json`` (format version, kind, counts, metrics, config, data
fingerprint, and the SHA-256 and size of each other file) and files of three kinds: ``.npy`` arrays (opened
memory-mapped), ``.safetensors`` (named tensors) and ``.parquet`` (tables). Nothing in it can run code.

Writing goes to a temporary folder beside the target, every file is fsynced, the manifest comes last, and one
rename publishes the whole. A reader therefore sees the old artifact or the new one, never a mixture; what is
torn or tampered with is refused with the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.errors import ArtifactError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"


@dataclass
class Draft:
    """An artifact while it is being written: add files, then the ``with`` block publishes it."""

    folder: Path
    kind: str
    counts: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    def array(self, name: str, values: np.ndarray) -> None:
        """Add one array as ``name.npy``; object arrays are refused."""
        np.save(self.folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    def tensors(self, name: str, tensors: Mapping[str, np.ndarray]) -> None:
        """Add named arrays as ``name.safetensors``."""
        from safetensors.numpy import save_file

        contiguous = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
        save_file(contiguous, self.folder / f"{name}.safetensors")

    def table(self, name: str, table: pa.Table) -> None:
        """Add one table as ``name.parquet``."""
        pq.write_table(table, self.folder / f"{name}.parquet", compression="zstd")

    def path(self, name: str) -> Path:
        """A path inside the draft, for a writer of its own (a Parquet stream, say)."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


@dataclass(frozen=True)
class Artifact:
    """An artifact that was opened: its manifest, checked, and access to its files."""

    folder: Path
    kind: str
    counts: Mapping[str, int]
    metrics: Mapping[str, float]
    config: Mapping[str, Any]
    fingerprint: str
    files: Mapping[str, Mapping[str, Any]]

    def array(self, name: str, *, mmap: bool = True) -> np.ndarray:
        """One array, memory-mapped read-only unless ``mmap`` is False."""
        path = self._known(f"{name}.npy")
        try:
            return np.load(
                path, mmap_mode="r" if mmap and path.stat().st_size > 4096 else None, allow_pickle=False
            )
        except ValueError as error:
            raise ArtifactError(f"unreadable array: {error}", where=path) from error

    def tensors(self, name: str) -> dict[str, np.ndarray]:
        """Named arrays of one safetensors file."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self._known(f"{name}.safetensors")
        try:
            return load_file(path)
        except SafetensorError as error:
            raise ArtifactError(f"unreadable tensors: {error}", where=path) from error

    def table(self, name: str) -> pa.Table:
        """One table."""
        path = self._known(f"{name}.parquet")
        try:
            return pq.read_table(path)
        except pa.ArrowInvalid as error:
            raise ArtifactError(f"unreadable table: {error}", where=path) from error

    def path(self, name: str) -> Path:
        """The path of a file that the manifest lists."""
        return self._known(name)

    def _known(self, name: str) -> Path:
        if name not in self.files:
            raise ArtifactError(f"the artifact has no file {name!r}", where=self.folder)
        return self.folder / name


@contextmanager
def write_artifact(target: str | Path, kind: str) -> Iterator[Draft]:
    """Write an artifact: fill the draft inside the ``with`` block; leaving it publishes the folder.

    An artifact that already stands at ``target`` is replaced by rename; any other folder or file is refused.
    When the block raises, nothing is published and the temporary folder is removed.

    Raises:
        ArtifactError: ``target`` holds something else than an artifact, or cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     with write_artifact(f"{tmp}/a", kind="note") as draft:
        ...         draft.array("numbers", np.arange(3))
        ...     open_artifact(f"{tmp}/a", kind="note").array("numbers").tolist()
        [0, 1, 2]
    """
    target = Path(target)
    if target.exists() and not (target / MANIFEST).is_file() and (target.is_file() or any(target.iterdir())):
        raise ArtifactError(
            "something that is not an artifact stands there", where=target, fix="Choose a new folder."
        )
    temporary = target.parent / f".{target.name}.{uuid.uuid4().hex[:12]}.tmp"
    try:
        temporary.mkdir(parents=True)
        draft = Draft(temporary, kind)
        yield draft
        _seal(draft)
        _publish(temporary, target)
    except OSError as error:
        raise ArtifactError(f"cannot write: {error.strerror or error}", where=target) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def open_artifact(folder: str | Path, kind: str, *, verify: bool = True) -> Artifact:
    """Open an artifact and check it against its manifest.

    Args:
        folder: where it lies.
        kind: the kind that is expected, such as ``"digraph"``.
        verify: compare every file's SHA-256; when False only sizes are compared.

    Raises:
        ArtifactError: it is absent, of another kind or version, torn, or tampered with.
    """
    folder = Path(folder)
    _recover(folder)
    manifest = _read_manifest(folder)
    if manifest.get("format") != FORMAT_VERSION:
        raise ArtifactError(
            f"format version {manifest.get('format')!r}, this release reads {FORMAT_VERSION}",
            where=folder,
            fix="Write it again with this release.",
        )
    if manifest.get("kind") != kind:
        raise ArtifactError(f"a {manifest.get('kind')!r} stands where a {kind!r} was expected", where=folder)
    try:
        artifact = Artifact(
            folder=folder,
            kind=kind,
            counts=dict(manifest["counts"]),
            metrics=dict(manifest["metrics"]),
            config=dict(manifest["config"]),
            fingerprint=str(manifest["fingerprint"]),
            files={name: dict(entry) for name, entry in manifest["files"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"the manifest is malformed: {error!r}", where=folder / MANIFEST) from error
    for name, entry in artifact.files.items():
        _check_file(folder, name, entry, verify=verify)
    return artifact


def digest(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _seal(draft: Draft) -> None:
    """Fsync every file, then write the manifest that lists them."""
    files = {}
    for path in sorted(p for p in draft.folder.rglob("*") if p.is_file()):
        _fsync(path)
        name = path.relative_to(draft.folder).as_posix()
        files[name] = {"sha256": digest(path), "bytes": path.stat().st_size}
    fingerprint = draft.fingerprint or _fingerprint(draft.kind, files)
    manifest = {
        "format": FORMAT_VERSION,
        "kind": draft.kind,
        "counts": draft.counts,
        "metrics": draft.metrics,
        "config": draft.config,
        "fingerprint": fingerprint,
        "files": files,
    }
    manifest["digest"] = _manifest_digest(manifest)
    path = draft.folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    _fsync(path)
    for folder in [draft.folder, *(p for p in draft.folder.rglob("*") if p.is_dir())]:
        _fsync(folder)


def _fingerprint(kind: str, files: Mapping[str, Mapping[str, Any]]) -> str:
    listing = json.dumps([kind, {name: entry["sha256"] for name, entry in files.items()}], sort_keys=True)
    return hashlib.sha256(listing.encode()).hexdigest()


def _manifest_digest(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest's own content, its digest left out."""
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _publish(temporary: Path, target: Path) -> None:
    retired = _retired(target)
    if target.exists():
        shutil.rmtree(retired, ignore_errors=True)
        target.rename(retired)
    temporary.rename(target)
    _fsync(target.parent)
    shutil.rmtree(retired, ignore_errors=True)


def _recover(folder: Path) -> None:
    """Bring back the old artifact when a crash fell between the two renames of a replacement."""
    retired = _retired(folder)
    if not folder.exists() and (retired / MANIFEST).is_file():
        retired.rename(folder)


def _retired(target: Path) -> Path:
    return target.parent / f".{target.name}.old"


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError("no artifact there", where=folder, fix="Check the path.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ArtifactError(f"the manifest cannot be read: {error}", where=path) from error
    if not isinstance(manifest, dict):
        raise ArtifactError("the manifest is malformed: not an object", where=path)
    if manifest.get("digest") != _manifest_digest(manifest):
        raise ArtifactError(
            "the manifest does not match its digest", where=path, fix="Write the artifact again."
        )
    return manifest


def _check_file(folder: Path, name: str, entry: Mapping[str, Any], *, verify: bool) -> None:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ArtifactError(f"the manifest names a file outside the artifact: {name!r}", where=folder)
    if not path.is_file():
        raise ArtifactError(f"file {name!r} is missing", where=folder)
    size = path.stat().st_size
    if size != entry.get("bytes"):
        raise ArtifactError(f"file {name!r} has {size} bytes instead of {entry.get('bytes')}", where=folder)
    if verify and digest(path) != entry.get("sha256"):
        raise ArtifactError(f"file {name!r} does not match its digest", where=folder, fix="Write it again.")
