"""The only reader and writer of saved things: a folder, a manifest, digests, and an atomic rename.

An artifact is a folder with ``manifest.json`` (format version, kind, counts, metrics, config, data
fingerprint, and the SHA-256 and size of each other file) and files of four kinds: ``.npy`` arrays and
``.arrow`` tables (both opened memory-mapped), ``.safetensors`` (named tensors) and ``.parquet`` (compressed
tables). Nothing in it can run code.

Writing goes to a temporary folder beside the target, every file is fsynced, the manifest comes last, and one
rename publishes the whole. A reader therefore sees the old artifact or the new one, never a mixture: an
artifact that was replaced after it was opened refuses to read on. What is torn or tampered with is refused with
the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.errors import ArtifactError
from thence.base.folders import Workspace, as_os_error, fsync, mend, remedy
from thence.base.manifest import FORMAT_VERSION, MANIFEST, read_manifest
from thence.base.manifest import manifest_digest as _manifest_digest
from thence.base.mapped import map_table, read_array, read_table, write_array, write_table

MAP_FROM = 4096  # bytes; smaller arrays are simply read
ATTEMPTS = 5
ALONE_BYTES = 1 << 24  # fewer bytes are hashed on one thread
VERSION_DIGITS = 12
T = TypeVar("T")


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
        write_array(self.path(f"{name}.npy"), values)

    def tensors(self, name: str, tensors: Mapping[str, np.ndarray]) -> None:
        """Add named arrays as ``name.safetensors``."""
        from safetensors.numpy import save_file

        contiguous = {key: np.asarray(value, order="C") for key, value in tensors.items()}
        with as_os_error():
            save_file(contiguous, self.path(f"{name}.safetensors"))

    def table(self, name: str, table: pa.Table) -> None:
        """Add one table as ``name.parquet``, small on disk."""
        pq.write_table(table, self.path(f"{name}.parquet"), compression="zstd")

    def mapped_table(self, name: str, table: pa.Table) -> None:
        """Add one table as ``name.arrow``, which is opened without being read."""
        write_table(self.path(f"{name}.arrow"), table)

    def path(self, name: str) -> Path:
        """A path inside the draft, for a writer of its own (a Parquet stream, say).

        Raises:
            ArtifactError: ``name`` leads outside the draft or is the manifest's.
        """
        if _leads_outside(name) or name == MANIFEST:
            raise ArtifactError(f"a file of an artifact cannot be named {name!r}")
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
    stamp: tuple[int, ...] = field(repr=False, compare=False)
    mapped: bool = True

    def array(self, name: str, *, mmap: bool = True) -> np.ndarray:
        """One array, memory-mapped read-only unless ``mmap`` or ``mapped`` is False."""

        def load(path: Path) -> np.ndarray:
            mapped = mmap and self.mapped and path.stat().st_size > MAP_FROM
            return read_array(path, mapped=mapped)

        return self._read(f"{name}.npy", load)

    def tensors(self, name: str) -> dict[str, np.ndarray]:
        """Named arrays of one safetensors file."""
        from safetensors.numpy import load_file

        return self._read(f"{name}.safetensors", load_file)

    def table(self, name: str) -> pa.Table:
        """One table that was added by ``Draft.table``, read whole."""
        return self._read(f"{name}.parquet", pq.read_table)

    def mapped_table(self, name: str) -> pa.Table:
        """One table that was added by ``Draft.mapped_table``, memory-mapped; its rows are not looked at."""
        return self._read(f"{name}.arrow", map_table if self.mapped else read_table)

    def path(self, name: str) -> Path:
        """The path of a file that the manifest lists."""
        return self._read(name, lambda path: path)

    def _read(self, name: str, load: Callable[[Path], T]) -> T:
        if name not in self.files:
            raise ArtifactError(f"the artifact has no file {name!r}", where=self.folder)
        try:
            value = load(self.folder / name)
        except Exception as error:  # parsers of damaged bytes raise nearly anything
            self._check_unchanged()
            said = str(error).replace(f"{self.folder}{os.sep}", "")  # parsers name the whole path
            raise ArtifactError(f"file {name!r} cannot be read: {said}", where=self.folder) from error
        self._check_unchanged()
        return value

    def _check_unchanged(self) -> None:
        if _stamp(self.folder) != self.stamp:
            raise ArtifactError("it was replaced after it was opened", where=self.folder, fix="Open it again.")


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
    target = Path(target).resolve()
    workspace = None
    try:
        if target.exists() and not _replaceable(target):
            raise ArtifactError(
                "something that is not an artifact stands there", where=target, fix="Choose a new folder."
            )
        workspace = Workspace(target)
        draft = Draft(workspace.folder, kind)
        yield draft
        _seal(draft)
        workspace.publish()
    except OSError as error:
        if workspace and not workspace.concerns(error):
            raise  # the block stumbled over a file of its own
        raise ArtifactError(
            f"cannot write: {error.strerror or error}", where=target, fix=remedy(error)
        ) from error
    finally:
        if workspace:
            workspace.close()


def open_artifact(folder: str | Path, kind: str, *, verify: bool = True, mapped: bool = True) -> Artifact:
    """Open an artifact and check it against its manifest.

    Args:
        folder: where it lies.
        kind: the kind that is expected, such as ``"digraph"``.
        verify: compare every file's SHA-256; when False only sizes are compared.
        mapped: use large arrays and tables where they lie; when False they are copied into memory, so that
            what happens to the files afterwards does not matter.

    Raises:
        ArtifactError: it is absent, of another kind or version, torn, or tampered with.
    """
    folder = Path(folder)
    for _ in range(ATTEMPTS):
        before = _stamp(folder)
        try:
            artifact = replace(_open(folder, kind, before, verify=verify), mapped=mapped)
        except ArtifactError:
            if _stamp(folder) == before:
                raise
            continue  # replaced while it was being checked: look at the new one
        if _stamp(folder) == before:
            return artifact
    raise ArtifactError("it is being replaced again and again", where=folder, fix="Try again.")


def version(folder: str | Path) -> str:
    """The version of a saved model: the first 12 hexadecimal digits of its artifact's fingerprint.

    Raises:
        ArtifactError: no artifact lies there, or its manifest is torn.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     with write_artifact(f"{tmp}/a", kind="note") as draft:
        ...         draft.array("numbers", np.arange(3))
        ...     version(f"{tmp}/a") == open_artifact(f"{tmp}/a", kind="note").fingerprint[:12]
        True
    """
    return str(read_manifest(Path(folder))["fingerprint"])[:VERSION_DIGITS]


def digest(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(paths: Iterable[Path]) -> list[str]:
    """The SHA-256 of several files, side by side on the machine's cores."""
    paths = list(paths)
    if sum(path.stat().st_size for path in paths) < ALONE_BYTES:
        return [digest(path) for path in paths]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(paths))) as pool:
        largest = sorted(range(len(paths)), key=lambda at: -paths[at].stat().st_size)
        found = {at: pool.submit(digest, paths[at]) for at in largest}
        return [found[at].result() for at in range(len(paths))]


def _open(folder: Path, kind: str, stamp: tuple[int, ...], *, verify: bool) -> Artifact:
    manifest = read_manifest(folder)
    if manifest.get("kind") != kind:
        raise ArtifactError(f"a {manifest.get('kind')!r} stands where a {kind!r} was expected", where=folder)
    parts = {part: manifest[part] for part in ("counts", "metrics", "config", "fingerprint", "files")}
    artifact = Artifact(folder=folder, kind=kind, stamp=stamp, **parts)
    for name, entry in artifact.files.items():
        _check_file(folder, name, entry)
    if verify:
        _check_digests(folder, artifact.files)
    return artifact


def _stamp(folder: Path) -> tuple[int, ...]:
    """What changes when an artifact is replaced; brings back an old one that a crash left aside."""
    try:
        mend(folder, MANIFEST)
        state = (folder / MANIFEST).stat()
    except OSError:
        return ()
    return state.st_dev, state.st_ino, state.st_mtime_ns


def _replaceable(target: Path) -> bool:
    return (target / MANIFEST).is_file() or (target.is_dir() and not any(target.iterdir()))


def _seal(draft: Draft) -> None:
    """Fsync every file, then write the manifest that lists them."""
    paths = sorted(p for p in draft.folder.rglob("*") if p.is_file())
    for path in paths:
        fsync(path)
    files = {
        path.relative_to(draft.folder).as_posix(): {"sha256": found, "bytes": path.stat().st_size}
        for path, found in zip(paths, digests(paths), strict=True)
    }
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
    try:
        manifest = json.loads(json.dumps(manifest, default=_plain))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the manifest cannot hold this: {error}", where=draft.kind) from error
    manifest["digest"] = _manifest_digest(manifest)
    path = draft.folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fsync(path)
    for folder in [draft.folder, *(p for p in draft.folder.rglob("*") if p.is_dir())]:
        fsync(folder)


def _fingerprint(kind: str, files: Mapping[str, Mapping[str, Any]]) -> str:
    listing = json.dumps([kind, {name: entry["sha256"] for name, entry in files.items()}], sort_keys=True)
    return hashlib.sha256(listing.encode()).hexdigest()


def _plain(value: object) -> object:
    """NumPy's numbers and paths as JSON knows them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} is not JSON")


def _leads_outside(name: str) -> bool:
    return Path(name).is_absolute() or ".." in Path(name).parts


def _check_file(folder: Path, name: str, entry: Mapping[str, Any]) -> None:
    if _leads_outside(name):
        raise ArtifactError(f"the manifest names a file outside the artifact: {name[:40]!r}", where=folder)
    try:
        state = (folder / name).stat()
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise ArtifactError(f"file {name[:40]!r} is missing", where=folder) from error
    if not stat.S_ISREG(state.st_mode):
        raise ArtifactError(f"{name[:40]!r} is no file", where=folder)
    size = state.st_size
    if size != entry.get("bytes"):
        raise ArtifactError(f"file {name!r} has {size} bytes instead of {entry.get('bytes')}", where=folder)


def _check_digests(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    try:
        found = digests(folder / name for name in files)
    except OSError as error:
        where = Path(str(error.filename)).name
        raise ArtifactError(f"file {where!r} cannot be read: {error.strerror}", where=folder) from error
    for (name, entry), read in zip(files.items(), found, strict=True):
        if read != entry.get("sha256"):
            raise ArtifactError(f"file {name!r} does not match its digest", where=folder, fix="Write it again.")
